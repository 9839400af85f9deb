"""What every algorithm tells the contract suite about itself: ``tests/core/algorithms/<slug>/cases.py`` has ``CASES``.

``test_contract.py`` runs over all registered algorithms and takes from these cases what it cannot know: small settings,
the settings whose effect is tried, batches that can be learned by heart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tests.core.algorithms.trial import Log, modules, same, snapshots


@dataclass
class Trial:
    """A training of a few steps, and what it logged."""

    slug: str
    state: Any
    log: Log


#: What of a trial is compared with another's.
Aspect = Callable[[Trial], Any]


def learned(trial: Trial) -> dict[str, Tensor]:
    """All that is learned, by name: the very tensors, not copies.

    A state that learns something else than modules names these arrays in ``learned_arrays``.
    """
    state = trial.state
    found = {f"{name}.{key}": t for name, network in modules(state).items() for key, t in network.state_dict().items()}
    for name in getattr(state, "learned_arrays", ()):
        array = getattr(state, name)
        if array is not None:
            found[name] = array if isinstance(array, Tensor) else torch.from_numpy(array)
    return found


def part(name: str) -> Aspect:
    """What one of the networks learned."""
    return lambda trial: {key: value for key, value in learned(trial).items() if key.startswith(f"{name}.")}


def initial(trial: Trial) -> dict[str, Tensor]:
    """What there is before the first step; such trials do not begin with the same weights."""
    assert trial.state.step == 0
    return learned(trial)


def shapes(name: str = "") -> Aspect:
    """Sizes of all that a network, or any of them, learns."""
    return lambda trial: [tuple(value.shape) for key, value in learned(trial).items() if key.startswith(name)]


def drawn(panel: str, *arrays: str) -> Aspect:
    """Arrays of a panel's snapshot."""
    return lambda trial: [snapshots(trial.slug, trial.state)[panel][name] for name in arrays]


def logged(metric: str, values: bool = True) -> Aspect:
    """The values of the metrics whose names begin so, or only the steps at which they were logged."""

    def read(trial: Trial) -> list[Any]:
        points = [point for name, curve in trial.log.curves.items() if name.startswith(metric) for point in curve]
        assert points
        return [value if values else step for step, value in points]

    return read


@dataclass(frozen=True)
class Effect:
    """Values of a setting, each pair of which leads to different trainings.

    Attributes:
        context: settings in whose context it has an effect.
        aspect: what is compared.
        steps: trained before.
    """

    setting: str
    values: tuple[Any, ...]
    context: Mapping[str, Any] = field(default_factory=dict)
    aspect: Aspect = learned
    steps: int = 4


@dataclass(frozen=True)
class Overfit:
    """A batch that the model can learn by heart.

    Attributes:
        prepare: leaves only that batch in the state.
        measure: what has to fall below ``below``; the last training loss by default.
    """

    name: str
    settings: Mapping[str, Any]
    prepare: Callable[[Any], None]
    steps: int
    below: float
    measure: Callable[[Log], float] = lambda log: log.last("train/loss")


@dataclass(frozen=True)
class Cases:
    """What the contract suite needs of an algorithm.

    Attributes:
        settings: small and quick; the effects of settings are tried on top of these.
        effects: at least one for each setting.
        resume: by name, settings under which N steps, a checkpoint and N more are 2N steps, to the last bit.
        half: N.
        overfit: batches that can be learned by heart.
        gradient: settings by name and steps after which every parameter that is trained has a gradient.
        patch: called with pytest's ``monkeypatch`` before each test, to replace what is slow and not under test.
    """

    settings: Mapping[str, Any]
    effects: tuple[Effect, ...]
    resume: Mapping[str, Mapping[str, Any]]
    half: int = 20
    overfit: tuple[Overfit, ...] = ()
    gradient: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    gradient_steps: int = 2
    patch: Callable[[Any], None] = lambda monkeypatch: None


def share_weights(trials: list[Trial]) -> None:
    """Let trainings begin with the same weights wherever these have the same shape."""
    first = learned(trials[0])
    for trial in trials[1:]:
        for name, value in learned(trial).items():
            if name in first and first[name].shape == value.shape:
                value.copy_(first[name])


def differ(a: Any, b: Any) -> bool:
    """Whether two trainings came out differently; of what was learned, what both have in the same shape is compared.

    Sums that were made in another order are no difference.
    """
    if not isinstance(a, dict):
        return not same(a, b)
    both = [name for name, value in a.items() if name in b and b[name].shape == value.shape]
    assert both, "nothing that could be compared"
    return any(not torch.allclose(a[name], b[name], rtol=1e-5, atol=1e-6) for name in both)
