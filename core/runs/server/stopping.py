"""Ends the workers that were asked to stop and do not: a request, then SIGTERM, then SIGKILL, within two seconds.

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
    """The runs that were asked to stop and still have a worker. Not thread-safe: the engine holds its lock."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._since: dict[str, float] = {}
        self._terminated: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._since)

    def add(self, run: str) -> None:
        """This run was just asked to stop. A second request changes nothing."""
        self._since.setdefault(run, time.monotonic())

    def discard(self, run: str) -> None:
        """This run's worker has ended, or may go on."""
        self._since.pop(run, None)
        self._terminated.discard(run)

    def escalate(self) -> None:
        """Send the signals that are due."""
        now = time.monotonic()
        for run, since in self._since.items():
            if now - since < TERMINATE_S or (run in self._terminated and now - since < KILL_S):
                continue
            process = worker_process(self._root / run)
            if process is None:
                continue  # it has ended, or not yet begun and will end at once
            with suppress(psutil.Error):
                if run in self._terminated:
                    process.kill()
                else:
                    self._terminated.add(run)
                    process.terminate()
