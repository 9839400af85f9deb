"""The largest WebSocket message of one route, enforced by the protocol, before the message is in memory.

Uvicorn has one limit for the whole server, and Streamlit needs a high one for its own socket. An ASGI application sees
a message only when it is complete, so the limit has to be set on the connection's protocol object. Neither ASGI nor
uvicorn offers a way to it: this module alone knows that uvicorn's ``receive`` is a method of its WebSocket protocol,
which holds a ``websockets`` connection with a ``max_message_size``, in the versions that requirements.txt allows. Where
that is not so, the connection is refused: a page without a socket is fed by its script.
"""

import logging

from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.server import ServerProtocol

_log = logging.getLogger(__name__)


class MessageLimit:
    """ASGI middleware of a WebSocket route: its connections end with code 1009 at a message above ``size`` bytes.

    No frame is parsed before this has run: uvicorn hands on the request first, and drops what came in the same packet.
    """

    def __init__(self, app: ASGIApp, size: int) -> None:
        self._app, self._size = app, size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = getattr(getattr(receive, "__self__", None), "conn", None)
        if not isinstance(connection, ServerProtocol) or not hasattr(connection, "max_message_size"):
            _log.error("this version of uvicorn or websockets allows no limit for messages: the live socket is off")
            await send({"type": "websocket.close", "code": 1011})
            return
        connection.max_message_size = self._size
        await self._app(scope, receive, send)
