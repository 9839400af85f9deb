"""Ends workers that do not stop when they are requested to: a request, then SIGTERM, then SIGKILL, within two seconds.

A worker reads its control file between two steps, and Python runs a signal's handler between two bytecodes, so one
inside a long operation of torch answers neither. What it did since its last checkpoint is lost then. The process is
found by the run's folder, so that a worker that an earlier server started can be ended as well.
"""

import time
from contextlib import suppress
from pathlib import Path

import psutil

from core.runs.store.worker_lock import worker_process

#: Seconds after the request at which a worker is sent SIGTERM and SIGKILL.
TERMINATE_S, KILL_S = 0.9, 1.5

#: Seconds between two calls of :meth:`Stopping.escalate` while a worker is to end.
POLL_S = 0.1


class Stopping:
    """Runs that were requested to stop and still have a worker. Not thread-safe: the engine holds its lock."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._requested: dict[str, float] = {}  # when
        self._sent: dict[str, int] = {}  # how many signals

    def __bool__(self) -> bool:
        return bool(self._requested)

    def add(self, run: str) -> None:
        """A stop of this run was just requested. A second request changes nothing."""
        self._requested.setdefault(run, time.monotonic())

    def discard(self, run: str) -> None:
        """This run's worker has ended, or may go on."""
        self._requested.pop(run, None)
        self._sent.pop(run, None)

    def escalate(self) -> None:
        """Send the signals that are due."""
        for run, requested in self._requested.items():
            waited, sent = time.monotonic() - requested, self._sent.get(run, 0)
            if sent == 2 or waited < (TERMINATE_S, KILL_S)[sent]:
                continue
            process = worker_process(self._root / run)
            if process is None:
                continue  # it has ended, or not yet begun and will end at once
            self._sent[run] = sent + 1
            with suppress(psutil.Error):
                (process.terminate, process.kill)[sent]()
