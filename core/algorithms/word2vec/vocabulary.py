"""The words that are learned, how often they occur, and the chances that follow from that.

T. Mikolov et al. Distributed representations of words and phrases and their compositionality. NeurIPS 2013: negative
samples come with chance ∝ count^(3/4) (section 2.2), frequent words are left out at random (section 2.3). The keeping
chance is that of the authors' program, which gensim has as well, not the paper's equation 5.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.algorithms.word2vec.config import Word2VecConfig
from core.events import Array
from core.words import N_, Refusal

#: Fewer words than this are no language to learn.
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words in order of their count.

    Attributes:
        words: the most frequent first.
        counts: int64 (V,), how often each occurs in the corpus.
        index: the place of each word.
    """

    words: Sequence[str]
    counts: Array
    index: Mapping[str, int]
    _spellings: dict[str, list[str]] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.words)

    def spelled_like(self, word: str) -> list[str]:
        """At most three known words that are spelled most like ``word``; searched once for each word."""
        if word not in self._spellings:
            self._spellings[word] = self._search(word, 3)
        return self._spellings[word]

    def _search(self, word: str, most: int) -> list[str]:
        same = [w for w in self.words if w[:1] == word[:1] and abs(len(w) - len(word)) <= 2]
        found = difflib.get_close_matches(word, same[:4000], most, 0.6)
        return found or difflib.get_close_matches(word, list(self.words[:4000]), most, 0.5)


def vocabulary(words: Sequence[str], counts: Array) -> Vocabulary:
    """Of words in order of their count."""
    return Vocabulary(words, np.asarray(counts, np.int64), {word: i for i, word in enumerate(words)})


def counted(tally: Mapping[str, int], min_count: int) -> Vocabulary:
    """The words that occur at least ``min_count`` times; equally frequent ones in the order of the tally."""
    kept = sorted(((word, n) for word, n in tally.items() if n >= min_count), key=lambda entry: -entry[1])
    return vocabulary([word for word, _ in kept], np.array([n for _, n in kept], np.int64))


def check_count(words: int, min_count: int) -> None:
    """Refuse a text that leaves next to nothing to learn.

    Raises:
        Refusal: naming the minimum count.
    """
    if words < FEWEST:
        raise Refusal(
            "min_count",
            N_(
                "Minimum count: only {words} words occur {count} times or more, and {fewest} are needed. "
                "Lower it, or take more text."
            ),
            words=words,
            count=min_count,
            fewest=FEWEST,
        )


def noise(counts: Array, exponent: float) -> Array:
    """P_n(w) ∝ count^exponent, float64 (V,): how often each word is drawn as a negative."""
    weight = counts.astype(np.float64) ** exponent
    share: Array = weight / weight.sum()
    return share


def keeping(counts: Array, sample: float) -> Array:
    """Chance of each word to be kept at one of its places, float64 (V,): (√(f/t) + 1)·t/f, at most 1, with f its share.

    Args:
        sample: the threshold t; 0 keeps everything.
    """
    if not sample:
        return np.ones(len(counts))
    ratio = sample * counts.sum() / counts.astype(np.float64)
    chance: Array = np.minimum(np.sqrt(ratio) + ratio, 1.0)
    return chance


def check_size(words: int, most: int) -> None:
    """Refuse a text that the engine written out in PyTorch would take hours for.

    Raises:
        Refusal: naming the engine.
    """
    if words > most:
        raise Refusal(
            "engine",
            N_("Engine: the one written out takes texts of up to {most} words; this one has {words}. Choose gensim."),
            most=f"{most:,}",
            words=f"{words:,}",
        )


def learning_rate(config: Word2VecConfig, epochs: float) -> float:
    """The rate after ``epochs`` passes: it falls evenly from ``lr`` to ``lr_end`` over the whole run."""
    return max(config.lr_end, config.lr - (config.lr - config.lr_end) * (epochs / config.epochs))
