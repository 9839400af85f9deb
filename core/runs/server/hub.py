"""The hub, in the server: one task for each run that somebody watches, whatever the number of those who do.

It reads nothing but the logs, and of the watchers a run's worker learns only which panels are in sight. Channels are
kept for a moment after the last watcher left, so that a reload, or a page that polls because its socket was refused,
finds all in place.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any, Protocol, TypeVar

import orjson

from core.runs.server.channels import CloseConnection, RunChannel, Runs, Watcher
from core.runs.server.figure_cache import FigureCache
from core.runs.server.messages import FrameAt, Moved, encode
from core.runs.server.probe_sessions import ProbeSessions
from core.runs.worker import probe_worker
from core.words import N_, Refusal

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: Seconds for which a run's channel is kept after the last watcher left.
LINGER_S = 10.0


class Commands(Protocol):
    """What the hub needs of the engine."""

    @property
    def library(self) -> Any: ...

    def view(self, run: str, /) -> Any: ...

    def command(self, run: str, owner: str, do: str, value: Any = None, /) -> Any: ...

    def save(self, run: str, /) -> None: ...

    def probe(self, run: str, name: str, step: int | None, /) -> Any: ...

    def set_in_sight(self, run: str, panels: tuple[str, ...], /) -> None: ...


class _Runs:
    """The library, but for the view, which the engine has: it alone knows the queue."""

    def __init__(self, engine: Commands) -> None:
        self.view, self.reader = engine.view, engine.library.reader


class Hub:
    """Channels of the runs that are watched.

    Args:
        engine: makes or finds the engine; called when the first run is watched.
    """

    def __init__(self, engine: Callable[[], Commands]) -> None:
        self._engine = engine
        self._channels: dict[str, RunChannel] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._figure_cache = FigureCache()
        self.probe_sessions = ProbeSessions()
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the server runs: threads may call, and at the end all connections are closed."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = None
            self.probe_sessions.close_all()
            for task in list(self._tasks.values()):
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # For sockets, from the event loop

    async def watch(self, run: str, since: int, owner: str, stage: str = "") -> Watcher:
        """Begin to watch; the hello is in the watcher's outbox.

        Raises:
            Refusal: there is no such run.
        """
        channel = await self._channel(run)
        watcher = Watcher(run, owner, self._owns(run, owner), since=max(since, 0), stage=stage)
        watcher.outbox.put_nowait(channel.hello(watcher))
        channel.watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self.probe_sessions.close(watcher)
        channel = self._channels.get(watcher.run)
        if channel is not None:
            channel.watchers.discard(watcher)
            channel.left = time.monotonic()

    async def set_panels(self, watcher: Watcher, panels: Sequence[str]) -> None:
        """These panels are in sight; an update with them is sent at once where one is due."""
        channel = self._channels.get(watcher.run)
        if channel is not None:
            channel.set_panels(watcher, panels)
            await channel.send_updates()

    async def frame(self, watcher: Watcher, step: int, n: int) -> str:
        """The message with the panels in sight as they were at ``step``."""
        channel = await self._channel(watcher.run)
        return await self._frame(channel, watcher.panels, step, n)

    async def static_arrays(self, run: str, panel: str) -> bytes:
        """The arrays of a panel's first snapshot, which the figures of a run may name instead of holding them.

        Raises:
            Refusal: there is no such run.
            KeyError: there is no such snapshot.
        """
        return (await self._channel(run)).static_arrays(panel)

    async def command(self, watcher: Watcher, do: str, value: Any) -> None:
        """Pass a command of the owner's on to a run.

        Raises:
            Refusal: it is another's, or cannot be done.
        """
        if not self._owns(watcher.run, watcher.owner):
            raise Refusal("run", N_("This run belongs to somebody else: you may watch it."))
        await asyncio.to_thread(self._engine().command, watcher.run, watcher.owner, do, value)

    async def open_probe(self, watcher: Watcher, name: str, step: int | None, n: int) -> None:
        """Begin to probe a state of the run, its present one or that of an earlier step: for whoever owns it, and
        anybody where it is recorded.

        Raises:
            Refusal: it is another's, there is no such probe or no such state, or there are too many sessions.
        """
        run = watcher.run
        channel = await self._channel(run)
        if not channel.recorded and not self._owns(run, watcher.owner):
            raise Refusal("run", N_("This run belongs to somebody else: you may watch it."))
        probe = probe_worker.named(channel.info.slug, name, channel.info.config)
        if step is None and not channel.recorded:
            self.probe_sessions.check(watcher)
            with suppress(Refusal):  # on a full disk an older state has to do
                await asyncio.to_thread(self._engine().save, run)
            if watcher not in channel.watchers:
                return  # gone meanwhile
        self.probe_sessions.open(watcher, probe, n, lambda: self._engine().probe(run, name, step), channel.probe_figure)

    # For pages, from any thread

    def move(self, stage: str, owner: str, run: str) -> None:
        """Send a person's stage to another run at once, long before the page is drawn anew."""
        if self._loop is not None and stage and owner:
            asyncio.run_coroutine_threadsafe(self._move(stage, owner, run), self._loop)

    async def _move(self, stage: str, owner: str, run: str) -> None:
        everybody = [watcher for channel in self._channels.values() for watcher in channel.watchers]
        watchers = [watcher for watcher in everybody if (watcher.stage, watcher.owner) == (stage, owner)]
        channel = await self._channel(run)
        for watcher in watchers:
            if watcher.outbox.qsize() > watcher.outbox.maxsize - 2:
                continue  # it does not read; the page will move it
            self.leave(watcher)
            watcher.run, watcher.mine = run, self._owns(run, owner)
            watcher.since, watcher.drawn, watcher.sent = 0, watcher.n, {}
            watcher.outbox.put_nowait(encode(Moved(run=run)))
            watcher.outbox.put_nowait(channel.hello(watcher))
            channel.watchers.add(watcher)

    # For pages whose socket was refused, from any thread

    def batch(self, run: str, since: int, panels: Sequence[str], owner: str) -> dict[str, Any]:
        """The hello (``since`` 0) or the update of a page that polls.

        Raises:
            Refusal: there is no such run.
        """
        return self._call(self._batch(run, since, panels, owner))

    def frame_at(self, run: str, step: int, panels: Sequence[str]) -> dict[str, Any]:
        """The message with these panels as they were at ``step``, for such a page.

        Raises:
            Refusal: there is no such run.
        """
        return self._call(self._frame_at(run, step, panels))

    def _call(self, call: Coroutine[Any, Any, _T]) -> _T:
        """What a call on the event loop returns, for another thread."""
        if self._loop is None:
            try:
                return asyncio.run(call)
            finally:
                self._channels.clear()
                self._tasks.clear()
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(10)

    async def _batch(self, run: str, since: int, panels: Sequence[str], owner: str) -> dict[str, Any]:
        channel = await self._channel(run)
        watcher = Watcher(run, owner, self._owns(run, owner), since=max(since, 0))
        channel.set_panels(watcher, panels)
        channel.polled(watcher.panels)
        await channel.render(watcher.panels)
        known = 0 < watcher.since <= channel.fold.seq
        message: dict[str, Any] = orjson.loads(channel.update(watcher) if known else channel.hello(watcher))
        return message

    async def _frame_at(self, run: str, step: int, panels: Sequence[str]) -> dict[str, Any]:
        channel = await self._channel(run)
        watcher = Watcher(run, "")
        channel.set_panels(watcher, panels)
        message: dict[str, Any] = orjson.loads(await self._frame(channel, watcher.panels, step, 0))
        return message

    # Channels

    @staticmethod
    async def _frame(channel: RunChannel, panels: Sequence[str], step: int, n: int) -> str:
        await channel.render(panels, step)
        figures, at = channel.figures(panels, step)
        return encode(FrameAt(n=n, step=at, panels=figures))

    def _owns(self, run: str, owner: str) -> bool:
        return bool(owner) and bool(self._engine().library.owns(run, owner))

    async def _channel(self, run: str) -> RunChannel:
        """The run's channel, all of its log read."""
        channel = self._channels.get(run)
        if channel is None:
            runs: Runs = _Runs(self._engine())
            channel = self._channels[run] = RunChannel(runs, run, self._figure_cache)
            self._tasks[run] = asyncio.create_task(self._serve(run, channel), name=f"channel {run}")
        channel.left = time.monotonic()
        while channel.read():
            await asyncio.sleep(0)
        return channel

    async def _serve(self, run: str, channel: RunChannel) -> None:
        """Read and send until nobody has watched for a while."""
        try:
            while channel.watchers or time.monotonic() - channel.left < LINGER_S:
                try:
                    while channel.read():
                        await asyncio.sleep(0)
                    await channel.send_updates()
                    if (in_sight := channel.changed_in_sight()) is not None:
                        await asyncio.to_thread(self._engine().set_in_sight, run, in_sight)
                except Refusal as refusal:
                    channel.send_refusal(refusal)
                    return
                except Exception:
                    _log.exception("run %s could not be read", run)
                    await asyncio.sleep(1)
                await asyncio.sleep(channel.read_delay())
        finally:
            if self._channels.get(run) is channel:
                del self._channels[run], self._tasks[run]
            for watcher in channel.watchers:
                if not watcher.outbox.full():
                    watcher.outbox.put_nowait(CloseConnection(1012))
            channel.close()


def _engine() -> Commands:
    from core.runs.server.engine import engine

    return engine()


@cache
def hub() -> Hub:
    """The process's hub."""
    return Hub(_engine)
