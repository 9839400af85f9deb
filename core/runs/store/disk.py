"""Writes the files of a run that others may read at the same time, and says what a disk's errors mean."""

import errno
import secrets
from pathlib import Path

from core.words import N_, Refusal

FULL = N_("The disk is full: delete some runs or free some space, then try again.")
READ_ONLY = N_("The folder of the runs cannot be written to. Set TENFOLD_RUNS to one that can.")
ERROR = N_("The disk failed while this run was writing its log.")

#: By error number, those a person can do something about.
SENTENCES = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY, errno.EACCES: READ_ONLY}


def replace(path: Path, content: bytes) -> None:
    """Write a file so that whoever reads it finds the old or the new content, never a part of it."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        new.write_bytes(content)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def disk_refusal(error: OSError) -> Refusal:
    """A disk's error as a sentence."""
    return Refusal("", SENTENCES.get(error.errno or 0, ERROR))
