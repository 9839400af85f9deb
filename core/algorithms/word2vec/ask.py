"""Ask trained vectors for what is nearest to a word, or to a sum of words: also of a run that is over."""

from collections.abc import Iterator

import numpy as np

from core.algorithms.word2vec.asked import Asked, terms
from core.algorithms.word2vec.evaluate import unit
from core.algorithms.word2vec.nearest import nearest_to_sum, spellings
from core.algorithms.word2vec.state import State
from core.algorithms.word2vec.typed import spelled, typed
from core.events import Array, Event, Snapshot

#: Words that are told of each answer.
TOLD = 12


def answer(state: State, asked: Asked) -> dict[str, Array]:
    """The words nearest to what was asked for: words, their places, cosines; where one is not known, that one and the
    nearest spellings."""
    vocabulary = state.vocabulary
    if 0 <= asked.word < len(vocabulary):
        summed = [(1, vocabulary.words[asked.word])]
    else:
        summed = terms(asked.text) or [(1, typed(state.config, vocabulary)[0])]
    said = " ".join(("− " if sign < 0 else "+ ") + word for sign, word in summed).removeprefix("+ ")
    best, cosine, unknown = nearest_to_sum(state, summed, unit(state.engine.vectors), TOLD)
    words = spellings(state, unknown) if unknown else [vocabulary.words[i] for i in best]
    return {
        "asked": spelled([said]),
        "unknown": spelled([unknown] if unknown else []),
        "words": spelled(words),
        "places": np.array([vocabulary.index[word] for word in words], np.int32),
        "cosine": cosine,
    }


def probe(state: State, name: str, requests: Iterator[Asked]) -> Iterator[Event]:
    """Answer until the person leaves."""
    for asked in requests:
        yield Snapshot(state.step, name, answer(state, asked))
