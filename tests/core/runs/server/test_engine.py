"""What a page may do with runs."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import registry, settings
from core.events import Failure, Scalars, SettingChanged
from core.experiment import Experiment, Stop
from core.runs.server import engine as engine_module
from core.runs.server.engine import Engine
from core.runs.server.queue import WAITING_EACH
from core.runs.store import control, disk
from core.runs.store.library import Library, StartFrom
from core.runs.store.paths import log_file
from core.runs.store.worker_lock import alive
from core.words import Refusal
from tests.conftest import until


@pytest.fixture(scope="module")
def engine(toy: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    running = Engine(Library(tmp_path_factory.mktemp("runs")), 2)
    yield running
    running.close()


@pytest.fixture(autouse=True)
def calm(engine: Engine) -> Iterator[None]:
    """Each test leaves the slots free."""
    yield
    for run in [*engine._queue.order(), *engine._queue.running]:
        owner = "you" if engine.library.owns(run, "you") else "me"
        engine.command(run, owner, "stop")
    until(lambda: not engine._queue.running)


def start(engine: Engine, toy: Experiment, steps: int = 10**6, owner: str = "me", **values: object) -> str:
    return engine.start("toy", settings.check(toy.config, values), Stop(steps=steps), "cpu", owner)


def state(engine: Engine, run: str) -> str:
    return engine.view(run).head.state


def test_a_run_to_its_end(engine: Engine, toy: Experiment) -> None:
    run = start(engine, toy, 100)
    assert state(engine, run) in ("preparing", "running")
    until(lambda: state(engine, run) == "finished")
    view = engine.view(run)
    assert view.head.step == 100 and not view.resumable and view.place == 0
    assert view.info.versions["torch"] and view.info.device == "cpu"
    with pytest.raises(Refusal, match="at its end"):
        engine.resume(run, "me")
    engine.command(run, "me", "stop_condition", {"steps": 150})
    assert engine.view(run).resumable and engine.view(run).stop.steps == 150
    engine.resume(run, "me")
    until(lambda: engine.view(run).head.step == 150)


def test_commands(engine: Engine, toy: Experiment) -> None:
    run = start(engine, toy)
    until(lambda: engine.view(run).head.step > 10)
    engine.command(run, "me", "pause")
    until(lambda: state(engine, run) == "paused")
    step = engine.view(run).head.step
    engine.command(run, "me", "step")
    engine.command(run, "me", "step")
    until(lambda: engine.view(run).head.step == step + 2)
    engine.command(run, "me", "setting", {"field": "lr", "value": 0.5})
    until(lambda: any(isinstance(r.event, SettingChanged) for r in engine.library.reader(run).tail()))
    engine.command(run, "me", "speed", 5)
    engine.resume(run, "me")
    until(lambda: state(engine, run) == "running")
    engine.command(run, "me", "stop")
    until(lambda: state(engine, run) == "stopped")
    assert engine.view(run).resumable
    engine.set_in_sight(run, ("map",))
    engine.resume(run, "me")
    until(lambda: state(engine, run) == "running")
    assert control.read(engine.library.folder(run)).in_sight == ("map",), "as those who watch see no change"


@pytest.mark.parametrize(
    ("do", "value", "sentence"),
    [
        ("speed", -1, "between 0 and 1000"),
        ("speed", "5", "between 0 and 1000"),
        ("speed", float("nan"), "between 0 and 1000"),
        ("setting", {"field": "batch", "value": 3}, "Batch size cannot change while a run trains"),
        ("setting", {"field": "lr", "value": -3}, "Learning rate must be a number between"),
        ("setting", {"field": "rate", "value": 3}, "There is no setting rate"),
        ("setting", 7, "A changed setting needs a field and a value"),
        ("stop_condition", {"steps": 0}, "Steps must be a whole number between"),
        ("stop_condition", {"metric": "nonsense"}, "Metric must be one of train/loss, test/loss"),
        ("stop_condition", {"metric": "weight/1"}, "Metric must be one of"),
        ("explode", None, "no command explode"),
    ],
)
def test_commands_that_make_no_sense(engine: Engine, toy: Experiment, do: str, value: object, sentence: str) -> None:
    run = start(engine, toy)
    before = control.read(engine.library.folder(run))
    with pytest.raises(Refusal, match=sentence):
        engine.command(run, "me", do, value)
    assert control.read(engine.library.folder(run)) == before


def test_a_control_file_takes_so_many_changed_settings_and_no_more(
    engine: Engine, toy: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "MOST_CHANGES", 3)
    run = start(engine, toy)
    for lr in (0.1, 0.2, 0.3):
        engine.command(run, "me", "setting", {"field": "lr", "value": lr})
    with pytest.raises(Refusal, match="A run takes 3 changed settings"):
        engine.command(run, "me", "setting", {"field": "lr", "value": 0.4})
    assert len(control.read(engine.library.folder(run)).changes) == 3


def test_another_person_may_watch_and_not_touch(engine: Engine, toy: Experiment) -> None:
    run = start(engine, toy)
    assert engine.view(run).info.id == run
    for touch in (
        lambda: engine.command(run, "you", "stop"),
        lambda: engine.command(run, "", "stop"),
        lambda: engine.resume(run, "you"),
        lambda: engine.delete(run, "you"),
    ):
        with pytest.raises(Refusal, match="somebody else"):
            touch()
    assert engine.runs("you") == [] and run in [view.info.id for view in engine.runs("me", "toy")]


def test_waiting_runs_have_a_place_and_people_take_turns(engine: Engine, toy: Experiment) -> None:
    first, second = start(engine, toy), start(engine, toy)
    waiting = [start(engine, toy, 20), start(engine, toy, 20), start(engine, toy, 20, "you")]
    assert [engine.view(run).place for run in waiting] == [1, 3, 2]
    assert state(engine, waiting[0]) == "queued"
    engine.command(waiting[1], "me", "stop")
    assert state(engine, waiting[1]) == "stopped"
    engine.command(first, "me", "stop")
    until(lambda: state(engine, waiting[0]) == "finished" and state(engine, waiting[2]) == "finished")
    assert state(engine, second) == "running"


def test_too_many_waiting_runs(engine: Engine, toy: Experiment) -> None:
    for _ in range(2 + WAITING_EACH):
        start(engine, toy)
    known = len(engine.library.ids())
    with pytest.raises(Refusal, match="runs waiting"):
        start(engine, toy)
    assert len(engine.library.ids()) == known, "nothing is left of it"
    start(engine, toy, 20, "you")


def test_restart_has_the_same_seed_and_the_same_curve(engine: Engine, toy: Experiment) -> None:
    run = start(engine, toy, 60, seed=3)
    until(lambda: state(engine, run) == "finished")
    again = engine.restart(run, "me")
    until(lambda: state(engine, again) == "finished")
    assert engine.view(again).info.parent == run
    one, other = ([r.event for r in engine.library.reader(i).tail() if "scalars" in str(type(r.event)).lower()]
                  for i in (run, again))  # fmt: skip
    assert one == other and one


def start_dnn(engine: Engine, steps: int, start_from: str = "", owner: str = "me", **values: object) -> str:
    config = settings.check(registry.get("dnn").config, {"data": "moons", "samples": 100, "lr": 0.01, **values})
    return engine.start("dnn", config, Stop(steps=steps), "cpu", owner, start_from=start_from)


def scalars(engine: Engine, run: str) -> list[Scalars]:
    reader = engine.library.reader(run)
    found = [record.event for record in reader.events(Scalars) if isinstance(record.event, Scalars)]
    reader.close()
    return found


def test_a_run_begins_with_the_weights_of_another_and_outlives_it(engine: Engine) -> None:
    parent = start_dnn(engine, 256)
    until(lambda: state(engine, parent) == "finished")
    before = [event.values["test/loss"] for event in scalars(engine, parent) if "test/loss" in event.values]
    child = start_dnn(engine, 10**6, parent)
    until(lambda: engine.view(child).head.step > 50)
    engine.command(child, "me", "stop")
    until(lambda: state(engine, child) == "stopped")
    assert engine.view(child).info.start_from == StartFrom(run=parent, step=256)
    engine.delete(parent, "me")

    step = engine.view(child).head.step
    engine.command(child, "me", "stop_condition", {"steps": step + 100})
    engine.resume(child, "me")
    until(lambda: state(engine, child) == "finished")
    again = engine.restart(child, "me")
    until(lambda: state(engine, again) == "finished")
    assert engine.view(again).info.start_from == engine.view(child).info.start_from
    assert scalars(engine, child) == scalars(engine, again), "resumed and repeated to the last bit, without the parent"
    first = next(event for event in scalars(engine, child) if "test/loss" in event.values)
    assert first.step == 0 and first.values["test/loss"] == before[-1] < before[0] / 2
    with pytest.raises(Refusal, match="no such run"):
        start_dnn(engine, 10, parent)


def test_weights_that_do_not_fit_end_the_run_before_its_first_step(engine: Engine) -> None:
    parent = start_dnn(engine, 20, layers=(5,))
    until(lambda: state(engine, parent) == "finished")
    run = start_dnn(engine, 20, parent, layers=(6, 5))
    until(lambda: state(engine, run) == "failed")
    reader = engine.library.reader(run)
    (failure,) = (r.event for r in reader.events(Failure) if isinstance(r.event, Failure))
    reader.close()
    expected = "does not fit these settings: model.layers.0.weight is 5 × 2 there and 6 × 2 here."
    assert str(failure.sentence).endswith(expected)
    assert engine.view(run).head.step == 0 and scalars(engine, run) == []


def test_a_recorded_run_may_be_started_from(engine: Engine) -> None:
    info = engine.library.info("recorded-dqn")
    config = engine.library.config(info)
    run = engine.start("dqn", config, engine.library.stop(info), "cpu", "me", start_from="recorded-dqn")
    start = engine.view(run).info.start_from
    assert start and (start.run, start.preset) == ("recorded-dqn", info.preset) and str(start) == "recorded-dqn"
    until(lambda: engine.view(run).head.step > 0)
    returns = [event.values["test/return"] for event in scalars(engine, run) if "test/return" in event.values]
    assert returns[0] > 100, "the agent plays at step 0 as it played when it was recorded"


@pytest.mark.parametrize(
    ("start_from", "sentence"),
    [
        ("unknown", "There is no such run here"),
        ("../dnn", "reads like RUN@2000; it was ../dnn."),
        ("{mine}@", "reads like RUN@2000"),
        ("{mine}@0", "has saved nothing at step 0 or before"),
        ("{yours}", "belongs to somebody else"),
        ("{toy}", "is one of Toy; it has to be one of Deep neural network"),
        ("recorded-dnn", "has saved nothing yet"),
        ("recorded-dqn", "it has to be one of Deep neural network"),
    ],
)
def test_runs_that_cannot_be_started_from(
    engine: Engine, toy: Experiment, ended: dict[str, str], start_from: str, sentence: str
) -> None:
    known = set(engine.library.ids())
    with pytest.raises(Refusal, match=sentence) as refused:
        start_dnn(engine, 20, start_from.format(**ended))
    assert refused.value.field == "start_from" and set(engine.library.ids()) == known, "nothing is left of it"


@pytest.fixture(scope="module")
def ended(engine: Engine, toy: Experiment) -> dict[str, str]:
    """Runs of 20 steps: one's own, another's and one of the toy."""
    runs = {"mine": start_dnn(engine, 20), "yours": start_dnn(engine, 20, owner="you"), "toy": start(engine, toy, 20)}
    until(lambda: all(state(engine, run) == "finished" for run in runs.values()))
    return runs


def test_delete(engine: Engine, toy: Experiment) -> None:
    run, ended = start(engine, toy), start(engine, toy, 20)
    until(lambda: state(engine, ended) == "finished")
    folders = [engine.library.folder(each) for each in (run, ended)]
    engine.delete(run, "me")
    engine.delete(ended, "me")
    assert not any(folder.exists() for folder in folders)
    assert not engine._queue.running
    with pytest.raises(Refusal, match="no such run"):
        engine.view(run)


def test_a_device_that_is_not_there(engine: Engine, toy: Experiment) -> None:
    with pytest.raises(Refusal, match="Device must be one of cpu"):
        engine.start("toy", toy.config(), Stop(), "abacus", "me")


def test_many_threads_may_call(engine: Engine, toy: Experiment) -> None:
    run = start(engine, toy)
    errors: list[BaseException] = []

    def call() -> None:
        try:
            for _ in range(20):
                engine.command(run, "me", "step")
                engine.view(run)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=call) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert control.read(engine.library.folder(run)).steps == 100, "no command is lost"


def test_close_saves_what_runs_and_keeps_what_waits(toy: Experiment, tmp_path: Path) -> None:
    engine = Engine(Library(tmp_path), 1)
    run, waiting = start(engine, toy), start(engine, toy, 20)
    until(lambda: engine.view(run).head.step > 10)
    engine.close()
    assert Library(tmp_path).view(run).resumable
    after = Engine(Library(tmp_path), 1)
    try:
        until(lambda: state(after, waiting) == "finished")
        after.resume(run, "me")
        until(lambda: state(after, run) == "running")
    finally:
        after.close()


def test_a_full_disk_is_a_sentence(engine: Engine, toy: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(disk, "replace", full)
    known = list(engine.library.root.iterdir())
    with pytest.raises(Refusal, match="disk is full"):
        start(engine, toy)
    assert list(engine.library.root.iterdir()) == known


def test_an_error_of_the_system_does_not_end_the_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[int] = []

    def fails(folder: Path) -> bool:
        errors.append(1)
        raise OSError(24, os.strerror(24))

    monkeypatch.setattr(engine_module, "POLL_S", 0.01)
    engine._unreported.add("unknown")
    with monkeypatch.context() as patch:
        patch.setattr(engine_module, "alive", fails)
        until(lambda: len(errors) > 1)
    monkeypatch.setattr(engine_module, "alive", alive)
    until(lambda: "unknown" not in engine._unreported)
    assert "Too many open files" in caplog.text


def test_a_log_that_cannot_be_opened_does_not_keep_its_place(engine: Engine, toy: Experiment) -> None:
    running = [start(engine, toy) for _ in range(2)]
    broken, waiting = start(engine, toy, 20), start(engine, toy, 20)
    log_file(engine.library.folder(broken)).mkdir()
    assert engine.library.head(broken).state == "queued"
    for run in running:
        engine.command(run, "me", "stop")
    until(lambda: state(engine, waiting) == "finished")
    until(lambda: broken not in engine._queue.running)
