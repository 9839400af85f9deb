"""Single steps of the parts of a round, requested of a run that pauses: seen in its log and in its weights."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core import registry, settings
from core.runs.server.engine import Engine
from core.runs.store import checkpoints, control
from core.runs.store.library import Library
from core.runs.worker import pacing
from core.runs.worker.process import work
from tests.conftest import until


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Starts a paused GAN with these settings; its folder."""
    started: list[tuple[Path, threading.Thread]] = []

    def start(**values: Any) -> Path:
        experiment = registry.get("gan")
        small = {"g_layers": (8,), "d_layers": (8,), "batch_size": 8}
        library = Library()
        stop = settings.check_stop(experiment, {"steps": 10**6})
        info = library.create("gan", settings.check(experiment.config, small | values), stop, "cpu", "me")
        folder = library.folder(info.id)
        control.write(folder, control.Control(mode="pause"))
        thread = threading.Thread(target=work, args=(folder,))
        thread.start()
        started.append((folder, thread))
        until(lambda: head(folder).state == "paused")
        return folder

    yield start
    for folder, thread in started:
        control.write(folder, control.Control(mode="stop"))
        thread.join(20)
        assert not thread.is_alive()


def head(folder: Path) -> Any:
    return Library().head(folder.name)


def request(folder: Path, part: str, updates: int = 1) -> str:
    """Ask for a step of a part, or a round, and wait until it is made; the part of the last update."""
    current, here = control.read(folder), head(folder).step
    control.write(folder, current.model_copy(update={"steps": current.steps + 1, "part": part}))
    until(lambda: head(folder).step >= here + updates)
    until(lambda: head(folder).state == "paused")
    threading.Event().wait(0.1)  # nothing more comes
    assert head(folder).step == here + updates
    return str(head(folder).part)


def test_a_part_is_stepped_whosever_turn_it_is(run: Any) -> None:
    folder = run()
    assert [request(folder, part) for part in ("G", "G", "D", "D", "")] == ["G", "G", "D", "D", "G"]


def test_a_step_out_of_turn_is_saved_at_once(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No log holds it: a run taken up from an earlier checkpoint would make another step in its place."""
    monkeypatch.setattr(pacing, "FIRST_SAVE_S", 60.0)  # nothing else is saved, however long a step takes
    folder = run()
    before = len(checkpoints.files(folder))
    request(folder, "D")
    assert len(checkpoints.files(folder)) == before, "it was D's turn"
    request(folder, "D")
    saved = checkpoints.newest(folder)
    assert saved is not None and saved.step == head(folder).step == 2


def test_a_round_goes_until_the_first_part_is_due_again(run: Any) -> None:
    folder = run(d_steps=3, g_steps=2)
    assert request(folder, "round", 5) == "G"
    assert request(folder, "D") == "D"
    assert request(folder, "round", 4) == "G", "what is left of the round that was begun"
    assert request(folder, "round", 5) == "G"


def test_one_step_of_a_part_changes_that_network_only(run: Any) -> None:
    folder = run()
    thread_ends: dict[str, Any] = {}
    for part in ("D", "G"):
        other = run()
        request(other, part)
        control.write(other, control.Control(mode="stop"))
        until(lambda other=other: head(other).state == "stopped")
        thread_ends[part] = checkpoints.load(checkpoints.files(other)[-1]).state
    control.write(folder, control.Control(mode="stop"))
    until(lambda: head(folder).state == "stopped")
    begun = checkpoints.load(checkpoints.files(folder)[-1]).state
    for part, ended in thread_ends.items():
        for net in ("D", "G"):
            kept = all(torch.equal(ended[net][name], begun[net][name]) for name in begun[net])
            assert kept == (net != part)


def test_the_engine_knows_parts_and_rounds_of_an_experiment_that_has_them(tmp_path: Path) -> None:
    experiment = registry.get("gan")
    engine = Engine(Library(tmp_path), 1)
    try:
        stop = settings.check_stop(experiment, {"steps": 10**6})
        name = engine.start("gan", experiment.config(), stop, "cpu", "me")
        until(lambda: engine.view(name).head.step > 0)
        folder = engine.library.folder(name)
        for value, part in (("D", "D"), ("round", "round"), ("E", ""), (None, "")):
            engine.command(name, "me", "step", value)
            assert control.read(folder).part == part
        engine.command(name, "me", "stop")
        until(lambda: engine.view(name).head.state == "stopped")
    finally:
        engine.close()
