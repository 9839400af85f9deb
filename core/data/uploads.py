"""Texts that a person brings: kept once in the data folder under the hash of their content.

A setting holds the hash, so that a run, a link and a log stay small however long the text is.
"""

import tempfile
from pathlib import Path

from core.data import cache
from core.data.names import kept_name, name_of
from core.words import N_, Refusal

#: Bytes that a text may have.
MOST = 20_000_000


def keep(content: bytes) -> str:
    """Keep a text; what it is called from now on.

    Args:
        content: UTF-8, with or without a byte-order mark.

    Raises:
        Refusal: it is empty, too long, or not UTF-8; or it cannot be kept here.
    """
    if len(content) > MOST:
        raise Refusal(
            "text",
            N_("Your text: at most {most} MB can be taken; this one has {size} MB."),
            most=MOST // 1_000_000,
            size=f"{len(content) / 1e6:.1f}",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(
            "text",
            N_("Your text: it has to be UTF-8, and byte {place} is not. Save it as UTF-8 and try again."),
            place=f"{error.start + 1:,}",
        ) from None
    if not text.strip():
        raise Refusal("text", N_("Your text: it is empty."))
    raw = text.replace("\r\n", "\n").encode("utf-8")
    name = name_of(raw)
    path = _path(name)
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(raw)
            Path(file.name).replace(path)
        except OSError:
            raise Refusal(
                "text", N_("Your text: it could not be kept, as the data folder cannot be written.")
            ) from None
    return name


def known(name: str) -> bool:
    """Whether a text of this name is kept here."""
    return kept_name(name) and _path(name).exists()


def read(name: str) -> str:
    """A kept text.

    Raises:
        Refusal: there is none of this name here.
    """
    if known(name):
        raw = _path(name).read_bytes()
        if name_of(raw) == name:
            return raw.decode("utf-8")
    raise Refusal("text", N_("Your text: it is not kept on this machine. Paste it or choose its file again."))


def _path(name: str) -> Path:
    return cache.folder() / "uploads" / f"{name}.txt"
