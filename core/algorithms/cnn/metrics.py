"""What is measured while the network trains: losses and accuracies, dead channels, and the diagnoses.

Everything follows the count of steps, never the clock, so that a seed gives one curve. The training part is measured
on a fixed sample of at most 500 pictures, the test part always whole: one curve, one set of pictures.
"""

import math
from collections.abc import Generator, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from core.algorithms.cnn.diagnoses import DIAGNOSES, Evaluation, Evidence
from core.algorithms.cnn.explain import recorded, slope_of, slopes
from core.algorithms.cnn.train import CNN
from core.classification import Evaluated, evaluate
from core.events import Array, Event, Scalars
from core.experiment import Diverged
from core.log_schedule import TRAIN_SAMPLE

#: Pictures of a forward pass: the maps of more of them leave the processor's cache.
CHUNK = 200

#: Test pictures of a class by which to say that it is never predicted.
ENOUGH = 5

#: Training pictures on which the slope of every channel is measured, and a slope that lets no gradient through.
SLOPE_SAMPLE, FLAT_SLOPE = 128, 0.01


def log_metrics(s: CNN) -> Iterator[Event]:
    """Statistics of the last update, and the evaluations that are due after it."""
    values = s.statistics.metrics(layer_names(s))
    when = (s.step, s.batches.epoch_ended)
    if s.log_schedule.should_evaluate_train(*when):
        found = yield from evaluate(partial(logits, s), s.x_train[:TRAIN_SAMPLE], s.y_train[:TRAIN_SAMPLE], CHUNK)
        if not math.isfinite(found.loss):
            raise Diverged(f"the training loss is {found.loss}")
        values |= {"train/loss": found.loss, "train/accuracy": found.accuracy}
        values |= {f"dead/{name}": share for name, share in dead_shares(s).items()}
    tested = s.log_schedule.should_evaluate_test(*when)
    if tested:
        values |= yield from evaluate_test(s, values["train/loss"])
    yield Scalars(s.step, values)
    if tested:
        evidence = Evidence(s.history, values, s.data.classes)
        yield from s.diagnose(DIAGNOSES, evidence)


def evaluate_test(s: CNN, train_loss: float) -> Generator[Event, None, dict[str, float]]:
    """Loss and accuracy of the whole test part and of the moved pictures, as this generator's value; keeps the
    probabilities of the former."""
    found = yield from evaluate(partial(logits, s), s.x_test, s.y_test, CHUNK)
    s.probabilities = found.probabilities
    s.history.append(Evaluation(s.step, train_loss, found.loss, *rarest(found, s.data.y_test)))
    values = {"test/loss": found.loss, "test/accuracy": found.accuracy}
    if len(s.x_moved):
        of_moved = yield from evaluate(partial(logits, s), s.x_moved, s.y_test[: len(s.x_moved)], CHUNK)
        values["moved/accuracy"] = of_moved.accuracy
    return values


def rarest(found: Evaluated, y: Array) -> tuple[float, int]:
    """The fewest predictions of a class over its pictures, and that class's number; infinite where no class has enough
    pictures: of two that are misclassified nothing follows."""
    n_classes = found.probabilities.shape[1]
    predicted = np.bincount(found.probabilities.argmax(axis=1), minlength=n_classes)
    there = np.bincount(y, minlength=n_classes)
    share = np.where(there >= ENOUGH, predicted / np.maximum(there, 1), np.inf)
    return float(share.min()), int(share.argmin())


def layer_names(s: CNN) -> list[str]:
    """``layer_1``, … for the weights that are trained; those of a frozen convolution are counted and left out."""
    n = len(s.config.layers()) - sum(layer.kind in ("pooling", "average") for layer in s.config.layers())
    return [f"layer_{i}" for i in range(n - len(s.model.weights) + 1, n + 1)]


@torch.no_grad()
def logits(s: CNN, x: Tensor) -> Tensor:
    """Logits of pictures as at a test: no augmentation, no dropout, batch norm by its running statistics."""
    with evaluating(s):
        found: Tensor = s.model(s.inputs(x))
    return found


class evaluating:  # noqa: N801 - stands in a with statement
    """The network as at a test, and then as it was."""

    def __init__(self, s: CNN) -> None:
        self.model = s.model

    def __enter__(self) -> None:
        self.training = self.model.training
        self.model.eval()

    def __exit__(self, *_: object) -> None:
        self.model.train(self.training)


@torch.no_grad()
def dead_shares(s: CNN) -> dict[str, float]:
    """Share of each convolution's channels (without convolutions: of each layer's units) that let no gradient through,
    at any place of any of some pictures."""
    with evaluating(s), recorded(s.model) as record:
        s.model(s.inputs(s.x_train[:SLOPE_SAMPLE]))
    activation = slope_of(s.model)
    kind = "convolution" if s.config.has_convolutions else "dense"
    sums = [z.reshape(*z.shape[:2], -1) for name, z in record.inputs.items() if name.startswith(kind)]
    # The largest slope of each channel over pictures and places.
    shares = [(slopes(activation, z).abs().amax(dim=(0, 2)) < FLAT_SLOPE).float().mean() for z in sums]
    return {f"layer_{i}": share for i, share in enumerate(torch.stack(shares).tolist(), start=1)}
