"""Trainings as a test drives them: by hand, up to a step."""

from functools import cache
from typing import Any

from core.algorithms.gan import train as program
from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.measure import report
from core.algorithms.gan.schedule import told as is_told
from core.algorithms.gan.state import State
from core.events import Step
from tests.core.algorithms.driven import Told


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
