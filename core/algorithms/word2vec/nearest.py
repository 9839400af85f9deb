"""The words nearest to a word, or to a sum of words, by the cosine of their vectors."""

from collections.abc import Sequence

import numpy as np

from core.data.vocabulary import Vocabulary
from core.events import Array

#: Words that are searched: the most frequent ones.
SEARCHED = 20_000


def cosines(a: Array, b: Array) -> Array:
    """Cosine of the angle between each row of one and the same row of the other; 0 where one has no length."""
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: Array = (a * b).sum(axis=1) / np.maximum(length, 1e-12)
    return found


def unit(vectors: Array) -> Array:
    """Rows of length 1, float32."""
    lengths = np.sqrt(np.einsum("vn,vn->v", vectors, vectors))
    found: Array = vectors / np.maximum(lengths, 1e-12)[:, None]
    return found.astype(np.float32, copy=False)


def nearest_to_sum(
    summed: Sequence[tuple[int, str]], vocabulary: Vocabulary, vectors: Array, searched: Array, most: int
) -> tuple[Array, Array, str]:
    """Of the words searched those nearest to a sum of words, which are left out themselves.

    Mikolov et al. 2013: the analogy a - b + c is such a sum, of vectors of length 1.

    Args:
        summed: signs and words.
        vectors: of all words, (V, N).
        searched: unit vectors of the most frequent words, (n, N).

    Returns:
        places and cosines, and the first word that is not known; where there is one, the others are empty.
    """
    index = vocabulary.index
    unknown = next((word for _, word in summed if word not in index), "")
    if unknown:
        return np.zeros(0, np.int64), np.zeros(0, np.float32), unknown
    rows = [index[word] for _, word in summed]
    signs = np.array([[sign] for sign, _ in summed], np.float32)
    cosine = searched @ unit((signs * unit(vectors[rows])).sum(axis=0)[None])[0]
    themselves = sorted({row for row in rows if row < len(cosine)})
    cosine[themselves] = -2
    best = best_of(cosine, min(most, len(cosine) - len(themselves)))
    return best, cosine[best].astype(np.float32), ""


def best_of(values: Array, most: int) -> Array:
    """Places of the largest, the largest first."""
    most = min(most, len(values) - 1)
    some = np.argpartition(-values, most)[:most]
    return some[np.argsort(-values[some])]
