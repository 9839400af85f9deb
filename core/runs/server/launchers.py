"""Starts workers, and the sessions of probes. The engine knows only the protocols, so that runs may one day start on
another machine."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

from core.runs.store.paths import PROJECT, output_file
from core.runs.worker.process import PATIENT

#: Told that a run's worker is gone: id, and exit status (negative for a signal, ``None`` where nobody knows).
Exited = Callable[[str, int | None], None]


class Line(Protocol):
    """The line to the process of a probe's session, which ends with it (:mod:`core.runs.worker.probe_worker`).

    Attributes:
        back: what the process says; it ends with the process.
    """

    back: IO[bytes]

    def say(self, words: bytes) -> None:
        """Never waits.

        Raises:
            OSError: the process is gone, or does not listen.
        """
        ...

    def hang_up(self) -> None:
        """Say nothing more: the process ends."""
        ...

    def finish(self) -> None:
        """``back`` has ended: let go of all."""
        ...


class Launcher(Protocol):
    """Starts a worker for a run's folder and tells when it is gone."""

    def launch(self, run: str, folder: Path) -> None: ...

    def probe(self, folder: Path, name: str, step: int | None) -> Line:
        """Start a session of a probe; what becomes of it is told over its line."""
        ...

    def devices(self) -> list[str]:
        """What a training can run on. May take seconds when asked first."""
        ...

    def close(self) -> None:
        """Start nothing more. Workers go on."""
        ...


#: Whether a process with torch in it may be forked here.
FORKING = sys.platform == "linux"

#: What a process is told that will be forked: threads of OpenBLAS's own would not live through it.
FORKED = {**PATIENT, "OPENBLAS_NUM_THREADS": "1"}


def launcher(exited: Exited) -> Launcher:
    """The launcher for this machine: the zygote where forking is safe."""
    return ZygoteLauncher(exited) if FORKING else ProcessLauncher(exited)


class ProcessLauncher:
    """A process of its own for each run."""

    def __init__(self, exited: Exited) -> None:
        self._exited = exited

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
        threading.Thread(target=lambda: self._exited(run, process.wait()), daemon=True).start()

    def probe(self, folder: Path, name: str, step: int | None) -> Line:
        until = "" if step is None else str(step)
        command = [sys.executable, "-m", "core.runs.worker.probe_worker", str(folder.resolve()), name, until]
        piped = subprocess.PIPE
        return _Pipes(
            subprocess.Popen(
                command, cwd=PROJECT, env={**PATIENT, **os.environ}, stdin=piped, stdout=piped, start_new_session=True
            )
        )

    def devices(self) -> list[str]:
        with suppress(OSError, subprocess.SubprocessError, ValueError):
            command = [sys.executable, "-m", "core.runs.worker.process", "--devices"]
            said = subprocess.run(command, cwd=PROJECT, capture_output=True, timeout=60, check=True).stdout
            return [str(device) for device in json.loads(said.splitlines()[-1])]
        return ["cpu"]

    def close(self) -> None:
        """Nothing to let go of."""


class ZygoteLauncher:
    """Forks of a warm process. A zygote that died is replaced; what it was asked and had not done is asked again."""

    def __init__(self, exited: Exited) -> None:
        self._exited = exited
        self._lock = threading.RLock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None  # its standard input
        self._asked: dict[str, Path] = {}  # launched, and not yet known to have started
        self._children: set[str] = set()  # of the living zygote
        self._devices: list[str] | None = None
        self._answered = threading.Event()
        self._closed = False
        self._start()

    @property
    def pid(self) -> int:
        """Of the living zygote."""
        return self._zygote.pid if self._zygote else 0

    def launch(self, run: str, folder: Path) -> None:
        with self._lock:
            self._asked[run] = folder.resolve()
            if self._zygote is None and not self._closed:
                self._start()
            self._say({"launch": run, "folder": str(self._asked[run])})

    def probe(self, folder: Path, name: str, step: int | None) -> Line:
        ours, theirs = socket.socketpair()
        with self._lock, theirs:  # should the zygote die before it has forked, the line is dead, too
            if self._zygote is None and not self._closed:
                self._start()
            self._say({"probe": name, "folder": str(folder.resolve()), "step": step}, theirs)
        return _Wire(ours)

    def devices(self) -> list[str]:
        if self._devices is None:
            with self._lock:
                self._answered.clear()
                self._say({"devices": True})
            self._answered.wait(timeout=60)
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
        environment = {**FORKED, **os.environ, "OPENBLAS_NUM_THREADS": "1"}
        if self._orders is not None:
            self._orders.close()
        self._orders, theirs = socket.socketpair()  # no pipe: with an order may go the line of a session
        with theirs:
            self._zygote = subprocess.Popen(
                [sys.executable, "-m", "core.runs.worker.zygote"],
                cwd=PROJECT,
                env=environment,
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        threading.Thread(target=self._listen, args=(self._zygote,), daemon=True).start()

    def _say(self, order: dict[str, Any], line: socket.socket | None = None) -> None:
        if self._zygote is None or self._orders is None:
            return
        words = json.dumps(order).encode() + b"\n"
        with suppress(OSError):  # it died: the one that follows is asked again
            if line is not None:
                words = words[socket.send_fds(self._orders, [words], [line.fileno()]) :]
            self._orders.sendall(words)

    def _listen(self, zygote: subprocess.Popen[bytes]) -> None:
        out: IO[bytes] | None = zygote.stdout
        assert out is not None
        ready = False
        for line in out:
            with suppress(ValueError):
                said = json.loads(line)
                ready = ready or "ready" in said
                self._hear(said)
        zygote.wait()
        out.close()
        self._replace(ready)

    def _hear(self, said: dict[str, Any]) -> None:
        if "started" in said:
            with self._lock:
                self._asked.pop(said["started"], None)
                self._children.add(said["started"])
        elif "exited" in said:
            with self._lock:
                self._children.discard(said["exited"])
            self._exited(said["exited"], said["code"])
        elif "devices" in said:
            self._devices = said["devices"]
            self._answered.set()

    def _replace(self, was_ready: bool) -> None:
        with self._lock:
            if self._closed:
                return
            lost = list(self._children) if was_ready else list(self._asked)
            self._children.clear()
            if was_ready:
                self._start()
                for run, folder in self._asked.items():
                    self._say({"launch": run, "folder": str(folder)})
                if not self._answered.is_set():
                    self._say({"devices": True})
            else:  # one that never came up would not come up the next time: its runs fail, the next launch tries anew
                self._asked.clear()
                self._zygote = None
        for run in lost:  # the children live on: whether they do is for the engine to find out, by their locks
            self._exited(run, None)


class _Wire:
    """A line that is a socket."""

    def __init__(self, ours: socket.socket) -> None:
        self._ours = ours
        self.back: IO[bytes] = ours.makefile("rb")

    def say(self, words: bytes) -> None:
        if self._ours.send(words, socket.MSG_DONTWAIT) < len(words):
            raise BlockingIOError

    def hang_up(self) -> None:
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_WR)

    def finish(self) -> None:
        self.back.close()
        self._ours.close()


class _Pipes:
    """A line that is the standard input and output of a process. On a machine for one: to say something may wait."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process, self._to = process, process.stdin
        self.back: IO[bytes] = process.stdout

    def say(self, words: bytes) -> None:
        if self._to.closed:
            raise BrokenPipeError
        self._to.write(words)
        self._to.flush()

    def hang_up(self) -> None:
        with suppress(OSError):
            self._to.close()

    def finish(self) -> None:
        self.hang_up()
        self.back.close()
        self._process.wait()
