"""A publisher of data sets: a folder served over HTTP by this machine."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Publisher:
    """What a publisher offers.

    Attributes:
        folder: its files.
        url: its address, with a slash at the end.
        cut: the address of the same files whose transfer breaks off halfway.
        requests: paths that were requested.
    """

    folder: Path
    url: str = ""
    requests: list[str] = field(default_factory=list)

    @property
    def cut(self) -> str:
        return self.url + "cut/"

    def offer(self, name: str, content: bytes) -> str:
        """Publish a file; its address."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return self.url + name


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, publisher: Publisher) -> None:
        self.publisher = publisher
        super().__init__(*arguments, directory=str(publisher.folder))

    def do_GET(self) -> None:
        self.publisher.requests.append(self.path)
        if not self.path.startswith("/cut/"):
            super().do_GET()
            return
        content = (self.publisher.folder / self.path.removeprefix("/cut/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """A publisher; the data folder is empty and elsewhere."""
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path / "cache"))
    publisher = Publisher(tmp_path / "published")
    publisher.folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, publisher=publisher))
    publisher.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield publisher
    server.shutdown()
    server.server_close()
