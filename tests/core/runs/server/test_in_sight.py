"""A run's worker knows which panels anybody has in sight, so that it need not take the other snapshots."""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core import registry, settings
from core.experiment import Experiment, Stop
from core.runs.server import channels
from core.runs.server.engine import Engine
from core.runs.server.hub import Hub
from core.runs.store import control
from core.runs.store.library import Library
from core.runs.store.worker_lock import WorkerLock
from tests import conftest
from tests.core.runs.toy import TOY, Run, ToyEngine, served

OWNER = "o" * 43

until = partial(conftest.until, seconds=60)


@pytest.fixture
def engine(toy: Experiment) -> Iterator[Engine]:
    """An engine whose only slot is taken, so that the next run waits."""
    engine = Engine(Library(), 1)
    first = engine.start("toy", settings.check(toy.config, {}), Stop(), "cpu", OWNER)
    yield engine
    engine.command(first, OWNER, "stop")
    engine.close()


@pytest.fixture
def run(engine: Engine) -> str:
    experiment = registry.get("dnn")
    return engine.start("dnn", settings.check(experiment.config, {}), Stop(), "cpu", OWNER)


@pytest.fixture
def hub(engine: Engine) -> Iterator[Hub]:
    hub = Hub(lambda: engine)
    with served(hub):
        yield hub


def on_loop(hub: Hub, call: Coroutine[Any, Any, Any]) -> Any:
    assert hub._loop is not None
    return asyncio.run_coroutine_threadsafe(call, hub._loop).result(10)


def in_sight(engine: Engine, run: str) -> tuple[str, ...] | None:
    return control.read(engine.library.folder(run)).in_sight


def test_the_worker_knows_the_panels_of_all_watchers(engine: Engine, run: str, hub: Hub) -> None:
    assert in_sight(engine, run) is None, "nobody knows yet"
    one, other = (on_loop(hub, hub.watch(run, 0, OWNER)) for _ in range(2))
    until(lambda: in_sight(engine, run) == ())
    on_loop(hub, hub.set_panels(one, ["neurons", "loss", "no such panel"]))
    on_loop(hub, hub.set_panels(other, ["boundary", "neurons"]))
    until(lambda: in_sight(engine, run) == ("boundary", "neurons"))  # hero first; curves are no snapshots
    on_loop(hub, hub.set_panels(other, []))
    until(lambda: in_sight(engine, run) == ("neurons",))

    async def leave() -> None:
        hub.leave(one)

    on_loop(hub, leave())
    until(lambda: in_sight(engine, run) == ())


def test_a_page_that_polls_has_its_panels_in_sight_for_a_while(
    engine: Engine, run: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "POLLED_S", 0.6)
    hub.batch(run, 0, ["boundary"], OWNER)
    until(lambda: in_sight(engine, run) == ("boundary",))
    until(lambda: in_sight(engine, run) == ())


def test_commands_leave_it_as_it_is_and_a_deleted_run_has_none(engine: Engine, run: str) -> None:
    engine.set_in_sight(run, ("boundary",))
    engine.command(run, OWNER, "pause")
    assert in_sight(engine, run) == ("boundary",)
    engine.delete(run, OWNER)
    engine.set_in_sight(run, ("neurons",))
    assert not (engine.library.root / run).exists()


def test_nobody_watches_a_run_that_a_new_server_finds(toy: Experiment) -> None:
    library = Library()
    info = library.create("toy", settings.check(toy.config, {}), Stop(), "cpu", OWNER)
    folder = library.folder(info.id)
    control.write(folder, control.Control(in_sight=("map",)))
    with WorkerLock(folder):
        engine = Engine(library, 1)
        try:
            assert in_sight(engine, info.id) == ()
        finally:
            engine._queue.running.discard(info.id)
            engine.close()


def test_changes_are_few_and_an_ended_run_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "get", lambda slug: {"toy": TOY}[slug])
    engine = ToyEngine(tmp_path)
    hub = Hub(lambda: engine)
    run = engine.create("run", OWNER)
    run.begin()
    ended: Run = engine.create("ended", OWNER)
    ended.log(state="finished")
    with served(hub):
        watcher, late = (on_loop(hub, hub.watch(name, 0, OWNER)) for name in ("run", "ended"))
        on_loop(hub, hub.set_panels(late, ["map"]))
        began = time.monotonic()
        for i in range(200):
            on_loop(hub, hub.set_panels(watcher, ["map", "broken"][: i % 3]))
            time.sleep(0.01)
        on_loop(hub, hub.set_panels(watcher, ["broken"]))
        until(lambda: engine.in_sight[-1] == ("run", ("broken",)))
        took = time.monotonic() - began
    assert 2 <= len(engine.in_sight) <= took / channels.IN_SIGHT_S + 2
    assert {name for name, _ in engine.in_sight} == {"run"}
