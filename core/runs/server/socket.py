"""The live socket of a run: checks origin and messages, and carries these between a browser and the hub.

A browser sends its cookies along with a socket that any page on the web may open, so a handshake counts only with an
``Origin`` of this very host. What else is wrong is answered by a sentence and disturbs nobody else.
"""

import asyncio
import logging
import os
from urllib.parse import urlsplit

from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.runs.server import messages
from core.runs.server.channels import CloseConnection, Watcher, refused
from core.runs.server.hub import Hub
from core.runs.server.message_limit import MessageLimit
from core.runs.server.probe_sessions import refused_probe
from core.words import N_, Refusal, sentence_json

_log = logging.getLogger(__name__)

#: The cookie with the token of a run's owner.
COOKIE = "tenfold"

#: Characters of a message, among which a drawn picture has to find room; and bytes, above which the protocol ends the
#: connection before it has read the message.
MAX_MESSAGE_CHARACTERS, MAX_MESSAGE_BYTES = 8192, 65_536


def same_origin(headers: Headers) -> bool:
    """Whether the page is of this very host, or of one listed in ``TENFOLD_ORIGINS``."""
    origin = urlsplit(headers.get("origin", "")).netloc.lower()
    allowed = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")]
    allowed += os.environ.get("TENFOLD_ORIGINS", "").split(",")
    return bool(origin) and origin in {host.strip().lower() for host in allowed}


class Socket:
    """One connection."""

    def __init__(self, hub: Hub, websocket: WebSocket) -> None:
        self._hub, self._websocket = hub, websocket
        self._violations: set[int] = set()

    async def serve(self) -> None:
        """From the handshake to the end."""
        websocket = self._websocket
        if not same_origin(websocket.headers):
            await websocket.close(1008)
            return
        await websocket.accept()
        since = websocket.query_params.get("since", "0")
        try:
            watcher = await self._hub.watch(
                websocket.path_params["run"],
                int(since) if since.isascii() and since.isdigit() and len(since) < 16 else 0,
                websocket.cookies.get(COOKIE, ""),
                websocket.query_params.get("stage", "")[:64],
            )
        except Refusal as refusal:
            await websocket.send_text(refused(refusal))
            await websocket.close(4404)
            return
        both = [asyncio.create_task(self._send(watcher)), asyncio.create_task(self._receive(watcher))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(watcher)
            for task in both:
                task.cancel()
            for ended in await asyncio.gather(*both, return_exceptions=True):
                if isinstance(ended, Exception) and not isinstance(ended, WebSocketDisconnect):
                    _log.error("the socket of run %s ended badly", watcher.run, exc_info=ended)

    async def _send(self, watcher: Watcher) -> None:
        while True:
            message = await watcher.outbox.get()
            if isinstance(message, CloseConnection):
                await self._websocket.close(message.code, message.reason)
                return
            await self._websocket.send_text(message)

    async def _receive(self, watcher: Watcher) -> None:
        while True:
            received = await self._websocket.receive()
            if received["type"] == "websocket.disconnect":
                return
            text = received.get("text") or ""
            try:
                await self._handle(watcher, text)
            except Refusal as refusal:
                await watcher.outbox.put(refused(refusal))

    async def _handle(self, watcher: Watcher, text: str) -> None:
        if len(text) > MAX_MESSAGE_CHARACTERS:
            await self._violation(watcher, 1009)
            limit = MAX_MESSAGE_CHARACTERS
            raise Refusal("", N_("A message may have {limit} characters at the most."), limit=limit)
        try:
            message = messages.parse(text)
        except ValidationError as error:
            if error.errors()[0]["type"] == "json_invalid":
                await self._violation(watcher, 1008)
                raise Refusal("", N_("A message has to be JSON.")) from None
            raise Refusal("", N_("This message is not one that a run understands.")) from None
        if isinstance(message, messages.PanelsInSight):
            await self._hub.set_panels(watcher, message.panels)
        elif isinstance(message, messages.FrameRequest):
            await watcher.outbox.put(await self._hub.frame(watcher, message.step, message.n))
        elif isinstance(message, messages.Drawn):
            watcher.drawn = max(watcher.drawn, min(message.n, watcher.n))
        elif isinstance(message, messages.Command):
            value = message.value
            chosen = value.model_dump() if isinstance(value, messages.ChosenValue) else value
            await self._hub.command(watcher, message.do, chosen)
        elif isinstance(message, messages.CloseProbe):
            self._hub.probe_sessions.close(watcher)
        else:
            await self._probe(watcher, message)

    async def _probe(self, watcher: Watcher, message: messages.OpenProbe | messages.ProbeRequest) -> None:
        opens = isinstance(message, messages.OpenProbe)
        try:
            if isinstance(message, messages.OpenProbe):
                await self._hub.open_probe(watcher, message.name, message.step, message.n)
            else:
                self._hub.probe_sessions.request(watcher, message.n, message.request)
        except Refusal as refusal:
            await watcher.outbox.put(refused_probe(sentence_json(refusal.sentence), message.n, over=opens))

    async def _violation(self, watcher: Watcher, code: int) -> None:
        """Something that no browser of ours sends. The first is forgiven; at the second the connection ends."""
        if code in self._violations:
            await watcher.outbox.put(CloseConnection(code))
        self._violations.add(code)


def routes(hub: Hub, base: str = "") -> list[BaseRoute]:
    """The routes of a run below the app's base address: its live socket, and the arrays that its figures name."""

    async def live(websocket: WebSocket) -> None:
        await Socket(hub, websocket).serve()

    async def static_arrays(request: Request) -> Response:
        try:
            arrays = await hub.static_arrays(request.path_params["run"], request.path_params["panel"])
        except (Refusal, KeyError):
            return Response(status_code=404)
        return Response(arrays, media_type="application/json", headers={"Cache-Control": "no-cache"})

    limit = Middleware(MessageLimit, MAX_MESSAGE_BYTES)
    return [
        WebSocketRoute(f"{base}/lab/runs/{{run}}/live", live, middleware=[limit]),
        Route(f"{base}/lab/runs/{{run}}/fixed/{{panel}}", static_arrays),
    ]
