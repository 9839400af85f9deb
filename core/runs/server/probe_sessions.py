"""Sessions of probes, in the server: who probes what, the requests to the model, and what goes back to the browser.

A request is checked here, so that the process never sees a wrong one. Each event it answers with is drawn by the
probe's view, like a panel's, and goes out by the watcher's own outbox; one that was overtaken before it could go is
left out. Nothing is logged: what a person tries out with a model is private, and a run stays what it was.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from orjson import Fragment

from core import settings
from core.events import Event
from core.experiment import Probe
from core.runs.server.channels import MAX_UNDRAWN, Watcher
from core.runs.server.launchers import ProbeConnection
from core.runs.server.messages import ProbeAnswer, Refused, SentenceJson, dumps, encode
from core.runs.worker.probe_worker import answers
from core.words import N_, Refusal, Sentence, sentence_json

_log = logging.getLogger(__name__)

#: Sessions at once in one server, and seconds without a request or an answer after which one ends.
MAX_SESSIONS, IDLE_S = 8, 60.0

#: Makes the figure of an event, as JSON: the probe, the event, the step of the checkpoint.
Render = Callable[[Probe, Event, int], bytes]


class ProbeSessions:
    """All sessions of this server, one a watcher at the most."""

    def __init__(self, max_sessions: int = MAX_SESSIONS, idle_s: float = IDLE_S) -> None:
        self.max_sessions, self.idle_s = max_sessions, idle_s
        self._open: dict[Watcher, ProbeSession] = {}

    def open(
        self, watcher: Watcher, probe: Probe, n: int, start: Callable[[], ProbeConnection], render: Render
    ) -> None:
        """Begin a session, in place of the one that this watcher may have.

        Args:
            n: the browser's number for it; messages with lower ones are not meant for it.
            start: starts the process.

        Raises:
            Refusal: all places are taken, or as ``start`` does.
        """
        self.check(watcher)
        self.close(watcher)
        self._open[watcher] = ProbeSession(watcher, probe, n, start(), render, self.idle_s, self._forget)

    def check(self, watcher: Watcher) -> None:
        """Refuse where there is no place for one more.

        Raises:
            Refusal: all places are taken.
        """
        if len(self._open.keys() - {watcher}) >= self.max_sessions:
            sentence = N_("All {count} places to play are taken; try again in a minute.")
            raise Refusal("probe", sentence, count=self.max_sessions)

    def request(self, watcher: Watcher, n: int, fields: Mapping[str, Any]) -> None:
        """Put a request to the watcher's session; one that comes after its end is dropped.

        Raises:
            Refusal: the request is not one that this probe allows.
        """
        session = self._open.get(watcher)
        if session is not None:
            session.request(n, fields)

    def close(self, watcher: Watcher) -> None:
        """End the watcher's session, where there is one."""
        session = self._open.pop(watcher, None)
        if session is not None:
            session.close()

    def close_all(self) -> None:
        for watcher in list(self._open):
            self.close(watcher)

    def _forget(self, session: "ProbeSession") -> None:
        if self._open.get(session.watcher) is session:
            del self._open[session.watcher]


class ProbeSession:
    """One session: a process and its connection, and a task that draws and sends what it answers. Used from the event
    loop."""

    def __init__(
        self,
        watcher: Watcher,
        probe: Probe,
        n: int,
        connection: ProbeConnection,
        render: Render,
        idle_s: float,
        ended: Callable[["ProbeSession"], None],
    ) -> None:
        self.watcher, self._probe, self._first, self._render = watcher, probe, n, render
        self._connection = connection
        self._idle_s, self._ended = idle_s, ended
        self._loop = asyncio.get_running_loop()
        self._step = 0
        self._latest: tuple[int, Event] | None = None
        self._reason: dict[str, Any] | None = None  # why it has ended: a sentence
        self._something_to_send = asyncio.Event()
        self._idle_timer = self._loop.call_later(idle_s, self._idle)
        self._task = asyncio.create_task(self._send(), name=f"probe {probe.name} of {watcher.run}")
        threading.Thread(target=self._receive, name="probe", daemon=True).start()

    def request(self, n: int, fields: Mapping[str, Any]) -> None:
        request = settings.check(self._probe.request, fields)
        self._stay()
        try:
            self._connection.send(dumps({"n": n, "request": request.model_dump(mode="json")}) + b"\n")
        except OSError:
            self._end(sentence_json(Sentence(N_("The model does not answer any more. Start again."))))

    def close(self) -> None:
        """The watcher wants no more of it."""
        self._idle_timer.cancel()
        self._task.cancel()
        self._connection.close()

    def _receive(self) -> None:
        """In a thread of its own, until the process ends."""
        with suppress(OSError, ValueError):
            for message, event in answers(self._connection.back):
                with suppress(RuntimeError):  # the server has ended
                    self._loop.call_soon_threadsafe(self._received, message, event)
        with suppress(RuntimeError):
            sentence = Sentence(N_("The model's process is gone. Start again."))
            self._loop.call_soon_threadsafe(self._end, sentence_json(sentence))
        self._connection.release()

    def _received(self, message: Mapping[str, Any], event: Event | None) -> None:
        if event is not None:
            self._stay()  # a picture that grows piece by piece is awaited, and then looked at
            self._latest = (message["n"], event)
            self._something_to_send.set()
        elif "ready" in message:
            self._step = message["ready"]
        elif "over" in message:
            self._end(sentence_json(Sentence(N_("This session is over. Start again."))))
        elif "failed" in message:
            if message["traceback"]:
                about = (self._probe.name, self.watcher.run, message["traceback"])
                _log.error("the probe %r of run %s failed:\n%s", *about)
            self._end(message["failed"])

    def _stay(self) -> None:
        """Count the idle time from now."""
        self._idle_timer.cancel()
        if self._reason is None and not self._task.cancelling():
            self._idle_timer = self._loop.call_later(self._idle_s, self._idle)

    def _idle(self) -> None:
        sentence = Sentence(N_("No request came for a while, so the session was closed. Start again."))
        self._end(sentence_json(sentence))

    def _end(self, reason: dict[str, Any]) -> None:
        """The session ends; of several reasons the first counts."""
        if self._reason is None:
            self._reason = reason
            self._idle_timer.cancel()
            self._connection.close()
            self._ended(self)
            self._something_to_send.set()

    async def _send(self) -> None:
        """Draw and send the newest event, and at last why there will be no other."""
        outbox = self.watcher.outbox
        while True:
            await self._something_to_send.wait()
            self._something_to_send.clear()
            while outbox.qsize() > MAX_UNDRAWN:
                await asyncio.sleep(0.02)
            latest, self._latest = self._latest, None
            if latest is not None:
                n, event = latest
                panels = {self._probe.name: Fragment(self._render(self._probe, event, self._step))}
                await outbox.put(encode(ProbeAnswer(n=n, step=self._step, panels=panels)))
            if self._reason is not None:
                await outbox.put(refused_probe(self._reason, self._first, over=True))
                return


def refused_probe(sentence: Mapping[str, Any], n: int, *, over: bool) -> str:
    """The message that refuses the request or session with this number; ``over``: the session has ended, or did not
    begin."""
    return encode(Refused(sentence=SentenceJson(**sentence), n=n, over=over))
