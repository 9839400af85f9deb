"""What can be wrong with a training of the multilayer perceptron, found from its numbers alone."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.metrics import Diagnosis, dead_units, over_fitting, stalled, vanishing_gradients


class Evaluation(NamedTuple):
    """What was found after ``step`` updates.

    Attributes:
        held_out_loss: on the test data.
        gradient_ratio: the first layer's gradient over the last one's, 1 where that says nothing of depth.
    """

    step: int
    epochs: int
    train_loss: float
    held_out_loss: float
    gradient_ratio: float = 1.0


class Evidence(NamedTuple):
    """What the diagnoses are made from: every evaluation so far, the newest last, and the newest metrics."""

    history: Sequence[Evaluation]
    metrics: Mapping[str, float]


DIAGNOSES: tuple[Diagnosis[Evidence], ...] = (dead_units, vanishing_gradients, stalled, over_fitting())
