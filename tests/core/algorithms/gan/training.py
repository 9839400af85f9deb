"""Trainings as a test drives them: by hand, up to a step."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from core.algorithms.gan import train as program
from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.measure import report
from core.algorithms.gan.schedule import told as is_told
from core.algorithms.gan.state import State
from core.events import Event, Note, Scalars, Step


@dataclass
class Told:
    """What a training said up to a step, that step's own measurements included."""

    state: State
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


@cache
def gallery(data: str, seed: int) -> Any:
    """Images and their judge, which takes seconds to teach: made once for all tests."""
    return program.load(GANConfig(data=data, seed=seed))  # type: ignore[arg-type]


def start(settings: dict[str, Any]) -> State:
    config = GANConfig(**settings)
    data = program.load(config) if config.flat else gallery(config.data, config.seed)
    return program.build(config, data, "cpu")


def run(state: State, steps: int, told: Told | None = None) -> Told:
    """Train until ``state.step`` is ``steps``, and hear what is due there."""
    told = told or Told(state)
    for event in program.train(state):
        told.hear(event)
        if isinstance(event, Step) and event.step >= steps:
            break
    for event in report(state) if is_told(state.config, state.step) else ():
        told.hear(event)
    return told
