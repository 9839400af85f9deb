"""``kill -9`` of worker, zygote and server: nothing logged is lost, the resumed training is the same."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core import settings
from core.events import ENDED
from core.experiment import Experiment, Stop
from core.runs.server.engine import Engine
from core.runs.store.library import Library, alive
from core.runs.store.paths import PROJECT
from core.runs.worker.process import work
from tests.conftest import until
from tests.core.runs.worker.test_worker import made, same, scalars, weights

#: Random moments at which a worker is killed.
MOMENTS = 20
STEPS = 1500


@pytest.fixture
def engine(toy: Experiment) -> Iterator[Engine]:
    running = Engine(Library(), 2)
    yield running
    running.close()


def start(engine: Engine, toy: Experiment, steps: int = STEPS, **values: object) -> str:
    return engine.start("toy", settings.check(toy.config, values), Stop(steps=steps), "cpu", "me")


def zygote() -> psutil.Process:
    (found,) = (p for p in psutil.Process().children() if "core.runs.worker.zygote" in p.cmdline())
    return found


def kill_worker() -> int:
    """Kill what trains; how many that were."""
    workers = zygote().children()
    for worker in workers:
        worker.kill()
    return len(workers)


def test_a_worker_killed_at_random_moments(engine: Engine, toy: Experiment) -> None:
    moments = random.Random(5)
    untouched = made(toy, STEPS)
    work(untouched)
    killed = 0
    while killed < MOMENTS:
        run = start(engine, toy)
        folder = engine.library.folder(run)
        while True:
            time.sleep(moments.uniform(0.0, 0.3))
            logged = engine.library.reader(run).tail() if (folder / "log.sqlite").exists() else []
            if engine.view(run).head.state == "finished":
                break
            if not kill_worker():
                continue  # the zygote is not up yet
            killed += 1
            until(lambda: engine.view(run).head.state == "interrupted" or not alive(folder))  # noqa: B023
            until(lambda: run not in engine._queue.running)  # noqa: B023
            if (folder / "log.sqlite").exists():
                kept = {record.seq: record for record in engine.library.reader(run).tail()}
                assert all(kept[record.seq].event == record.event for record in logged), "what was read is lost"
            view = engine.view(run)
            if view.head.state == "finished":
                break
            assert "The system ended this run's process" in str(view.sentence)
            if not view.resumable:
                break  # before its first checkpoint: a person would start it again
            engine.resume(run, "me")
        if engine.view(run).head.state == "finished":
            assert same(weights(folder), weights(untouched))
            assert scalars(folder) == scalars(untouched)


def test_the_zygote_killed(engine: Engine, toy: Experiment) -> None:
    run = start(engine, toy)
    until(lambda: engine.view(run).head.step > 20)
    zygote().kill()
    waiting = [start(engine, toy, 50), start(engine, toy, 50)]
    until(lambda: engine.view(run).head.state == "finished")
    assert engine.view(run).head.step == STEPS, "it went on without the zygote"
    for other in waiting:
        until(lambda: engine.view(other).head.state == "finished")  # noqa: B023
    until(lambda: not engine._queue.running)


def test_the_server_killed(toy: Experiment, tmp_path: Path) -> None:
    server = textwrap.dedent("""
        import time
        from core import registry, settings
        from core.experiment import Stop
        from core.runs.server.engine import Engine
        engine = Engine(runs_at_once=1)
        toy = registry.get("toy")
        for nap in (0.001, 0.0):
            config = settings.check(toy.config, {"nap": nap})
            print(engine.start("toy", config, Stop(steps=1500), "cpu", "me"), flush=True)
        time.sleep(600)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", server], cwd=PROJECT, env=dict(os.environ), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    run, queued = process.stdout.readline().strip(), process.stdout.readline().strip()
    library = Library()
    until(lambda: library.view(run).head.step > 50)
    children = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))
    assert alive(library.folder(run)), "the worker goes on"
    after = Engine(runs_at_once=1)
    try:
        assert after.view(run).head.state == "running"
        assert (after.view(queued).head.state, after.view(queued).place) == ("queued", 1)
        after.command(run, "me", "pause")
        until(lambda: after.view(run).head.state == "paused")
        after.command(run, "me", "resume")
        until(lambda: after.view(run).head.state in ENDED)
        assert after.view(run).head.step == 1500
        until(lambda: after.view(queued).head.state == "finished")
    finally:
        after.close()
