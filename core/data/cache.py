"""Where fetched data sets lie, and how they get there: once, checked, with a bar that moves.

A file counts as the right one by the SHA-256 of its *content*: publishers compress the same content with different
headers. The folder is ``TENFOLD_DATA``, by default the user's cache folder.
"""

import gzip
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path

from core.words import N_, Refusal

#: Called with (task, share 0…1) while something takes long; a worker sets it to what tells the log.
progress: ContextVar[Callable[[str, float], None] | None] = ContextVar("progress", default=None)

#: The tasks that are told: whole sentences, since who shows them looks them up as they are.
FETCHING = N_("Fetching the data")
READING = N_("Reading the data")


def folder() -> Path:
    """The folder of fetched data; it need not exist yet."""
    chosen = os.environ.get("TENFOLD_DATA")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("tenfold"))


def tell(task: str, share: float) -> None:
    """Say how far a long piece of work is, where somebody listens."""
    listener = progress.get()
    if listener is not None:
        listener(task, share)


def content(file: str, urls: tuple[str, ...], sha256: str, *, instead: str) -> bytes:
    """The content of a gzipped ``file`` of the cache, fetched where it is missing.

    Args:
        file: path inside the folder, ends in ``.gz``.
        urls: of the same content, tried in this order.
        sha256: of the content, decompressed.
        instead: name of an embedded data set to offer where this one cannot be had.

    Raises:
        Refusal: it is not here and cannot be fetched, or what came is not what was published.
    """
    path = folder() / file
    tell(READING, 0.0)
    if path.exists():
        found = _checked(path, sha256)
        if found is not None:
            return found
    for url in urls:
        found = _fetched(path, url, sha256)
        if found is not None:
            return found
    raise Refusal(
        "data",
        N_("{file} is not on this machine and could not be fetched. Without a network, choose {instead} as data."),
        file=file,
        instead=instead,
    )


def text(file: str, urls: tuple[str, ...], member: str, digest: str, *, field: str) -> bytes:
    """The content of a plain ``file`` of the cache, fetched as a member of a zip archive where it is missing.

    Args:
        file: path inside the folder.
        urls: of archives that hold the same content as ``member``, tried in this order; none where nobody offers it.
        digest: ``algorithm:hex`` of the content.
        field: name of the setting that asked for it.

    Raises:
        Refusal: it is not here and cannot be fetched, or what came is not what was published.
    """
    path = folder() / file
    tell(READING, 0.0)
    with suppress(OSError):
        raw = path.read_bytes()
        if _is(raw, digest):
            return raw
    for url in urls:
        found = _unpacked(path, url, member, digest)
        if found is not None:
            return found
    if not urls:
        raise Refusal(
            field,
            N_(
                "{file} is not on this machine and nobody offers it for fetching. Put it there, or bring your own text."
            ),
            file=file,
        )
    raise Refusal(
        field,
        N_("{file} is not on this machine and could not be fetched. Without a network, choose a text that needs none."),
        file=file,
    )


def _is(raw: bytes, digest: str) -> bool:
    algorithm, _, expected = digest.partition(":")
    return hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest() == expected


def _unpacked(path: Path, url: str, member: str, digest: str) -> bytes | None:
    """Fetch an archive and keep one of its files as ``path``; nothing where that fails."""
    import pooch

    tell(FETCHING, 0.0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetching-") as place:
            archive = Path(place) / "archive.zip"
            pooch.HTTPDownloader(progressbar=_Bar(), timeout=20)(url, str(archive), None)
            with zipfile.ZipFile(archive) as opened:
                raw = opened.read(member)
            if not _is(raw, digest):
                return None
            arrived = Path(place) / path.name
            arrived.write_bytes(raw)
            arrived.replace(path)
            return raw
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _checked(path: Path, sha256: str) -> bytes | None:
    """Content of ``path``, or nothing where it is cut short or another one."""
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, ValueError, gzip.zlib.error):  # type: ignore[attr-defined]
        return None
    return raw if hashlib.sha256(raw).hexdigest() == sha256 else None


def _fetched(path: Path, url: str, sha256: str) -> bytes | None:
    """Fetch ``url`` to ``path``; nothing where that fails. The file appears under its name only when it is whole."""
    import pooch

    tell(FETCHING, 0.0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetching-") as place:
            arrived = Path(place) / path.name
            pooch.HTTPDownloader(progressbar=_Bar(), timeout=20)(url, str(arrived), None)
            found = _checked(arrived, sha256)
            if found is not None:
                arrived.replace(path)
            return found
    except (OSError, ValueError):  # of the network (requests' errors are of these) or of the disk: not from there
        return None


class _Bar:
    """What pooch asks of a progress bar, told on."""

    def __init__(self) -> None:
        self.total = 0
        self.done = 0

    def update(self, n: int) -> None:
        self.done += n
        if self.total:
            tell(FETCHING, min(self.done / self.total, 1.0))

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        tell(FETCHING, 1.0)
