"""What image classifiers have in common when they are evaluated: loss and accuracy, confusion, mistakes."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.data.image_data import displayed
from core.events import Array, Event, Pulse

#: From a batch of pictures, as the training holds them, to logits (n, classes). It sets what it needs of the model
#: (evaluation mode, say) and leaves the model as it was: the driver may act between two batches.
Predict = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a classifier makes of pictures.

    Attributes:
        loss: mean cross-entropy, in nats; not a number where the logits are not.
        accuracy: share of the pictures put into the right class.
        probabilities: float32 (n, classes), each row adds up to 1.
    """

    loss: float
    accuracy: float
    probabilities: Array

    @property
    def guessed(self) -> Array:
        """The most probable class of each picture, int64 (n,)."""
        guessed: Array = self.probabilities.argmax(axis=1)
        return guessed


def evaluate(predict: Predict, x: Tensor, y: Tensor, chunk: int = 500) -> Generator[Event, None, Evaluated]:
    """Evaluate a classifier without gradients; the generator's value is the result.

    Args:
        x: pictures (n, channels, height, width), as ``predict`` takes them; at least one.
        y: class numbers int64 (n,), on the same device.
        chunk: pictures of one call; between two of them the driver gets a :class:`~core.events.Pulse`.
    """
    chunks: list[Tensor] = []
    for start in range(0, len(x), chunk):
        if chunks:
            yield Pulse()
        with torch.no_grad():
            chunks.append(predict(x[start : start + chunk]).float())
    with torch.no_grad():
        logits = torch.cat(chunks)  # (n, classes)
        correct = (logits.argmax(dim=1) == y).float().mean()
        loss, accuracy = torch.stack([F.cross_entropy(logits, y), correct]).tolist()
        return Evaluated(loss, accuracy, logits.softmax(dim=1).cpu().numpy())


def confusion(evaluated: Evaluated, y: Array) -> dict[str, Array]:
    """How often each class (row) is taken for each (column): ``counts`` int32 (classes, classes).

    Args:
        y: the true classes, int64 (n,).
    """
    k = evaluated.probabilities.shape[1]
    counts = np.bincount(y * k + evaluated.guessed, minlength=k * k)
    return {"counts": counts.reshape(k, k).astype(np.int32)}


def mistakes(images: Array, y: Array, evaluated: Evaluated, most: int = 24) -> dict[str, Array]:
    """The pictures put into a wrong class with the highest probability, the highest first.

    Args:
        images: uint8 (n, channels, height, width).
        y: the true classes, int64 (n,).
        most: how many are returned at most.

    Returns:
        ``images`` as figures take them; ``true``, ``guessed`` uint8 and ``confidence`` float32, one each; ``wrong``
        int32 (2,): how many are wrong, of how many.
    """
    guessed = evaluated.guessed
    confidence = evaluated.probabilities.max(axis=1)
    wrong = np.flatnonzero(guessed != y)
    rows = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    return {
        "images": displayed(images[rows]),
        "true": y[rows].astype(np.uint8),
        "guessed": guessed[rows].astype(np.uint8),
        "confidence": confidence[rows],
        "wrong": np.array([len(wrong), len(y)], np.int32),
    }
