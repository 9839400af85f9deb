"""Runs of any algorithm that are compared with one another: what they learned, what they show, what they told."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from core import registry
from core.data import uploads
from core.events import Scalars, Snapshot, Step
from core.settings import check
from tests.core.algorithms.driven import same

NETWORKS = ("model", "G", "D", "slow", "online", "target")


class Kept(str):
    """A text that a person brings: the setting holds the name that it is kept under."""


@dataclass
class Trial:
    """A run of a few steps.

    Attributes:
        told: metrics by step and name.
    """

    program: Any
    state: Any
    told: dict[tuple[int, str], float] = field(default_factory=dict)

    def train(self, steps: int) -> None:
        if not steps:
            return
        for event in self.program.train(self.state):
            if isinstance(event, Scalars):
                self.told |= {(event.step, name): value for name, value in event.values.items()}
            if isinstance(event, Step) and event.step >= steps:
                return


def begun(slug: str, settings: Mapping[str, Any]) -> Trial:
    """A run at step 0."""
    experiment = registry.get(slug)
    program: Any = importlib.import_module(experiment.program)
    texts = {name: uploads.keep(text.encode()) for name, text in settings.items() if isinstance(text, Kept)}
    config = check(experiment.config, {**settings, **texts})
    return Trial(program, program.build(config, program.load(config), "cpu"))


def learned(trial: Trial) -> dict[str, Tensor]:
    """All that is learned, by name: the very numbers, not copies."""
    state, found = trial.state, {}
    for name in NETWORKS:
        if isinstance(network := getattr(state, name, None), nn.Module):
            found |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
    if getattr(state, "table", None) is not None:
        found["table"] = torch.from_numpy(state.table)
    if hasattr(state, "engine"):
        found |= {name: torch.from_numpy(getattr(state.engine, name)) for name in ("vectors", "outputs")}
    return found


def only(part: str) -> Callable[[Trial], dict[str, Tensor]]:
    """What one of the networks learned."""
    return lambda trial: {name: value for name, value in learned(trial).items() if name.startswith(f"{part}.")}


def drawn(trial: Trial) -> dict[str, Tensor]:
    """What there is before the first step."""
    assert trial.state.step == 0
    return learned(trial)


def shapes(part: str = "") -> Callable[[Trial], list[tuple[int, ...]]]:
    """Sizes of all that a network, or any of them, learns."""
    return lambda trial: [tuple(value.shape) for name, value in learned(trial).items() if name.startswith(part)]


def seen(panel: str, *keys: str) -> Callable[[Trial], list[Any]]:
    """What a panel shows."""

    def look(trial: Trial) -> list[Any]:
        events = [event for event in trial.program.observe(trial.state) if isinstance(event, Snapshot)]
        arrays = next(event.arrays for event in events if event.panel == panel)
        return [arrays[key] for key in keys]

    return look


def told(name: str, values: bool = True) -> Callable[[Trial], list[Any]]:
    """A metric's values, or only the steps after which it was told."""

    def listen(trial: Trial) -> list[Any]:
        found = [(step, value) for (step, metric), value in trial.told.items() if metric.startswith(name)]
        assert found
        return [value if values else step for step, value in found]

    return listen


@dataclass(frozen=True)
class Row:
    """Values of a field, each pair of which leads to different runs."""

    field: str
    values: tuple[Any, ...]
    context: Mapping[str, Any] = field(default_factory=dict)
    what: Callable[[Trial], Any] = learned
    steps: int = 4


def alike(trials: list[Trial]) -> None:
    """Let runs begin with the same weights wherever these have the same shape."""
    first = learned(trials[0])
    for trial in trials[1:]:
        for name, value in learned(trial).items():
            if name in first and first[name].shape == value.shape:
                value.copy_(first[name])


def differ(a: Any, b: Any) -> bool:
    """Whether two runs came out differently; of what was learned, what both have in the same shape is compared.

    Sums that were made in another order are no difference.
    """
    if not isinstance(a, dict):
        return not same(a, b)
    both = [name for name, value in a.items() if name in b and b[name].shape == value.shape]
    assert both, "nothing that could be compared"
    return any(not torch.allclose(a[name], b[name], rtol=1e-5, atol=1e-6) for name in both)
