"""Which snapshots are taken now: the hero each time, the others in rotation, those that nobody has in sight seldom.

Each snapshot's cost is known from the last times it was taken. In one go come the hero and of the others the ones that
were longest not taken: at most half of them, as the browser draws each, too, and as many as cost no more than the hero.
What nobody has in sight is taken only as often as the time line keeps it: a log keeps some hundred frames of a panel
whatever the run's length, so ever less often.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from time import perf_counter

from core.events import Array, Snapshot
from core.experiment import State
from core.program import SnapshotFunction

#: Out of sight a panel is taken at most this often in seconds, and so many times in the run so far.
TIMELINE_S, TIMELINE_FRAMES = 0.5, 128


class SnapshotRotation:
    """Chooses and takes snapshots of one training.

    Args:
        functions: by panel name, the hero first.
    """

    def __init__(self, functions: Mapping[str, SnapshotFunction]) -> None:
        self._functions = functions
        self._taken: dict[str, float] = dict.fromkeys(functions, 0.0)  # when
        self._cost: dict[str, float] = dict.fromkeys(functions, 0.0)  # seconds, the last time
        self._began = perf_counter()

    def due(self, in_sight: Collection[str] | None) -> list[str]:
        """Names of the snapshots to take now, the hero first.

        Args:
            in_sight: panels that somebody sees; ``None`` where that is not known, which means all.
        """
        now = perf_counter()
        rare = max(TIMELINE_S, (now - self._began) / TIMELINE_FRAMES)
        waiting = [
            name for name, taken in self._taken.items() if in_sight is None or name in in_sight or now - taken >= rare
        ]
        hero = next(iter(self._functions), None)
        chosen = [name for name in waiting if name == hero]
        others = sorted((name for name in waiting if name != hero), key=lambda name: self._taken[name])
        spent, most = 0.0, self._cost[hero] if hero else 0.0
        for name in others[: -(-len(others) // 2)]:
            if spent and spent + self._cost[name] > most:
                break
            chosen.append(name)
            spent += self._cost[name]
        return chosen

    def take(self, state: State, names: Sequence[str] | None = None) -> Iterator[Snapshot]:
        """Take these snapshots, all where ``None``; what has nothing to draw is left out."""
        for name in self._functions if names is None else names:
            began = perf_counter()
            arrays: Mapping[str, Array] | None = self._functions[name](state)
            self._taken[name] = perf_counter()
            self._cost[name] = self._taken[name] - began
            if arrays is not None:
                yield Snapshot(state.step, name, arrays)
