"""Who runs next: a number of slots, and one waiting run of each person in turn."""

from collections import deque

from core.words import N_, Refusal

#: Waiting runs that one person may have.
WAITING_EACH = 8


class Queue:
    """Runs that wait for a slot. Not thread-safe: the engine holds its lock around each call.

    Args:
        slots: runs at once.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.running: set[str] = set()
        self._waiting: dict[str, deque[str]] = {}  # by owner, in the order of their starts

    def check(self, owner: str) -> None:
        """See whether this person may have one more waiting run.

        Raises:
            Refusal: too many wait already.
        """
        count = len(self._waiting.get(owner, ()))
        if count >= WAITING_EACH:
            raise Refusal("", N_("You have {count} runs waiting. Stop one of them first."), count=count)

    def add(self, run: str, owner: str) -> None:
        """Let a run wait for a slot."""
        self._waiting.setdefault(owner, deque()).append(run)

    def next(self) -> str | None:
        """Take the next run into a free slot; ``None`` where nobody waits or no slot is free."""
        if len(self.running) >= self.slots or not self._waiting:
            return None
        owner = next(iter(self._waiting))
        line = self._waiting.pop(owner)
        run = line.popleft()
        if line:
            self._waiting[owner] = line  # behind everybody else
        self.running.add(run)
        return run

    def remove(self, run: str) -> bool:
        """Take a run out of the queue; whether it was in there."""
        for owner, line in self._waiting.items():
            if run in line:
                line.remove(run)
                if not line:
                    del self._waiting[owner]
                return True
        return False

    def order(self) -> list[str]:
        """The waiting runs in the order in which they will start."""
        lines = [list(line) for line in self._waiting.values()]
        longest = max(map(len, lines), default=0)
        return [line[turn] for turn in range(longest) for line in lines if turn < len(line)]

    def place(self, run: str) -> int:
        """How many starts it takes until this one, 1 for the next; 0 where it does not wait."""
        order = self.order()
        return order.index(run) + 1 if run in order else 0
