"""The fixture of the stage's tests: a page with the stage on it, connected to the fake server."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Page

from tests.browser.fake_server import FakeServer, application


@dataclass
class StagePage:
    """A page with the stage on it."""

    page: Page
    server: FakeServer
    url: str

    def open(self, query: str = "run=live") -> "StagePage":
        self.page.goto(f"{self.url}/?{query}")
        self.page.wait_for_selector(".tf-primary")
        return self

    def received(self, kind: str, run: str = "") -> list[dict[str, Any]]:
        """The messages of a type that the server was sent, for one run or for any."""
        return [m for of, m in self.server.received if m["type"] == kind and run in ("", of)]

    def rerun(self, **changes: Any) -> None:
        """What Streamlit does at a rerun."""
        self.page.evaluate("changes => void window.page.render(changes)", changes)

    def triggers(self) -> list[Any]:
        """The actions that the page was handed, without the names of the stage and of each."""
        values = self.page.evaluate("window.page.triggers")
        return [{n: v for n, v in value.items() if n not in ("stage", "id")} for _, value in values]

    def wait(self, holds: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Until it holds; the browser's own events go on meanwhile."""
        end = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < end, "it did not come to hold"
            self.page.wait_for_timeout(25)
        return found

    def drawn(self, panel: str) -> int:
        """How often a panel was drawn."""
        return int(self.page.locator(f"[data-panel={panel}] .tf-plot").get_attribute("data-drawn") or 0)

    def points(self, panel: str) -> int:
        """How many points the first curve of a panel shows."""
        find = f"document.querySelector('[data-panel={panel}] .tf-plot').data?.[0]?.x?.length || 0"
        return int(self.page.evaluate(find))


@pytest.fixture(scope="session")
def fake_server() -> Iterator[tuple[FakeServer, str]]:
    """A fake server and its address, one for all tests: the browser has compiled the scripts of this address before."""
    fake = FakeServer()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # a browser that comes before the server is up waits
    config = uvicorn.Config(application(fake), log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield fake, f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def stage(page: Page, fake_server: tuple[FakeServer, str]) -> Iterator[StagePage]:
    """A new page, and the fake server as at its beginning."""
    server, url = fake_server
    end = time.monotonic() + 5
    while server.sockets and time.monotonic() < end:
        time.sleep(0.01)  # those of the test before close behind it
    server.reset()
    page.set_viewport_size({"width": 1300, "height": 900})
    yield StagePage(page, server, url)
    page.goto("about:blank")
