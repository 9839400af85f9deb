"""From the events of a log to what a stage shows: curves, frames, marks, notes, status. Pure: no file, no clock.

Everything kept remembers the sequence number it came with, so that what is new since any number is a search in sorted
lists: a live watcher, a reconnect and a page that asks once a second are all answered by :meth:`Fold.news`. A run that
was resumed tells a stretch of itself again: its :class:`Status` ``resumed`` rewinds the fold, and the news say so.
"""

from __future__ import annotations  # array[int] is a type for mypy only

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from core.events import ENDED, Array, Failure, Note, Scalars, SettingChanged, Snapshot, Status, Text
from core.experiment import Stop
from core.figures import packed
from core.runs.store.log import Head, Record
from core.words import Sentence

#: Points a curve holds at the most; the older half is thinned when there is one more.
KEPT_POINTS = 8192

#: Points of a curve that are told to somebody who comes late.
TOLD_POINTS = 2000


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
        if len(self.x) > KEPT_POINTS:
            self._thin()

    def cut(self, step: int) -> None:
        """Drop all beyond ``step``."""
        end = bisect_right(self.x, step)
        del self.seqs[end:], self.x[end:], self.y[end:]

    def since(self, seq: int) -> int:
        """Index of the first point that came after ``seq``."""
        return bisect_right(self.seqs, seq)

    def _thin(self) -> None:
        old = KEPT_POINTS // 2
        keep = extremes(np.frombuffer(self.y, np.float64)[:old], old // 2)
        for name in ("seqs", "x", "y"):
            values: array[Any] = getattr(self, name)
            setattr(self, name, array(values.typecode, (values[int(i)] for i in keep)) + values[old:])


def extremes(y: Array, limit: int) -> Array:
    """Indices of at most ``limit`` points that keep a curve's look: first, last, low and high of each bucket."""
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
    """Takes the records of a log in order and can say, for any sequence number, what came after it.

    Attributes:
        seq: of the last record taken.
        state, sentence: of the last :class:`Status`; the sentence may come from a :class:`Failure`.
    """

    def __init__(self, diagnoses: Mapping[str, str]) -> None:
        self.seq = 0
        self.state = ""
        self.sentence: Sentence | None = None
        self.curves: dict[str, Curve] = {}
        self.frames: dict[str, Frames] = {}
        self._marks: list[tuple[int, SettingChanged]] = []
        self._notes: list[tuple[int, Note]] = []
        self._rewinds: list[tuple[int, int]] = []
        self._gone: list[tuple[int, str, int]] = []
        self._diagnoses = diagnoses

    def take(self, records: Iterable[Record]) -> int:
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
                kept = self.frames.setdefault(event.panel, Frames())
                kept.seqs.append(record.seq)
                kept.steps.append(event.step)
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

    def keep(self, alive: Iterable[int]) -> None:
        """Forget the frames whose sequence numbers are not among ``alive``: the log has thinned them out."""
        there = set(alive)
        for panel, kept in self.frames.items():
            if all(seq in there for seq in kept.seqs):
                continue
            self._gone += [
                (self.seq, panel, step) for seq, step in zip(kept.seqs, kept.steps, strict=True) if seq not in there
            ]
            pairs = [pair for pair in zip(kept.seqs, kept.steps, strict=True) if pair[0] in there]
            kept.seqs[:] = [seq for seq, _ in pairs]
            kept.steps[:] = [step for _, step in pairs]

    def _rewind(self, seq: int, step: int) -> None:
        self._rewinds.append((seq, step))
        for curve in self.curves.values():
            curve.cut(step)
        for kept in self.frames.values():
            end = bisect_right(kept.steps, step)
            del kept.seqs[end:], kept.steps[end:]
        self._marks = [pair for pair in self._marks if pair[1].step <= step]
        self._notes = [pair for pair in self._notes if pair[1].step <= step]

    def newest(self, panel: str, step: int | None = None) -> tuple[int, int] | None:
        """(sequence number, step) of the newest snapshot of a panel, at or before ``step`` where one is given."""
        kept = self.frames.get(panel)
        end = len(kept.seqs) if step is None and kept else bisect_right(kept.steps, step or 0) if kept else 0
        return (kept.seqs[end - 1], kept.steps[end - 1]) if kept and end else None

    def came(self, panel: str, since: int) -> int:
        """How many snapshots of a panel came after ``since``."""
        kept = self.frames.get(panel)
        return len(kept.seqs) - bisect_right(kept.seqs, since) if kept else 0

    def settings(self, config: Mapping[str, Any], step: int) -> dict[str, Any]:
        """The settings in force at ``step``: those of the start, with every knob turned until then."""
        return {**config, **{knob.field: knob.new for _, knob in self._marks if knob.step <= step}}

    def turns(self, step: int) -> int:
        """How many knobs were turned until ``step``."""
        return sum(knob.step <= step for _, knob in self._marks)

    def whole(self) -> dict[str, Any]:
        """All there is to know, for somebody who has nothing yet: long curves thinned, arrays packed."""
        curves = {}
        for metric, curve in self.curves.items():
            x, y = np.array(curve.x, dtype=np.int64), np.array(curve.y, dtype=np.float64)
            picked = extremes(y, TOLD_POINTS)
            curves[metric] = {"x": packed(x[picked]), "y": packed(np.where(np.isfinite(y), y, np.nan)[picked])}
        return {
            "curves": curves,
            "frames": {panel: kept.steps for panel, kept in self.frames.items()},
            "marks": self._told_marks(0),
            "notes": self._told_notes(0),
        }

    def news(self, since: int) -> dict[str, Any]:
        """What came after ``since``; ``rewind`` is there where all beyond a step has to be dropped first."""
        curves = {}
        for metric, curve in self.curves.items():
            start = curve.since(since)
            if start < len(curve.x):
                ys: list[float | None] = [y if isfinite(y) else None for y in curve.y[start:]]
                curves[metric] = [curve.x[start:].tolist(), ys]
        frames = {
            panel: kept.steps[start:]
            for panel, kept in self.frames.items()
            if (start := bisect_right(kept.seqs, since)) < len(kept.seqs)
        }
        told: dict[str, Any] = {
            "curves": curves,
            "frames": frames,
            "marks": self._told_marks(since),
            "notes": self._told_notes(since),
        }
        gone: dict[str, list[int]] = {}
        for seq, panel, step in self._gone:
            if seq > since:
                gone.setdefault(panel, []).append(step)
        if gone:
            told["gone"] = gone
        rewinds = [step for seq, step in self._rewinds if seq > since]
        if rewinds:
            told["rewind"] = min(rewinds)
        return told

    def _told_marks(self, since: int) -> list[dict[str, Any]]:
        return [
            {"step": knob.step, "field": knob.field, "old": knob.old, "new": knob.new}
            for seq, knob in self._marks
            if seq > since
        ]

    def _told_notes(self, since: int) -> list[dict[str, Any]]:
        return [
            {
                "step": note.step,
                "sentence": told(Sentence(self._diagnoses.get(note.diagnosis, note.diagnosis), note.values)),
            }
            for seq, note in self._notes
            if seq > since
        ]


def told(sentence: Sentence | None) -> dict[str, Any] | None:
    """A sentence as it travels: the browser looks the template up in its own language."""
    if sentence is None:
        return None
    values = {name: told(v) if isinstance(v, Sentence) else v for name, v in sentence.values.items()}
    return {"template": sentence.template, "values": values}


def status(
    head: Head,
    stop: Stop,
    sentence: Sentence | None = None,
    *,
    place: int = 0,
    resumable: bool = False,
    speed: float = 0.0,
) -> dict[str, Any]:
    """Where a run stands, with the time left and the progress as far as its stop condition tells them."""
    steps = min(stop.steps, head.end or stop.steps)
    shares = [head.step / steps]
    left = [(steps - head.step) / head.steps_per_s] if head.steps_per_s > 0 else []
    if stop.seconds:
        shares.append(head.trained_s / stop.seconds)
        left.append(stop.seconds - head.trained_s)
    moving = head.state == "running" and head.steps_per_s > 0
    return {
        "state": head.state,
        "step": head.step,
        "epoch": head.epoch,
        "part": head.part,
        "steps_per_s": round(head.steps_per_s, 2),
        "trained_s": round(head.trained_s, 2),
        "task": head.task,
        "share": round(head.share, 4),
        "device": head.device,
        "place": place,
        "speed": speed,
        "sentence": told(sentence),
        "stop": stop.model_dump() | {"steps": steps},
        "resumable": resumable,
        "left_s": round(max(min(left), 0.0), 1) if moving and left else None,
        "progress": round(min(max(*shares, 0.0), 1.0), 4),
    }
