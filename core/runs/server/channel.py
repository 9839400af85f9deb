"""A run that somebody watches: reads its log, folds the news, makes each newest figure once, tells all watchers.

A message is put together from pieces that watchers share: those who stand at the same sequence number and see the same
panels get the same text but for its number. Curves and marks accumulate; of snapshots only the newest is drawn, and how
many were left out is counted.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from core import registry
from core.events import ENDED, Event, Status
from core.experiment import Probe
from core.runs.server.figure_cache import Painter, Pictures, serialised
from core.runs.server.fold import Fold, status, told
from core.runs.store.library import RunView
from core.runs.store.log import Head, LogReader
from core.words import N_, Refusal, Sentence

#: Seconds between two updates of a watcher, between two looks at a log that moves and at one that does not.
UPDATE, LOOK, REST = 0.12, 0.06, 0.25

#: Seconds between two looks at a run that is about to begin, and for how long.
EAGER, EAGER_FOR = 0.02, 5.0

#: Updates that may be on their way to a watcher or wait to be drawn.
UNDRAWN = 2

#: Records folded at one go, so that a long log does not hold up everybody else.
STRETCH = 500


class Runs(Protocol):
    """What a room needs of the library."""

    def view(self, run: str, /) -> RunView: ...

    def reader(self, run: str, /) -> LogReader: ...


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Put into a watcher's outbox to end its connection."""

    code: int
    reason: str = ""


@dataclass(eq=False)
class Watcher:
    """Somebody who watches a run.

    Attributes:
        since: sequence number up to which everything was told.
        panels: snapshot panels in sight.
        shown: sequence number of the snapshot last told of each panel.
        n, drawn: numbers of the last update sent and of the last one drawn.
        stage: name that the browser gave its stage, by which a page can speak to it.
        outbox: what the socket has to send.
    """

    run: str
    owner: str
    mine: bool = False
    since: int = 0
    panels: tuple[str, ...] = ()
    shown: dict[str, int] = field(default_factory=dict)
    n: int = 0
    drawn: int = 0
    due: float = 0.0
    status: str = ""
    stage: str = ""
    outbox: asyncio.Queue[str | Goodbye] = field(default_factory=lambda: asyncio.Queue(16))


