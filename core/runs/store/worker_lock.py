"""The lock that a run's worker holds as long as it lives, and which process that is.

The lock says whether there is a worker; it is the kernel's, so it goes with the process, however that ends. Beside it
the folder names the process that took it last, for whoever has to end a worker that does not answer: a pid alone may
have become another process's, so the time at which the process started is kept as well.
"""

import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil
from filelock import FileLock, Timeout

from core.runs.store import disk
from core.runs.store.paths import lock_file, process_file

#: Seconds by which two readings of a process's start may differ: they are taken from the clock and the uptime.
TOLERANCE_S = 2.0


class WorkerLock:
    """The lock of the run in ``folder``. Only a worker takes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(lock_file(folder), thread_local=False)

    def acquire(self, timeout: float = -1, poll_interval: float = 0.05) -> None:
        """Take the lock and note which process has it.

        Raises:
            Timeout: another process has had it for ``timeout`` seconds.
            OSError: the folder cannot be written.
        """
        self._lock.acquire(timeout=timeout, poll_interval=poll_interval)
        process = psutil.Process()
        with suppress(OSError):  # a full disk is for the training to find
            about = {"pid": process.pid, "started": process.create_time()}
            disk.replace(process_file(self._folder), json.dumps(about).encode())

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


def alive(folder: Path) -> bool:
    """Whether a worker holds the run's lock; taken to be so where that cannot be found out at the moment."""
    path = lock_file(folder)
    try:
        import fcntl
    except ImportError:
        try:
            with FileLock(path).acquire(blocking=False):
                return False
        except (Timeout, OSError):
            return path.exists()
    try:
        with path.open("rb") as file:
            # Shared: two who check at the same time do not take each other for the worker.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # held; or no more files may be opened, say: a run that trains must not be taken for an ended one
        return True
    return False


def worker_process(folder: Path) -> psutil.Process | None:
    """The process that holds the run's lock; ``None`` where there is none, or none that is known for certain."""
    if not alive(folder):
        return None
    try:
        about = json.loads(process_file(folder).read_bytes())
        process = psutil.Process(int(about["pid"]))
        same = abs(process.create_time() - float(about["started"])) <= TOLERANCE_S
    except (OSError, ValueError, TypeError, KeyError, psutil.Error):
        return None
    return process if same else None
