"""The log of a run: what is written is read, also while it is written and where it is damaged."""

import math
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

from core.events import Checkpoint, Event, Failure, Note, Pulse, Scalars, SettingChanged, Snapshot, Status, Step, Text
from core.runs.store import log
from core.runs.store.log import Head, LogReader, LogWriter, Record, mend
from core.runs.store.paths import PROJECT
from core.words import Sentence

EVENTS: list[Event] = [
    Status("preparing", 0),
    Scalars(0, {"test/loss": 0.5, "train/loss": math.inf}),
    Snapshot(1, "map", {"a": np.arange(6, dtype=np.uint8).reshape(2, 3), "b": np.zeros((0, 2), np.float32)}),
    Text(2, "sample", "Häuser 房子"),
    SettingChanged(4, "lr", 0.1, 0.2),
    Note(5, "dead units", {"layer": 2}),
    Checkpoint(6, "000000006.safetensors"),
    Failure(7, Sentence("No {what}.", {"what": "memory"}), "Traceback"),
    Status("diverged", 7, Sentence("diverged at step {step}", {"step": 7})),
]


def same(one: Event, other: Event) -> bool:
    if isinstance(one, Snapshot) and isinstance(other, Snapshot):
        arrays = all(np.array_equal(one.arrays[k], other.arrays[k]) for k in one.arrays)
        return arrays and (one.step, one.panel, sorted(one.arrays)) == (other.step, other.panel, sorted(other.arrays))
    return one == other


def written(path: Path, events: list[Event], head: Head | None = None) -> Path:
    writer = LogWriter(path)
    for event in events:
        writer.append(event)
    writer.flush(head or Head(state="running", step=events[-1].step))  # type: ignore[union-attr]
    writer.close()
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    reader = LogReader(written(tmp_path / "log.sqlite", EVENTS, Head(state="diverged", step=7, epoch=0.5)))
    records = list(reader.events())
    assert len(records) == len(EVENTS) and all(same(r.event, e) for r, e in zip(records, EVENTS, strict=True))
    assert [record.seq for record in records] == sorted({record.seq for record in records})
    head = reader.head()
    assert (head.state, head.step, head.epoch) == ("diverged", 7, 0.5) and head.time > 0
    assert str(records[-1].event.sentence) == "diverged at step 7"  # type: ignore[union-attr]


def test_the_tail_comes_without_arrays_and_in_pieces(tmp_path: Path) -> None:
    reader = LogReader(written(tmp_path / "log.sqlite", EVENTS))
    first = reader.tail(limit=4)
    rest = reader.tail(first[-1].seq)
    assert [r.seq for r in first + rest] == [r.seq for r in reader.events()]
    (snapshot,) = (r for r in first if isinstance(r.event, Snapshot))
    assert snapshot.event.arrays == {}  # type: ignore[union-attr]
    whole = reader.snapshot(snapshot.seq)
    assert whole is not None and same(whole, EVENTS[2])
    assert reader.snapshot(999) is None and reader.tail(rest[-1].seq) == []


@pytest.mark.parametrize("event", [Step(1), Pulse()])
def test_what_is_for_the_worker_is_not_logged(tmp_path: Path, event: Event) -> None:
    writer = LogWriter(tmp_path / "log.sqlite")
    with pytest.raises(ValueError, match="not for the log"):
        writer.append(event)
    writer.close()


def test_frames_are_thinned_and_numbers_never_come_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "KEPT_FRAMES", 8)
    events: list[Event] = [Snapshot(step, "map", {"a": np.zeros(2)}) for step in range(100)]
    path = written(tmp_path / "log.sqlite", events)
    kept = LogReader(path).tail()
    steps = [record.event.step for record in kept]  # type: ignore[union-attr]
    assert len(kept) <= 8 and steps[0] == 0 and steps[-1] == 99
    last = kept[-1].seq
    written(path, [Snapshot(100, "map", {})])
    assert LogReader(path).tail()[-1].seq > last


def test_a_reader_sees_what_is_flushed_while_it_is_written(tmp_path: Path) -> None:
    path = written(tmp_path / "log.sqlite", [Status("running", 0)])
    done = threading.Event()

    def write() -> None:
        writer = LogWriter(path)
        for step in range(300):
            writer.append(Scalars(step, {"a": float(step)}))
            writer.flush(Head(step=step))
        writer.close()
        done.set()

    threading.Thread(target=write).start()
    reader, seen = LogReader(path), []
    while not done.is_set() or reader.tail(seen[-1].seq if seen else 0):
        new: list[Record] = reader.tail(seen[-1].seq if seen else 0)
        seen += new
    assert [r.event.step for r in seen if isinstance(r.event, Scalars)] == list(range(300))


