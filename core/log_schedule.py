"""After which updates metrics are logged: by the count of steps and the sizes alone, never by the clock.

The costs are estimated from the sizes, so that a seed gives one curve on any machine. An update is three times a
forward pass (2 operations a weight and row), plus the overhead of its calls, as much as some 20 million operations.
"""

from dataclasses import dataclass
from typing import Self

from core.training import log_spacing, power_of_two

#: Rows of the training part that an evaluation uses. Every data set comes shuffled.
TRAIN_SAMPLE = 500

#: Overhead of PyTorch's calls for one update, in operations that a core does in the same time.
CALLS = 20e6
#: A core does some 3e10 of these operations a second: a log for each 1.5e9 is twenty a second. Evaluations take longer
#: than statistics of an update, and are made a half or a quarter as often.
POINT = 1.5e9
#: What a large forward pass costs of the estimate, for it leaves the cache; and its share of the training's time.
BULK, SHARE = 1.2, 0.04
#: Epochs shorter than this have no evaluation at their end.
LONG_EPOCH = 64
NEVER = 1 << 40


@dataclass(frozen=True, slots=True)
class LogSchedule:
    """When to log what, in steps; all spacings are powers of two.

    Attributes:
        sparsest: the spacing that logs of the update grow to at first.
        train, test: smallest spacing of an evaluation of the training sample and of the whole test part.
        epoch_ends: whether both are also evaluated when an epoch ends. Where that is about as often as the whole test
            part may be evaluated, it is evaluated only then: hence a ``test`` of :data:`NEVER`.
    """

    sparsest: int
    train: int
    test: int
    epoch_ends: bool

    @classmethod
    def of(cls, weights: int, batch: int, rows: int, train_rows: int, test_rows: int) -> Self:
        """The schedule of a network of so many weights, trained in batches on ``rows``, evaluated on the others."""
        update = CALLS + 6.0 * min(batch, rows) * weights
        sparsest = power_of_two(POINT / update)
        costs = [2.0 * n * weights * BULK / update for n in (train_rows, test_rows)]
        train, test = (_spacing(cost) for cost in costs)
        epoch = rows / batch
        epoch_ends = epoch >= max(LONG_EPOCH, costs[1] / (2 * SHARE))
        return cls(sparsest, train, NEVER if epoch_ends and epoch < 2 * test else max(train, test), epoch_ends)

    def should_log(self, step: int, epoch_ended: bool) -> bool:
        return step % log_spacing(step, self.sparsest) == 0 or (epoch_ended and self.epoch_ends)

    def _between(self, step: int) -> int:
        """Spacing of evaluations that cost little: four times that of the logs, at most twice the sparsest."""
        spacing = log_spacing(step, self.sparsest)
        return max(2 * spacing, min(4 * spacing, 2 * self.sparsest)) if step >= 32 else 1

    def should_evaluate_train(self, step: int, epoch_ended: bool) -> bool:
        return _due(step, max(self.train, self._between(step))) or (epoch_ended and self.epoch_ends)

    def should_evaluate_test(self, step: int, epoch_ended: bool) -> bool:
        if self.test == NEVER and 0 < step < LONG_EPOCH:
            return False  # it would take as long as all the updates so far
        return _due(step, max(self.test, self._between(step))) or (epoch_ended and self.epoch_ends)


def _due(step: int, spacing: int) -> bool:
    """At each multiple of the spacing, and at 0, 1, 4, 16, … before the first."""
    return step % spacing == 0 or (step < spacing and step & (step - 1) == 0 and step.bit_length() % 2 == 1)


def _spacing(updates: float) -> int:
    """Steps from one evaluation that costs so many updates to the next; the overhead of its calls is ignored."""
    return 2 * power_of_two(updates / SHARE) if updates > SHARE else 1
