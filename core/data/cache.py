"""Where downloaded data sets are stored, and how they get there: once, verified, with progress.

A file is the right one if its *content* has the published checksum: publishers compress the same content with
different headers. The folder is ``TENFOLD_DATA``, by default the user's cache folder.
"""

import gzip
import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.words import N_, Refusal

T = TypeVar("T")

#: Called with (task, share 0…1) during anything that takes long; a worker sets it to a function that logs progress.
progress: ContextVar[Callable[[str, float], None] | None] = ContextVar("progress", default=None)

#: The tasks whose progress is reported: whole sentences, as they are translated and shown.
FETCHING = N_("Fetching the data")
READING = N_("Reading the data")


@dataclass(frozen=True, slots=True)
class Source:
    """A published file.

    Attributes:
        path: where it is stored inside the cache folder. One that ends in ``.gz`` is stored and published compressed.
        digest: ``algorithm:hex`` of its content, decompressed; of the file itself where it is an :func:`archive`.
        urls: addresses that offer it, tried in this order.
        member: name of the file inside the zip archive at these addresses, ``""`` where they offer the file itself.
    """

    path: str
    digest: str
    urls: tuple[str, ...]
    member: str = ""


def folder() -> Path:
    """The folder of downloaded data; it need not exist yet."""
    chosen = os.environ.get("TENFOLD_DATA")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("tenfold"))


def report_progress(task: str, share: float) -> None:
    """Report how far a long task is, 0…1; without effect where :data:`progress` is not set."""
    listener = progress.get()
    if listener is not None:
        listener(task, share)


def content(source: Source, *, field: str, instead: str) -> bytes:
    """The verified content of a published file, decompressed; downloaded if the cache folder does not have it.

    Args:
        field: name of the setting that chose this data set.
        instead: label of the embedded data set to choose where this one cannot be downloaded, marked with ``N_``.

    Raises:
        Refusal: the file is not here, and no address offers it with the right checksum.
    """
    return _found(source, _verified, field, instead)


def archive(source: Source, *, field: str, instead: str) -> Path:
    """Where a published archive lies, verified as it was published and never held in memory as a whole; downloaded if
    the cache folder does not have it. Arguments and errors are those of :func:`content`.
    """
    _found(source, _verified_archive, field, instead)
    return folder() / source.path


def _found(source: Source, verified: Callable[[Path, str], T | None], field: str, instead: str) -> T:
    """What ``verified`` makes of the file in the cache folder, or of the first download that it does not reject."""
    path = folder() / source.path
    report_progress(READING, 0.0)
    found = verified(path, source.digest)
    for url in source.urls:
        found = found if found is not None else _download(source, url, path, verified)
    if found is not None:
        return found
    raise Refusal(
        field,
        N_("{file} is not on this machine and could not be fetched. Without a network, choose {instead}."),
        file=path.name,
        instead=instead,
    )


def _verified(path: Path, digest: str) -> bytes | None:
    """Content of ``path``; ``None`` if the file is missing, truncated, or its checksum is another."""
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        return None
    algorithm, _, expected = digest.partition(":")
    return raw if hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest() == expected else None


def _verified_archive(path: Path, digest: str) -> bool | None:
    """True; ``None`` if the file is missing or its checksum is another."""
    algorithm, _, expected = digest.partition(":")
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False))
    except OSError:
        return None
    return True if found.hexdigest() == expected else None


def _download(source: Source, url: str, path: Path, verified: Callable[[Path, str], T | None]) -> T | None:
    """Download a file to ``path``; ``None`` where that fails. It appears under its name only complete and verified."""
    import pooch

    report_progress(FETCHING, 0.0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetching-") as temporary:
            arrived = Path(temporary) / (f"{path.name}.zip" if source.member else path.name)
            pooch.HTTPDownloader(progressbar=_ProgressBar(), timeout=20)(url, str(arrived), None)
            if source.member:
                with zipfile.ZipFile(arrived) as archive:
                    arrived = arrived.with_suffix("")
                    arrived.write_bytes(archive.read(source.member))
            found = verified(arrived, source.digest)
            if found is not None:
                arrived.replace(path)
            return found
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):  # requests' errors are OSErrors
        return None


class _ProgressBar:
    """A progress bar as pooch expects it, which reports to :data:`progress`."""

    def __init__(self) -> None:
        self.total = 0
        self.done = 0

    def update(self, n: int) -> None:
        self.done += n
        if self.total:
            report_progress(FETCHING, min(self.done / self.total, 1.0))

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        report_progress(FETCHING, 1.0)


def write_whole(path: Path, raw: bytes) -> None:
    """Write a file that appears under its name only once it is complete; without effect where that is not allowed."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(raw)
        Path(file.name).replace(path)
