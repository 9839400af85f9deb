"""A corpus made ready: its passages, how often each word occurs, and whether there is enough of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.algorithms.word2vec import vocabulary
from core.algorithms.word2vec.config import Word2VecConfig
from core.data import cache, corpora

#: Most running words for the engine that is written out in PyTorch.
SGNS_WORDS = 200_000


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a training.

    Attributes:
        corpus: the passages.
        tally: how often each word occurs, in the order of first occurrence.
    """

    corpus: corpora.Corpus
    tally: Mapping[str, int]


def read(config: Word2VecConfig) -> Text:
    """The text of the settings.

    Raises:
        Refusal: it cannot be had, has too few words, or too many for the engine.
    """
    corpus = corpora.load(config.corpus, cut=config.cut, text=config.text, sentences=config.sentences, seed=config.seed)
    tally: Counter[str] = Counter()
    for i, sentence in enumerate(corpus.sentences):
        tally.update(sentence)
        if i % 1000 == 0:
            cache.report_progress(cache.READING, i / len(corpus.sentences))
    vocabulary.check_count(sum(n >= config.min_count for n in tally.values()), config.min_count)
    if config.engine == "written":
        vocabulary.check_size(corpus.words, SGNS_WORDS)
    return Text(corpus, tally)
