"""When metrics are logged: often at first, never costly, the same on any machine."""

from itertools import pairwise

import numpy as np

from core.log_schedule import LogSchedule
from tests.core.algorithms.dnn.training import start


def test_the_schedule_of_logs():
    small = start({}).log_schedule
    logged = [step for step in range(200_000) if small.should_log(step, False)]
    assert logged[:64] == list(range(64))
    for low in (64, 128, 256, 512, 1024):
        assert sum(low <= step < 2 * low for step in logged) == 32
    assert {b - a for a, b in pairwise(logged) if 2048 < a < 120_000} <= {64}
    tested = [step for step in range(8192) if small.should_evaluate_test(step, False)]
    assert set(tested) <= set(logged)
    assert tested[:32] == list(range(32))
    assert max(np.diff(tested)) <= 150  # ten a second at 1,500 steps a second


def test_large_test_parts_are_evaluated_more_seldom_than_the_training_sample():
    mnist = LogSchedule.of(235_146, 128, 60_000, 500, 10_000)
    assert mnist.train <= 64
    tested = [step for step in range(2346) if mnist.should_evaluate_test(step, step > 0 and step % 469 == 0)]
    assert tested == [0, 64, 256, 469, 938, 1024, 1407, 1876, 2345]
    trained = [step for step in range(2346) if mnist.should_evaluate_train(step, step > 0 and step % 469 == 0)]
    assert set(tested) <= set(trained)
    assert not LogSchedule.of(147, 32, 420, 420, 180).epoch_ends  # an epoch of 14 steps
