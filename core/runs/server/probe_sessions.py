"""Sessions of probes, in the server: who plays with what, what was asked, and what goes back to the browser.

A request is checked here, so that the process never sees a wrong one. Each event it answers with is drawn by the
probe's view, like a panel's, and goes out by the watcher's own outbox; one that was overtaken before it could go is
left out. Nothing is logged: what a person tries out with a model is nobody's business, and a run stays what it was.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from core import settings
from core.events import Event
from core.experiment import Probe
from core.runs.server.channel import UNDRAWN, Watcher
from core.runs.server.figure_cache import serialised
from core.runs.server.fold import told
from core.runs.server.launchers import Line
from core.runs.worker.probe_worker import answers
from core.words import N_, Refusal, Sentence

_log = logging.getLogger(__name__)

#: Sessions at once in one server, and seconds of silence after which one ends.
MOST, SILENCE_S = 8, 60.0

#: Makes the figure of an event: the probe, the event, the step of the checkpoint.
Draw = Callable[[Probe, Event, int], str]


class Sessions:
    """All sessions of this server, one a watcher at the most."""

    def __init__(self, most: int = MOST, silence_s: float = SILENCE_S) -> None:
        self.most, self.silence_s = most, silence_s
        self._open: dict[Watcher, Session] = {}

    def open(self, watcher: Watcher, probe: Probe, n: int, begin: Callable[[], Line], draw: Draw) -> None:
        """Begin a session, in place of the one that this watcher may have.

        Args:
            n: the browser's number for it; what was said before is not meant for it.
            begin: starts the process.

        Raises:
            Refusal: all places are taken, or as ``begin`` does.
        """
        self.check(watcher)
        self.close(watcher)
        self._open[watcher] = Session(watcher, probe, n, begin(), draw, self.silence_s, self._forget)

    def check(self, watcher: Watcher) -> None:
        """Refuse where there is no place for one more.

        Raises:
            Refusal: all places are taken.
        """
        if len(self._open.keys() - {watcher}) >= self.most:
            raise Refusal("probe", N_("All {count} places to play are taken; try again in a minute."), count=self.most)

    def ask(self, watcher: Watcher, n: int, fields: Mapping[str, Any]) -> None:
        """Put a request to the watcher's session; one that comes after its end is nobody's.

        Raises:
            Refusal: the request is not one that this probe allows.
        """
        session = self._open.get(watcher)
        if session is not None:
            session.ask(n, fields)

    def close(self, watcher: Watcher) -> None:
        """End the watcher's session, where there is one."""
        session = self._open.pop(watcher, None)
        if session is not None:
            session.close()

    def close_all(self) -> None:
        for watcher in list(self._open):
            self.close(watcher)

    def _forget(self, session: "Session") -> None:
        if self._open.get(session.watcher) is session:
            del self._open[session.watcher]


class Session:
    """One session: a process on its line, and a task that draws what comes. Used from the event loop."""

    def __init__(
        self,
        watcher: Watcher,
        probe: Probe,
        n: int,
        line: Line,
        draw: Draw,
        silence_s: float,
        gone: Callable[["Session"], None],
    ) -> None:
        self.watcher, self._probe, self._first, self._line, self._draw = watcher, probe, n, line, draw
        self._silence_s, self._gone = silence_s, gone
        self._loop = asyncio.get_running_loop()
        self._step = 0
        self._latest: tuple[int, Event] | None = None
        self._sentence: dict[str, Any] | None = None  # why it is over
        self._news = asyncio.Event()
        self._silence = self._loop.call_later(silence_s, self._silent)
        self._task = asyncio.create_task(self._tell(), name=f"probe {probe.name} of {watcher.run}")
        threading.Thread(target=self._listen, name="probe", daemon=True).start()

    def ask(self, n: int, fields: Mapping[str, Any]) -> None:
        request = settings.check(self._probe.request, fields)
        self._silence.cancel()
        self._silence = self._loop.call_later(self._silence_s, self._silent)
        asked = {"n": n, "request": request.model_dump(mode="json")}
        try:
            self._line.say(serialised(asked).encode() + b"\n")
        except OSError:
            self._end(told(Sentence(N_("The model does not answer any more. Start again."))))

    def close(self) -> None:
        """Nobody listens any more."""
        self._silence.cancel()
        self._task.cancel()
        self._line.hang_up()

    def _listen(self) -> None:
        """In a thread of its own, until the process ends."""
        with suppress(OSError, ValueError):
            for said, event in answers(self._line.back):
                with suppress(RuntimeError):  # the server has ended
                    self._loop.call_soon_threadsafe(self._heard, said, event)
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, told(Sentence(N_("The model's process is gone. Start again."))))
        self._line.finish()

    def _heard(self, said: Mapping[str, Any], event: Event | None) -> None:
        if event is not None:
            self._latest = (said["n"], event)
            self._news.set()
        elif "ready" in said:
            self._step = said["ready"]
        elif "over" in said:
            self._end(told(Sentence(N_("This session is over. Start again."))))
        elif "failed" in said:
            if said["traceback"]:
                about = (self._probe.name, self.watcher.run, said["traceback"])
                _log.error("the probe %r of run %s failed:\n%s", *about)
            self._end(said["failed"])

    def _silent(self) -> None:
        self._end(told(Sentence(N_("Nothing was asked for a while, so the session was closed. Start again."))))

    def _end(self, sentence: dict[str, Any] | None) -> None:
        """It is over; the first to say so says why."""
        if self._sentence is None:
            self._sentence = sentence
            self._silence.cancel()
            self._line.hang_up()
            self._gone(self)
            self._news.set()

    async def _tell(self) -> None:
        """Draw and send the newest event, and at last why there will be no other."""
        outbox = self.watcher.outbox
        while True:
            await self._news.wait()
            self._news.clear()
            while outbox.qsize() > UNDRAWN:
                await asyncio.sleep(0.02)
            latest, self._latest = self._latest, None
            if latest is not None:
                n, event = latest
                panels = f"{{{serialised(self._probe.name)}:{self._draw(self._probe, event, self._step)}}}"
                await outbox.put(f'{{"type":"answer","n":{n},"step":{self._step},"panels":{panels}}}')
            if self._sentence is not None:
                await outbox.put(no(self._sentence, self._first, over=True))
                return


def no(sentence: dict[str, Any] | None, n: int, *, over: bool) -> str:
    """The message that refuses what had this number; ``over``: and the session has ended, or did not begin."""
    return serialised({"type": "refused", "n": n, "over": over, "sentence": sentence})
