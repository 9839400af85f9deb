"""The server that is measured: ``streamlit run app.py`` in its own process, with a folder of its own for runs."""

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import psutil

from core.bench.start_route import HEADER, SECRET
from core.runs.server.launchers import FORKED_ENVIRONMENT
from core.runs.store.library import Library
from core.runs.store.paths import PROJECT
from core.web import EXTENSIONS

OWNER = "bench-" + "o" * 32


class Server:
    """A running server.

    Args:
        folder: of its runs.
        slots: runs at once.
        extended: whether it has the route of :meth:`start`, which a user's server has not.
    """

    def __init__(self, folder: Path, slots: int | None = None, *, extended: bool = True) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.host = f"127.0.0.1:{self.port}"
        self.path = ""  # where the app has a base address
        self._secret = secrets.token_urlsafe(16)
        environment = {**os.environ, "TENFOLD_RUNS": str(folder), SECRET: self._secret}
        if extended:
            environment[EXTENSIONS] = "core.bench.start_route"
        if slots:
            environment["TENFOLD_SLOTS"] = str(slots)
        self._log = folder / "server.log"
        folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            options = ["--server.port", str(self.port), "--server.headless", "true", "--server.address", "127.0.0.1"]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", *options],
                cwd=PROJECT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        self.process = psutil.Process(self._process.pid)
        self.library = Library(folder)

    def wait(self, seconds: float = 60) -> None:
        """Until it answers and its zygote is warm: a first run has begun."""
        end = time.monotonic() + seconds
        while True:
            try:
                if self._request("GET", "/_stcore/health")[0] == 200:
                    return
            except OSError:
                pass
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError(f"the server did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.1)

    def start(self, slug: str, preset: str, steps: int = 10_000_000, seed: int = 0, owner: str = OWNER) -> str:
        """Start a run; its id."""
        request = {"slug": slug, "preset": preset, "steps": steps, "seed": seed, "owner": owner}
        status, body = self._request("POST", "/lab/bench/start", json.dumps(request))
        if status != 200:
            raise RuntimeError(f"the server did not start a run: {status} {body[:500]!r}")
        return str(json.loads(body)["run"])

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, self.path + path, body, {HEADER: self._secret})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def cpu(self) -> float:
        """Seconds of processor time that the server itself has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def family_pss(self) -> int:
        """Bytes of the zygote and the workers, shared pages divided among those who share them."""
        total = 0
        for child in self.process.children(recursive=True):
            try:
                total += int(getattr(child.memory_full_info(), "pss", 0))
            except psutil.Error:
                continue
        return total

    def close(self) -> float:
        """Stop it; the seconds that took."""
        begin = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return time.monotonic() - begin


@contextmanager
def serving(folder: Path, slots: int | None = None, *, extended: bool = True) -> Iterator[Server]:
    """A server for the length of the block."""
    server = Server(folder, slots, extended=extended)
    try:
        server.wait()
        yield server
    finally:
        server.close()


class Worker:
    """A process of the bench, with a line for each message in either direction."""

    def __init__(self, module: str, *arguments: str, request: Any = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**FORKED_ENVIRONMENT, **os.environ},
            start_new_session=True,
        )
        if request is not None:
            self.send(request)
        if self.receive() != "ready":
            raise RuntimeError(f"{module} did not get ready")

    def send(self, message: Any) -> None:
        stdin = cast(IO[str], self._process.stdin)
        stdin.write(json.dumps(message) + "\n")
        stdin.flush()

    def receive(self) -> str:
        return cast(IO[str], self._process.stdout).readline().strip()

    def close(self) -> str:
        """Close its input; what it writes last."""
        cast(IO[str], self._process.stdin).close()
        output = cast(IO[str], self._process.stdout).read()
        self._process.wait(20)
        return output


def watchers(server: Server, runs: Sequence[str], panels: Sequence[str]) -> Worker:
    """One watcher for each entry of ``runs``."""
    return Worker("core.bench.watchers", request={"host": server.host, "runs": list(runs), "panels": list(panels)})
