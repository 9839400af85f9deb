"""Trainings of agents, driven by hand up to a step."""

from functools import partial
from typing import Any

from core.algorithms.dqn.metrics import evaluate
from core.algorithms.dqn.train import Agent
from core.events import Snapshot, Step
from tests.core.algorithms import trial

program = trial.program("dqn")
start = partial(trial.start, "dqn")
run = partial(trial.run, "dqn")
snapshots = partial(trial.snapshots, "dqn")


def advance(s: Agent, steps: int) -> Any:
    """Train until ``s.step`` is ``steps``, without metrics; the same agent."""
    if s.step < steps:
        next(e for e in program.train(s) if isinstance(e, Step) and e.step >= steps)
    return s


def evaluated(s: Agent) -> tuple[dict[str, float], Any]:
    """An evaluation's metrics, and the pairs of values and returns that it draws."""
    evaluation, pairs = evaluate(s), None
    while True:
        try:
            event = next(evaluation)
        except StopIteration as end:
            return end.value, pairs
        if isinstance(event, Snapshot):
            pairs = event.arrays["pairs"]
