"""From the events of a log to what a stage shows: curves, frames, marks, notes, status. Pure: no file, no clock.

Everything kept remembers the sequence number it came with, so that what is new since any number is a search in sorted
lists: a live watcher, a reconnect and a page that polls once a second all get a :meth:`Fold.delta`. A run that was
resumed logs some of its steps again: its :class:`Status` ``resumed`` rewinds the fold, and the delta says so.
"""

from __future__ import annotations  # array[int] is a type for mypy only

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from operator import itemgetter
from typing import Any

import numpy as np

from core.events import ENDED, Array, Failure, Note, Scalars, SettingChanged, Snapshot, Status, Text
from core.experiment import Stop
from core.figures import packed
from core.runs.server.messages import RunStatus, SentenceJson
from core.runs.store.log import Head, Record
from core.words import Sentence, sentence_json

#: Points a curve holds at the most; the older half is thinned when there is one more.
MAX_POINTS = 8192

#: Points of a curve in a full state.
FULL_STATE_POINTS = 2000

#: Removed frames that are remembered; whoever missed more of them gets a full state.
MAX_REMOVED = 8192


@dataclass(slots=True)
class Curve:
    """The values of one metric, each with its step and the sequence number that it came with."""

    seqs: array[int] = field(default_factory=lambda: array("q"))
    x: array[int] = field(default_factory=lambda: array("q"))
    y: array[float] = field(default_factory=lambda: array("d"))

    def add(self, seq: int, step: int, value: float) -> None:
        self.seqs.append(seq)
        self.x.append(step)
        self.y.append(value)
        if len(self.x) > MAX_POINTS:
            self._thin()

    def cut(self, step: int) -> None:
        """Drop all beyond ``step``."""
        end = bisect_right(self.x, step)
        del self.seqs[end:], self.x[end:], self.y[end:]

    def since(self, seq: int) -> int:
        """Index of the first point that came after ``seq``."""
        return bisect_right(self.seqs, seq)

    def _thin(self) -> None:
        old = MAX_POINTS // 2
        keep = extremes(np.frombuffer(self.y, np.float64)[:old], old // 2)
        for name in ("seqs", "x", "y"):
            values: array[Any] = getattr(self, name)
            setattr(self, name, array(values.typecode, (values[int(i)] for i in keep)) + values[old:])


def extremes(y: Array, limit: int) -> Array:
    """Indices of at most ``limit`` points that keep a curve's shape: first, last, low and high of each bucket."""
    n = len(y)
    if n <= limit:
        return np.arange(n)
    buckets = max((limit - 2) // 2, 1)
    width = -(-n // buckets)
    padded = np.full(buckets * width, np.nan)
    padded[:n] = y
    grid = padded.reshape(buckets, width)
    number = ~np.isnan(grid)
    first = np.arange(buckets) * width
    low = np.where(number, grid, np.inf).argmin(axis=1) + first
    high = np.where(number, grid, -np.inf).argmax(axis=1) + first
    picked = np.unique(np.concatenate([[0, n - 1], low, high]))
    return picked[picked < n]


@dataclass(slots=True)
class Frames:
    """Snapshots of one panel that the log still holds, by sequence number and step, both rising."""

    seqs: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)


class Fold:
    """Takes the records of a log in order and knows, for any sequence number, what came after it.

    Attributes:
        seq: of the last record.
        state, sentence: of the last :class:`Status`; the sentence may come from a :class:`Failure`.
        oldest_since: the lowest number since which :meth:`delta` knows everything.
    """

    def __init__(self, diagnoses: Mapping[str, str]) -> None:
        self.seq = self.oldest_since = 0
        self.state = ""
        self.sentence: Sentence | None = None
        self.curves: dict[str, Curve] = {}
        self.frames: dict[str, Frames] = {}
        self._marks: list[tuple[int, SettingChanged]] = []
        self._notes: list[tuple[int, Note]] = []
        self._rewinds: list[tuple[int, int]] = []
        self._removed: list[tuple[int, str, int]] = []
        self._diagnoses = diagnoses

    def add(self, records: Iterable[Record]) -> int:
        """Fold these in; returns how many of them were frames."""
        frames = 0
        for record in records:
            self.seq = record.seq
            event = record.event
            if isinstance(event, Scalars):
                for metric, value in event.values.items():
                    curve = self.curves.get(metric)
                    if curve is None:
                        curve = self.curves[metric] = Curve()
                    curve.add(record.seq, event.step, value)
            elif isinstance(event, Snapshot | Text):
                panel = self.frames.setdefault(event.panel, Frames())
                panel.seqs.append(record.seq)
                panel.steps.append(event.step)
                frames += 1
            elif isinstance(event, SettingChanged):
                self._marks.append((record.seq, event))
            elif isinstance(event, Note):
                self._notes.append((record.seq, event))
            elif isinstance(event, Status):
                if event.state == "resumed":
                    self._rewind(record.seq, event.step)
                self.state = event.state
                self.sentence = event.sentence or (self.sentence if event.state in ENDED else None)
            elif isinstance(event, Failure):
                self.sentence = event.sentence
        return frames

    def remove_thinned(self, in_log: Iterable[int]) -> None:
        """Forget the frames whose sequence numbers are not ``in_log``: it has thinned them out."""
        existing = set(in_log)
        for panel, frames in self.frames.items():
            if all(seq in existing for seq in frames.seqs):
                continue
            pairs = list(zip(frames.seqs, frames.steps, strict=True))
            kept = {step for seq, step in pairs if seq in existing}  # a paused run may have two frames of a step
            self._removed += [(self.seq, panel, step) for _, step in pairs if step not in kept]
            frames.seqs[:] = [seq for seq, _ in pairs if seq in existing]
            frames.steps[:] = [step for seq, step in pairs if seq in existing]
        surplus = len(self._removed) - MAX_REMOVED
        if surplus > 0:
            self.oldest_since = self._removed[surplus - 1][0]
            del self._removed[:surplus]

    def _rewind(self, seq: int, step: int) -> None:
        self._rewinds.append((seq, step))
        for curve in self.curves.values():
            curve.cut(step)
        for frames in self.frames.values():
            end = bisect_right(frames.steps, step)
            del frames.seqs[end:], frames.steps[end:]
        self._removed = [removed for removed in self._removed if removed[2] <= step]
        self._marks = [pair for pair in self._marks if pair[1].step <= step]
        self._notes = [pair for pair in self._notes if pair[1].step <= step]

    def newest(self, panel: str, step: int | None = None) -> tuple[int, int] | None:
        """(sequence number, step) of the newest snapshot of a panel, at or before ``step`` where one is given."""
        frames = self.frames.get(panel)
        if not frames:
            return None
        end = len(frames.seqs) if step is None else bisect_right(frames.steps, step)
        return (frames.seqs[end - 1], frames.steps[end - 1]) if end else None

    def count_since(self, panel: str, since: int) -> int:
        """How many snapshots of a panel came after ``since``."""
        frames = self.frames.get(panel)
        return len(frames.seqs) - bisect_right(frames.seqs, since) if frames else 0

    def settings(self, config: Mapping[str, Any], step: int) -> dict[str, Any]:
        """The settings in force at ``step``: those of the start, with every change until then."""
        return {**config, **{change.field: change.new for _, change in self._marks if change.step <= step}}

    def setting_changes(self, step: int) -> int:
        """How many settings were changed until ``step``."""
        return sum(change.step <= step for _, change in self._marks)

    def full_state(self) -> dict[str, Any]:
        """All there is to know, for somebody who has nothing yet: long curves thinned, arrays packed."""
        curves = {}
        for metric, curve in self.curves.items():
            x, y = np.array(curve.x, dtype=np.int64), np.array(curve.y, dtype=np.float64)
            picked = extremes(y, FULL_STATE_POINTS)
            curves[metric] = {"x": packed(x[picked]), "y": packed(np.where(np.isfinite(y), y, np.nan)[picked])}
        return {
            "curves": curves,
            "frames": {panel: frames.steps for panel, frames in self.frames.items()},
            "marks": self._marks_since(0),
            "notes": self._notes_since(0),
        }

    def delta(self, since: int) -> dict[str, Any]:
        """What came after ``since``, which is not before ``oldest_since``; ``rewind`` is there where all beyond a step
        has to be dropped first."""
        curves = {}
        for metric, curve in self.curves.items():
            start = curve.since(since)
            if start < len(curve.x):
                ys: list[float | None] = [y if isfinite(y) else None for y in curve.y[start:]]
                curves[metric] = [curve.x[start:].tolist(), ys]
        frames = {
            panel: frames.steps[start:]
            for panel, frames in self.frames.items()
            if (start := bisect_right(frames.seqs, since)) < len(frames.seqs)
        }
        delta: dict[str, Any] = {
            "curves": curves,
            "frames": frames,
            "marks": self._marks_since(since),
            "notes": self._notes_since(since),
        }
        removed: dict[str, list[int]] = {}
        for _, panel, step in self._removed[bisect_right(self._removed, since, key=itemgetter(0)) :]:
            removed.setdefault(panel, []).append(step)
        if removed:
            delta["gone"] = removed
        rewinds = [step for seq, step in self._rewinds if seq > since]
        if rewinds:
            delta["rewind"] = min(rewinds)
        return delta

    def _marks_since(self, since: int) -> list[dict[str, Any]]:
        return [
            {"step": change.step, "field": change.field, "old": change.old, "new": change.new}
            for seq, change in self._marks
            if seq > since
        ]

    def _notes_since(self, since: int) -> list[dict[str, Any]]:
        return [
            {
                "step": note.step,
                "sentence": sentence_json(Sentence(self._diagnoses.get(note.diagnosis, note.diagnosis), note.values)),
            }
            for seq, note in self._notes
            if seq > since
        ]


def run_status(
    head: Head,
    stop: Stop,
    sentence: Sentence | None = None,
    *,
    place: int = 0,
    resumable: bool = False,
    speed: float = 0.0,
    checkpoints: Sequence[int] = (),
) -> RunStatus:
    """Where a run stands, with the time left and the progress as far as they follow from its stop condition."""
    steps = min(stop.steps, head.end or stop.steps)
    shares = [head.step / steps]
    left = [(steps - head.step) / head.steps_per_s] if head.steps_per_s > 0 else []
    if stop.seconds:
        shares.append(head.trained_s / stop.seconds)
        left.append(stop.seconds - head.trained_s)
    moving = head.state == "running" and head.steps_per_s > 0
    return RunStatus(
        state=head.state,
        step=head.step,
        epoch=head.epoch,
        part=head.part,
        steps_per_s=round(head.steps_per_s, 2),
        trained_s=round(head.trained_s, 2),
        task=head.task,
        share=round(head.share, 4),
        device=head.device,
        place=place,
        speed=speed,
        sentence=SentenceJson(**sentence_json(sentence)) if sentence else None,
        stop=stop.model_copy(update={"steps": steps}),
        resumable=resumable,
        left_s=round(max(min(left), 0.0), 1) if moving and left else None,
        progress=round(min(max(*shares, 0.0), 1.0), 4),
        checkpoints=checkpoints,
    )