class Room:
    """One watched run. Used from the event loop alone, or from one thread where there is none."""

    def __init__(self, runs: Runs, run: str, pictures: Pictures) -> None:
        self._runs, self._run, self._pictures = runs, run, pictures
        self.view = runs.view(run)
        self.info = self.view.info
        self.recorded = run.startswith("recorded-")
        self._experiment = registry.get(self.info.slug)
        self.fold = Fold(self._experiment.diagnoses)
        self.watchers: set[Watcher] = set()
        self.left = time.monotonic()
        self._opened = time.monotonic()
        self._reader: LogReader | None = None
        self._painter: Painter | None = None
        self._head = Head()
        self._viewed = self._moved = self._thinned = 0.0
        self._unchecked = 0
        self._complete = False
        self._beat = 0.0
        self._status = ""
        self._whole: tuple[int, str] = (-1, "")
        self._bodies: dict[tuple[Any, ...], str] = {}

    # Reading

    def look(self) -> bool:
        """Fold a stretch of what is new; whether there may be more."""
        now = time.monotonic()
        more = False
        if self._reader is None:
            try:
                self._reader = self._runs.reader(self._run)
            except (OSError, sqlite3.Error):
                self._reader = None  # not yet begun
            else:
                self._painter = Painter(self._experiment, self.info.config, self._reader, self.fold)
        if self._reader is not None and not self._complete:
            head = self._reader.head()  # before the tail: what it tells of is then in the tail
            records = self._reader.tail(self.fold.seq, STRETCH)
            more = len(records) == STRETCH
            self._complete = self.recorded and not more
            self._unchecked += self.fold.take(records)
            if records and self._unchecked:
                turned = any(isinstance(record.event, Status) for record in records)
                self._forget_thinned(now, turned)
            if records or head.time != self._head.time:
                self._head, self._moved = head, now
                self._bodies.clear()
        self._stand(now)
        return more

    def _forget_thinned(self, now: float, turned: bool) -> None:
        """At times, and when a run ends or pauses; together with news, so that who is told these is told that too."""
        if self._reader is not None and (turned or now - self._thinned > 2):
            self._thinned, self._unchecked = now, 0
            self.fold.keep(self._reader.frames())

    def _stand(self, now: float) -> None:
        """Ask the library at times: it alone knows of queues, dead workers, checkpoints and changed stop conditions."""
        if now - self._viewed > (2.0 if now - self._moved < 0.5 else 0.5) and not (self.recorded and self._viewed):
            self.view, self._viewed = self._runs.view(self._run), now
            if self._reader is not None and self._reader.replaced():
                self._reader.close()
                self._reader = self._painter = None  # the next look opens the one that is there now
        library, log = self.view.head, self._head
        head = library if self._reader is None else log
        if self._viewed >= self._moved:  # nothing was logged since the library was asked
            head = replace(head, state=library.state, steps_per_s=library.steps_per_s)
        sentence = (self.view.sentence if head.state == library.state else None) or self.fold.sentence
        if sentence is None and self._reader is not None and self._reader.cut and head.state in ENDED:
            sentence = Sentence(N_("The log of this run is damaged; what can be read of it is shown."))
        resumable = self.view.resumable and head.state in ENDED
        view = self.view
        told_now = status(head, view.stop, sentence, place=view.place, resumable=resumable, speed=view.speed)
        if self._experiment.probes:
            told_now["checkpoints"] = view.checkpoints
        now_told = serialised(told_now)
        if now_told != self._status:
            self._status = now_told
            self._bodies.clear()

    def pace(self) -> float:
        """Seconds until the next look."""
        now = time.monotonic()
        if self._head.step == 0 and now - self._opened < EAGER_FOR and not self.recorded:
            return EAGER
        if now - self._moved > 5:
            return REST
        # What comes before anybody may be told again need not be read yet.
        return max(LOOK, min((watcher.due for watcher in self.watchers), default=0.0) - now)

    # Telling

    async def tell(self) -> None:
        """Send each watcher whose turn it is what it does not know yet."""
        now = time.monotonic()
        due = [watcher for watcher in self.watchers if self._due(watcher, now)]
        if not due:
            return
        await self.paint(panel for watcher in due for panel in watcher.panels)
        now = time.monotonic()
        if now >= self._beat - 0.01:
            self._beat = max(self._beat, now) + UPDATE
        for watcher in due:
            if watcher in self.watchers and self._due(watcher, now):  # still: another may have told it meanwhile
                # All on one beat, so that they stand at the same place and share their messages.
                watcher.due = self._beat if self._beat - now > UPDATE / 2 else self._beat + UPDATE
                watcher.outbox.put_nowait(self.update(watcher))

    def _due(self, watcher: Watcher, now: float) -> bool:
        if now < watcher.due - 0.01 or watcher.n - watcher.drawn >= UNDRAWN or watcher.outbox.qsize() > UNDRAWN:
            return False
        if watcher.since < self.fold.seq or watcher.status != self._status:
            return True
        return bool(self._fresh(watcher))

    async def paint(self, panels: Iterable[str], step: int | None = None) -> None:
        """Make the figures of these panels that are not at hand, with a breath for the others after each."""
        for panel in dict.fromkeys(panels):
            found = self.fold.newest(panel, step)
            if found and not self._pictures.has(self._run, panel, found[0]):
                self._figure(panel, *found)
                await asyncio.sleep(0)

    def _figure(self, panel: str, seq: int, step: int) -> str:
        painter = self._painter
        return (
            ""
            if painter is None
            else self._pictures.get(self._run, panel, seq, lambda: painter.paint(panel, seq, step))
        )

    def figures(self, panels: Sequence[str], step: int | None = None) -> tuple[str, int]:
        """``{panel: FIGURE}`` as JSON of the newest snapshots (until ``step``), and the newest step among them."""
        found = [(panel, place) for panel in panels if (place := self.fold.newest(panel, step))]
        text = ",".join(f"{serialised(panel)}:{self._figure(panel, *place)}" for panel, place in found)
        return f"{{{text}}}", max((place[1] for _, place in found), default=0)

    def _fresh(self, watcher: Watcher) -> tuple[tuple[str, int], ...]:
        """(panel, sequence number) of the snapshots that a watcher should see and was not told of."""
        return tuple(
            (panel, found[0])
            for panel in watcher.panels
            if (found := self.fold.newest(panel)) and found[0] != watcher.shown.get(panel)
        )

    def update(self, watcher: Watcher) -> str:
        """The next update of a watcher, who is taken to have it from now on."""
        fresh = self._fresh(watcher)
        came = [self.fold.came(panel, watcher.shown[panel]) for panel, _ in fresh if panel in watcher.shown]
        skipped = max([0, *(n - 1 for n in came)])
        key = (watcher.since, fresh, skipped)
        if key not in self._bodies:
            news = serialised(self.fold.news(watcher.since))[1:]
            panels, _ = self.figures([panel for panel, _ in fresh])
            self._bodies[key] = (
                f',"seq":{self.fold.seq},"status":{self._status},"panels":{panels},"skipped":{skipped},{news}'
            )
        watcher.n += 1
        watcher.since, watcher.status = self.fold.seq, self._status
        watcher.shown.update(fresh)
        return f'{{"type":"update","n":{watcher.n}{self._bodies[key]}'

    def hello(self, watcher: Watcher) -> str:
        """The first message of a connection: everything, or for one who comes back what was missed."""
        again = 0 < watcher.since <= self.fold.seq
        if again:
            known = serialised(self.fold.news(watcher.since))[1:]
        else:
            if self._whole[0] != self.fold.seq:
                self._whole = (self.fold.seq, serialised(self.fold.whole())[1:])
            known = self._whole[1]
        told_of = ("id", "slug", "config", "stop", "preset", "device", "created")
        run = {name: getattr(self.info, name) for name in told_of}
        panels, _ = self.figures(watcher.panels)
        watcher.since, watcher.status = self.fold.seq, self._status
        watcher.shown = {panel: found[0] for panel in watcher.panels if (found := self.fold.newest(panel))}
        return (
            f'{{"type":"hello","seq":{self.fold.seq},"mine":{serialised(watcher.mine)},'
            f'"recorded":{serialised(self.recorded)},"run":{serialised(run)},"status":{self._status},'
            f'"panels":{panels},{known}'
        )

    def answer(self, probe: Probe, event: Event, step: int) -> str:
        """The figure of what a state of this run, saved at ``step``, answered to somebody's question."""
        return "" if self._painter is None else self._painter.draw(probe.name, probe.view, event, step)

    def fixed(self, panel: str) -> str:
        """The arrays of a panel's snapshot at step 0, which figures may name (:func:`core.figures.static_array`).

        Raises:
            KeyError: there is none.
        """
        if self._painter is None:
            raise KeyError(panel)
        return self._painter.fixed(panel)

    def see(self, watcher: Watcher, panels: Sequence[str]) -> None:
        """These panels are now in sight; what comes into sight is told anew, as who did not see it may not have it."""
        drawn = {panel.name for panel in self._experiment.panels if panel.view}
        known = [panel for panel in dict.fromkeys(panels) if panel in drawn]
        for panel in known:
            if panel not in watcher.panels:
                watcher.shown.pop(panel, None)
        watcher.panels = tuple(known)

    def dismiss(self, refusal: Refusal) -> None:
        """The run is gone: tell everybody, and close."""
        for watcher in self.watchers:
            if not watcher.outbox.full():
                watcher.outbox.put_nowait(refused(refusal))
            if not watcher.outbox.full():
                watcher.outbox.put_nowait(Goodbye(4404))

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


def refused(refusal: Refusal) -> str:
    """The message that says no."""
    return serialised({"type": "refused", "sentence": told(refusal.sentence)})
