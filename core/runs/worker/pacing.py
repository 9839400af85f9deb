"""How often a worker does what is not training, so that it stays a small part of the time.

Snapshots are taken at the first steps one by one, then by the clock; checkpoints by the clock. Either may use a fixed
share of the time, so what is costly comes seldom.
"""

from collections import deque
from time import perf_counter, thread_time

#: Steps after which snapshots are always taken: the beginning of the time line.
FIRST_STEPS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89)

#: Seconds that the snapshots of these steps may take in all.
FIRST_STEPS_S = 0.3

SNAPSHOT_SHARE, SNAPSHOT_SOONEST_S, SNAPSHOT_LATEST_S = 0.008, 0.2, 3.0
SAVE_SHARE, SAVE_SOONEST_S, SAVE_LATEST_S = 0.004, 2.0, 60.0

#: What is done next is paced by the quickest of so many: on a busy machine others are served in the midst of it.
RECENT = 4

#: Seconds of training before the first checkpoint of a worker: a run that is killed again and again still gets on.
FIRST_SAVE_S = 0.1


class TimeBudget:
    """When something is due next, by what it cost the last times.

    Args:
        share: part of the processor time it may take; on a crowded machine the clock runs on while nobody trains.
        soonest, latest: seconds between two at the least and at the most.
        first: seconds until the first. The next ones follow at twice the time, as long as that is under ``soonest``.
    """

    def __init__(self, share: float, soonest: float, latest: float, first: float = 0.0) -> None:
        self.share = share
        self.soonest = soonest
        self.latest = latest
        self.doubling = first > 0
        self._from = self._cpu_from = 0.0
        self.began = perf_counter()
        self.due = self.began + first
        self.latest_due = 0.0
        self.affordable = 0.0  # by the thread's own clock
        self._costs: deque[float] = deque(maxlen=RECENT)

    @property
    def cost(self) -> float:
        """Seconds that it took the last time."""
        return self._costs[-1] if self._costs else 0.0

    def ready(self, now: float) -> bool:
        """Whether it is due, and the training has gone on long enough to afford it."""
        if now < self.due:
            return False
        if thread_time() >= self.affordable or now >= self.latest_due:
            return True
        self.due = now + self.soonest / 10
        return False

    def begin(self) -> None:
        """It begins."""
        self._from, self._cpu_from = perf_counter(), thread_time()

    def done(self) -> None:
        """It is done."""
        now, cpu = perf_counter(), thread_time()
        self._costs.append(now - self._from)
        soonest = min(self.soonest, now - self.began) if self.doubling else self.soonest
        wait = max(min(self._costs) / self.share, soonest) - self.cost  # from beginning to beginning
        self.due = now + min(wait, self.latest)
        self.latest_due = now + self.latest
        self.affordable = cpu + (cpu - self._cpu_from) / self.share


class FirstSteps:
    """Whether a step is one of the first, at which snapshots are always taken, until that has taken its time."""

    def __init__(self) -> None:
        self._spent = 0.0

    def __call__(self, step: int) -> bool:
        return step <= FIRST_STEPS[-1] and step in FIRST_STEPS and self._spent < FIRST_STEPS_S

    def spend(self, step: int, seconds: float) -> None:
        """Count the snapshots of a step; those of step 0, which include what never changes, do not count."""
        if 0 < step <= FIRST_STEPS[-1]:
            self._spent += seconds


class StepRate:
    """Steps a second over the last second or so; over longer where none was made in it."""

    def __init__(self) -> None:
        self._points: list[tuple[float, int]] = []

    def __call__(self, step: int) -> float:
        now = perf_counter()
        self._points.append((now, step))
        while len(self._points) > 2 and self._points[1][0] < now - 1.0 and self._points[1][1] < step:
            self._points.pop(0)
        (then, before), span = self._points[0], now - self._points[0][0]
        return (step - before) / span if span > 0 and then < now else 0.0

    def reset(self) -> None:
        """Start over, when the training pauses or ends."""
        self._points.clear()
