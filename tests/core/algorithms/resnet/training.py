"""Trainings of a residual and a plain network, driven by hand up to a step."""

from functools import partial

from tests.core.algorithms import trial

program = trial.program("resnet")
start = partial(trial.start, "resnet")
run = partial(trial.run, "resnet")
snapshots = partial(trial.snapshots, "resnet")

#: The smallest networks, of 8 layers on pictures of 8×8 pixels.
TINY = {"data": "digits", "n": 1, "width": 2, "stride": 1, "batch_size": 16}
