"""Trainings of graph networks, driven by hand up to a step."""

from functools import partial

from tests.core.algorithms import trial

#: A graph small enough for a test, with settings that are easy to learn.
SMALL = {"blocks": (20, 20, 20), "p_in": 0.3, "p_out": 0.02, "hidden": 8}

program = trial.program("gnn")
start = partial(trial.start, "gnn")
run = partial(trial.run, "gnn")
snapshots = partial(trial.snapshots, "gnn")
