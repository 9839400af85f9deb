"""The words of a text that a model learns, and how often they occur."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.events import Array


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Words in order of their count.

    Attributes:
        words: the most frequent first.
        counts: int64 (V,), how often each occurs.
        index: row of each word.
    """

    words: Sequence[str]
    counts: Array
    index: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.words)


def vocabulary(words: Sequence[str], counts: Array) -> Vocabulary:
    """Of words in order of their count."""
    return Vocabulary(words, np.asarray(counts, np.int64), {word: i for i, word in enumerate(words)})


def build_vocabulary(word_counts: Mapping[str, int], min_count: int) -> Vocabulary:
    """The words that occur at least ``min_count`` times; equally frequent ones in the order of ``word_counts``."""
    kept = sorted(((word, n) for word, n in word_counts.items() if n >= min_count), key=lambda entry: -entry[1])
    return vocabulary([word for word, _ in kept], np.array([n for _, n in kept], np.int64))
