"""Trainings as a test drives them: by hand, up to a step."""

from typing import Any

from core.algorithms.dnn import train as program
from core.algorithms.dnn.config import DNNConfig
from core.algorithms.dnn.measure import report
from core.algorithms.dnn.state import State
from core.events import Step
from tests.core.algorithms.driven import Told


def start(settings: dict[str, Any] | DNNConfig) -> State:
    config = settings if isinstance(settings, DNNConfig) else DNNConfig(**settings)
    return program.build(config, program.load(config), "cpu")


def run(state: State, steps: int, told: Told | None = None) -> Told:
    """Train until ``state.step`` is ``steps``; what is due there is told by a look at the top of the next turn."""
    told = told or Told(state)
    for event in program.train(state):
        told.hear(event)
        if isinstance(event, Step) and event.step >= steps:
            break
    for event in report(state) if state.schedule.told(state.step, state.epoch_ended) else ():
        told.hear(event)
    return told
