"""A training as a test drives it: by hand, up to a step, with its metrics logged as the driver logs them."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core import registry
from core.data import pictures, uploads
from core.events import Event, Note, Scalars, Snapshot, Step
from core.experiment import Config
from core.program import Program, program_of
from core.runs.store import checkpoints
from core.settings import check


@dataclass
class Log:
    """What a training logged, and its state.

    Attributes:
        curves: (step, value) pairs by metric.
        snapshots: those that evaluations made, by panel, the last of each.
    """

    state: Any
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)

    def append(self, event: Event) -> None:
        if isinstance(event, Scalars):
            for name, value in event.values.items():
                self.curves.setdefault(name, []).append((event.step, value))
        elif isinstance(event, Note):
            self.notes.append(event)
        elif isinstance(event, Snapshot):
            self.snapshots[event.panel] = event

    def last(self, metric: str) -> float:
        return self.curves[metric][-1][1]


class UploadedText(str):
    """A text of a person's own: the setting holds the name under which it is stored."""


class OwnPictures(dict[str, Any]):
    """Pictures of a person's own, (3, 32, 32) uint8 by class: the setting holds the name under which they are kept."""


def own_pictures(seed: int, n: int = 6) -> OwnPictures:
    """Two classes of ``n`` pictures of noise."""
    rng = np.random.default_rng(seed)
    return OwnPictures({name: list(rng.integers(0, 256, (n, 3, 32, 32), np.uint8)) for name in ("cup", "pen")})


def program(slug: str) -> Program:
    return program_of(registry.get(slug))


def start(slug: str, settings: Mapping[str, Any] | Config, data: Any = None) -> Any:
    """The state of an algorithm at step 0. ``data`` saves loading what a test has already."""
    experiment = registry.get(slug)
    settings = settings.model_dump() if isinstance(settings, Config) else settings
    texts = {name: uploads.keep(text.encode()) for name, text in settings.items() if isinstance(text, UploadedText)}
    kept = {name: pictures.keep(those) for name, those in settings.items() if isinstance(those, OwnPictures)}
    config = check(experiment.config, {**settings, **texts, **kept})
    one = program(slug)
    return one.begin(config, "cpu") if data is None else one.build(config, data, "cpu")


def run(slug: str, state: Any, steps: float, log: Log | None = None) -> Log:
    """Train until ``state.step`` is ``steps`` or the training ends; metrics are logged at every step that is due."""
    log, one = log or Log(state), program(slug)
    if state.step == 0:
        for event in one.log_metrics(state):
            log.append(event)
    if state.step >= steps:
        return log
    for event in one.train(state):
        log.append(event)
        if isinstance(event, Step):
            if state.should_log(event.step):
                for measured in one.log_metrics(state):
                    log.append(measured)
            if event.step >= steps:
                break
    return log


def snapshots(slug: str, state: Any) -> dict[str, Mapping[str, Any]]:
    """The arrays of every panel that has something to draw; at step 0 also what never changes."""
    one = program(slug)
    functions = {**(one.static_snapshots if state.step == 0 else {}), **one.snapshots}
    taken = {name: function(state) for name, function in functions.items()}
    return {name: arrays for name, arrays in taken.items() if arrays is not None}


def through_checkpoint(tree: Any) -> Any:
    """A state's tree as it comes back from a checkpoint's file."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.save(Path(folder), checkpoints.Saved(1, {}, 0.0, 1, tree))
        return checkpoints.load(checkpoints.files(Path(folder))[-1]).state


def same(a: Any, b: Any) -> bool:
    """Whether two states, or parts of them, are alike to the last bit."""
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, Tensor):
        return torch.equal(a, b)
    if isinstance(a, np.ndarray) and a.dtype.kind == "f":
        return bool(np.array_equal(a, b, equal_nan=True))
    return bool(np.array_equal(a, b))


def modules(state: Any) -> dict[str, nn.Module]:
    """The networks of a state that a checkpoint keeps, by name."""
    found = {name: getattr(state, name) for name in state.saved}
    return {name: part for name, part in found.items() if isinstance(part, nn.Module)}


def copies(network: nn.Module) -> list[np.ndarray]:
    """Copies of all that a network holds."""
    return [tensor.detach().numpy().copy() for tensor in network.state_dict().values()]
