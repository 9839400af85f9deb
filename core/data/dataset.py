"""What a data set of rows is to an algorithm: a training part, a test part, and the scale the training part has."""

from dataclasses import dataclass

import numpy as np

from core.events import Array

#: The inputs and answers of a training part, then those of a test part.
Parts = tuple[Array, Array, Array, Array]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of numbers with an answer each, split once and for all.

    Attributes:
        name: what the settings call it.
        x_train, x_test: float32 of shape (n, d) in the data's own units, or uint8 for images, a row a picture.
        y_train, y_test: int64 class numbers of shape (n,), or float32 values to be predicted.
        features: names of the d columns; empty for images.
        classes: names of the classes; empty where a value is predicted.
        image: (height, width) where a row is a picture.
    """

    name: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    image: tuple[int, int] | None = None


def scale_of(x_train: Array) -> tuple[Array, Array]:
    """(mean, deviation) of a training part, to standardise both parts with: the test part has no say in it.

    One of each for a column; for images (uint8) one for all pixels, since a pixel of the rim never changes and has
    no scale of its own. A column that never changes is divided by 1.
    """
    if x_train.dtype == np.uint8:
        counts = np.bincount(x_train.reshape(-1), minlength=256)
        levels = np.arange(256)
        mean = float((counts * levels).sum() / counts.sum())
        deviation = float(np.sqrt((counts * (levels - mean) ** 2).sum() / counts.sum()))
        return np.array([mean], np.float32), np.array([deviation or 1.0], np.float32)
    deviation_of = x_train.std(axis=0, dtype=np.float64)
    deviation_of = np.where(deviation_of < 1e-12, 1.0, deviation_of)
    return x_train.mean(axis=0, dtype=np.float64).astype(np.float32), deviation_of.astype(np.float32)


def split(labels: Array, share: float, rng: np.random.Generator, *, stratified: bool) -> tuple[Array, Array]:
    """Row numbers of the training and of the test part, shuffled.

    Args:
        labels: one a row, shape (n,).
        share: of the rows for the test, between 0 and 1.
        rng: draws them.
        stratified: each class gives the same share, and at least one row to each part where it has two.
    """
    groups = [np.flatnonzero(labels == c) for c in np.unique(labels)] if stratified else [np.arange(len(labels))]
    train, test = [], []
    for rows in groups:
        rows = rng.permutation(rows)
        taken = min(max(round(share * len(rows)), 1), len(rows) - 1)
        test.append(rows[:taken])
        train.append(rows[taken:])
    return rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))
