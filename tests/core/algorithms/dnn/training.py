"""Trainings of the perceptron, driven by hand up to a step."""

from functools import partial

from tests.core.algorithms import trial

program = trial.program("dnn")
start = partial(trial.start, "dnn")
run = partial(trial.run, "dnn")
snapshots = partial(trial.snapshots, "dnn")
