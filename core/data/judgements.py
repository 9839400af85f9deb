"""Judgements of people on words: how alike two are, and which word completes an analogy.

WordSim-353 (L. Finkelstein et al. 2002) rates how related two words are, SimLex-999 (F. Hill et al. 2015) how alike;
questions-words (T. Mikolov et al. 2013) has analogies a : b = c : ?, in fourteen sections. All three lie among
gensim's own test data. Nothing is trained on them.
"""

from dataclasses import dataclass
from functools import cache

from core.data.corpora import packaged


@dataclass(frozen=True, slots=True)
class Rated:
    """Pairs of words in lower case, and what people gave them."""

    name: str
    pairs: tuple[tuple[str, str], ...]
    ratings: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Questions of a kind: (a, b, c, answer), in lower case."""

    name: str
    questions: tuple[tuple[str, str, str, str], ...]


@cache
def rated(name: str) -> Rated:
    """``"wordsim"`` or ``"simlex"``."""
    lines = packaged({"wordsim": "wordsim353.tsv", "simlex": "simlex999.txt"}[name]).read_text(encoding="utf-8")
    rows = [line.lower().split("\t") for line in lines.splitlines() if line and not line.startswith("#")]
    return Rated(name, tuple((row[0], row[1]) for row in rows), tuple(float(row[2]) for row in rows))


@cache
def sections() -> tuple[Section, ...]:
    """questions-words, section by section."""
    found: list[tuple[str, list[tuple[str, str, str, str]]]] = []
    for line in packaged("questions-words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(":"):
            found.append((line[1:].strip(), []))
        elif len(words := line.lower().split()) == 4:
            found[-1][1].append((words[0], words[1], words[2], words[3]))
    return tuple(Section(name, tuple(questions)) for name, questions in found)
