"""The process of one run: takes the run's lock, drives its training, and its exit status says what a log cannot.

Started as a fork of the zygote, as ``python -m core.runs.worker.process FOLDER``, or in the command line's own process.
"""

import json
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from filelock import Timeout

from core.runs.store.library import Library
from core.runs.store.log import Head
from core.runs.store.worker_lock import WorkerLock
from core.runs.worker.driver import Driver
from core.runs.worker.failures import LOCKED, exit_status
from core.words import Refusal

#: How much a worker yields to the server and to everything else on the machine.
NICE = 5

#: Threads that wait for one another sleep, unless somebody wants it otherwise: where others use the cores too, those
#: that spin hold up the very thread they wait for. A small network went 12 times as fast, with two threads on two busy
#: cores.
PATIENT = {"OMP_WAIT_POLICY": "passive"}

#: A check for a living worker holds the lock for a moment where locks cannot be shared.
LOCK_S = 1.0


def work(folder: Path, watch: Callable[[Head], None] = lambda head: None) -> int:
    """Train the run in ``folder`` to its end; 0, or one of :mod:`core.runs.worker.failures`."""
    for name, value in PATIENT.items():
        os.environ.setdefault(name, value)  # torch, which reads it, comes later; the zygote was given it at its start
    held = WorkerLock(folder)
    try:
        held.acquire(timeout=LOCK_S, poll_interval=0.01)
    except Timeout:
        return LOCKED
    except OSError as error:
        return exit_status(error)
    try:
        driver = Driver(folder, Library(folder.parent).info(folder.name), threads(), watch)
        with_signals(driver)
        driver.run()
    except (OSError, sqlite3.Error, Refusal) as error:
        with suppress(OSError):  # the disk that is full holds worker.out, too
            print(error, file=sys.stderr, flush=True)  # noqa: T201
        return exit_status(error)
    finally:
        held.release()
    return 0


def with_signals(driver: Driver) -> None:
    """Let the first interrupt or termination stop the run with a checkpoint, and the second kill it."""
    if threading.current_thread() is not threading.main_thread():
        return

    def stop(number: int, frame: FrameType | None) -> None:
        driver.terminated = True
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def slots() -> int:
    """Runs at once: ``TENFOLD_SLOTS``, else one a core."""
    with suppress(KeyError, ValueError):
        return max(1, int(os.environ["TENFOLD_SLOTS"]))
    return cores()


def threads() -> int:
    """torch's threads of one worker."""
    return max(1, cores() // slots())


def devices() -> list[str]:
    """What a training can run on here. Touches the accelerator: never called in the server or the zygote."""
    import torch

    found = ["cpu"]
    if torch.cuda.is_available():
        found += ["cuda"]
    if torch.backends.mps.is_available():
        found += ["mps"]
    return found


def be_nice() -> None:
    """Let the server and its people go first."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    # Linux shares the processor between sessions first (autogroups): within a session of its own, nice alone says
    # nothing, and thirty workers would leave the server a thirtieth.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICE))


def main() -> int:
    if sys.argv[1:] == ["--devices"]:
        print(json.dumps(devices()))  # noqa: T201 - for whoever started this process
        return 0
    be_nice()
    return work(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
