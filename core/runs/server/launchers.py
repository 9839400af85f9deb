"""Starts workers, and the processes that answer probes. The engine knows only the protocols, so that runs may one day
start on another machine."""

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

import psutil

from core.runs.store.paths import PROJECT, output_file
from core.runs.worker.process import PATIENT

_log = logging.getLogger(__name__)

#: Called when a run's worker is gone: id, and exit status (negative for a signal, ``None`` where it is unknown).
Exited = Callable[[str, int | None], None]


class ProbeConnection(Protocol):
    """The connection to the process of a probe\'s session, which ends with it (:mod:`core.runs.worker.probe_worker`).

    Attributes:
        back: what the process writes; it ends with the process.
    """

    back: IO[bytes]

    def send(self, content: bytes) -> None:
        """Never waits.

        Raises:
            OSError: the process is gone, or does not read.
        """
        ...

    def close(self) -> None:
        """Send nothing more: the process ends."""
        ...

    def release(self) -> None:
        """``back`` has ended: free what the connection held."""
        ...


class Launcher(Protocol):
    """Starts a worker for a run's folder and reports its end."""

    def launch(self, run: str, folder: Path) -> None: ...

    def withdraw(self, run: str) -> bool:
        """Do not start this run's worker after all; whether that was in time. Its end is then not reported."""
        ...

    def process(self, run: str) -> psutil.Process | None:
        """The worker that was started for this run; ``None`` where it is not known, or has ended."""
        ...

    def probe(self, folder: Path, name: str, step: int | None) -> ProbeConnection:
        """Start a session of a probe; its connection reports what becomes of it."""
        ...

    def devices(self) -> list[str]:
        """What a training can run on. The first call may take seconds."""
        ...

    def close(self) -> None:
        """Start nothing more. Workers go on."""
        ...


#: Whether a process with torch in it may be forked here.
CAN_FORK = sys.platform == "linux"

#: Environment of a process that will be forked: threads of OpenBLAS's own would not live through it.
FORKED_ENVIRONMENT = {**PATIENT, "OPENBLAS_NUM_THREADS": "1"}


def launcher(exited: Exited) -> Launcher:
    """The launcher for this machine: the zygote where forking is safe."""
    return ZygoteLauncher(exited) if CAN_FORK else ProcessLauncher(exited)


