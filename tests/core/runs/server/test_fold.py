"""The fold, against a browser that applies the messages one by one and against a plain reading of the events."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.events import Event, Failure, Note, Scalars, SettingChanged, Snapshot, Status, Text
from core.experiment import Stop
from core.runs.server.fold import FULL_STATE_POINTS, MAX_POINTS, Fold, extremes, run_status
from core.runs.store.log import Head, Record
from core.words import Sentence, sentence_json

DIAGNOSES = {"dead": "{n} units are dead."}


def records(events: list[Event], first: int = 1) -> list[Record]:
    return [Record(seq, 0.0, event) for seq, event in enumerate(events, first)]


def unpacked(values: Any) -> list[float]:
    if isinstance(values, Mapping):
        dtype = {"f8": np.float64, "f4": np.float32, "i4": np.int32}[values["dtype"]]
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype).tolist()
    return list(values)


class Browser:
    """What somebody knows who got these messages."""

    def __init__(self) -> None:
        self.seq = 0
        self.curves: dict[str, list[tuple[int, float]]] = {}
        self.frames: dict[str, list[int]] = {}
        self.marks: list[Any] = []
        self.notes: list[Any] = []

    def receive(self, message: Mapping[str, Any], seq: int) -> None:
        self.seq = seq
        if "rewind" in message:
            step = message["rewind"]
            self.curves = {m: [p for p in points if p[0] <= step] for m, points in self.curves.items()}
            self.frames = {p: [s for s in steps if s <= step] for p, steps in self.frames.items()}
            self.marks = [mark for mark in self.marks if mark["step"] <= step]
            self.notes = [note for note in self.notes if note["step"] <= step]
        for metric, points in message["curves"].items():
            x, y = points if isinstance(points, list) else (points["x"], points["y"])
            self.curves.setdefault(metric, []).extend(zip(map(int, unpacked(x)), unpacked(y), strict=True))
        for panel, steps in message["frames"].items():
            self.frames.setdefault(panel, []).extend(steps)
        for panel, steps in message.get("gone", {}).items():
            self.frames[panel] = [step for step in self.frames.get(panel, []) if step not in steps]
        self.marks += message["marks"]
        self.notes += message["notes"]

    def state(self) -> tuple[Any, ...]:
        curves = {metric: points for metric, points in self.curves.items() if points}
        return curves, {panel: steps for panel, steps in self.frames.items() if steps}, self.marks, self.notes


def read_plainly(events: list[Event]) -> Browser:
    """What is true after these events, found by going over them with nothing clever."""
    alive: list[Event] = []
    for event in events:
        if isinstance(event, Status) and event.state == "resumed":
            alive = [one for one in alive if one.step <= event.step]
        else:
            alive.append(event)
    truth = Browser()
    for event in alive:
        if isinstance(event, Scalars):
            for metric, value in event.values.items():
                truth.curves.setdefault(metric, []).append((event.step, value))
        elif isinstance(event, Snapshot | Text):
            truth.frames.setdefault(event.panel, []).append(event.step)
        elif isinstance(event, SettingChanged):
            truth.marks.append({"step": event.step, "field": event.field, "old": event.old, "new": event.new})
        elif isinstance(event, Note):
            truth.notes.append(
                {"step": event.step, "sentence": {"template": "{n} units are dead.", "values": {"n": 1}}}
            )
    return truth


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """A run that goes on, and now and then goes on from an earlier step."""
    events: list[Event] = []
    step = 0
    for _ in range(draw(st.integers(0, 40))):
        kind = draw(st.integers(0, 9))
        if kind < 5:
            step += draw(st.integers(1, 3))
            metrics = draw(st.sets(st.sampled_from(["train/loss", "test/loss"]), min_size=1))
            events.append(Scalars(step, {metric: float(len(events)) for metric in metrics}))
        elif kind == 5:
            panel = draw(st.sampled_from(["map", "data"]))
            events.append(Snapshot(step, panel, {}))
            step += 1
        elif kind == 6:
            events.append(SettingChanged(step, "rate", 1, len(events)))
        elif kind == 7:
            events.append(Note(step, "dead", {"n": 1}))
        elif kind == 8:
            events.append(Text(step, "written", "a"))
            step += 1
        else:
            step = draw(st.integers(0, step))
            events.append(Status("resumed", step))
    return events


@settings(suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(lives(), st.lists(st.integers(0, 40), max_size=5), st.integers(0, 40))
def test_a_browser_that_connects_at_any_moment_has_the_right_state_in_the_end(
    events: list[Event], stops: list[int], begins: int
) -> None:
    fold, browser = Fold(DIAGNOSES), Browser()
    every = records(events)
    at = 0
    for stop in [*sorted(stop for stop in stops if stop < len(events)), len(events)]:
        fold.add(every[at:stop])
        at = stop
        if browser.seq or at >= begins:
            browser.receive(fold.delta(browser.seq) if browser.seq else fold.full_state(), fold.seq)
    if not browser.seq:
        browser.receive(fold.full_state(), fold.seq)
    assert browser.state() == read_plainly(events).state()


def test_who_missed_two_rewinds_goes_back_to_the_earlier() -> None:
    first: list[Event] = [Scalars(step, {"train/loss": 1.0}) for step in range(1, 6)]
    then: list[Event] = [Status("resumed", 1), Scalars(2, {"train/loss": 2.0}), Scalars(3, {"train/loss": 2.0})]
    last: list[Event] = [Status("resumed", 2), Scalars(3, {"train/loss": 3.0})]
    fold, browser = Fold({}), Browser()
    fold.add(records(first))
    browser.receive(fold.full_state(), fold.seq)
    fold.add(records([*then, *last], first=6))
    browser.receive(fold.delta(browser.seq), fold.seq)
    assert browser.curves == {"train/loss": [(1, 1.0), (2, 2.0), (3, 3.0)]}


@given(st.lists(st.floats(allow_nan=True) | st.just(math.nan), max_size=300), st.integers(4, 60))
def test_a_thinned_curve_keeps_its_ends_and_its_extremes(values: list[float], limit: int) -> None:
    y = np.array(values)
    picked = extremes(y, limit)
    assert len(picked) <= max(limit, 4) and (np.diff(picked) > 0).all()
    if len(y) == 0:
        return
    assert picked[0] == 0 and picked[-1] == len(y) - 1
    if not np.isnan(y).all():
        assert np.nanmin(y[picked]) == np.nanmin(y) and np.nanmax(y[picked]) == np.nanmax(y)


def test_a_long_curve_stays_small_and_keeps_its_spike() -> None:
    fold = Fold({})
    n = 5 * MAX_POINTS
    fold.add(records([Scalars(step, {"train/loss": 100.0 if step == 777 else 1 / step}) for step in range(1, n + 1)]))
    assert len(fold.curves["train/loss"].x) <= MAX_POINTS
    full_curve = fold.full_state()["curves"]["train/loss"]
    x, y = unpacked(full_curve["x"]), unpacked(full_curve["y"])
    assert len(x) <= FULL_STATE_POINTS and x[0] == 1 and x[-1] == n and x == sorted(set(x))
    assert y[x.index(777)] == 100.0


def test_infinity_and_nan_are_never_sent() -> None:
    fold = Fold({})
    fold.add(records([Scalars(s, {"train/loss": v}) for s, v in enumerate([1.0, math.inf, -math.inf, math.nan], 1)]))
    assert fold.delta(0)["curves"] == {"train/loss": [[1, 2, 3, 4], [1.0, None, None, None]]}
    assert [math.isnan(y) for y in unpacked(fold.full_state()["curves"]["train/loss"]["y"])] == [
        False,
        True,
        True,
        True,
    ]


def test_frames_that_the_log_has_thinned_out_are_removed() -> None:
    fold, browser = Fold({}), Browser()
    fold.add(records([Snapshot(step, "map", {}) for step in range(10)]))
    browser.receive(fold.full_state(), fold.seq)
    fold.add(records([Snapshot(10, "map", {})], first=11))
    fold.remove_thinned([1, 3, 5, 7, 9, 11])
    delta = fold.delta(browser.seq)
    assert delta["gone"] == {"map": [1, 3, 5, 7, 9]}
    browser.receive(delta, fold.seq)
    assert browser.frames == {"map": [0, 2, 4, 6, 8, 10]} == fold.full_state()["frames"]
    assert fold.newest("map", 7) == (7, 6) and fold.newest("map") == (11, 10) and fold.newest("other") is None


def test_a_frame_logged_again_after_a_rewind_is_not_removed_with_the_one_before_it() -> None:
    fold, browser = Fold({}), Browser()
    fold.add(records([Snapshot(step, "map", {}) for step in range(4)]))
    browser.receive(fold.full_state(), fold.seq)
    fold.add(records([Snapshot(4, "map", {})], first=5))
    fold.remove_thinned([1, 2, 4, 5])
    fold.add(records([Status("resumed", 1), Snapshot(2, "map", {})], first=6))
    browser.receive(fold.delta(browser.seq), fold.seq)
    assert browser.frames == {"map": [0, 1, 2]} == fold.full_state()["frames"]


def test_settings_at_a_step_follow_their_changes() -> None:
    fold = Fold({})
    fold.add(
        records(
            [
                SettingChanged(10, "rate", 0.1, 0.2),
                SettingChanged(20, "rate", 0.2, 0.4),
                SettingChanged(20, "decay", 0.0, 1.0),
            ]
        )
    )
    start = {"rate": 0.1, "decay": 0.0, "seed": 3}
    assert fold.settings(start, 9) == start
    assert fold.settings(start, 10) == {**start, "rate": 0.2}
    assert fold.settings(start, 25) == {"rate": 0.4, "decay": 1.0, "seed": 3}


def test_an_unknown_diagnosis_is_sent_by_its_name() -> None:
    fold = Fold({})
    fold.add(records([Note(1, "odd", {})]))
    assert fold.delta(0)["notes"] == [{"step": 1, "sentence": {"template": "odd", "values": {}}}]


def test_the_reason_of_an_end_stands_until_the_run_goes_on() -> None:
    fold = Fold({})
    why = Sentence("It broke.")
    fold.add(records([Status("running", 0), Failure(3, why), Status("failed", 3)]))
    assert (fold.state, fold.sentence) == ("failed", why)
    fold.add(records([Status("resumed", 2), Status("running", 2)], first=4))
    assert (fold.state, fold.sentence) == ("running", None)


@pytest.mark.parametrize(
    ("head", "stop", "progress", "left"),
    [
        (Head("running", 500, steps_per_s=100), Stop(steps=2000), 0.25, 15.0),
        (Head("running", 500, steps_per_s=100, trained_s=5), Stop(steps=2000, seconds=10), 0.5, 5.0),
        (Head("running", 0, steps_per_s=0), Stop(steps=2000), 0.0, None),
        (Head("running", 3000, steps_per_s=10), Stop(steps=2000), 1.0, 0.0),
        (Head("paused", 1000, steps_per_s=100), Stop(steps=2000), 0.5, None),
        (Head("finished", 2000, steps_per_s=100), Stop(steps=2000), 1.0, None),
    ],
)
def test_progress_and_time_left(head: Head, stop: Stop, progress: float, left: float | None) -> None:
    status = run_status(head, stop)
    assert (status.progress, status.left_s) == (progress, left)


def test_a_sentence_is_sent_with_the_sentences_in_its_values() -> None:
    inner = Sentence("{a}", {"a": 1})
    assert sentence_json(Sentence("Because of {why}.", {"why": inner})) == {
        "template": "Because of {why}.",
        "values": {"why": {"template": "{a}", "values": {"a": 1}}},
    }
