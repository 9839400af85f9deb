"""Texts that a person uploads: kept once in the data folder under the hash of their content.

A setting holds the beginning of that hash, the text's name, so that a run, a link and a log stay small however long
the text is.
"""

import hashlib
import re
import tempfile
from pathlib import Path

from core.data import cache
from core.words import N_, Refusal, Sentence

#: Bytes that a text may have.
MOST = 20_000_000

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
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(
            field,
            N_("{title}: it has to be UTF-8, and byte {place} is not. Save it as UTF-8 and try again."),
            title=Sentence(title),
            place=f"{error.start + 1:,}",
        ) from None
    if not text.strip():
        raise Refusal(field, N_("{title}: it is empty."), title=Sentence(title))
    raw = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8")
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
    raise Refusal(
        field,
        N_("{title}: it is not kept on this machine. Paste it or choose its file again."),
        title=Sentence(title),
    )


def _name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _path(name: str) -> Path:
    return cache.folder() / "uploads" / f"{name}.txt"
