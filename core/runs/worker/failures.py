"""What can go wrong with a worker, as exit statuses and as sentences.

Where the disk is full the log cannot say so, and a killed worker says nothing at all: then the exit status speaks.
"""

import signal
import sqlite3

from core.runs.store import disk
from core.runs.store.disk import disk_refusal
from core.words import N_, Refusal, Sentence

#: Exit statuses of a worker beside 0. ``LOCKED``: the run has a worker already.
LOCKED, DISK_FULL, DISK_READ_ONLY, DISK_ERROR, UNREADABLE = 70, 71, 72, 73, 74

_SQLITE = {
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_READONLY: DISK_READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: DISK_READ_ONLY,
    sqlite3.SQLITE_PERM: DISK_READ_ONLY,
    sqlite3.SQLITE_IOERR: DISK_ERROR,
}

_SENTENCES = {
    DISK_FULL: disk.FULL,
    DISK_READ_ONLY: disk.READ_ONLY,
    DISK_ERROR: disk.ERROR,
    UNREADABLE: N_("This run's settings or its log cannot be read."),
}

_STATUSES = {sentence: status for status, sentence in _SENTENCES.items()}


def exit_status(error: BaseException) -> int:
    """The exit status for an error that kept the log from being written."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return _SQLITE.get(code, UNREADABLE if isinstance(error, sqlite3.DatabaseError) else DISK_ERROR)
    if isinstance(error, OSError):
        return _STATUSES[disk_refusal(error).sentence.template]
    return UNREADABLE


def sentence_of(
    error: BaseException, unknown: str = N_("The training failed with an error of its own: {error}.")
) -> Sentence:
    """The sentence for an error in a training; ``unknown`` is the template for one that nobody foresaw."""
    if isinstance(error, Refusal):
        return error.sentence
    if isinstance(error, OSError) and error.errno in disk.SENTENCES:
        return disk_refusal(error).sentence
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "can't allocate" in str(error):
        return Sentence(N_("Not enough memory. Try a smaller model or smaller batches."))
    return Sentence(
        unknown,
        {"error": f"{type(error).__name__}: {error}".rstrip(".")[:300]},
    )


def why(code: int | None) -> Sentence | None:
    """Why a worker that left its run unended went: by its exit status, negative for a signal."""
    if code is None or code in (0, LOCKED):
        return None
    if code == -signal.SIGKILL:
        return Sentence(N_("The system ended this run's process, perhaps for lack of memory."))
    if code < 0:
        return Sentence(N_("This run's process was ended by signal {number}."), {"number": -code})
    return Sentence(_SENTENCES.get(code, N_("This run's process ended unexpectedly.")))
