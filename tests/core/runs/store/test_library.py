"""Folders of runs, whole and damaged."""

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import registry
from core.data import pictures
from core.events import Scalars, Status
from core.experiment import Config, Experiment, Setting, Stop
from core.field_kinds import PICTURES
from core.runs.store import checkpoints, control
from core.runs.store.control import Control, SettingRequest
from core.runs.store.library import Library
from core.runs.store.log import Head, LogWriter
from core.runs.store.paths import control_file
from core.runs.store.worker_lock import WorkerLock, alive
from core.runs.worker.process import work
from core.words import Refusal
from tests.core.runs.worker.test_worker import made


def test_what_is_written_is_read(toy: Experiment) -> None:
    library = Library()
    info = library.create("toy", toy.config(seed=5), Stop(steps=9), "cpu", "me", "parent", "quick")
    assert library.info(info.id) == info
    assert library.config(info) == toy.config(seed=5)
    assert library.stop(info) == Stop(steps=9)
    assert "me" not in (library.folder(info.id) / "run.json").read_text().split('"'), "the token itself is not kept"
    assert library.owns(info.id, "me") and not library.owns(info.id, "you") and not library.owns(info.id, "")


def test_no_command_line_takes_a_run_for_an_option(toy: Experiment) -> None:
    """An id of URL-safe base64 begins with "-" once in 64 times: 300 of them nearly always (99 %) have such a one."""
    ids = [Library().create("toy", toy.config(), Stop(), "cpu", "me").id for _ in range(300)]
    assert len(set(ids)) == 300 and all(id[0].isalnum() for id in ids)


@pytest.mark.parametrize("run", ["", ".", "..", "../x", "a/b", "x" * 65, "unknown", "recorded-", "recorded-..", "\x00"])
def test_unknown_runs(run: str) -> None:
    with pytest.raises(Refusal, match="no such run"):
        Library().view(run)


def test_runs_are_listed_newest_first(toy: Experiment) -> None:
    folders = [made(toy), made(toy)]
    library = Library()
    library.create("toy", toy.config(), Stop(), "cpu", "you")
    assert [view.info.id for view in library.runs("me", "toy")] == [folder.name for folder in reversed(folders)]
    assert library.runs("me", "dnn") == []


def test_a_damaged_description(toy: Experiment) -> None:
    folder = made(toy)
    for content in ("", "{", "[]", '{"id": 3}', "[" * 100_000):
        (folder / "run.json").write_text(content)
        with pytest.raises(Refusal, match="damaged"):
            Library().view(folder.name)
        assert Library().runs("me") == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"mode": "fly"}', b"[]", b'{"speed": 1e999}'])
def test_damaged_control_means_run(tmp_path: Path, content: bytes) -> None:
    control_file(tmp_path).write_bytes(content)
    assert control.read(tmp_path) == Control()


def test_control_is_replaced_and_its_stamp_changes(tmp_path: Path) -> None:
    seen = {control.stamp(tmp_path)}
    for steps in range(5):
        requested = Control(
            mode="pause", steps=steps, changes=(SettingRequest(field="lr", value=0.1),), stop=Stop(steps=7)
        )
        control.write(tmp_path, requested)
        seen.add(control.stamp(tmp_path))
        assert control.read(tmp_path) == requested
    assert len(seen) == 6 and [path.name for path in tmp_path.iterdir()] == [control_file(tmp_path).name]


def test_states_that_no_worker_logs(toy: Experiment) -> None:
    folder = made(toy)
    library = Library()
    assert library.view(folder.name).head.state == "queued"
    control.write(folder, Control(mode="stop"))
    assert library.view(folder.name).head.state == "stopped"
    log = LogWriter(folder / "log.sqlite")
    log.append(Status("running", 7))
    log.flush(Head(state="running", step=7, steps_per_s=10.0))
    log.close()
    assert library.view(folder.name).head.state == "stopped", "its worker had to be killed"
    control.write(folder, Control())
    view = library.view(folder.name)
    assert (view.head.state, view.head.step, view.head.steps_per_s, view.resumable) == ("interrupted", 7, 0.0, False)
    with WorkerLock(folder):
        assert alive(folder)
        assert library.view(folder.name).head.state == "running"
        with pytest.raises(Refusal, match="still training"):
            library.delete(folder.name, "me")
    assert not alive(folder)
    checkpoints.save(folder, checkpoints.Saved(5, {}, 0.1, 1, {}))
    assert library.view(folder.name).resumable
    path = checkpoints.files(folder)[0]
    path.write_bytes(path.read_bytes()[:20])
    assert not library.view(folder.name).resumable
    library.delete(folder.name, "me")
    assert not folder.exists()


