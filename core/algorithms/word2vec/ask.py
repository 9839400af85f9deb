"""Ask trained vectors for what is nearest to a word, or to a sum of words: also of a run that is over."""

from collections.abc import Iterator

import numpy as np

from core.algorithms.word2vec.asked import Asked, terms
from core.algorithms.word2vec.evaluate import unit
from core.algorithms.word2vec.nearest import best_of, spellings
from core.algorithms.word2vec.state import State
from core.algorithms.word2vec.typed import spelled, typed
from core.events import Array, Event, Snapshot

#: Words that are told of each answer.
TOLD = 12


def answer(state: State, asked: Asked) -> dict[str, Array]:
    """The words nearest to the sum of unit vectors, without those asked for: words, their places, cosines.

    Where one is not known, that one and the nearest spellings. Mikolov et al. 2013: the analogy is such a sum.
    """
    vocabulary = state.vocabulary
    if 0 <= asked.word < len(vocabulary):
        summed = [(1, vocabulary.words[asked.word])]
    else:
        summed = terms(asked.text) or [(1, typed(state.config, vocabulary)[0])]
    said = " ".join(("− " if sign < 0 else "+ ") + word for sign, word in summed).removeprefix("+ ")
    unknown = next((word for _, word in summed if word not in vocabulary.index), None)
    if unknown is not None:
        near = spellings(state, unknown)
        places, cosine = np.array([vocabulary.index[word] for word in near], np.int32), np.zeros(0, np.float32)
        return {"asked": spelled([said]), "unknown": spelled([unknown]), "words": spelled(near)} | {
            "places": places,
            "cosine": cosine,
        }
    vectors, rows = unit(state.engine.vectors), [vocabulary.index[word] for _, word in summed]
    target = unit((np.array([[sign] for sign, _ in summed], np.float32) * vectors[rows]).sum(axis=0)[None])[0]
    cosine = vectors @ target
    cosine[rows] = -2
    best = best_of(cosine, min(TOLD, len(cosine) - len(set(rows))))
    return {
        "asked": spelled([said]),
        "unknown": spelled([]),
        "words": spelled([vocabulary.words[i] for i in best]),
        "places": best.astype(np.int32),
        "cosine": cosine[best].astype(np.float32),
    }


def probe(state: State, name: str, requests: Iterator[Asked]) -> Iterator[Event]:
    """Answer until the person leaves."""
    for asked in requests:
        yield Snapshot(state.step, name, answer(state, asked))
