"""Trainings of the convolutional network, driven by hand up to a step."""

from functools import partial

from tests.core.algorithms import trial

program = trial.program("cnn")
start = partial(trial.start, "cnn")
run = partial(trial.run, "cnn")
snapshots = partial(trial.snapshots, "cnn")

#: Pictures of 8 × 8 pixels and few channels.
SMALL = {"data": "digits", "blocks": (4, 6), "dense": (10,), "batch_size": 16, "train_size": 200, "test_shift": 1}