class ProcessLauncher:
    """A process of its own for each run."""

    def __init__(self, exited: Exited) -> None:
        self._exited = exited
        self._processes: dict[str, psutil.Process] = {}

    def launch(self, run: str, folder: Path) -> None:
        with output_file(folder).open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "core.runs.worker.process", str(folder.resolve())],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        with suppress(psutil.Error):
            self._processes[run] = psutil.Process(process.pid)
        threading.Thread(target=self._wait, args=(run, process), daemon=True).start()

    def _wait(self, run: str, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        self._processes.pop(run, None)
        self._exited(run, code)

    def withdraw(self, run: str) -> bool:
        return False  # it starts at once

    def process(self, run: str) -> psutil.Process | None:
        return _running(self._processes, run)

    def probe(self, folder: Path, name: str, step: int | None) -> ProbeConnection:
        at = "" if step is None else str(step)
        command = [sys.executable, "-m", "core.runs.worker.probe_worker", str(folder.resolve()), name, at]
        piped = subprocess.PIPE
        return _PipeConnection(
            subprocess.Popen(
                command, cwd=PROJECT, env={**PATIENT, **os.environ}, stdin=piped, stdout=piped, start_new_session=True
            )
        )

    def devices(self) -> list[str]:
        with suppress(OSError, subprocess.SubprocessError, ValueError):
            command = [sys.executable, "-m", "core.runs.worker.process", "--devices"]
            done = subprocess.run(command, cwd=PROJECT, capture_output=True, timeout=60, check=True)
            return [str(device) for device in json.loads(done.stdout.splitlines()[-1])]
        return ["cpu"]

    def close(self) -> None:
        """There is nothing to free."""


class ZygoteLauncher:
    """Forks of a warm process. A zygote that died is replaced; what it had not yet started is ordered again."""

    def __init__(self, exited: Exited) -> None:
        self._exited = exited
        self._lock = threading.RLock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None  # its standard input
        self._ordered: dict[str, Path] = {}  # launched, and not yet known to have started
        self._ready = False  # the living zygote, to fork
        self._children: set[str] = set()  # of the living zygote
        self._processes: dict[str, psutil.Process] = {}
        self._devices: list[str] | None = None
        self._devices_known = threading.Event()
        self._closed = False
        self._start()

    @property
    def pid(self) -> int:
        """Of the living zygote."""
        return self._zygote.pid if self._zygote else 0

    def launch(self, run: str, folder: Path) -> None:
        with self._lock:
            self._ordered[run] = folder.resolve()
            if self._zygote is None and not self._closed:
                self._start()
            if self._ready:
                self._order(run)

    def withdraw(self, run: str) -> bool:
        with self._lock:
            return not self._ready and self._ordered.pop(run, None) is not None

    def process(self, run: str) -> psutil.Process | None:
        return _running(self._processes, run)

    def probe(self, folder: Path, name: str, step: int | None) -> ProbeConnection:
        ours, theirs = socket.socketpair()
        with self._lock, theirs:  # should the zygote die before it has forked, the connection is dead, too
            if self._zygote is None and not self._closed:
                self._start()
            self._send({"probe": name, "folder": str(folder.resolve()), "step": step}, theirs)
        return _SocketConnection(ours)

    def devices(self) -> list[str]:
        if self._devices is None:
            with self._lock:
                self._devices_known.clear()
                self._send({"devices": True})
            self._devices_known.wait(timeout=60)
        return list(self._devices or ["cpu"])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            zygote, self._zygote = self._zygote, None
        if zygote and self._orders:
            self._orders.close()
            try:
                zygote.wait(timeout=2)
            except subprocess.TimeoutExpired:  # still importing torch
                zygote.kill()
                zygote.wait()

    def _start(self) -> None:
        environment = {**FORKED_ENVIRONMENT, **os.environ, "OPENBLAS_NUM_THREADS": "1"}
        if self._orders is not None:
            self._orders.close()
        self._ready = False
        self._orders, theirs = socket.socketpair()  # no pipe: with an order may go the connection of a session
        with theirs:
            self._zygote = subprocess.Popen(
                [sys.executable, "-m", "core.runs.worker.zygote"],
                cwd=PROJECT,
                env=environment,
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        threading.Thread(target=self._receive, args=(self._zygote,), daemon=True).start()

    def _order(self, run: str) -> None:
        self._send({"launch": run, "folder": str(self._ordered[run])})

    def _send(self, order: dict[str, Any], connection: socket.socket | None = None) -> None:
        if self._zygote is None or self._orders is None:
            return
        content = json.dumps(order).encode() + b"\n"
        with suppress(OSError):  # it died: the order is repeated to the one that follows
            if connection is not None:
                content = content[socket.send_fds(self._orders, [content], [connection.fileno()]) :]
            self._orders.sendall(content)

    def _receive(self, zygote: subprocess.Popen[bytes]) -> None:
        out: IO[bytes] | None = zygote.stdout
        assert out is not None
        ready = False
        for line in out:
            try:
                message = json.loads(line)
                ready = ready or "ready" in message
                self._handle(message)
            except Exception:  # or this server would learn of no run's end any more
                _log.exception("a message of the zygote was lost: %r", line)
        zygote.wait()
        out.close()
        self._replace(ready)

    def _handle(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            with self._lock:
                self._ready = True
                for run in self._ordered:
                    self._order(run)
        elif "started" in message:
            with self._lock:
                self._ordered.pop(message["started"], None)
                self._children.add(message["started"])
                with suppress(psutil.Error):
                    self._processes[message["started"]] = psutil.Process(message["pid"])
        elif "exited" in message:
            with self._lock:
                self._children.discard(message["exited"])
                self._processes.pop(message["exited"], None)
            self._exited(message["exited"], message["code"])
        elif "devices" in message:
            self._devices = message["devices"]
            self._devices_known.set()

    def _replace(self, was_ready: bool) -> None:
        with self._lock:
            if self._closed:
                return
            lost = list(self._children) if was_ready else list(self._ordered)
            self._children.clear()
            if was_ready:
                self._start()
                if not self._devices_known.is_set():
                    self._send({"devices": True})
            else:  # one that never came up would not come up the next time: its runs fail, the next launch tries anew
                self._ordered.clear()
                self._zygote = None
        for run in lost:  # the children live on: whether they do is for the engine to find out, by their locks
            self._exited(run, None)


def _running(processes: dict[str, psutil.Process], run: str) -> psutil.Process | None:
    """The run's process of these, by its pid and the moment of its start; ``None`` where it has ended."""
    process = processes.get(run)
    if process is not None and not process.is_running():
        processes.pop(run, None)
        return None
    return process


class _SocketConnection:
    """A connection that is a socket."""

    def __init__(self, ours: socket.socket) -> None:
        self._ours = ours
        self.back: IO[bytes] = ours.makefile("rb")

    def send(self, content: bytes) -> None:
        if self._ours.send(content, socket.MSG_DONTWAIT) < len(content):
            raise BlockingIOError

    def close(self) -> None:
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_WR)

    def release(self) -> None:
        self.back.close()
        self._ours.close()


class _PipeConnection:
    """A connection that is the standard input and output of a process. On a machine for one: sending may wait."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process, self._to = process, process.stdin
        self.back: IO[bytes] = process.stdout

    def send(self, content: bytes) -> None:
        if self._to.closed:
            raise BrokenPipeError
        self._to.write(content)
        self._to.flush()

    def close(self) -> None:
        with suppress(OSError):
            self._to.close()

    def release(self) -> None:
        self.close()
        self.back.close()
        self._process.wait()
