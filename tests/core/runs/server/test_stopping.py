"""Stop ends a worker inside one long operation, which neither reads its control file nor handles a signal."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from core import settings
from core.experiment import Experiment, Stop
from core.runs.server import stopping
from core.runs.server.engine import Engine
from core.runs.store.library import Library
from core.runs.store.paths import PROJECT, process_file
from core.runs.store.worker_lock import WorkerLock, alive, worker_process
from core.runs.worker import control
from core.words import Refusal
from tests import conftest

#: Trains for a moment, so that there is a checkpoint, and is then in one operation for hours.
LONG = {"nap": 0.01, "trouble": "long operation"}

#: On a busy machine the zygote alone takes half a minute.
until = partial(conftest.until, seconds=90)


@pytest.fixture
def engine(toy: Experiment) -> Iterator[Engine]:
    running = Engine(Library(), 1)
    yield running
    for run in list(running._queue.running):
        running.command(run, "me", "stop")
    until(lambda: not running._queue.running)
    running.close()


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The signals that workers are sent; each after a stop was requested."""
    sent: list[str] = []
    for name in ("terminate", "kill"):
        send = getattr(psutil.Process, name)

        def noted(process: psutil.Process, name: str = name, send: object = send) -> None:
            sent.append(name)
            send(process)  # type: ignore[operator]

        monkeypatch.setattr(psutil.Process, name, noted)
    return sent


def start(engine: Engine, toy: Experiment, steps: int = 10**6, **values: object) -> str:
    return engine.start("toy", settings.check(toy.config, values), Stop(steps=steps), "cpu", "me")


def in_the_operation(library: Library, run: str) -> psutil.Process:
    """The worker of a run, once it is in its long operation: it has trained, and its log stands still."""
    until(lambda: library.view(run).checkpoints and 0 < library.head(run).time < time.time() - 1)
    process = worker_process(library.folder(run))
    assert process is not None
    return process


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_run_in_a_long_operation_is_stopped_and_the_next_begins(
    engine: Engine, toy: Experiment, signals: list[str]
) -> None:
    run, waiting = start(engine, toy, **LONG), start(engine, toy, 20)
    worker = in_the_operation(engine.library, run)
    assert engine.view(waiting).place == 1
    engine.command(run, "me", "stop")
    assert control.read(engine.library.folder(run)).mode == "stop"
    until(lambda: engine.view(waiting).head.state == "finished")
    assert signals == ["terminate", "kill"] and gone(worker)
    view = engine.view(run)
    assert (view.head.state, view.head.steps_per_s, view.resumable) == ("stopped", 0.0, True)
    assert "since its last checkpoint is lost" in str(view.sentence)
    engine.resume(run, "me")
    until(lambda: engine.view(run).head.state == "running")


def test_a_run_that_answers_is_sent_no_signal(
    engine: Engine, toy: Experiment, signals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "TERMINATE_S", 80)  # on a busy machine a second is not enough for it to answer
    run = start(engine, toy)
    until(lambda: engine.view(run).head.step > 10)
    engine.command(run, "me", "stop")
    until(lambda: run not in engine._queue.running)
    assert signals == []
    assert engine.view(run).head.state == "stopped" and engine.view(run).sentence is None


def test_a_run_that_is_to_go_on_after_all_is_not_ended(engine: Engine, toy: Experiment) -> None:
    run = start(engine, toy, **LONG)
    worker = in_the_operation(engine.library, run)
    engine.command(run, "me", "stop")
    assert engine._stopping
    engine.resume(run, "me")
    assert not engine._stopping and not gone(worker)


def test_a_deleted_run_is_stopped_first(engine: Engine, toy: Experiment) -> None:
    run, waiting = start(engine, toy, **LONG), start(engine, toy, 20)
    worker, folder = in_the_operation(engine.library, run), engine.library.folder(run)
    engine.delete(run, "me")
    assert gone(worker) and not folder.exists()
    with pytest.raises(Refusal, match="no such run"):
        engine.view(run)
    until(lambda: engine.view(waiting).head.state == "finished")


@pytest.mark.parametrize("pressed", ["before", "after"])
def test_a_new_server_ends_the_worker_of_an_old_one(toy: Experiment, pressed: str) -> None:
    server = textwrap.dedent(f"""
        import time
        from core import registry, settings
        from core.experiment import Stop
        from core.runs.server.engine import Engine
        engine = Engine(runs_at_once=1)
        toy = registry.get("toy")
        for values in ({LONG!r}, {{}}):
            print(engine.start("toy", settings.check(toy.config, values), Stop(steps=40), "cpu", "me"), flush=True)
        time.sleep(600)
    """)
    old = subprocess.Popen(
        [sys.executable, "-c", server], cwd=PROJECT, env=dict(os.environ), stdout=subprocess.PIPE, text=True
    )
    assert old.stdout is not None
    run, waiting = old.stdout.readline().strip(), old.stdout.readline().strip()
    library = Library()
    worker = in_the_operation(library, run)
    old.send_signal(signal.SIGKILL)
    old.wait()
    old.stdout.close()
    folder = library.folder(run)
    if pressed == "before":  # and the old server ended before it could see to it
        control.write(folder, control.read(folder).model_copy(update={"mode": "stop"}))
    new = Engine(runs_at_once=1)
    try:
        if pressed == "after":
            assert new.view(run).head.state == "running" and new.view(waiting).place == 1
            new.command(run, "me", "stop")
        until(lambda: new.view(waiting).head.state == "finished")
        assert gone(worker) and new.view(run).head.state == "stopped" and new.view(run).resumable
    finally:
        new.close()


def test_only_the_process_that_holds_the_lock_is_the_worker(tmp_path: Path) -> None:
    with WorkerLock(tmp_path):
        assert worker_process(tmp_path) == psutil.Process()
        about = json.loads(process_file(tmp_path).read_bytes())
        for changed in ({"started": about["started"] - 60}, {"pid": 2**22 + 1}, {"pid": "x"}, {"started": None}):
            process_file(tmp_path).write_text(json.dumps(about | changed))
            assert worker_process(tmp_path) is None, "its pid may be another's by now"
        for damaged in ("", "{", "[]", "7"):
            process_file(tmp_path).write_text(damaged)
            assert worker_process(tmp_path) is None
        process_file(tmp_path).unlink()
        assert worker_process(tmp_path) is None
    process_file(tmp_path).write_text(json.dumps(about))
    assert not alive(tmp_path) and worker_process(tmp_path) is None, "nobody holds the lock"