def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        from core.events import Scalars
        from core.runs.store.log import Head, LogWriter
        writer = LogWriter(Path(sys.argv[1]))
        step = 0
        while True:
            for _ in range(7):
                step += 1
                writer.append(Scalars(step, {"a": step / 3}))
            writer.flush(Head(step=step))
            print(step, flush=True)
    """)
    path = tmp_path / "log.sqlite"
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) > 1000:
            break
    process.kill()
    acknowledged = [int(line), *map(int, process.stdout.read().split())][-1]
    process.wait()
    process.stdout.close()
    reader = LogReader(path)
    assert reader.head().step >= acknowledged
    steps = [record.event.step for record in reader.tail()]  # type: ignore[union-attr]
    assert steps[:acknowledged] == list(range(1, acknowledged + 1)) and steps[-1] == reader.head().step


def test_a_batch_that_cannot_be_written_leaves_the_log_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "log.sqlite", EVENTS)
    writer = LogWriter(path)
    writer._db.execute(f"PRAGMA max_page_count={writer._db.execute('PRAGMA page_count').fetchone()[0]}")
    writer.append(Scalars(8, {"a": 1.0}))
    writer.append(Snapshot(8, "map", {"a": np.zeros(100_000)}))
    with pytest.raises(sqlite3.OperationalError, match="full"):
        writer.flush(Head(step=8))
    writer._db.execute("PRAGMA max_page_count=1000000")
    assert len(LogReader(path).tail()) == len(EVENTS), "nothing, rather than a part"
    writer.flush(Head(step=8))
    assert len(LogReader(path).tail()) == len(EVENTS) + 2, "nothing is lost once there is room"
    writer.close()


def long_log(path: Path) -> Path:
    written(path, [Scalars(step, {"a": float(step)}) for step in range(5000)])
    assert not path.with_name("log.sqlite-wal").exists()
    return path


def test_a_log_cut_short_shows_what_can_be_read(tmp_path: Path) -> None:
    path = long_log(tmp_path / "log.sqlite")
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    reader = LogReader(path)
    steps = [record.event.step for record in reader.tail()]  # type: ignore[union-attr]
    assert 500 < len(steps) < 5000 and steps == list(range(len(steps)))
    assert reader.damaged()
    reader.close()
    mend(path)
    after = LogReader(path)
    assert not after.damaged() and [r.event.step for r in after.tail()] == steps  # type: ignore[union-attr]
    written(path, [Status("resumed", 7)])
    assert after.tail(after.tail()[-2].seq)[-1].event == Status("resumed", 7)


def test_a_reader_notices_that_its_log_was_cut_short_or_replaced(tmp_path: Path) -> None:
    path = long_log(tmp_path / "log.sqlite")
    reader = LogReader(path)
    reader.tail()
    assert not reader.replaced()
    os.truncate(path, path.stat().st_size // 2)
    assert reader.replaced() and not reader.replaced(), "once, as it is to be opened again"
    reader.close()
    reader = LogReader(path)
    mend(path)
    assert reader.replaced()
    reader.close()


def test_a_damaged_row_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "log.sqlite", EVENTS)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE events SET body = '{' WHERE kind = 'settingchanged'")
        db.execute("UPDATE events SET arrays = x'00' WHERE kind = 'snapshot'")
        db.execute("UPDATE events SET kind = 'rumour' WHERE kind = 'note'")
        db.execute("UPDATE head SET body = '[]'")
    reader = LogReader(path)
    kinds = [type(record.event) for record in reader.events()]
    assert SettingChanged not in kinds and Snapshot not in kinds and Scalars in kinds and Failure in kinds
    assert SettingChanged not in [type(record.event) for record in reader.tail()]
    assert reader.head() == Head()


@pytest.mark.parametrize("content", [b"", b"nothing", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_no_log_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.sqlite"
    path.write_bytes(content)
    reader = LogReader(path)
    assert reader.head() == Head() and reader.tail() == [] and list(reader.events()) == []
    reader.close()
    mend(path)
    written(path, [Status("running", 1)])
    assert LogReader(path).tail()[0].event == Status("running", 1)


def test_a_locked_log_is_not_a_damaged_one(tmp_path: Path) -> None:
    path = written(tmp_path / "log.sqlite", EVENTS, Head(step=7))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=DELETE")  # in WAL mode nobody locks out a reader for long
    reader = LogReader(path)
    assert reader.head().step == 7
    reader._db.execute("PRAGMA busy_timeout=10")
    db.execute("BEGIN EXCLUSIVE")
    assert reader.head().step == 7, "what was known stays known"
    assert reader.tail() == []
    db.execute("COMMIT")
    db.close()
    assert len(reader.tail()) == len(EVENTS)


def test_a_recorded_log_is_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    path = written(tmp_path / "log.sqlite", EVENTS)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode=DELETE")
    db.close()
    before = sorted(tmp_path.iterdir())
    reader = LogReader(path, recorded=True)
    assert len(reader.tail()) == len(EVENTS)
    assert sorted(tmp_path.iterdir()) == before, "no file is made beside it"


def test_a_missing_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LogReader(tmp_path / "log.sqlite")


def test_a_reader_knows_that_its_file_is_cut_and_that_another_took_its_place(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    writer = LogWriter(path)
    for step in range(3000):
        writer.append(Scalars(step, {"train/loss": 1.0}))
    writer.flush(Head(state="finished"))
    writer.close()
    reader = LogReader(path)
    assert len(reader.tail()) == 3000
    assert not reader.cut
    reader.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    reader = LogReader(path)
    assert 0 < len(reader.tail()) < 3000
    assert reader.cut
    assert not reader.replaced()
    mend(path)
    assert reader.replaced()
    reader.close()


def test_numbers_that_a_damaged_log_has_lost_are_not_used_again(tmp_path: Path) -> None:
    path = long_log(tmp_path / "log.sqlite")
    last = LogReader(path).tail()[-1].seq
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    mend(path)
    written(path, [Status("resumed", 7)])
    record = LogReader(path).tail()[-1]
    assert record.event == Status("resumed", 7) and record.seq > last
    path.write_bytes(b"nothing")
    mend(path)
    written(path, [Status("running", 0)])
    assert LogReader(path).tail()[0].seq > last


def test_frames_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    path = written(tmp_path / "log.sqlite", [Snapshot(step, "map", {}) for step in range(5)])
    assert LogReader(path).frames() == [1, 2, 3, 4, 5]
    damage_index_of_frames(path)
    reader = LogReader(path)
    assert reader.frames() is None and len(reader.tail()) == 5


def damage_index_of_frames(path: Path) -> None:
    """The events of a log stay whole; which of them are frames cannot be looked up any more."""
    db = sqlite3.connect(path)
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'frames'").fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
