"""Maps of vectors in two or three dimensions, each frame of a training rotated so that it lies on the one before.

PCA is found anew for each frame, and its axes may swap or flip from one to the next although hardly a point has moved.
Orthogonal Procrustes (P. H. Schönemann. A generalized solution of the orthogonal Procrustes problem. Psychometrika 31,
1966) finds the rotation or reflection Q that brings the new frame nearest to the old one: with XᵀY = UΣVᵀ it is
Q = UVᵀ.
"""

import numpy as np

from core.events import Array

#: How far from the middle a point of a scaled map may lie, where the mean distance is about 1.
FAR = 1.6


def principal_components(x: Array, dimensions: int, fitted: Array | slice = slice(None)) -> tuple[Array, float]:
    """PCA: the directions in which rows differ most.

    Args:
        x: (n, d); where d is less than ``dimensions``, the further coordinates are 0.
        fitted: the rows whose differences count; the others are only projected.

    Returns:
        Coordinates (n, dimensions), float64, and the share of the fitted rows' variance that they hold. Each axis
        points to where its largest coordinate is positive, so that nothing depends on a solver's choice of sign.
    """
    rows = x[fitted].astype(np.float64)
    mean = rows.mean(axis=0)
    variances, directions = np.linalg.eigh((rows - mean).T @ (rows - mean))  # in rising order
    axes = directions[:, ::-1][:, :dimensions]
    coordinates = np.zeros((len(x), dimensions))
    coordinates[:, : axes.shape[1]] = (x - mean) @ axes
    largest = coordinates[np.abs(coordinates).argmax(axis=0), np.arange(dimensions)]
    explained = variances[::-1][:dimensions].sum() / max(variances.sum(), 1e-30)
    return coordinates * np.where(largest < 0, -1.0, 1.0), float(explained)


def procrustes(new: Array, old: Array) -> Array:
    """The rotation or reflection Q (d, d) for which new @ Q lies nearest to ``old``, row by row; both (n, d)."""
    U, _, Vt = np.linalg.svd(new.T @ old)
    Q: Array = U @ Vt
    return Q


def scaled(places: Array) -> Array:
    """Centred, and at a root mean square distance of 1 from the middle, or less where one lies beyond :data:`FAR`."""
    centred = places - places.mean(axis=0)
    squares = np.square(centred).sum(axis=1)
    size = max(float(np.sqrt(squares.mean())), float(np.sqrt(squares.max())) / FAR, 1e-12)
    found: Array = centred / size
    return found


class AlignedFrames:
    """The frames of one map: remembers the last one, and which points it showed. Points may come and go.

    Args:
        dimensions: of the map.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._ids: Array = np.zeros(0, np.int64)
        self._places: Array = np.zeros((0, dimensions))

    def last(self, ids: Array) -> Array | None:
        """Where these points were in the last frame, (n, dimensions); ``None`` where one of them was not in it."""
        here, there = self._common(ids)
        if len(here) < len(ids):
            return None
        found = np.empty((len(ids), self.dimensions))
        found[here] = self._places[there]
        return found

    def add(self, ids: Array, places: Array) -> Array:
        """The next frame, rotated onto the last by the points that are in both.

        Args:
            ids: a number for each point, (n,), none twice.
            places: (n, dimensions).
        """
        here, there = self._common(ids)
        if len(here) > self.dimensions:
            places = places @ procrustes(places[here], self._places[there])
        self._ids, self._places = ids, places
        return places

    def _common(self, ids: Array) -> tuple[Array, Array]:
        _, here, there = np.intersect1d(ids, self._ids, assume_unique=True, return_indices=True)
        return here, there
