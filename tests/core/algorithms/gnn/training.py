"""Trainings as a test drives them: by hand, up to a step."""

from typing import Any

from core.algorithms.gnn import train as program
from core.algorithms.gnn.config import GNNConfig
from core.algorithms.gnn.measure import report, told
from core.algorithms.gnn.state import State
from core.events import Step
from core.settings import check
from tests.core.algorithms.driven import Told

#: A graph small enough for a test, with settings that are easy to learn.
SMALL = {"blocks": (20, 20, 20), "p_in": 0.3, "p_out": 0.02, "hidden": 8}


def start(settings: dict[str, Any]) -> State:
    config = check(GNNConfig, settings)
    return program.build(config, program.load(config), "cpu")


def run(state: State, steps: int, heard: Told | None = None) -> Told:
    """Train until ``state.step`` is ``steps``, and hear what is due there."""
    heard = heard or Told(state)
    for event in program.train(state):
        heard.hear(event)
        if isinstance(event, Step) and event.step >= steps:
            break
    for event in report(state) if told(state) else ():
        heard.hear(event)
    return heard
