"""Texts that a person uploads: kept once in the data folder under the hash of their content.

A setting holds the beginning of that hash, the text's name, so that a run, a link and a log stay small however long
the text is. The server keeps and summarises a text piece by piece; only a worker reads the whole of a long one.
"""

import codecs
import hashlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from core.data import cache
from core.words import N_, Refusal, Sentence

#: Bytes that a text may have.
MOST = 20_000_000

#: Bytes that are decoded at a time where a text is not needed as a whole.
_PIECE = 1 << 18

_NAME = re.compile("[0-9a-f]{32}")

#: Title of the setting that a text is for, where no other is given.
YOURS = N_("Your text")


def keep(content: bytes, field: str = "text", title: str = YOURS) -> str:
    """Keep a text; its name.

    Args:
        content: UTF-8, with or without a byte-order mark.
        field, title: of the setting that it is for.

    Raises:
        Refusal: it is empty, too long, or not UTF-8; or it cannot be kept here.
    """
    if len(content) > MOST:
        raise Refusal(
            field,
            N_("{title}: at most {most} MB can be taken; this one has {size} MB."),
            title=Sentence(title),
            most=MOST // 1_000_000,
            size=f"{len(content) / 1e6:.1f}",
        )
    try:
        filled = sum(bool(piece.strip()) for piece in _decoded(_pieces(content)))
    except UnicodeDecodeError as error:
        raise Refusal(
            field,
            N_("{title}: it has to be UTF-8, and byte {place} is not. Save it as UTF-8 and try again."),
            title=Sentence(title),
            place=f"{error.start + 1:,}",
        ) from None
    if not filled:
        raise Refusal(field, N_("{title}: it is empty."), title=Sentence(title))
    raw = content.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    name = _name_of(raw)
    path = _path(name)
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(raw)
            Path(file.name).replace(path)
        except OSError:
            raise Refusal(
                field,
                N_("{title}: it could not be kept, as the data folder cannot be written."),
                title=Sentence(title),
            ) from None
    return name


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a text without holding it in memory.

    Attributes:
        size: bytes.
        characters, lines: how many there are; a last line without a newline counts.
        beginning: the first 200 characters.
    """

    size: int
    characters: int
    lines: int
    beginning: str


def is_name(text: str) -> bool:
    """Whether this may be the name of an uploaded text."""
    return bool(_NAME.fullmatch(text))


def known(name: str) -> bool:
    """Whether a text of this name is kept on this machine."""
    return is_name(name) and _path(name).exists()


def size(name: str) -> int | None:
    """Bytes of an uploaded text, ``None`` where there is none of this name on this machine."""
    return _path(name).stat().st_size if known(name) else None


def read(name: str, field: str = "text", title: str = YOURS) -> str:
    """An uploaded text.

    Raises:
        Refusal: there is none of this name here.
    """
    if known(name):
        raw = _path(name).read_bytes()
        if _name_of(raw) == name:
            return raw.decode("utf-8")
    raise _missing(field, title)


def summary(name: str, field: str = "text", title: str = YOURS) -> Summary:
    """How large a kept text is and how it begins; the text is not loaded as a whole.

    Raises:
        Refusal: there is none of this name here.
    """
    if not known(name):
        raise _missing(field, title)
    try:
        return _summary(_path(name))
    except (OSError, UnicodeDecodeError):
        raise _missing(field, title) from None


def lines(name: str, field: str = "text", title: str = YOURS) -> Iterator[bytes]:
    """The lines of a kept text one at a time, with their newline, undecoded.

    Raises:
        Refusal: there is none of this name here.
    """
    if not known(name):
        raise _missing(field, title)
    with _path(name).open("rb") as file:
        yield from file


def _missing(field: str, title: str) -> Refusal:
    return Refusal(
        field,
        N_("{title}: it is not kept on this machine. Paste it or choose its file again."),
        title=Sentence(title),
    )


@lru_cache(maxsize=64)  # a name stands for one content, and a page reads it at each of its reruns
def _summary(path: Path) -> Summary:
    characters = newlines = 0
    beginning, last = "", "\n"
    with path.open("rb") as file:
        for piece in _decoded(iter(lambda: file.read(_PIECE), b"")):
            beginning += piece[: 200 - len(beginning)]
            characters += len(piece)
            newlines += piece.count("\n")
            last = piece[-1:] or last
    return Summary(path.stat().st_size, characters, newlines + (last != "\n"), beginning)


def _pieces(content: bytes) -> Iterator[bytes]:
    return (content[at : at + _PIECE] for at in range(0, len(content), _PIECE))


def _decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    """UTF-8 decoded piece by piece, without a byte-order mark: a whole text would take up to four times its bytes.

    Raises:
        UnicodeDecodeError: ``start`` is the place in the whole text.
    """
    decoder, at = codecs.getincrementaldecoder("utf-8")(), 0
    for piece in chain(pieces, [b""]):  # the empty one is the end
        pending = len(decoder.getstate()[0])  # bytes of a character that was cut
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            error.start += at - pending
            raise
        yield text if at else text.removeprefix("\ufeff")
        at += len(piece)


def _name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _path(name: str) -> Path:
    return cache.folder() / "uploads" / f"{name}.txt"
