"""The live socket of a run: checks who asks and what, and carries messages between a browser and the hub.

A browser sends its cookies along with a socket that any page on the web may open, so a handshake counts only with an
``Origin`` of this very host. What else is wrong is answered by a sentence and disturbs nobody else.
"""

import asyncio
import logging
import os
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.runs.server.channel import Goodbye, Watcher, refused
from core.runs.server.fold import told
from core.runs.server.hub import Hub
from core.runs.server.message_limit import MessageLimit
from core.runs.server.probe_sessions import no
from core.words import N_, Refusal

_log = logging.getLogger(__name__)

#: The cookie that says whose a run is.
COOKIE = "tenfold"

#: Characters of a message; and bytes, above which the protocol ends the connection before it has read the message.
LONGEST, MAX_MESSAGE_BYTES = 4096, 65_536


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class See(_Message):
    type: Literal["see"]
    panels: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=64)]


class FrameAt(_Message):
    type: Literal["frame"]
    step: Annotated[int, Field(ge=0, le=2**53)]
    n: Annotated[int, Field(ge=0, le=2**53)]


class Command(_Message):
    type: Literal["command"]
    do: Literal["pause", "resume", "step", "speed", "stop"]
    value: float | int | str | None = None


class Drawn(_Message):
    type: Literal["drawn"]
    n: Annotated[int, Field(ge=0, le=2**53)]


class Play(_Message):
    type: Literal["probe"]
    name: Annotated[str, Field(max_length=64)]
    step: Annotated[int, Field(ge=0, le=2**53)] | None = None
    n: Annotated[int, Field(ge=0, le=2**53)]


class Ask(_Message):
    type: Literal["ask"]
    n: Annotated[int, Field(ge=0, le=2**53)]
    request: dict[str, Any]


class Close(_Message):
    type: Literal["close"]


_Any = See | FrameAt | Command | Drawn | Play | Ask | Close
_MESSAGE: TypeAdapter[_Any] = TypeAdapter(Annotated[_Any, Field(discriminator="type")])


def same_origin(headers: Headers) -> bool:
    """Whether a page of this very host asks, or one of a host listed in ``TENFOLD_ORIGINS``."""
    origin = urlsplit(headers.get("origin", "")).netloc.lower()
    allowed = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")]
    allowed += os.environ.get("TENFOLD_ORIGINS", "").split(",")
    return bool(origin) and origin in {host.strip().lower() for host in allowed}


class Socket:
    """One connection."""

    def __init__(self, hub: Hub, websocket: WebSocket) -> None:
        self._hub, self._websocket = hub, websocket
        self._faults: set[int] = set()

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
            if isinstance(message, Goodbye):
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
                await self._obey(watcher, text)
            except Refusal as refusal:
                await watcher.outbox.put(refused(refusal))

    async def _obey(self, watcher: Watcher, text: str) -> None:
        if len(text) > LONGEST:
            await self._fault(watcher, 1009)
            raise Refusal("", N_("A message may have {limit} characters at the most."), limit=LONGEST)
        try:
            message = _MESSAGE.validate_json(text)
        except ValidationError as error:
            if error.errors()[0]["type"] == "json_invalid":
                await self._fault(watcher, 1008)
                raise Refusal("", N_("A message has to be JSON.")) from None
            raise Refusal("", N_("This message is not one that a run understands.")) from None
        if isinstance(message, See):
            await self._hub.see(watcher, message.panels)
        elif isinstance(message, FrameAt):
            await watcher.outbox.put(await self._hub.frame(watcher, message.step, message.n))
        elif isinstance(message, Drawn):
            watcher.drawn = max(watcher.drawn, min(message.n, watcher.n))
        elif isinstance(message, Command):
            await self._hub.command(watcher, message.do, message.value)
        elif isinstance(message, Close):
            self._hub.sessions.close(watcher)
        else:
            await self._play(watcher, message)

    async def _play(self, watcher: Watcher, message: Play | Ask) -> None:
        begins = isinstance(message, Play)
        try:
            if isinstance(message, Play):
                await self._hub.probe(watcher, message.name, message.step, message.n)
            else:
                self._hub.sessions.ask(watcher, message.n, message.request)
        except Refusal as refusal:
            await watcher.outbox.put(no(told(refusal.sentence), message.n, over=begins))

    async def _fault(self, watcher: Watcher, code: int) -> None:
        """The first is forgiven; at the second the connection ends."""
        if code in self._faults:
            await watcher.outbox.put(Goodbye(code))
        self._faults.add(code)


def routes(hub: Hub, base: str = "") -> list[BaseRoute]:
    """The routes of a run below the app's base address: its live socket, and what its figures name and do not tell."""

    async def live(websocket: WebSocket) -> None:
        await Socket(hub, websocket).serve()

    async def fixed(request: Request) -> Response:
        try:
            text = await hub.fixed(request.path_params["run"], request.path_params["panel"])
        except (Refusal, KeyError):
            return Response(status_code=404)
        return Response(text, media_type="application/json", headers={"Cache-Control": "no-cache"})

    return [
        WebSocketRoute(f"{base}/lab/runs/{{run}}/live", live, middleware=[Middleware(MessageLimit, MAX_MESSAGE_BYTES)]),
        Route(f"{base}/lab/runs/{{run}}/fixed/{{panel}}", fixed),
    ]
