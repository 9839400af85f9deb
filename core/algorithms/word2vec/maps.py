"""Maps of words: many numbers a word made two or three, each frame rotated so that it lies on the one before.

PCA is found anew for each frame, and its axes may swap or flip from one to the next although hardly a word has moved.
Orthogonal Procrustes (P. Schönemann. A generalized solution of the orthogonal Procrustes problem. 1966) finds the
rotation or reflection Q that brings the new frame nearest to the old one: with XᵀY = UΣVᵀ it is Q = UVᵀ.
"""

import numpy as np

from core.events import Array

#: How far from the middle a word may lie, where the mean distance is about 1.
FAR = 1.6


def principal(vectors: Array, dimensions: int, of: Array | slice = slice(None)) -> tuple[Array, float]:
    """The directions in which rows differ most.

    Args:
        vectors: (n, N).
        of: the rows whose differences count; the others are only seen from there.

    Returns:
        Coordinates (n, dimensions), float64, and the share of the variance of those rows that they hold. Each axis
        points to where its largest coordinate is positive, so that nothing depends on a solver's choice of sign.
    """
    rows = vectors[of].astype(np.float64)
    middle = rows.mean(axis=0)
    _, S, Vt = np.linalg.svd(rows - middle, full_matrices=False)
    found = np.zeros((len(vectors), dimensions))
    rank = min(dimensions, len(S))
    found[:, :rank] = (vectors - middle) @ Vt[:rank].T
    largest = found[np.abs(found).argmax(axis=0), np.arange(dimensions)]
    return found * np.where(largest < 0, -1.0, 1.0), float((S[:rank] ** 2).sum() / max((S**2).sum(), 1e-30))


def aligned(new: Array, old: Array) -> Array:
    """The rotation or reflection Q (d, d) for which new @ Q lies nearest to ``old``, row by row; both (n, d)."""
    U, _, Vt = np.linalg.svd(new.T @ old)
    Q: Array = U @ Vt
    return Q


def scaled(places: Array) -> Array:
    """Centred, and at a root mean square distance of 1 from the middle, or less where one lies beyond :data:`FAR`."""
    centred = places - places.mean(axis=0)
    apart = np.square(centred).sum(axis=1)
    size = max(float(np.sqrt(apart.mean())), float(np.sqrt(apart.max())) / FAR, 1e-12)
    found: Array = centred / size
    return found


class Frames:
    """The frames of one map: remembers the last one, and which words it showed."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._words: dict[int, int] = {}
        self._places: Array = np.zeros((0, dimensions))

    def start(self, words: Array) -> Array | None:
        """Where these words stood last, (n, d); nothing where one of them is new."""
        if not set(words.tolist()) <= self._words.keys():
            return None
        found: Array = self._places[[self._words[w] for w in words.tolist()]]
        return found

    def add(self, words: Array, places: Array) -> Array:
        """A frame, rotated onto the last: (n, d)."""
        places = scaled(places)
        both = [(i, self._words[w]) for i, w in enumerate(words.tolist()) if w in self._words]
        if len(both) > self.dimensions:
            here, there = np.array(both).T
            places = places @ aligned(places[here], self._places[there])
        self._words, self._places = {w: i for i, w in enumerate(words.tolist())}, places
        return places
