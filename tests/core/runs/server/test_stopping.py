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
from core.runs.store import control, disk
from core.runs.store.library import Library
from core.runs.store.paths import PROJECT, lock_file, log_file, process_file
from core.runs.store.worker_lock import WorkerLock, alive, worker_process
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


def test_a_worker_whose_folder_does_not_name_it_is_ended_too(engine: Engine, toy: Experiment) -> None:
    """On a full disk it could not write down which process it is."""
    run = start(engine, toy, **LONG)
    worker = in_the_operation(engine.library, run)
    process_file(engine.library.folder(run)).unlink()
    engine.command(run, "me", "stop")
    until(lambda: run not in engine._queue.running, seconds=10)
    assert gone(worker) and engine.view(run).head.state == "stopped"


def test_a_run_whose_worker_has_not_begun_is_stopped_at_once(toy: Experiment) -> None:
    engine = Engine(Library(), 1)  # its zygote has yet to import torch
    try:
        run, other = start(engine, toy, 20), start(engine, toy, 20)
        engine.command(run, "me", "stop")
        assert engine._queue.running == {other}, "its place is another's now"
        assert engine.view(run).head.state == "stopped"
        engine.command(other, "me", "stop")
        assert not engine._queue.running and not engine._stopping
        engine.delete(run, "me")
        last = start(engine, toy, 20)
        until(lambda: engine.view(last).head.state == "finished")
        assert not log_file(engine.library.folder(other)).exists(), "what was withdrawn never begins"
    finally:
        engine.close()


def test_a_worker_that_begins_after_the_stop_has_time_to_end(
    signals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "TERMINATE_S", 0.3)
    monkeypatch.setattr(stopping, "KILL_S", 0.6)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline()
    found: list[psutil.Process] = []
    ending = stopping.Stopping(lambda run: found[0] if found else None)
    ending.add("run")
    time.sleep(0.8)
    ending.escalate()
    found.append(psutil.Process(process.pid))
    ending.escalate()
    ending.escalate()
    assert signals == [], "it was seen a moment ago"
    until(lambda: ending.escalate() or signals, seconds=5)
    assert signals == ["terminate"]
    until(lambda: ending.escalate() or gone(found[0]), seconds=5)
    assert signals == ["terminate", "kill"]
    process.wait()
    process.stdout.close()


def test_a_full_disk_keeps_no_run_from_being_deleted(
    engine: Engine, toy: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, stopped, deleted = start(engine, toy), start(engine, toy), start(engine, toy)
    until(lambda: engine.view(run).head.step > 10)

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(disk, "replace", full)
    engine.command(stopped, "me", "stop")
    engine.delete(deleted, "me")
    assert engine._queue.order() == [] and engine.view(stopped).place == 0
    engine.delete(run, "me")
    assert not engine._queue.running and set(engine.library.ids()) == {stopped}


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


def test_a_lock_that_cannot_be_looked_at_is_taken_to_be_held(tmp_path: Path) -> None:
    assert not alive(tmp_path) and not alive(tmp_path / "no run")
    lock_file(tmp_path).mkdir()  # as good as a lock that cannot be opened since too many files are open
    assert alive(tmp_path)
