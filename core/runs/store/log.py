"""The log of a run: one SQLite file in WAL mode, the only SQL in Tenfold.

The worker appends (:class:`LogWriter`), everybody else reads (:class:`LogReader`). Arrays lie in the row of their
snapshot, as safetensors bytes, rather than in files of their own: row and arrays are one transaction, a thinned frame
is one ``DELETE``, and a recorded run is a single file. Sequence numbers rise and are never used twice.
"""

import dataclasses
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from core.events import (
    Checkpoint,
    Event,
    Failure,
    Note,
    Pulse,
    Scalars,
    SettingChanged,
    Snapshot,
    Status,
    Step,
    Text,
)
from core.words import Sentence

#: Frames kept of each panel at the most; at one more, every second one between the first and the last is deleted.
KEPT_FRAMES = 256

#: More events than a damaged log may have lost at its end: their numbers were sent to browsers.
MOST_LOST = 10**9

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, step INTEGER NOT NULL,
    kind TEXT NOT NULL, panel TEXT NOT NULL, body TEXT NOT NULL, arrays BLOB);
CREATE INDEX IF NOT EXISTS frames ON events(panel, step) WHERE panel != '';
CREATE TABLE IF NOT EXISTS head(one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
"""

_KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Scalars, Snapshot, Text, SettingChanged, Note, Checkpoint, Status, Failure)
}


#: What of an event stands in its row's body; step and panel have columns of their own, arrays are no JSON.
_BODIES = {
    name: [f.name for f in dataclasses.fields(kind) if f.name not in ("step", "panel", "arrays")]
    for name, kind in _KINDS.items()
}


@dataclass(frozen=True, slots=True)
class Head:
    """Where a run stands now; overwritten with every batch.

    Attributes:
        epoch: passes over the data, -1 where there are none.
        steps_per_s: updates a second over the last second or so, 0 while nothing moves.
        trained_s: seconds of training so far, pauses left out.
        task, share: what is being prepared and how far (0…1) before the training starts.
        device: what it trains on, e.g. ``"cpu"``.
        end: the step at which the training ends by itself, 0 where it has no end of its own.
    """

    state: str = "queued"
    step: int = 0
    epoch: float = -1.0
    part: str = ""
    steps_per_s: float = 0.0
    trained_s: float = 0.0
    task: str = ""
    share: float = 0.0
    device: str = ""
    time: float = 0.0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """An event as the log holds it. A snapshot read by :meth:`LogReader.tail` comes without its arrays."""

    seq: int
    time: float
    event: Event


def encoded(event: Event) -> tuple[str, str, str, bytes | None]:
    """(kind, panel, body, arrays) of an event: its fields as JSON, its arrays as safetensors."""
    kind = type(event).__name__.lower()
    panel = getattr(event, "panel", "")
    body = {name: getattr(event, name) for name in _BODIES[kind]}
    arrays = None
    if isinstance(event, Snapshot):
        arrays = safetensors.numpy.save({name: np.ascontiguousarray(a) for name, a in event.arrays.items()})
    return kind, panel, json.dumps(body, default=_plain, allow_nan=True), arrays


def _plain(value: Any) -> Any:
    if isinstance(value, Sentence):
        return {"template": value.template, "values": dict(value.values)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | frozenset | set):
        return list(value)
    return dict(value)


def decoded(kind: str, step: int, panel: str, body: str, arrays: bytes | None) -> Event:
    """The event of which :func:`encoded` made this."""
    cls = _KINDS[kind]
    fields: dict[str, Any] = json.loads(body)
    if panel:
        fields["panel"] = panel
    if isinstance(fields.get("sentence"), dict):
        fields["sentence"] = Sentence(**fields["sentence"])
    if cls is Snapshot:
        fields["arrays"] = safetensors.numpy.load(arrays) if arrays else {}
    event: Event = cls(step=step, **fields)
    return event


class LogWriter:
    """Appends events in batches. One writer a log: the worker, or nobody."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._waiting: list[tuple[int | None, float, int, str, str, str, bytes | None]] = []
        self._frames: dict[str, list[int]] = {}
        for panel, seq in self._db.execute("SELECT panel, seq FROM events WHERE panel != '' ORDER BY seq"):
            self._frames.setdefault(panel, []).append(seq)

    def append(self, event: Event, seq: int | None = None, when: float | None = None) -> None:
        """Take an event; it is on the log, and safe from a kill, once :meth:`flush` returns."""
        if isinstance(event, Step | Pulse):
            raise ValueError(f"{event} is for the worker, not for the log")
        self._waiting.append((seq, time.time() if when is None else when, event.step, *encoded(event)))

    @property
    def waiting(self) -> int:
        """Events taken and not yet written."""
        return len(self._waiting)

    def flush(self, head: Head) -> None:
        """Write what waits, and where the run stands, in one transaction."""
        with self._db:  # takes the whole batch back where a part of it cannot be written
            self._db.execute("BEGIN IMMEDIATE")
            for row in self._waiting:
                cursor = self._db.execute(
                    "INSERT INTO events(seq, time, step, kind, panel, body, arrays) VALUES (?, ?, ?, ?, ?, ?, ?)", row
                )
                if row[4] and cursor.lastrowid is not None:
                    self._thin(row[4], cursor.lastrowid)
            self._db.execute(
                "INSERT INTO head VALUES (1, ?) ON CONFLICT(one) DO UPDATE SET body = excluded.body",
                (json.dumps(dataclasses.asdict(dataclasses.replace(head, time=time.time()))),),
            )
        self._waiting.clear()

    def _thin(self, panel: str, seq: int) -> None:
        frames = self._frames.setdefault(panel, [])
        frames.append(seq)
        if len(frames) > KEPT_FRAMES:
            thinned = [s for i, s in enumerate(frames[1:-1], start=1) if i % 2]
            self._db.executemany("DELETE FROM events WHERE seq = ?", [(s,) for s in thinned])
            gone = set(thinned)
            self._frames[panel] = [s for s in frames if s not in gone]

    def skip(self, count: int) -> None:
        """Never use the next ``count`` sequence numbers."""
        (last,) = self._db.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'events'").fetchone()
        self._db.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
        self._db.execute("INSERT INTO sqlite_sequence(name, seq) VALUES ('events', ?)", ((last or 0) + count,))

    def compact(self) -> None:
        """Make the log one small file that can be read where nothing can be written. Ends the writer."""
        self._db.execute("PRAGMA journal_mode=DELETE")
        self._db.execute("VACUUM")
        self.close()

    def close(self) -> None:
        self._db.close()


class LogReader:
    """Reads a log, also while it is being written, and as far as it can be read where it is damaged.

    Args:
        path: the log.
        recorded: it is shipped with the app, nobody writes it, and its folder may be read-only.

    Attributes:
        cut: whether a question met a part of the file that cannot be read.
    """

    def __init__(self, path: Path, *, recorded: bool = False) -> None:
        if not path.exists():
            raise FileNotFoundError(path)
        # SQLite needs a file beside a log in WAL mode; where that cannot be made, nobody writes the log either.
        still = recorded or not os.access(path.parent, os.W_OK)
        self._db = sqlite3.connect(
            f"{path.resolve().as_uri()}?{'mode=ro&immutable=1' if still else 'mode=rw'}",
            uri=True,
            isolation_level=None,
            timeout=2,
            check_same_thread=False,
        )
        self._db.execute("PRAGMA query_only=1")
        self._db.execute("PRAGMA writable_schema=1")  # or SQLite would read nothing of a file that was cut short
        self._head = Head()
        self._path, self._file = path, path.stat()
        self.cut = False

    def replaced(self) -> bool:
        """Whether the file is another one now, by which a damaged log was mended, or was cut short: SQLite may go on
        answering from its cache, so the log has to be opened again."""
        with suppress(OSError):
            before, self._file = self._file, self._path.stat()
            return self._file.st_ino != before.st_ino or self._file.st_size < before.st_size
        return False

    def head(self) -> Head:
        """Where the run stands; the default :class:`Head` where nothing was written yet."""
        for (body,) in self._rows("SELECT body FROM head", ()):
            with suppress(ValueError, TypeError):
                self._head = Head(**json.loads(body))
        return self._head

    def tail(self, since: int = 0, limit: int = 100_000) -> list[Record]:
        """The events after sequence number ``since``, in order, snapshots without their arrays."""
        rows = self._rows(
            "SELECT seq, time, step, kind, panel, body, NULL FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
            (since, limit),
        )
        return list(_records(rows))

    def snapshot(self, seq: int) -> Event | None:
        """The event with that number, arrays and all; ``None`` where it was thinned out or cannot be read."""
        rows = self._rows("SELECT seq, time, step, kind, panel, body, arrays FROM events WHERE seq = ?", (seq,))
        return next((record.event for record in _records(rows)), None)

    def frames(self) -> list[int] | None:
        """Sequence numbers of all frames that are kept; ``None`` where not all of them can be read at the moment."""
        try:
            return [seq for (seq,) in self._db.execute("SELECT seq FROM events WHERE panel != ''")]
        except sqlite3.DatabaseError:
            return None

    def events(self, *kinds: type[Any]) -> Iterator[Record]:
        """All events of these kinds, in order, with their arrays."""
        names = [kind.__name__.lower() for kind in kinds or tuple(_KINDS.values())]
        marks = ",".join("?" * len(names))
        query = f"SELECT seq, time, step, kind, panel, body, arrays FROM events WHERE kind IN ({marks}) ORDER BY seq"
        return _records(self._rows(query, names))

    def damaged(self) -> bool:
        """Whether SQLite finds a fault in the file. Reads all of it."""
        return [row[0] for row in self._rows("PRAGMA quick_check(1)", ())] != ["ok"]

    def latest(self, kind: type[Any], limit: int) -> list[Record]:
        """The last events of a kind, the newest first, snapshots without their arrays."""
        return [
            Record(seq, when, decoded(name, step, panel, body, None))
            for seq, when, step, name, panel, body in self._rows(
                "SELECT seq, time, step, kind, panel, body FROM events WHERE kind = ? ORDER BY seq DESC LIMIT ?",
                (kind.__name__.lower(), limit),
            )
        ]

    def _rows(self, query: str, values: Sequence[Any]) -> Iterable[Any]:
        """Rows until the end or the first that cannot be read."""
        try:
            yield from self._db.execute(query, values)
        except sqlite3.DatabaseError as error:
            self.cut = self.cut or not isinstance(error, sqlite3.OperationalError)
            # Damaged; or locked, for longer than the timeout, by the first to open it after a crash: what was read
            # is what there is, and a later question may bring more.
            return

    def close(self) -> None:
        self._db.close()


def _records(rows: Iterable[Any]) -> Iterator[Record]:
    """Rows as records; one whose content is damaged is left out."""
    for seq, when, step, kind, panel, body, arrays in rows:
        with suppress(ValueError, TypeError, KeyError, safetensors.SafetensorError):
            yield Record(seq, when, decoded(kind, step, panel, body, arrays))


def mend(path: Path) -> None:
    """Where a log is damaged, put in its place a new one with all that can be read of it, by the same numbers."""
    if not path.exists():
        return
    reader = LogReader(path)
    try:
        if not reader.damaged():
            return
        head, records = reader.head(), list(reader.events())
    finally:
        reader.close()
    new = path.with_suffix(".mended")
    new.unlink(missing_ok=True)
    writer = LogWriter(new)
    for record in records:
        writer.append(record.event, record.seq, record.time)
    writer.flush(head)
    writer.skip(MOST_LOST)
    writer.close()
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    new.replace(path)
