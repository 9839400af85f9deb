"""A message that is too large ends its connection before the server holds it in memory."""

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from core.bench.server import Server, serving
from core.runs.server.message_limit import MessageLimit
from core.runs.server.socket import MAX_MESSAGE_BYTES

MB = 10**6
TEXT, CONTINUATION, FINAL = 0x1, 0x0, 0x80


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("runs"), extended=False) as server:
        yield server


def opened(server: Server, path: str) -> socket.socket:
    """A connection of somebody without a cookie, after its handshake."""
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    lines = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    lines += [f"Host: {server.host}", f"Origin: http://{server.host}", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    raw.sendall("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
    while b"\r\n\r\n" not in raw.recv(65536, socket.MSG_PEEK):
        time.sleep(0.01)
    assert raw.recv(65536).startswith(b"HTTP/1.1 101")
    return raw


def frame(opcode: int, payload: int) -> bytes:
    """The header of a masked frame of so many bytes; with a mask of zeros these go as they are."""
    return struct.pack("!BBQ", opcode, 0x80 | 127, payload) + bytes(4)


def flood(server: Server, size: int, fragment: int) -> None:
    """Send one message of ``size`` bytes in fragments, as long as the server takes them."""
    chunk = bytes(min(fragment, MB))
    with opened(server, "/lab/runs/recorded-dnn/live") as raw:
        try:
            for start in range(0, size, fragment):
                final = FINAL if start + fragment >= size else 0
                raw.sendall(frame((CONTINUATION if start else TEXT) | final, fragment))
                for _ in range(0, fragment, len(chunk)):
                    raw.sendall(chunk)
            time.sleep(1)  # what the server holds now would be seen
        except OSError:
            return  # the server has closed the connection


@pytest.mark.parametrize(
    ("connections", "size", "fragment"), [(3, 60 * MB, 60 * MB), (6, 150 * MB, 150 * MB), (3, 60 * MB, 50_000)]
)
def test_large_messages_cost_the_server_no_memory(server: Server, connections: int, size: int, fragment: int) -> None:
    before = peak = server.process.memory_info().rss
    threads = [threading.Thread(target=flood, args=(server, size, fragment)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, server.process.memory_info().rss)
        time.sleep(0.01)
    assert peak - before <= 50 * MB


def test_the_limit_ends_the_connection_with_its_code(server: Server) -> None:
    url = f"ws://{server.host}/lab/runs/recorded-dnn/live"
    with connect(url, origin=f"http://{server.host}", max_size=None) as link:  # type: ignore[arg-type]
        link.recv()
        link.send("x" * (MAX_MESSAGE_BYTES + 1))
        with pytest.raises(ConnectionClosed):
            while True:
                link.recv(timeout=10)
        assert link.close_code == 1009


def test_streamlits_own_socket_still_takes_what_it_needs(server: Server) -> None:
    url = f"ws://{server.host}/_stcore/stream"
    with connect(url, subprotocols=["streamlit"], origin=f"http://{server.host}", max_size=None) as link:  # type: ignore
        message = BackMsg()
        message.rerun_script.query_string = "x=" + "y" * MB
        link.send(message.SerializeToString())
        assert link.recv(timeout=30)


def test_a_server_in_which_no_limit_can_be_set_refuses_the_connection() -> None:
    """A connection without a limit would be worse than none: a page without a socket is fed by its script."""
    import asyncio

    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def app(*_: object) -> None:
        pytest.fail("the connection was let through")

    asyncio.run(MessageLimit(app, 1000)({"type": "websocket"}, receive, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["websocket.close"]
