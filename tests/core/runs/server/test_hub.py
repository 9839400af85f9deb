"""The hub as pages and many watchers use it."""

import asyncio
import base64
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import registry
from core.events import Scalars, Snapshot, Status
from core.runs.server import fold
from core.runs.server import hub as hub_module
from core.runs.server.channels import BATCH, RunChannel, Watcher
from core.runs.server.figure_cache import FigureCache
from core.runs.server.hub import Hub
from core.runs.server.messages import dumps
from core.runs.store.log import KEPT_FRAMES, Head, LogWriter, mend
from core.runs.store.paths import log_file
from core.words import Refusal
from tests.core.runs.store.test_log import damage_index_of_frames
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


def test_frames_stay_where_a_damaged_log_does_not_say_which_it_keeps(engine: ToyEngine, run: Run) -> None:
    run.log(*(Snapshot(step, "map", {"y": np.zeros(3, np.float32)}) for step in range(1, 6)))
    run.writer.close()
    damage_index_of_frames(log_file(run.folder))
    channel = RunChannel(engine, "run", FigureCache())
    while channel.read():
        pass
    assert channel.fold.frames["map"].steps == list(range(6))
    channel.close()


def test_watchers_of_a_mended_log_are_sent_all_of_it_and_what_comes_then(engine: ToyEngine, run: Run, hub: Hub) -> None:
    run.log(*(Scalars(step, {"train/loss": 1.0}) for step in range(1, 3000)))
    run.log(Snapshot(3000, "map", {"y": np.ones(3, np.float32)}))
    run.writer.close()
    loop, path = hub._loop, log_file(run.folder)
    assert loop is not None

    def next_message() -> Any:
        message = json.loads(asyncio.run_coroutine_threadsafe(watcher.outbox.get(), loop).result(10))
        watcher.drawn = watcher.n
        return message

    watcher = asyncio.run_coroutine_threadsafe(hub.watch("run", 0, ""), loop).result(10)
    hello = next_message()
    assert hello["whole"] and hello["frames"]["map"] == [0, 3000]
    asyncio.run_coroutine_threadsafe(hub.set_panels(watcher, ["map"]), loop).result(10)
    assert "step 3000" in next_message()["panels"]["map"]["layout"]["title"]["text"]
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    mend(path)
    writer = LogWriter(path)
    writer.append(Status("resumed", 100))
    for step in range(101, 151):
        writer.append(Scalars(step, {"train/loss": 2.0}))
    writer.flush(Head(state="running", step=150))

    while (mended := next_message())["type"] != "hello":
        pass
    assert mended["whole"] and mended["frames"]["map"] == [0] and mended["seq"] > hello["seq"]
    y = np.frombuffer(base64.b64decode(mended["curves"]["train/loss"]["y"]["bdata"]), np.float64)
    assert y.tolist() == [1.0] * 100 + [2.0] * 50
    assert "step 0" in mended["panels"]["map"]["layout"]["title"]["text"]
    writer.append(Scalars(151, {"train/loss": 3.0}))
    writer.flush(Head(state="running", step=151))
    writer.close()
    update = next_message()
    while not update["curves"]:
        update = next_message()
    assert update["type"] == "update" and update["curves"] == {"train/loss": [[151], [3.0]]}
    back = asyncio.run_coroutine_threadsafe(hub.watch("run", hello["seq"], ""), loop).result(10)
    missed = json.loads(back.outbox.get_nowait())
    assert not missed["whole"] and missed["rewind"] == 100, "whoever comes back only now learns of it as well"


def test_who_missed_more_removed_frames_than_are_remembered_is_sent_everything(
    engine: ToyEngine, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "MAX_REMOVED", 200)
    channel = RunChannel(engine, "run", FigureCache())
    behind, closely = Watcher("run", ""), Watcher("run", "")
    steps: set[int] = set()
    channel.read()
    for watcher in (behind, closely):
        assert json.loads(channel.hello(watcher))["whole"]
    for step in range(1, 3 * KEPT_FRAMES):
        run.log(Snapshot(step, "map", {"y": np.zeros(3, np.float32)}), Status("running", step))
        channel.read()
        update = json.loads(channel.update(closely))
        assert update["type"] == "update"
        steps |= set(update["frames"].get("map", []))
        steps -= set(update.get("gone", {}).get("map", []))
    kept = channel.fold.frames["map"].steps
    assert len(kept) <= KEPT_FRAMES and steps | {0} == set(kept) and len(channel.fold._removed) <= 200
    again = json.loads(channel.update(behind))
    assert again["type"] == "hello" and again["whole"] and again["frames"]["map"] == kept
    run.log(Scalars(1000, {"train/loss": 1.0}))
    channel.read()
    assert json.loads(channel.update(behind))["type"] == "update"
    channel.close()


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
