"""The words nearest to a word, by the cosine of their vectors, and those spelled most like one that is not known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.algorithms.word2vec.evaluate import unit
from core.algorithms.word2vec.typed import typed
from core.events import Array

if TYPE_CHECKING:
    from core.algorithms.word2vec.state import State

#: Words that are searched: the most frequent ones.
SEARCHED = 20_000
#: Nearest words found of each word; on the map they have its colour.
NEAR = 12
#: Nearest spellings kept, so that a word that is typed once is looked for once.
_SPELT: dict[tuple[int, str], list[str]] = {}


def neighbours(state: "State", searched: Array) -> list[tuple[str, Array, Array]]:
    """(word, places of its nearest, their cosines) of each typed word; for one that is not known both are empty."""
    found = []
    index = state.vocabulary.index
    known = [index[word] for word in typed(state.config, state.vocabulary) if word in index]
    vectors = unit(state.engine.vectors[known])
    near = vectors @ searched.T if known else np.zeros((0, 0))
    row = 0
    for word in typed(state.config, state.vocabulary):
        if word not in index:
            found.append((word, np.zeros(0, np.int64), np.zeros(0, np.float32)))
            continue
        cosine = near[row]
        row += 1
        if index[word] < len(cosine):
            cosine[index[word]] = -2
        best = best_of(cosine, NEAR)
        found.append((word, best, cosine[best]))
    return found


def nearest_to_sum(
    state: "State", summed: Sequence[tuple[int, str]], searched: Array, most: int
) -> tuple[Array, Array, str]:
    """Of the words searched those nearest to a sum of words, which are left out themselves.

    Mikolov et al. 2013: the analogy a - b + c is such a sum, of vectors of length 1.

    Args:
        summed: signs and words.
        searched: unit vectors of the most frequent words, (n, size).

    Returns:
        places and cosines, and the first word that is not known; where there is one, the others are empty.
    """
    index = state.vocabulary.index
    unknown = next((word for _, word in summed if word not in index), "")
    if unknown:
        return np.zeros(0, np.int64), np.zeros(0, np.float32), unknown
    rows = [index[word] for _, word in summed]
    signs = np.array([[sign] for sign, _ in summed], np.float32)
    cosine = searched @ unit((signs * unit(state.engine.vectors[rows])).sum(axis=0)[None])[0]
    asked = sorted({row for row in rows if row < len(cosine)})
    cosine[asked] = -2
    best = best_of(cosine, min(most, len(cosine) - len(asked)))
    return best, cosine[best].astype(np.float32), ""


def best_of(values: Array, most: int) -> Array:
    """Places of the largest, the largest first."""
    most = min(most, len(values) - 1)
    some = np.argpartition(-values, most)[:most]
    return some[np.argsort(-values[some])]


def spellings(state: "State", word: str) -> list[str]:
    """Known words that are spelled most like this one."""
    key = (id(state), word)
    if key not in _SPELT:
        if len(_SPELT) > 200:
            _SPELT.clear()
        _SPELT[key] = state.vocabulary.nearest(word)
    return _SPELT[key]
