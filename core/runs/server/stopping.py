"""Ends workers that do not stop when they are requested to: a request, then SIGTERM, then SIGKILL, within two seconds.

A worker reads its control file between two steps, and Python runs a signal's handler between two bytecodes, so one
inside a long operation of torch answers neither. What it did since its last checkpoint is lost then. The process is
found by the run's folder, so that a worker that an earlier server started can be ended as well.
"""

import time
from collections.abc import Callable
from contextlib import suppress

import psutil

#: Seconds at which a worker is sent SIGTERM and SIGKILL, counted from the request, or from when it was first seen
#: where it had not begun by then.
TERMINATE_S, KILL_S = 0.9, 1.5

#: Seconds between two calls of :meth:`Stopping.escalate` while a worker is to end.
POLL_S = 0.1


class Stopping:
    """Runs that were requested to stop and still have a worker. Not thread-safe: the engine holds its lock.

    Args:
        worker: the process that holds a run's lock; ``None`` where there is none, or none that is known.
    """

    def __init__(self, worker: Callable[[str], psutil.Process | None]) -> None:
        self._worker = worker
        self._requested: set[str] = set()
        self._seen: dict[str, float] = {}  # when its worker was first seen
        self._sent: dict[str, int] = {}  # how many signals

    def __bool__(self) -> bool:
        return bool(self._requested)

    def add(self, run: str) -> None:
        """A stop of this run was just requested. A second request changes nothing."""
        self._requested.add(run)
        self._see(run)

    def discard(self, run: str) -> None:
        """This run's worker has ended, or may go on."""
        self._requested.discard(run)
        self._seen.pop(run, None)
        self._sent.pop(run, None)

    def escalate(self) -> None:
        """Send the signals that are due."""
        for run in self._requested:
            process, sent = self._see(run), self._sent.get(run, 0)
            if process is None or sent == 2 or time.monotonic() - self._seen[run] < (TERMINATE_S, KILL_S)[sent]:
                continue
            self._sent[run] = sent + 1
            with suppress(psutil.Error):
                (process.terminate, process.kill)[sent]()

    def _see(self, run: str) -> psutil.Process | None:
        """The run's worker; ``None`` where it has ended, or not yet begun: then it will end at once."""
        process = self._worker(run)
        if process is not None:
            self._seen.setdefault(run, time.monotonic())
        return process
