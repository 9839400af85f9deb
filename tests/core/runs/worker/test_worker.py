"""One run, driven in this process: its control, its ends, and that a resumed training is the same training."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core import settings
from core.events import Checkpoint, Failure, Scalars, SettingChanged, Snapshot, Status
from core.experiment import Experiment, Stop
from core.runs.store import checkpoints, control
from core.runs.store.library import Library, alive
from core.runs.store.log import LogWriter
from core.runs.store.paths import checkpoints_folder
from core.runs.worker import driver, pacing
from core.runs.worker.failures import DISK_FULL, DISK_READ_ONLY, LOCKED, why
from core.runs.worker.process import work
from tests.conftest import until
from tests.toy.train import ToyState


def made(toy: Experiment, steps: int = 100, stop: dict[str, Any] | None = None, **values: Any) -> Path:
    library = Library()
    stop_condition = settings.check_stop(toy, {"steps": steps} | (stop or {}))
    info = library.create("toy", settings.check(toy.config, values), stop_condition, "cpu", "me")
    return library.folder(info.id)


def scalars(folder: Path) -> dict[tuple[int, str], float]:
    """All that was measured, what a resumption made void left out."""
    found: dict[tuple[int, str], float] = {}
    for record in Library().reader(folder.name).tail():
        event = record.event
        if isinstance(event, Status) and event.state == "resumed":
            found = {key: value for key, value in found.items() if key[0] <= event.step}
        if isinstance(event, Scalars):
            for name, value in event.values.items():
                assert (event.step, name) not in found, "logged twice"
                found[event.step, name] = value
    return found


def states(folder: Path) -> list[str]:
    return [r.event.state for r in Library().reader(folder.name).events(Status) if isinstance(r.event, Status)]


def weights(folder: Path) -> Any:
    return checkpoints.load(checkpoints.files(folder)[-1]).state


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    return bool(np.array_equal(one, other))


def request(folder: Path, **changes: Any) -> None:
    control.write(folder, control.read(folder).model_copy(update=changes))


def head(folder: Path) -> Any:
    return Library().head(folder.name)


@pytest.fixture
def training(toy: Experiment) -> Any:
    """Starts a worker in a thread; stops it at the end."""
    started: list[tuple[Path, threading.Thread]] = []

    def start(folder: Path) -> threading.Thread:
        thread = threading.Thread(target=work, args=(folder,))
        thread.start()
        started.append((folder, thread))
        return thread

    yield start
    for folder, thread in started:
        request(folder, mode="stop")
        thread.join(20)
        assert not thread.is_alive()


def test_a_run_from_its_beginning_to_its_end(toy: Experiment) -> None:
    folder = made(toy)
    heads: list[Any] = []
    assert work(folder, heads.append) == 0
    assert states(folder) == ["preparing", "running", "finished"]
    assert head(folder).step == 100 and head(folder).state == "finished"
    assert (100, "test/loss") in scalars(folder), "what is due after the last update is measured"
    assert heads[0].state == "preparing" and heads[-1].state == "finished"
    assert weights(folder)["step"] == 100


def test_no_step_is_made_beyond_the_end(toy: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, updates = made(toy, 50), []
    update = torch.optim.Adam.step

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        updates.append(1)
        return update(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", counted)
    work(folder)
    assert len(updates) == 50 and (50, "train/loss") in scalars(folder)


def test_a_run_that_died_before_its_first_checkpoint_logs_its_start_once(toy: Experiment, training: Any) -> None:
    folder, whole = made(toy, 60), made(toy, 60)
    work(whole)
    request(folder, mode="pause")
    thread = training(folder)
    until(lambda: head(folder).state == "paused")
    request(folder, mode="stop")
    thread.join()
    for path in checkpoints.files(folder):
        path.unlink()
    request(folder, mode="run")
    work(folder)
    assert "resumed" in states(folder)
    assert scalars(folder) == scalars(whole) and same(weights(folder), weights(whole))


def test_what_nobody_has_in_sight_is_drawn_seldom(toy: Experiment, training: Any) -> None:
    folder = made(toy, 10**6, nap=0.001)
    request(folder, in_sight=())
    training(folder)

    def drawn() -> int:
        return len(list(Library().reader(folder.name).events(Snapshot)))

    until(lambda: head(folder).step > 200)
    before, trained = drawn(), head(folder).trained_s
    until(lambda: head(folder).trained_s > trained + 2.5)
    unseen = (drawn() - before) / (head(folder).trained_s - trained)
    request(folder, in_sight=("weights",))
    before, trained = drawn(), head(folder).trained_s
    until(lambda: head(folder).trained_s > trained + 2.5)
    assert 0 < unseen < 0.7 * (drawn() - before) / (head(folder).trained_s - trained)


def test_the_first_steps_are_drawn_one_by_one(toy: Experiment) -> None:
    folder = made(toy)
    work(folder)
    seen = [r.event.step for r in Library().reader(folder.name).events(Snapshot) if isinstance(r.event, Snapshot)]
    assert set(pacing.FIRST_STEPS) | {100} <= set(seen) and len(seen) == len(set(seen))


def test_twice_n_steps_are_2n_steps(toy: Experiment) -> None:
    whole, halves = made(toy, 200), made(toy, 100)
    work(whole)
    work(halves)
    request(halves, stop=Stop(steps=200))
    work(halves)
    assert same(weights(whole), weights(halves))
    assert scalars(whole) == scalars(halves)
    assert states(halves)[2:5] == ["finished", "preparing", "resumed"]


def test_settings_are_changed_again_at_their_steps(toy: Experiment, training: Any) -> None:
    folder = made(toy, 400, nap=0.002)
    thread = training(folder)
    until(lambda: head(folder).step > 100)
    request(
        folder,
        changes=(control.SettingRequest(field="lr", value=0.1), control.SettingRequest(field="dropout", value=0.5)),
    )
    thread.join()
    changes = [r.event for r in Library().reader(folder.name).events(SettingChanged)]
    assert [(k.field, k.old, k.new) for k in changes if isinstance(k, SettingChanged)] == [
        ("lr", 0.01, 0.1),
        ("dropout", 0.2, 0.5),
    ]
    before, measured, changed_at = weights(folder), scalars(folder), changes[0].step  # type: ignore[union-attr]
    early = [path for path in checkpoints.files(folder) if checkpoints.load(path).step < changed_at]
    assert early, "there is one from before the settings were changed"
    for path in checkpoints.files(folder):
        if path not in early:
            path.unlink()
    request(folder, changes=())
    work(folder)
    assert same(before, weights(folder))
    assert measured == scalars(folder)


def test_a_setting_that_is_changed_in_a_pause_shows_in_the_pictures_at_once(toy: Experiment, training: Any) -> None:
    folder = made(toy, 10**6)
    training(folder)
    until(lambda: head(folder).step > 20)
    request(folder, mode="pause")
    until(lambda: head(folder).state == "paused")

    def snapshots() -> list[tuple[int, int]]:
        return [(r.seq, r.event.step) for r in Library().reader(folder.name).events(Snapshot)]

    before = snapshots()
    request(folder, changes=(control.SettingRequest(field="lr", value=0.1),))
    (after, step) = until(lambda: snapshots()[len(before) :])[0]
    (change,) = Library().reader(folder.name).events(SettingChanged)
    assert step == head(folder).step and after > change.seq, "a picture of the same step with the new setting"
    time.sleep(0.2)
    assert len({seq for seq, _ in snapshots()} - {seq for seq, _ in before}) == 1, "one, and no more"
    request(folder, mode="stop")


def test_only_settings_that_were_changed_after_the_save_are_applied_when_a_run_is_taken_up(
    toy: Experiment, training: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[float] = []
    apply_config = ToyState.apply_config

    def noted(self: ToyState, config: Any) -> None:
        applied.append(config.lr)
        apply_config(self, config)

    monkeypatch.setattr(ToyState, "apply_config", noted)
    folder = made(toy, 10**6)
    thread = training(folder)
    until(lambda: head(folder).step > 20)
    request(folder, mode="pause", saves=1)
    until(lambda: head(folder).state == "paused" and checkpoints.steps(folder)[-1:] == (head(folder).step,))
    here, newest = head(folder).step, checkpoints.files(folder)[-1]
    saved = newest.read_bytes()
    request(folder, changes=(control.SettingRequest(field="lr", value=0.5),))
    until(lambda: applied == [0.5])
    request(folder, mode="stop")
    thread.join()
    newest.write_bytes(saved)  # as where the worker was killed in that pause
    for last, expected in ((here + 5, [0.5, 0.5]), (here + 10, [0.5, 0.5])):
        control.write(folder, control.Control(stop=Stop(steps=last)))
        work(folder)
        assert applied == expected and weights(folder)["optimiser"]["param_groups"][0]["lr"] == 0.5


def test_pause_step_and_resume(toy: Experiment, training: Any) -> None:
    folder = made(toy, 10**6)
    training(folder)
    until(lambda: head(folder).step > 20)
    request(folder, mode="pause")
    until(lambda: head(folder).state == "paused")
    here = head(folder).step
    assert head(folder).steps_per_s == 0
    request(folder, steps=3)
    until(lambda: head(folder).step == here + 3)
    seen = [r.event.step for r in Library().reader(folder.name).events(Snapshot) if isinstance(r.event, Snapshot)]
    assert {here, here + 1, here + 2, here + 3} <= set(seen), "each single step is observed"
    trained = head(folder).trained_s
    time.sleep(1)
    resumed = time.monotonic()
    request(folder, mode="run")
    until(lambda: head(folder).step > here + 20)
    gained = head(folder).trained_s - trained
    assert gained < time.monotonic() - resumed + 0.5, "the clock stands still in a pause"
    assert states(folder) == ["preparing", "running", "paused", "running"]


def test_slow_motion(toy: Experiment, training: Any) -> None:
    folder = made(toy, 10**6)
    request(folder, speed=25.0)
    training(folder)
    until(lambda: head(folder).step >= 5)
    began, here = time.monotonic(), head(folder).step
    until(lambda: head(folder).step >= here + 25)
    assert time.monotonic() - began > 0.7, "never faster than requested"
    request(folder, speed=0.0)
    until(lambda: head(folder).step >= here + 200)


def test_stop_saves_at_once_even_in_slow_motion(toy: Experiment, training: Any) -> None:
    folder = made(toy, 10**6)
    request(folder, speed=0.2)
    thread = training(folder)
    until(lambda: head(folder).step >= 1)
    began = time.monotonic()
    request(folder, mode="stop")
    thread.join(5)
    assert time.monotonic() - began < 1
    assert states(folder)[-1] == "stopped" and weights(folder)["step"] == head(folder).step


def test_a_stop_within_a_long_evaluation_falls_back_to_the_last_checkpoint(toy: Experiment, training: Any) -> None:
    folder = made(toy, 10**6, trouble="evaluation", every=50, nap=0.003)
    thread = training(folder)
    until(lambda: head(folder).step == 100)
    request(folder, mode="stop")
    thread.join(5)
    assert not thread.is_alive() and states(folder)[-1] == "stopped"
    assert 0 < weights(folder)["step"] <= 100


@pytest.mark.parametrize(
    ("stop", "reached"),
    [({"seconds": 0.2}, "seconds"), ({"metric": "test/loss", "value": 0.2}, "metric")],
)
def test_other_reasons_to_end(toy: Experiment, stop: dict[str, Any], reached: str) -> None:
    folder = made(toy, 100_000, stop)
    work(folder)
    assert states(folder)[-1] == "finished" and 0 < head(folder).step < 100_000
    if reached == "seconds":
        assert 0.2 <= head(folder).trained_s < 0.5
    else:
        losses = [value for (_, name), value in sorted(scalars(folder).items()) if name == "test/loss"]
        assert losses[-1] <= 0.2 and all(loss > 0.2 for loss in losses[:-1])


def test_divergence_is_told_with_its_step(toy: Experiment) -> None:
    folder = made(toy, 1000, lr=1e30, optimiser="sgd")
    assert work(folder) == 0
    last = [r.event for r in Library().reader(folder.name).events(Status)][-1]
    assert isinstance(last, Status) and last.state == "diverged"
    assert str(last.sentence).startswith(f"Diverged at step {last.step}:")
    assert not Library().view(folder.name).resumable


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [("load", "There is no network"), ("train", "RuntimeError: the toy broke"), ("memory", "Not enough memory")],
)
def test_failures_are_told(toy: Experiment, trouble: str, sentence: str) -> None:
    folder = made(toy, trouble=trouble)
    assert work(folder) == 0
    (failure,) = (r.event for r in Library().reader(folder.name).events(Failure))
    assert isinstance(failure, Failure) and sentence in str(failure.sentence) and "Traceback" in failure.traceback
    assert head(folder).state == "failed"


def test_a_stop_ends_a_long_preparation(toy: Experiment, training: Any) -> None:
    folder = made(toy, trouble="slow load")
    thread = training(folder)
    until(lambda: head(folder).task == "Fetching the plane" and head(folder).share == 0.5)
    request(folder, mode="stop")
    thread.join(2)
    assert states(folder) == ["preparing", "stopped"]


def test_a_run_has_one_worker(toy: Experiment, training: Any) -> None:
    folder = made(toy, 10**6)
    training(folder)
    until(lambda: alive(folder))
    assert work(folder) == LOCKED


def test_checkpoints_are_thinned_and_the_first_stays(toy: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "SAVE_SHARE", 1.0)
    monkeypatch.setattr(pacing, "SAVE_SOONEST_S", 0.0)
    monkeypatch.setattr(pacing, "FIRST_SAVE_S", 0.0)
    monkeypatch.setattr(driver, "CONTROL_S", 0.001)
    folder = made(toy, 600)
    work(folder)
    kept = [checkpoints.load(path).step for path in checkpoints.files(folder)]
    logged = [r.event.step for r in Library().reader(folder.name).events(Checkpoint) if isinstance(r.event, Checkpoint)]
    assert len(logged) > 2 * checkpoints.MAX_CHECKPOINTS and len(kept) <= checkpoints.MAX_CHECKPOINTS
    assert kept[0] == logged[0] and kept[-1] == 600


def test_a_damaged_checkpoint_gives_way_to_an_older_one(toy: Experiment) -> None:
    whole, folder = made(toy, 300, nap=0.002), made(toy, 300, nap=0.002)
    work(whole)
    work(folder)
    newest = checkpoints.files(folder)[-1]
    content = bytearray(newest.read_bytes())
    content[-5] ^= 1  # one bit of a weight
    newest.write_bytes(content)
    saved = checkpoints.newest(folder)
    assert saved is not None and saved.step < 300
    request(folder, stop=Stop(steps=301))
    work(folder)
    request(whole, stop=Stop(steps=301))
    work(whole)
    assert same(weights(whole), weights(folder)) and scalars(whole) == scalars(folder)


def test_a_log_cut_short_is_mended_on_resume(toy: Experiment) -> None:
    folder = made(toy, 3000)
    work(folder)
    log = folder / "log.sqlite"
    for beside in folder.glob("log.sqlite-*"):
        beside.unlink()
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size // 8192 * 4096)
    logged = len(Library().reader(folder.name).tail())
    request(folder, stop=Stop(steps=3100))
    assert work(folder) == 0
    assert head(folder).step == 3100 and len(Library().reader(folder.name).tail()) > logged


@pytest.mark.parametrize("full", [True, False])
def test_a_disk_that_takes_no_more(toy: Experiment, full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(toy, 10**6)
    if full:
        flush = LogWriter.flush

        def small(self: LogWriter, head: Any) -> None:
            pages = self._db.execute("PRAGMA page_count").fetchone()[0]
            self._db.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own way to say that the disk is full
            flush(self, head)

        monkeypatch.setattr(LogWriter, "flush", small)
    else:
        (folder / "log.sqlite").mkdir()  # root writes anywhere, so no mode bits
    code = work(folder)
    assert code == (DISK_FULL if full else DISK_READ_ONLY)
    assert ("disk is full" if full else "cannot be written") in str(why(code))


def test_the_state_is_saved_bit_for_bit(tmp_path: Path) -> None:
    tied = torch.randn(3, 4)
    tree = {
        "a": {1: tied, "tied": tied, (2, 3): [None, True, 1.1, float("inf"), 2**200, "text"]},
        "t": (torch.tensor(1.5), torch.zeros(0), torch.ones(2, dtype=torch.bfloat16).t()),
        "n": np.arange(6, dtype=np.uint32).reshape(2, 3).T,
        "scalar": np.float32(0.1),
    }
    file = checkpoints.save(tmp_path, checkpoints.Saved(7, {"lr": 0.1}, 1.5, 2, tree))
    path = checkpoints_folder(tmp_path) / file
    saved = checkpoints.load(path)
    assert same(saved.state, tree | {"scalar": float(np.float32(0.1))})
    assert (saved.step, saved.config, saved.trained_s, saved.threads) == (7, {"lr": 0.1}, 1.5, 2)
    assert saved.state["a"][1] is saved.state["a"]["tied"], "tied weights are kept once"
    assert checkpoints.is_complete(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert not checkpoints.is_complete(path)


@pytest.mark.parametrize(
    "how", [{}, {"speed": 1.0}, {"mode": "pause"}], ids=["at full speed", "in slow motion", "in a pause"]
)
def test_a_save_that_is_requested_is_made_at_once_and_once(
    training: Any, toy: Experiment, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    for name in ("FIRST_SAVE_S", "SAVE_SOONEST_S", "SAVE_LATEST_S"):
        monkeypatch.setattr(pacing, name, 600.0)  # none comes by itself
    folder = made(toy, 1_000_000, nap=0.002)
    training(folder)
    until(lambda: head(folder).step > 3)
    request(folder, **how)
    until(lambda: head(folder).state == ("paused" if how.get("mode") else "running"))

    def saves() -> int:
        return len(list(Library().reader(folder.name).events(Checkpoint)))

    for count in (1, 2):
        request(folder, saves=count)
        until(lambda count=count: saves() == count)
    threading.Event().wait(0.2)
    assert saves() == 2, "and no more than were requested"


def test_a_metric_that_was_reached_ends_a_run_whatever_else_is_requested(tmp_path: Path, toy: Experiment) -> None:
    """Other changes of the control file, such as a save, do not take it back."""
    folder = made(toy, 100)
    one = driver.Driver(folder, Library().info(folder.name), 1)
    request(folder, stop=Stop(steps=100, metric="train/loss", value=0.5))
    one._read_control()
    one._check_metrics(Scalars(0, {"train/loss": 0.4}))
    request(folder, saves=1)
    one._read_control()
    one._check_for_end()
    assert one.ending == "finished"
    one.log.close()
