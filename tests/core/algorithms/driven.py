"""A training as a test drives it: what it said, and its state as it comes back from a checkpoint."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.events import Event, Note, Scalars
from core.runs.store import checkpoints


@dataclass
class Told:
    """What a training said up to a step."""

    state: Any
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        if isinstance(event, Scalars):
            for name, value in event.values.items():
                self.curves.setdefault(name, []).append((event.step, value))
        elif isinstance(event, Note):
            self.notes.append(event)

    def last(self, metric: str) -> float:
        return self.curves[metric][-1][1]


def saved(tree: Any) -> Any:
    """A state as a worker gets it back: through a checkpoint's file."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.save(Path(folder), checkpoints.Saved(1, {}, 0.0, 1, tree))
        return checkpoints.load(checkpoints.files(Path(folder))[-1]).state


def same(a: Any, b: Any) -> bool:
    """Whether two states, or parts of them, are alike to the last bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    return bool(np.array_equal(a, b))


def held(network: torch.nn.Module) -> list[np.ndarray]:
    """Copies of all that a network holds."""
    return [tensor.detach().numpy().copy() for tensor in network.state_dict().values()]
