"""A process that has torch imported and warm, and forks a worker for each run: 10 ms instead of 3 s, and 7 MB.

Exchanges lines of JSON by its own standard input, a socket, and output. In: ``{"launch": id, "folder": path}``,
``{"probe": name, "folder": path, "step": number or null}`` with the session's connection as a file descriptor beside
it, and ``{"devices": true}``. Out: ``{"ready": true}``, ``{"started": id, "pid": n}``, ``{"exited": id, "code": n}``
(negative for a signal) and ``{"devices": [...]}``. It ends when its input is closed; the workers live on, each in a
session of its own. It never touches an accelerator, for a forked process could not use it any more; its children may.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

import core.runs.store.checkpoints
import core.runs.worker.driver  # noqa: F401 - what every worker needs is imported once, here
from core import registry
from core.program import program_of
from core.runs.store.paths import output_file
from core.runs.worker import probe_worker, process

#: Present where the driver of an accelerator is; merely asking torch would wake it.
_ACCELERATORS = ("/dev/nvidiactl", "/dev/kfd")


def warm() -> None:
    """Do once what is slow the first time. One thread: the threads of a pool would not live through a fork."""
    import numpy.ma  # noqa: F401 - numpy.unique imports it when first called, which would cost each worker 14 MB
    import safetensors.torch

    torch.set_num_threads(1)
    for experiment in registry.experiments().values():
        with suppress(Exception):  # the run's own worker says what is wrong with it
            program_of(experiment)
    if any(Path(device).exists() for device in _ACCELERATORS):
        return  # autograd and the optimisers look for devices, which would wake the driver in this process
    model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    for optimiser in (
        torch.optim.Adam(model.parameters(), fused=True),
        torch.optim.SGD(model.parameters(), momentum=0.9),
    ):
        for _ in range(3):
            loss = torch.nn.functional.cross_entropy(model(torch.randn(16, 2)), torch.zeros(16, dtype=torch.long))
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    safetensors.torch.save({"weight": torch.zeros(1)})


def serve() -> None:
    """Fork on demand, until standard input is closed."""
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    orders = socket.socket(fileno=0)
    connections: list[int] = []  # file descriptors, in the order of the sessions that they are for
    runs: dict[int, str] = {}
    waiting = b""
    _send({"ready": True})
    while True:
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            with suppress(BlockingIOError):
                os.read(wake, 4096)
            _reap(runs)
        if 0 in ready:
            received, given, _, _ = socket.recv_fds(orders, 65536, 8)
            if not received:
                return
            connections += given
            *lines, waiting = (waiting + received).split(b"\n")
            for line in lines:
                _carry_out(json.loads(line), runs, (wake, woken), connections)


def _carry_out(order: dict[str, Any], runs: dict[int, str], pipes: tuple[int, int], connections: list[int]) -> None:
    if "launch" in order:
        folder = Path(order["folder"])
        pid = _fork(lambda: _work(folder), (*pipes, *connections), output_file(folder))
        runs[pid] = order["launch"]
        _send({"started": order["launch"], "pid": pid})
    elif "probe" in order:
        connection = connections.pop(0)
        # Not nice: a person waits for each answer, and it is short.
        _fork(lambda: _answer(order, connection), (*pipes, *connections), Path(os.devnull))
        os.close(connection)
    elif "devices" in order:
        _fork(_devices, (*pipes, *connections))


def _work(folder: Path) -> int:
    process.be_nice()
    return process.work(folder)


def _answer(order: dict[str, Any], connection: int) -> int:
    with socket.socket(fileno=connection) as ours, ours.makefile("rb") as incoming, ours.makefile("wb") as outgoing:
        return probe_worker.answer(Path(order["folder"]), order["probe"], order["step"], incoming, outgoing)


def _devices() -> int:
    _send({"devices": process.devices()})
    return 0


def _fork(child: Callable[[], int], foreign: Iterable[int], out: Path | None = None) -> int:
    """Run ``child`` in a process of its own, without the ``foreign`` file descriptors; its pid. With ``out``, cut off
    from this process altogether."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in foreign:
            os.close(number)
        if out is not None:
            os.setsid()
            _redirect(out)
        code = child()
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _redirect(out: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        log = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:
        log = nothing  # a full disk: the worker will find that out and say so by its exit status
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _reap(runs: dict[int, str]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        if pid in runs:
            _send({"exited": runs.pop(pid), "code": os.waitstatus_to_exitcode(status)})


def _send(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warm()
    gc.collect()
    gc.freeze()  # or the children's collections would copy every page
    with suppress(BrokenPipeError):
        serve()


if __name__ == "__main__":
    main()
