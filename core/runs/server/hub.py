"""The hub, in the server: one task for each run that somebody watches, whatever the number of those who do.

It reads nothing but the logs, so a run does not know whether anybody looks. Rooms are kept for a moment after the last
watcher left, so that a reload, or a page that asks once a second because its socket was refused, finds all in place.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any, Protocol, TypeVar

from core.runs.server.channel import Goodbye, Room, Runs, Watcher
from core.runs.server.figure_cache import Pictures, serialised
from core.runs.server.probe_sessions import Sessions
from core.runs.worker import probe_worker
from core.words import N_, Refusal

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: Seconds for which a run's room is kept after the last watcher left.
LINGER = 10.0


class Commands(Protocol):
    """What the hub needs of the engine."""

    @property
    def library(self) -> Any: ...

    def view(self, run: str, /) -> Any: ...

    def command(self, run: str, owner: str, do: str, value: Any = None, /) -> Any: ...

    def save(self, run: str, /) -> None: ...

    def probe(self, run: str, name: str, step: int | None, /) -> Any: ...


class _Runs:
    """The library, but for the view, which the engine has: it alone knows the queue."""

    def __init__(self, engine: Commands) -> None:
        self.view, self.reader = engine.view, engine.library.reader


class Hub:
    """Rooms of the runs that are watched.

    Args:
        engine: makes or finds the engine; called when the first run is watched.
    """

    def __init__(self, engine: Callable[[], Commands]) -> None:
        self._engine = engine
        self._rooms: dict[str, Room] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pictures = Pictures()
        self.sessions = Sessions()
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the server runs: threads may ask, and at the end all connections are closed."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = None
            self.sessions.close_all()
            for task in list(self._tasks.values()):
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # For sockets, from the event loop

    async def watch(self, run: str, since: int, owner: str, stage: str = "") -> Watcher:
        """Begin to watch; the hello is in the watcher's outbox.

        Raises:
            Refusal: there is no such run.
        """
        room = await self._room(run)
        watcher = Watcher(run, owner, self._owns(run, owner), since=max(since, 0), stage=stage)
        watcher.outbox.put_nowait(room.hello(watcher))
        room.watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self.sessions.close(watcher)
        room = self._rooms.get(watcher.run)
        if room is not None:
            room.watchers.discard(watcher)
            room.left = time.monotonic()

    async def see(self, watcher: Watcher, panels: Sequence[str]) -> None:
        """These panels are in sight; the watcher is told at once where it may be."""
        room = self._rooms.get(watcher.run)
        if room is not None:
            room.see(watcher, panels)
            await room.tell()

    async def frame(self, watcher: Watcher, step: int, n: int) -> str:
        """The picture of the panels in sight at ``step``."""
        room = await self._room(watcher.run)
        await room.paint(watcher.panels, step)
        return self._told_frame(room, step, watcher.panels, n)

    async def fixed(self, run: str, panel: str) -> str:
        """What the figures of a run may name instead of telling it, from a panel's first snapshot.

        Raises:
            Refusal: there is no such run.
            KeyError: there is no such snapshot.
        """
        return (await self._room(run)).fixed(panel)

    async def command(self, watcher: Watcher, do: str, value: Any) -> None:
        """What the owner asks of a run.

        Raises:
            Refusal: it is another's, or cannot be done.
        """
        if not self._owns(watcher.run, watcher.owner):
            raise Refusal("run", N_("This run belongs to somebody else: you may watch it."))
        await asyncio.to_thread(self._engine().command, watcher.run, watcher.owner, do, value)

    async def probe(self, watcher: Watcher, name: str, step: int | None, n: int) -> None:
        """Let a person play with a state of the run, its present one or that of an earlier step: whoever owns it, and
        everybody with a recorded one.

        Raises:
            Refusal: it is another's, there is no such probe or no such state, or too many play.
        """
        run = watcher.run
        room = await self._room(run)
        if not room.recorded and not self._owns(run, watcher.owner):
            raise Refusal("run", N_("This run belongs to somebody else: you may watch it."))
        probe = probe_worker.named(room.info.slug, name, room.info.config)
        if step is None and not room.recorded:
            self.sessions.check(watcher)
            with suppress(Refusal):  # on a full disk one plays with what was saved before
                await asyncio.to_thread(self._engine().save, run)
            if watcher not in room.watchers:
                return  # gone meanwhile
        self.sessions.open(watcher, probe, n, lambda: self._engine().probe(run, name, step), room.answer)

    # For pages, from any thread

    def move(self, stage: str, owner: str, run: str) -> None:
        """Send a person's stage to another run at once, long before the page that asks is drawn anew."""
        if self._loop is not None and stage and owner:
            asyncio.run_coroutine_threadsafe(self._move(stage, owner, run), self._loop)

    async def _move(self, stage: str, owner: str, run: str) -> None:
        watchers = [w for room in self._rooms.values() for w in room.watchers if (w.stage, w.owner) == (stage, owner)]
        room = await self._room(run)
        for watcher in watchers:
            if watcher.outbox.qsize() > watcher.outbox.maxsize - 2:
                continue  # it does not listen; the page will tell it
            self.leave(watcher)
            watcher.run, watcher.mine = run, self._owns(run, owner)
            watcher.since, watcher.drawn, watcher.shown = 0, watcher.n, {}
            watcher.outbox.put_nowait(serialised({"type": "moved", "run": run}))
            watcher.outbox.put_nowait(room.hello(watcher))
            room.watchers.add(watcher)

    # For pages whose socket was refused, from any thread

    def batch(self, run: str, since: int, panels: Sequence[str], owner: str) -> dict[str, Any]:
        """The hello (``since`` 0) or the update of a page that asks by itself.

        Raises:
            Refusal: there is no such run.
        """
        return self._ask(self._batch(run, since, panels, owner))

    def frame_at(self, run: str, step: int, panels: Sequence[str]) -> dict[str, Any]:
        """The picture of these panels at ``step``, for such a page.

        Raises:
            Refusal: there is no such run.
        """
        return self._ask(self._frame_at(run, step, panels))

    def _ask(self, question: Coroutine[Any, Any, _T]) -> _T:
        if self._loop is None:
            try:
                return asyncio.run(question)
            finally:
                self._rooms.clear()
                self._tasks.clear()
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(10)

    async def _batch(self, run: str, since: int, panels: Sequence[str], owner: str) -> dict[str, Any]:
        room = await self._room(run)
        watcher = Watcher(run, owner, self._owns(run, owner), since=max(since, 0))
        room.see(watcher, panels)
        await room.paint(watcher.panels)
        known = 0 < watcher.since <= room.fold.seq
        message: dict[str, Any] = json.loads(room.update(watcher) if known else room.hello(watcher))
        return message

    async def _frame_at(self, run: str, step: int, panels: Sequence[str]) -> dict[str, Any]:
        room = await self._room(run)
        watcher = Watcher(run, "")
        room.see(watcher, panels)
        await room.paint(watcher.panels, step)
        message: dict[str, Any] = json.loads(self._told_frame(room, step, watcher.panels, 0))
        return message

    # Rooms

    @staticmethod
    def _told_frame(room: Room, step: int, panels: Sequence[str], n: int) -> str:
        figures, at = room.figures(panels, step)
        return f'{{"type":"frame","n":{n},"step":{at},"panels":{figures}}}'

    def _owns(self, run: str, owner: str) -> bool:
        return bool(owner) and bool(self._engine().library.owns(run, owner))

    async def _room(self, run: str) -> Room:
        """The run's room, all of its log read."""
        room = self._rooms.get(run)
        if room is None:
            runs: Runs = _Runs(self._engine())
            room = self._rooms[run] = Room(runs, run, self._pictures)
            self._tasks[run] = asyncio.create_task(self._keep(run, room), name=f"room {run}")
        room.left = time.monotonic()
        while room.look():
            await asyncio.sleep(0)
        return room

    async def _keep(self, run: str, room: Room) -> None:
        """Look and tell until nobody has watched for a while."""
        try:
            while room.watchers or time.monotonic() - room.left < LINGER:
                try:
                    while room.look():
                        await asyncio.sleep(0)
                    await room.tell()
                except Refusal as refusal:
                    room.dismiss(refusal)
                    return
                except Exception:
                    _log.exception("run %s could not be looked at", run)
                    await asyncio.sleep(1)
                await asyncio.sleep(room.pace())
        finally:
            if self._rooms.get(run) is room:
                del self._rooms[run], self._tasks[run]
            for watcher in room.watchers:
                if not watcher.outbox.full():
                    watcher.outbox.put_nowait(Goodbye(1012))
            room.close()


def _engine() -> Commands:
    from core.runs.server.engine import engine

    return engine()


@cache
def hub() -> Hub:
    """The process's hub."""
    return Hub(_engine)
