"""Trainings as a test drives them: by hand, up to a step."""

from typing import Any

from core.algorithms.dqn import train as program
from core.algorithms.dqn.config import DQNConfig
from core.algorithms.dqn.measure import report
from core.algorithms.dqn.schedule import evaluated, told
from core.algorithms.dqn.state import State
from core.events import Step
from tests.core.algorithms.driven import Told


def start(settings: dict[str, Any] | DQNConfig) -> State:
    config = settings if isinstance(settings, DQNConfig) else DQNConfig(**settings)
    return program.build(config, program.load(config), "cpu")


def advance(state: State, steps: int, heard: Told | None = None) -> Told:
    """Train until ``state.step`` is ``steps``, and leave at once, as a worker does."""
    heard = heard or Told(state)
    for event in program.train(state):
        heard.hear(event)
        if isinstance(event, Step) and event.step >= steps:
            break
    return heard


def run(state: State, steps: int) -> Told:
    """Train until ``state.step`` is ``steps``, with the measurements that are due there."""
    heard = advance(state, steps)
    if told(state.step) or evaluated(state.step, state.config.evaluate_every):
        for event in report(state):
            heard.hear(event)
    return heard
