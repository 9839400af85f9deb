"""The hub as pages and many watchers use it."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import registry
from core.events import Scalars, Snapshot, Status
from core.runs.server import hub as hub_module
from core.runs.server.channels import BATCH, RunChannel
from core.runs.server.figure_cache import FigureCache
from core.runs.server.hub import Hub
from core.runs.server.messages import dumps
from core.words import Refusal
from tests.core.runs.toy import TOY, Run, ToyEngine, served

OWNER = "o" * 43


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ToyEngine:
    monkeypatch.setattr(registry, "get", lambda slug: {"toy": TOY}[slug])
    return ToyEngine(tmp_path)


@pytest.fixture
def run(engine: ToyEngine) -> Run:
    run = engine.create("run", OWNER)
    run.begin()
    return run


@pytest.fixture
def hub(engine: ToyEngine) -> Iterator[Hub]:
    """A hub whose server runs."""
    hub = Hub(lambda: engine)
    with served(hub):
        yield hub


@pytest.mark.parametrize("serving", [True, False])
def test_a_page_without_a_socket_is_fed_from_its_own_thread(engine: ToyEngine, run: Run, serving: bool) -> None:
    hub = Hub(lambda: engine)
    run.log(Scalars(1, {"train/loss": 1.0}), Snapshot(1, "map", {"y": np.ones(3, np.float32)}))

    def poll() -> None:
        hello = hub.batch("run", 0, ["map", "broken"], OWNER)
        assert (hello["type"], hello["mine"], set(hello["panels"])) == ("hello", True, {"map"})
        assert hub.batch("run", 0, [], "other")["mine"] is False
        run.log(Scalars(2, {"train/loss": 0.5}))
        update = hub.batch("run", hello["seq"], ["map"], OWNER)
        assert update["type"] == "update" and update["curves"] == {"train/loss": [[2], [0.5]]}
        assert set(update["panels"]) == {"map"}
        frame = hub.frame_at("run", 0, ["map"])
        assert frame["step"] == 0 and "step 0" in frame["panels"]["map"]["layout"]["title"]["text"]
        with pytest.raises(Refusal):
            hub.batch("nothing", 0, [], OWNER)

    if serving:
        with served(hub):
            poll()
    else:
        poll()


def test_a_figure_is_made_once_for_all_who_watch(
    engine: ToyEngine, run: Run, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, int]] = []
    figure = RunChannel._figure

    def counted(channel: RunChannel, panel: str, seq: int, step: int) -> bytes:
        if not channel._cache.has("run", panel, seq):
            made.append((panel, seq))
        return figure(channel, panel, seq, step)

    monkeypatch.setattr(RunChannel, "_figure", counted)

    async def watch() -> list[str]:
        watchers = [await hub.watch("run", 0, "") for _ in range(30)]
        for watcher in watchers:
            watcher.outbox.get_nowait()
            await hub.set_panels(watcher, ["map"])
        texts = [json.loads(await watcher.outbox.get()) for watcher in watchers]
        for watcher in watchers:
            hub.leave(watcher)
        return [text["panels"]["map"]["layout"]["title"]["text"] for text in texts]

    assert hub._loop is not None
    assert asyncio.run_coroutine_threadsafe(watch(), hub._loop).result(10) == ["step 0 rate 0.1"] * 30
    assert len(made) == 1


def test_a_channel_is_closed_a_while_after_the_last_watcher_left(
    run: Run, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "LINGER_S", 0.3)
    hub.batch("run", 0, [], OWNER)
    assert list(hub._channels) == ["run"]
    end = time.monotonic() + 5
    while hub._channels and time.monotonic() < end:
        time.sleep(0.02)
    assert not hub._channels and not hub._tasks


def test_others_have_their_turn_while_a_long_log_is_read(engine: ToyEngine, run: Run, hub: Hub) -> None:
    run.log(*(Scalars(step, {f"m/{i}": float(step) for i in range(5)}) for step in range(1, 20_001)))
    turns = 0

    async def pulse(stop: asyncio.Event) -> None:
        nonlocal turns
        while not stop.is_set():
            await asyncio.sleep(0)
            turns += 1

    async def watch() -> None:
        stop = asyncio.Event()
        pulsing = asyncio.create_task(pulse(stop))
        watcher = await hub.watch("run", 0, "")
        stop.set()
        await pulsing
        hello = json.loads(await watcher.outbox.get())
        assert hello["curves"]["m/0"]["x"]["dtype"] == "i4"
        hub.leave(watcher)

    assert hub._loop is not None
    asyncio.run_coroutine_threadsafe(watch(), hub._loop).result(20)
    # The watcher and the channel read in turn, so two batches may lie between.
    assert turns >= 20_000 / BATCH / 2, "others have their turn after each batch"


def test_a_damaged_log_is_shown_as_far_as_it_can_be_read(engine: ToyEngine, run: Run, hub: Hub) -> None:
    run.log(*(Scalars(step, {"train/loss": 1.0}) for step in range(1, 3000)))
    run.writer.close()
    path = run.folder / "log.sqlite"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle:] = b"\xff" * (len(content) - middle)
    path.write_bytes(content)
    hello = hub.batch("run", 0, ["map"], OWNER)
    assert len(hello["curves"]["train/loss"]["x"]["bdata"]) > 10 and "map" in hello["panels"]


def test_threads_may_poll_at_the_same_time(run: Run, hub: Hub) -> None:
    run.log(Status("running", 0), Scalars(1, {"train/loss": 1.0}))
    types: list[str] = []
    threads = [
        threading.Thread(target=lambda: types.append(hub.batch("run", 0, ["map"], OWNER)["type"])) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert types == ["hello"] * 20


def test_the_least_recently_used_figures_leave_the_cache() -> None:
    cache = FigureCache(max_bytes=25)
    made: list[int] = []

    def make(seq: int) -> bytes:
        return cache.get("run", "map", seq, lambda: made.append(seq) or b"x" * 10)  # type: ignore[func-returns-value]

    for seq in (1, 2, 1, 3, 1, 2):
        make(seq)
    assert made == [1, 2, 3, 2]


def test_json_holds_no_number_that_is_not_finite() -> None:
    odd = {"a": [float("nan"), np.float32("inf"), (1, 2.5)], "b": np.arange(3), "c": np.int64(3), "d": np.nan}
    plain = json.loads(dumps(odd))
    assert plain["a"] == [None, None, [1, 2.5]] and plain["c"] == 3 and plain["d"] is None
    assert plain["b"]["dtype"] == "i4"
    with pytest.raises(TypeError):
        dumps({"a": object()})


def test_a_page_moves_the_stage_of_its_person_alone_to_the_run_it_started(
    engine: ToyEngine, run: Run, hub: Hub
) -> None:
    engine.create("next", OWNER).begin()
    loop = hub._loop
    assert loop is not None

    def from_loop(question: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(question, loop).result(10)

    mine, neighbour, other = (
        from_loop(hub.watch("run", 0, owner, stage))
        for owner, stage in ((OWNER, "s1"), (OWNER, "s2"), ("p" * 43, "s1"))
    )
    for watcher in (mine, neighbour, other):
        assert json.loads(from_loop(watcher.outbox.get()))["run"]["id"] == "run"
    hub.move("s1", OWNER, "next")
    assert json.loads(from_loop(mine.outbox.get())) == {"type": "moved", "run": "next"}
    hello = json.loads(from_loop(mine.outbox.get()))
    assert (hello["type"], hello["run"]["id"], hello["mine"]) == ("hello", "next", True)
    assert (mine.run, neighbour.run, other.run) == ("next", "run", "run")
    assert neighbour.outbox.empty() and other.outbox.empty()
    run.log(Scalars(1, {"train/loss": 1.0}))
    time.sleep(0.5)
    assert mine.outbox.empty(), "what happens in the run it left does not reach it"