def test_a_run_keeps_the_checkpoint_that_it_starts_from(toy: Experiment) -> None:
    """The newest that is whole, or the newest up to a step, whatever becomes of the other run."""
    library, parent = Library(), made(toy)
    assert library.starts("me", "toy") == []
    for step in (10, 20, 30, 40):
        checkpoints.save(parent, checkpoints.Saved(step, {}, 0.1, 1, {"step": step}))
    newest = checkpoints.files(parent)[-1]
    newest.write_bytes(newest.read_bytes()[:20])
    for text, step in ((parent.name, 30), (f"{parent.name}@25", 20), (f"{parent.name}@20", 20)):
        start = library.start(text, "toy")
        assert start is not None and start.about.step == step
    (listed,) = library.starts("me", "toy")
    assert (listed.about.run, listed.about.step) == (parent.name, 30) and library.starts("you", "toy") == []
    with pytest.raises(Refusal, match="nothing at step 9 or before"):
        library.start(f"{parent.name}@9", "toy")
    assert library.start("", "toy") is library.start("random", "toy") is None

    child = library.create("toy", toy.config(), Stop(), "cpu", "me", start=start)
    library.delete(parent.name, "me")
    kept = library.same_start(child.id)
    assert kept is not None and kept.about == library.info(child.id).start_from
    assert checkpoints.load(kept.file).step == 20
    kept.file.unlink()
    with pytest.raises(Refusal, match="no such run"):
        library.same_start(child.id)


def test_a_large_checkpoint_is_not_taken(toy: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(toy)
    checkpoints.save(folder, checkpoints.Saved(10, {}, 0.1, 1, {"x": np.zeros(300_000)}))
    assert Library().start(folder.name, "toy")
    monkeypatch.setattr("core.runs.store.library.MAX_START", 1 << 21)
    with pytest.raises(Refusal, match="has saved 2 MB; at most 2 MB"):
        Library().start(folder.name, "toy")


def test_a_checkpoint_is_copied_where_it_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_here(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", not_here)
    checkpoints.save(tmp_path, checkpoints.Saved(3, {}, 0.1, 1, {"step": 3}))
    checkpoints.link(checkpoints.files(tmp_path)[0], tmp_path / "start")
    assert checkpoints.load(tmp_path / "start").step == 3


def test_a_log_that_is_no_log(toy: Experiment) -> None:
    folder = made(toy, 50)
    work(folder)
    for beside in folder.glob("log.sqlite-*"):
        beside.unlink()
    (folder / "log.sqlite").write_bytes(b"no log at all" * 1000)
    view = Library().view(folder.name)
    assert view.head.state == "interrupted" and Library().reader(folder.name).tail() == []


def test_recorded_runs_are_read_and_not_touched(toy: Experiment, tmp_path: Path) -> None:
    folder = made(toy, 50)
    work(folder)
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    folder.rename(recorded / "toy")
    library = Library(recorded=recorded)
    view = library.view("recorded-toy")
    assert (view.info.id, view.head.state, view.resumable) == ("recorded-toy", "finished", False)
    assert any(isinstance(record.event, Scalars) for record in library.reader("recorded-toy").tail())
    assert not library.owns("recorded-toy", "me")
    with pytest.raises(Refusal, match="somebody else"):
        library.delete("recorded-toy", "me")
    assert library.runs("me") == []


class Album(Config):
    pictures: str = Setting("", "Pictures", "What to see.", group="Data", kind=PICTURES, max_length=32)


@pytest.fixture
def album(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, toy: Experiment) -> Experiment:
    """An experiment with pictures of one's own."""
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path / "data"))
    experiment = replace(toy, slug="album", config=Album)
    known = registry.experiments() | {"album": experiment}
    monkeypatch.setattr(registry, "experiments", lambda: known)
    return experiment


def kept() -> str:
    rng = np.random.default_rng(0)
    return PICTURES.store({name: list(rng.integers(0, 256, (5, 3, 32, 32), np.uint8)) for name in ("a", "b")}, "", "")


def test_pictures_are_deleted_with_the_last_run_that_uses_them(album: Experiment) -> None:
    library, mine, others = Library(), kept(), kept()
    first, second, other = (
        library.create("album", Album(pictures=name), Stop(), "cpu", "me").id for name in (mine, mine, others)
    )
    library.create("album", Album(), Stop(), "cpu", "me")
    fresh = kept()
    library.delete(first, "me")
    assert pictures.known(mine), "another run uses them"
    library.delete(second, "me")
    assert not pictures.known(mine)
    assert pictures.known(others) and pictures.known(fresh), "those of others, and those that have no run yet, stay"
    assert library.info(other).config["pictures"] == others


def test_pictures_that_no_run_used_are_deleted_after_a_day(album: Experiment, tmp_path: Path) -> None:
    library, name = Library(), kept()
    run = library.create("album", Album(), Stop(), "cpu", "me").id
    day = time.time() - 90_000
    os.utime(tmp_path / "data" / "pictures" / f"{name}.new", (day, day))
    library.delete(run, "me")
    assert not pictures.known(name)


def test_no_run_is_created_whose_pictures_are_gone(album: Experiment) -> None:
    library, name = Library(), kept()
    pictures.release(name)
    with pytest.raises(Refusal, match="not kept on this machine"):
        library.create("album", Album(pictures=name), Stop(), "cpu", "me")
    assert library.ids() == [] and not list(library.root.iterdir())


def test_a_run_that_is_deleted_takes_no_pictures_of_another_folder_of_runs(album: Experiment, tmp_path: Path) -> None:
    one, other = Library(tmp_path / "one"), Library(tmp_path / "other")
    name = kept()
    one.create("album", Album(pictures=name), Stop(), "cpu", "me")
    other.delete(other.create("album", Album(), Stop(), "cpu", "me").id, "me")
    assert pictures.known(name)
