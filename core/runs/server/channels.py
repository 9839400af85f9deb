"""A run that somebody watches: its log is read once, each newest figure made once, and sent to all watchers.

Watchers who have seen the same events and the same panels get the same message but for its number, so its parts are
serialised once. Curves and marks accumulate; of snapshots only the newest is drawn, and how many were left out is
counted.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from orjson import Fragment

from core import registry
from core.events import ENDED, Event, Status
from core.experiment import Probe
from core.runs.server.figure_cache import FigureCache, FigureRenderer, unreadable_figure
from core.runs.server.fold import Fold, run_status
from core.runs.server.messages import Hello, Refused, RunDescription, SentenceJson, Update, dumps, encode, shared
from core.runs.store.library import RunView
from core.runs.store.log import Head, LogReader
from core.words import N_, Refusal, Sentence, sentence_json

#: Seconds between two updates of a watcher, between two reads of a log that moves and of one that does not.
UPDATE_S, READ_S, IDLE_READ_S = 0.12, 0.06, 0.25

#: Seconds between two reads of a run that is about to begin, and for how long.
STARTING_READ_S, STARTING_S = 0.02, 5.0

#: Updates that may be on their way to a watcher or wait to be drawn.
MAX_UNDRAWN = 2

#: Records folded at one go, so that a long log does not hold up everybody else.
BATCH = 500

#: Seconds between two changes of the panels in sight in a run's control file, and for which a page that polls counts.
IN_SIGHT_S, POLLED_S = 0.3, 3.0


class Runs(Protocol):
    """What a channel needs of the library."""

    def view(self, run: str, /) -> RunView: ...

    def reader(self, run: str, /) -> LogReader: ...


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Put into a watcher's outbox to end its connection."""

    code: int
    reason: str = ""


@dataclass(eq=False)
class Watcher:
    """Somebody who watches a run.

    Attributes:
        since: sequence number up to which everything was sent; -1 where all has to be sent anew.
        panels: snapshot panels in sight.
        sent: sequence number of the snapshot last sent of each panel.
        n, drawn: numbers of the last update sent and of the last one drawn.
        stage: name that the browser gave its stage, by which a page can address it.
        outbox: messages for the socket to send.
    """

    run: str
    owner: str
    mine: bool = False
    since: int = 0
    panels: tuple[str, ...] = ()
    sent: dict[str, int] = field(default_factory=dict)
    n: int = 0
    drawn: int = 0
    due: float = 0.0
    status: bytes = b""
    stage: str = ""
    outbox: asyncio.Queue[str | CloseConnection] = field(default_factory=lambda: asyncio.Queue(16))


