"""What a person may request of trained vectors. No torch in here: the server checks it."""

import re

from pydantic import Field

from core.experiment import Request
from core.words import N_

#: Longest sum, in words.
TERMS = 8


class WordRequest(Request):
    """A word, or a sum of words such as ``king - man + woman``; or the number of a word that is clicked."""

    text: str = Field("", max_length=120, title=N_("Words"))
    word: int = Field(-1, ge=-1, le=10_000_000, title=N_("Word"))


def terms(text: str) -> list[tuple[int, str]]:
    """The words of a sum with their signs, 1 or -1, lower case as the texts are; at most :data:`TERMS`.

    Words side by side are added. A hyphen always subtracts: the texts' words have none.
    """
    found, sign = [], 1
    for part in re.findall(r"[+＋]|[-−–－]|[^\s+＋\-−–－,，、]+", text.lower()):
        if part in "+＋":
            sign = 1
        elif part in "-−–－":
            sign = -1
        else:
            found.append((sign, part))
            sign = 1
    return found[:TERMS]


def analogy_of(text: str) -> tuple[str, str, str] | None:
    """(a, b, c) of ``a - b + c``; nothing where the text reads otherwise."""
    found = terms(text)
    if [sign for sign, _ in found] != [1, -1, 1]:
        return None
    (_, a), (_, b), (_, c) = found
    return a, b, c
