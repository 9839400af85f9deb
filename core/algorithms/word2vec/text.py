"""A corpus made ready: its passages, how often each word occurs, and whether there is enough of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.algorithms.word2vec.config import Word2VecConfig
from core.data import cache, corpora
from core.words import N_, Refusal

#: Fewest words of a vocabulary that can be trained.
MIN_WORDS = 20
#: Most running words for the SGNS engine, which would take hours for more.
SGNS_WORDS = 200_000


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a training.

    Attributes:
        corpus: the passages.
        word_counts: how often each word occurs, in the order of first occurrence.
    """

    corpus: corpora.Corpus
    word_counts: Mapping[str, int]


def read(config: Word2VecConfig) -> Text:
    """The text of the settings.

    Raises:
        Refusal: it cannot be had, has too few words, or too many for the engine.
    """
    corpus = corpora.load(config.corpus, cut=config.cut, text=config.text, sentences=config.sentences, seed=config.seed)
    word_counts: Counter[str] = Counter()
    for i, sentence in enumerate(corpus.sentences):
        word_counts.update(sentence)
        if i % 1000 == 0:
            cache.report_progress(cache.READING, i / len(corpus.sentences))
    words = sum(n >= config.min_count for n in word_counts.values())
    if words < MIN_WORDS:
        raise Refusal(
            "min_count",
            N_(
                "Minimum count: only {words} words occur {count} times or more, and {fewest} are needed. "
                "Lower it, or take more text."
            ),
            words=words,
            count=config.min_count,
            fewest=MIN_WORDS,
        )
    if config.engine == "sgns" and corpus.words > SGNS_WORDS:
        raise Refusal(
            "engine",
            N_("Engine: PyTorch takes texts of up to {most} words; this one has {words}. Choose gensim."),
            most=f"{SGNS_WORDS:,}",
            words=f"{corpus.words:,}",
        )
    return Text(corpus, word_counts)
