"""The words nearest to a word, or to a sum of words, in trained vectors."""

from collections.abc import Iterator

from core.algorithms.word2vec.nearest import unit
from core.algorithms.word2vec.queries import query_words
from core.algorithms.word2vec.requests import WordRequest, terms
from core.algorithms.word2vec.snapshots import ranking
from core.algorithms.word2vec.train import Word2VecTraining
from core.events import Array, Event, Snapshot
from core.figures import text_array

#: Words of an answer.
ANSWERED = 12


def answer(s: Word2VecTraining, request: WordRequest) -> dict[str, Array]:
    """The ranking of the words nearest to the request."""
    vocabulary = s.vocabulary
    if 0 <= request.word < len(vocabulary):
        summed = [(1, vocabulary.words[request.word])]
    else:
        summed = terms(request.text) or [(1, query_words(s.config, vocabulary)[0])]
    query = " ".join(("− " if sign < 0 else "+ ") + word for sign, word in summed).removeprefix("+ ")
    return ranking(s, summed, unit(s.vectors), ANSWERED) | {"query": text_array([query])}


def probe(s: Word2VecTraining, name: str, requests: Iterator[WordRequest]) -> Iterator[Event]:
    """Answer until the session is closed."""
    for request in requests:
        yield Snapshot(s.step, name, answer(s, request))
