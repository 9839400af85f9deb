"""Which snapshots are taken when: the hero each time, the others in rotation, what nobody sees seldom."""

from typing import Any

import numpy as np
import pytest

from core.runs.worker import snapshots
from core.runs.worker.snapshots import SnapshotRotation


class State:
    step = 7


class Clock:
    """The time, which stands still but for what each snapshot costs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(snapshots, "perf_counter", lambda: self.now)

    def costing(self, seconds: float, value: float = 1.0) -> Any:
        def snapshot(state: State) -> dict[str, Any] | None:
            self.now += seconds
            return {"x": np.array([value])} if value else None

        return snapshot


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def rotation(clock: Clock, **costs: float) -> SnapshotRotation:
    return SnapshotRotation({name: clock.costing(cost) for name, cost in costs.items()})


def taken(one: SnapshotRotation, names: list[str] | None) -> list[str]:
    return [snapshot.panel for snapshot in one.take(State(), names)]  # type: ignore[arg-type]


def test_all_are_taken_the_hero_first_and_what_has_nothing_to_draw_is_left_out(clock: Clock) -> None:
    one = SnapshotRotation({"hero": clock.costing(0.01), "empty": clock.costing(0.01, 0.0), "b": clock.costing(0.01)})
    assert taken(one, None) == ["hero", "b"]
    assert next(iter(one.take(State(), ["hero"]))).step == 7  # type: ignore[arg-type]


def test_the_others_come_in_rotation_and_cost_no_more_than_the_hero(clock: Clock) -> None:
    one = rotation(clock, hero=0.010, a=0.004, b=0.004, c=0.009, d=0.020)
    taken(one, None)
    rounds = []
    for _ in range(8):
        clock.now += 0.2
        rounds.append(taken(one, one.due(None)))
    assert all(names[0] == "hero" for names in rounds)
    assert rounds[:3] == [["hero", "a", "b"], ["hero", "c"], ["hero", "d"]]
    assert set().union(*rounds[:4]) == {"hero", "a", "b", "c", "d"}, "none is forgotten"


def test_at_most_half_of_the_others_come_in_a_round_however_cheap(clock: Clock) -> None:
    one = rotation(clock, hero=0.010, a=0.001, b=0.001, c=0.001)
    taken(one, None)
    clock.now += 0.2
    assert taken(one, one.due(None)) == ["hero", "a", "b"]
    clock.now += 0.2
    assert taken(one, one.due(None)) == ["hero", "c", "a"]


def test_what_nobody_has_in_sight_is_taken_as_often_as_the_time_line_keeps_it(clock: Clock) -> None:
    one = rotation(clock, hero=0.001, seen=0.001, folded=0.001)
    taken(one, None)
    counts = dict.fromkeys(("hero", "seen", "folded"), 0)
    for _ in range(6400):  # some 1,300 seconds
        clock.now += 0.2
        for name in taken(one, one.due(("hero", "seen"))):
            counts[name] += 1
    assert counts["hero"] == 6400 and counts["seen"] > 5800, "it gives way to one that is rarely taken"
    assert 100 <= counts["folded"] <= 1000, "more than the time line draws, far less than what is in sight"
    assert taken(one, one.due(())) in ([], ["folded"]), "the hero, too, when nobody has it in sight"


def test_what_comes_into_sight_comes_first(clock: Clock) -> None:
    one = rotation(clock, hero=0.001, a=0.001, b=0.001, folded=0.001)
    taken(one, None)
    for _ in range(2):
        clock.now += 0.2
        taken(one, one.due(("hero", "a", "b")))
    assert one.due(("hero", "a", "b", "folded"))[:2] == ["hero", "folded"]
