"""The words nearest to a word, or to a sum of words, in trained vectors."""

from collections.abc import Iterator

import numpy as np

from core.algorithms.word2vec.nearest import nearest_to_sum, unit
from core.algorithms.word2vec.queries import encoded, query_words, spelled_like
from core.algorithms.word2vec.requests import WordRequest, terms
from core.algorithms.word2vec.train import Word2VecTraining
from core.events import Array, Event, Snapshot

#: Words of an answer.
ANSWERED = 12


def answer(s: Word2VecTraining, request: WordRequest) -> dict[str, Array]:
    """The nearest words, their places and cosines; where a word is not known, that one and the nearest spellings."""
    vocabulary = s.vocabulary
    if 0 <= request.word < len(vocabulary):
        summed = [(1, vocabulary.words[request.word])]
    else:
        summed = terms(request.text) or [(1, query_words(s.config, vocabulary)[0])]
    query = " ".join(("− " if sign < 0 else "+ ") + word for sign, word in summed).removeprefix("+ ")
    best, cosine, unknown = nearest_to_sum(summed, vocabulary, s.vectors, unit(s.vectors), ANSWERED)
    words = spelled_like(vocabulary, unknown) if unknown else [vocabulary.words[i] for i in best]
    return {
        "query": encoded([query]),
        "unknown": encoded([unknown] if unknown else []),
        "words": encoded(words),
        "places": np.array([vocabulary.index[word] for word in words], np.int32),
        "cosine": cosine,
    }


def probe(s: Word2VecTraining, name: str, requests: Iterator[WordRequest]) -> Iterator[Event]:
    """Answer until the session is closed."""
    for request in requests:
        yield Snapshot(s.step, name, answer(s, request))
