"""The words, pairs and analogies that the panels show: those of the settings, or a few that suit the text."""

import difflib
from functools import lru_cache

from core.algorithms.word2vec.config import Word2VecConfig, entries
from core.data.vocabulary import Vocabulary

#: Words that are searched for a spelling: the most frequent ones.
SPELLINGS = 4000

#: Shown where the settings name none, by corpus.
WORDS = {
    "grammar": "cat, girl, bread, house, red",
    "news": "australia, afghanistan, government, police, cricket",
    "wikipedia": "france, music, king, seven, water, computer",
    "abc": "water, government, cancer, wheat, planet",
    "wikipedia_abc": "france, music, king, water, wheat, cancer",
    "hongloumeng": "黛玉, 老太太, 银子, 凤姐, 荣国府",
    "text8": "france, music, king, seven, water, computer",
}
ANALOGIES = {
    "grammar": "cat - dog + girl",
    "news": "afghanistan - kabul + israel",
    "wikipedia": "france - french + german",
    "abc": "australia - sydney + london",
    "wikipedia_abc": "france - french + german",
    "hongloumeng": "太太 - 老太太 + 二爷",
    "text8": "king - man + woman",
}
PAIRS = {
    "grammar": "cat dog, cat bread, red blue, red house",
    "news": "israel palestinian, india pakistan, cricket test, police water",
    "wikipedia": "king queen, france germany, music song, water computer",
    "abc": "water drought, cancer disease, wheat grain, wheat cancer",
    "wikipedia_abc": "king queen, france germany, music song, wheat computer",
    "hongloumeng": "黛玉 宝钗, 老太太 太太, 黛玉 银子",
    "text8": "king queen, france germany, music song, water computer",
}


def query_words(config: Word2VecConfig, vocabulary: Vocabulary) -> list[str]:
    """The words whose neighbours are shown: those of the settings, or a few of the text's own."""
    words = entries(config.words)
    if words:
        return words
    own = [word for word in entries(WORDS.get(config.corpus, "")) if word in vocabulary.index]
    return own or list(vocabulary.words[40:44]) or list(vocabulary.words[:4])


def query_pairs(config: Word2VecConfig, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """The pairs whose cosines are logged: those of the settings, or a few of the text's own, of known words."""
    pairs = entries(config.pairs or PAIRS.get(config.corpus, ""))
    if not pairs and len(vocabulary) > 60:
        words = vocabulary.words
        pairs = [f"{words[50]} {words[51]}", f"{words[50]} {words[58]}"]
    return [(a, b) for a, b in map(str.split, pairs) if a in vocabulary.index and b in vocabulary.index]


def unknown_pairs(config: Word2VecConfig, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """(word, pair) of each pair in the settings with an unknown word: the first one."""
    found = []
    for pair in entries(config.pairs):
        unknown = [word for word in pair.split() if word not in vocabulary.index]
        found += [(word, pair) for word in unknown[:1]]
    return found


@lru_cache(maxsize=64)
def spelled_like(vocabulary: Vocabulary, word: str) -> tuple[str, ...]:
    """At most three known words that are spelled most like ``word``; searched once for each word."""
    same = [w for w in vocabulary.words if w[:1] == word[:1] and abs(len(w) - len(word)) <= 2]
    found = difflib.get_close_matches(word, same[:SPELLINGS], 3, 0.6)
    return tuple(found or difflib.get_close_matches(word, list(vocabulary.words[:SPELLINGS]), 3, 0.5))