class RunChannel:
    """One watched run. Used from the event loop alone, or from one thread where there is none."""

    def __init__(self, runs: Runs, run: str, figure_cache: FigureCache) -> None:
        self._runs, self._run, self._cache = runs, run, figure_cache
        self.view = runs.view(run)
        self.info = self.view.info
        self.recorded = run.startswith("recorded-")
        self._experiment = registry.get(self.info.slug)
        self.fold = Fold(self._experiment.diagnoses)
        self.watchers: set[Watcher] = set()
        self.left = time.monotonic()  # when the last watcher left
        self._opened = time.monotonic()
        self._reader: LogReader | None = None
        self._renderer: FigureRenderer | None = None
        self._head = Head()
        self._viewed = self._moved = self._thinned = 0.0
        self._unchecked_frames = 0
        self._complete = False
        self._next_update = 0.0
        self._state = ""
        self._status = b""  # JSON
        self._full_state: tuple[int, dict[str, Fragment]] = (-1, {})
        self._updates: dict[tuple[Any, ...], Update] = {}
        self._in_sight: tuple[str, ...] | None = None  # as it was last reported
        self._in_sight_due = self._opened + IN_SIGHT_S
        self._polled: dict[tuple[str, ...], float] = {}

    # Reading

    def read(self) -> bool:
        """Fold a batch of what is new; whether there may be more."""
        now = time.monotonic()
        more = False
        if self._reader is None:
            try:
                self._reader = self._runs.reader(self._run)
            except (OSError, sqlite3.Error):
                self._reader = None  # not yet begun
            else:
                self._renderer = FigureRenderer(self._experiment, self.info.config, self._reader, self.fold)
        if self._reader is not None and not self._complete:
            head = self._reader.head()  # before the tail, which then holds all that the head counts
            records = self._reader.tail(self.fold.seq, BATCH)
            more = len(records) == BATCH
            self._complete = self.recorded and not more
            self._unchecked_frames += self.fold.add(records)
            if records and self._unchecked_frames:
                self._remove_thinned(now, changed=any(isinstance(record.event, Status) for record in records))
            if records or head.time != self._head.time:
                self._head, self._moved = head, now
                self._updates.clear()
        return self._read_status(now) or more

    def _remove_thinned(self, now: float, changed: bool) -> None:
        """At times, and when a run ends or pauses; together with new records, so that one message has both."""
        if self._reader is not None and (changed or now - self._thinned > 2):
            self._thinned, self._unchecked_frames = now, 0
            frames = self._reader.frames()
            if frames is None:
                self._unchecked_frames = 1  # they could not be read: the next time, then
            else:
                self.fold.remove_thinned(frames)

    def _read_status(self, now: float) -> bool:
        """Ask the library at times: it alone knows of queues, dead workers, checkpoints and changed stop conditions.
        Whether the log is another one now, of which nothing was read yet."""
        replaced = False
        if now - self._viewed > (2.0 if now - self._moved < 0.5 else 0.5) and not (self.recorded and self._viewed):
            self.view, self._viewed = self._runs.view(self._run), now
            if self._reader is not None and self._reader.replaced():
                replaced = True
                self._start_over(self._reader)
        library, log = self.view.head, self._head
        head = library if self._reader is None else log
        if self._viewed >= self._moved:  # nothing was logged since the library was read
            head = replace(head, state=library.state, steps_per_s=library.steps_per_s)
        sentence = (self.view.sentence if head.state == library.state else None) or self.fold.sentence
        if sentence is None and self._reader is not None and self._reader.cut and head.state in ENDED:
            sentence = Sentence(N_("The log of this run is damaged; what can be read of it is shown."))
        view = self.view
        status = run_status(
            head,
            view.stop,
            sentence,
            place=view.place,
            resumable=view.resumable and head.state in ENDED,
            speed=view.speed,
            checkpoints=view.checkpoints if self._experiment.probes else (),
        )
        self._state = status.state
        if (text := dumps(status)) != self._status:
            self._status = text
            self._updates.clear()
        return replaced

    def _start_over(self, reader: LogReader) -> None:
        """The log was mended: what was read of the damaged one may not be in the one that is there now, which the next
        read opens. Everybody is sent all of it."""
        reader.close()
        self._reader = self._renderer = None
        self.fold = Fold(self._experiment.diagnoses)
        self._unchecked_frames, self._full_state = 0, (-1, {})
        self._updates.clear()
        self._cache.forget(self._run)
        for watcher in self.watchers:
            watcher.since, watcher.sent = -1, {}

    def read_delay(self) -> float:
        """Seconds until the next read."""
        now = time.monotonic()
        if self._head.step == 0 and now - self._opened < STARTING_S and not self.recorded:
            return STARTING_READ_S
        if now - self._moved > 5:
            return IDLE_READ_S
        # What comes before anybody's next update need not be read yet.
        return max(READ_S, min((watcher.due for watcher in self.watchers), default=0.0) - now)

    # Sending

    async def send_updates(self) -> None:
        """Send each watcher whose update is due what came since its last."""
        now = time.monotonic()
        due = [watcher for watcher in self.watchers if self._due(watcher, now)]
        if not due:
            return
        await self.render(panel for watcher in due for panel in watcher.panels)
        now = time.monotonic()
        if now >= self._next_update - 0.01:
            self._next_update = max(self._next_update, now) + UPDATE_S
        for watcher in due:
            if watcher in self.watchers and self._due(watcher, now):  # still: another task may have sent it meanwhile
                # All at the same times, so that they have the same events and share their messages.
                soon = self._next_update - now <= UPDATE_S / 2
                watcher.due = self._next_update + UPDATE_S if soon else self._next_update
                watcher.outbox.put_nowait(self.update(watcher))

    def _due(self, watcher: Watcher, now: float) -> bool:
        if now < watcher.due - 0.01 or watcher.n - watcher.drawn >= MAX_UNDRAWN or watcher.outbox.qsize() > MAX_UNDRAWN:
            return False
        if watcher.since < self.fold.seq or watcher.status != self._status:
            return True
        return bool(self._unsent(watcher))

    async def render(self, panels: Iterable[str], step: int | None = None) -> None:
        """Make the figures of these panels that are not in the cache; other tasks may run after each."""
        for panel in dict.fromkeys(panels):
            found = self._newest(panel, step)
            if found and not self._cache.has(self._run, panel, found[0]):
                self._figure(panel, *found)
                await asyncio.sleep(0)

    def _newest(self, panel: str, step: int | None = None) -> tuple[int, int] | None:
        """(sequence number, step) of the newest snapshot of a panel that a figure can be made of."""
        return None if self._renderer is None else self.fold.newest(panel, step)

    def _figure(self, panel: str, seq: int, step: int) -> bytes:
        renderer = self._renderer
        assert renderer is not None, "see _newest"
        return self._cache.get(self._run, panel, seq, lambda: renderer.render(panel, seq, step))

    def figures(self, panels: Sequence[str], step: int | None = None) -> tuple[dict[str, Fragment], int]:
        """The figures of the newest snapshots (until ``step``) by panel, and the newest step among them."""
        found = {panel: newest for panel in panels if (newest := self._newest(panel, step))}
        figures = {panel: Fragment(self._figure(panel, *newest)) for panel, newest in found.items()}
        return figures, max((at for _, at in found.values()), default=0)

    def _unsent(self, watcher: Watcher) -> tuple[tuple[str, int], ...]:
        """(panel, sequence number) of the snapshots in a watcher's sight that it was not sent."""
        return tuple(
            (panel, found[0])
            for panel in watcher.panels
            if (found := self._newest(panel)) and found[0] != watcher.sent.get(panel)
        )

    def update(self, watcher: Watcher) -> str:
        """The next update of a watcher, who is taken to have it from now on; a hello where that would not do."""
        if watcher.since < self.fold.oldest_since:
            watcher.drawn = watcher.n
            return self.hello(watcher)
        unsent = self._unsent(watcher)
        counts = [self.fold.count_since(panel, watcher.sent[panel]) for panel, _ in unsent if panel in watcher.sent]
        skipped = max([0, *(count - 1 for count in counts)])
        key = (watcher.since, unsent, skipped)
        if key not in self._updates:
            update = Update(
                n=0,
                seq=self.fold.seq,
                status=Fragment(self._status),
                panels=self.figures([panel for panel, _ in unsent])[0],
                skipped=skipped,
                **self.fold.delta(watcher.since),
            )
            self._updates[key] = shared(update)
        watcher.n += 1
        watcher.since, watcher.status = self.fold.seq, self._status
        watcher.sent.update(unsent)
        return encode(self._updates[key].model_copy(update={"n": watcher.n}))

    def hello(self, watcher: Watcher) -> str:
        """The first message of a connection: everything, or for one who comes back what was missed."""
        content: Mapping[str, Any]
        whole = not max(self.fold.oldest_since, 1) <= watcher.since <= self.fold.seq
        if not whole:
            content = self.fold.delta(watcher.since)
        else:
            if self._full_state[0] != self.fold.seq:
                parts = {name: Fragment(dumps(part)) for name, part in self.fold.full_state().items()}
                self._full_state = (self.fold.seq, parts)
            content = self._full_state[1]
        info = self.info
        description = RunDescription(
            id=info.id,
            slug=info.slug,
            config=info.config,
            stop=info.stop,
            preset=info.preset,
            device=info.device,
            created=info.created,
        )
        watcher.since, watcher.status = self.fold.seq, self._status
        watcher.sent = {panel: found[0] for panel in watcher.panels if (found := self._newest(panel))}
        hello = Hello(
            seq=self.fold.seq,
            mine=watcher.mine,
            recorded=self.recorded,
            whole=whole,
            run=description,
            status=Fragment(self._status),
            panels=self.figures(watcher.panels)[0],
            **content,
        )
        return encode(hello)

    def probe_figure(self, probe: Probe, event: Event, step: int) -> bytes:
        """The figure of what a state of this run, saved at ``step``, answered to a probe's request."""
        if self._renderer is None:
            return unreadable_figure()
        return self._renderer.render_event(probe.name, probe.view, event, step)

    def static_arrays(self, panel: str) -> bytes:
        """The arrays of a panel's snapshot at step 0, which figures name by :func:`core.figures.static_array`, as JSON.

        Raises:
            KeyError: there is none.
        """
        if self._renderer is None:
            raise KeyError(panel)
        return self._renderer.static_arrays(panel)

    # Panels in sight

    def set_panels(self, watcher: Watcher, panels: Sequence[str]) -> None:
        """These panels are now in sight; one that comes into sight is sent anew, as the browser may not have it."""
        drawn = {panel.name for panel in self._experiment.panels if panel.view}
        known = [panel for panel in dict.fromkeys(panels) if panel in drawn]
        for panel in known:
            if panel not in watcher.panels:
                watcher.sent.pop(panel, None)
        watcher.panels = tuple(known)

    def polled(self, panels: Sequence[str]) -> None:
        """A page without a socket has these panels in sight, and polls again in a moment."""
        self._polled[tuple(panels)] = time.monotonic()

    def changed_in_sight(self) -> tuple[str, ...] | None:
        """The panels that anybody has in sight, where they have changed and the run goes on; ``None`` where they have
        not, or did so a moment ago."""
        now = time.monotonic()
        if now < self._in_sight_due or self.recorded or self._state in ENDED:
            return None
        self._polled = {panels: then for panels, then in self._polled.items() if now - then < POLLED_S}
        names = {panel for watcher in self.watchers for panel in watcher.panels}.union(*self._polled)
        in_sight = tuple(panel.name for panel in self._experiment.panels if panel.name in names)
        if in_sight == self._in_sight:
            return None
        self._in_sight, self._in_sight_due = in_sight, now + IN_SIGHT_S
        return in_sight

    # The end

    def send_refusal(self, refusal: Refusal) -> None:
        """The run is gone: send everybody the reason, and close their connections."""
        for watcher in self.watchers:
            for message in (refused(refusal), CloseConnection(4404)):
                if not watcher.outbox.full():
                    watcher.outbox.put_nowait(message)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


def refused(refusal: Refusal) -> str:
    """The message that a request is not met."""
    return encode(Refused(sentence=SentenceJson(**sentence_json(refusal.sentence))))
