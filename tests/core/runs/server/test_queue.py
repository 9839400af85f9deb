"""Who runs next."""

import pytest

from core.runs.server.queue import WAITING_EACH, Queue
from core.words import Refusal


def test_people_take_turns() -> None:
    queue = Queue(1)
    for run, owner in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c")):
        queue.add(run, owner)
    expected = ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert queue.order() == expected
    assert [queue.place(run) for run in expected] == [1, 2, 3, 4, 5, 6]
    started = []
    while run := queue.next():
        started.append(run)
        assert queue.order() == expected[len(started) :], "nobody's place is lost"
        assert queue.next() is None, "one slot"
        queue.running.discard(run)
    assert started == expected
    assert queue.place("a1") == 0


def test_slots() -> None:
    queue = Queue(2)
    for number in range(3):
        queue.add(str(number), "a")
    assert [queue.next(), queue.next(), queue.next()] == ["0", "1", None]


def test_leaving_the_queue() -> None:
    queue = Queue(1)
    queue.add("a1", "a")
    queue.add("b1", "b")
    assert queue.remove("a1") and not queue.remove("a1")
    assert queue.next() == "b1"


def test_a_person_has_a_bounded_number_of_waiting_runs() -> None:
    queue = Queue(1)
    for number in range(WAITING_EACH):
        queue.check("a")
        queue.add(str(number), "a")
    with pytest.raises(Refusal, match="8 runs waiting"):
        queue.check("a")
    queue.check("b")
