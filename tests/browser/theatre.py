"""What the tests of the stage hold in their hands: the page, and the script of the server behind it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from conftest import free_port
from playwright.sync_api import Page

from tests.browser.scripted import Script, application


@dataclass
class Theatre:
    """A page with the stage on it, and the script of the server behind it."""

    page: Page
    script: Script
    url: str

    def open(self, query: str = "run=live") -> "Theatre":
        self.page.goto(f"{self.url}/?{query}")
        self.page.wait_for_selector(".tf-primary")
        return self

    def heard(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.script.heard if message["type"] == kind]

    def render(self, **changes: Any) -> None:
        """What Streamlit does at a rerun."""
        self.page.evaluate("changes => void window.page.render(changes)", changes)

    def triggers(self) -> list[Any]:
        """What was asked of the page, without the name of the stage that asked."""
        told = self.page.evaluate("window.page.triggers")
        return [{n: v for n, v in value.items() if n != "stage"} for _, value in told]

    def wait(self, holds: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Until it holds; the browser's own events go on meanwhile."""
        end = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < end, "it did not come to hold"
            self.page.wait_for_timeout(50)
        return found

    def drawn(self, panel: str) -> int:
        return int(self.page.locator(f"[data-panel={panel}] .tf-plot").get_attribute("data-drawn") or 0)

    def points(self, panel: str) -> int:
        """How many points the first curve of a panel shows."""
        find = f"document.querySelector('[data-panel={panel}] .tf-plot').data?.[0]?.x?.length || 0"
        return int(self.page.evaluate(find))


@pytest.fixture(scope="module")
def port() -> int:
    """The same for each test: the browser has compiled the scripts of this address before."""
    return free_port()


@pytest.fixture
def theatre(page: Page, port: int) -> Iterator[Theatre]:
    script = Script()
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", port))
    door.listen()  # who comes before the server is up waits
    server = uvicorn.Server(uvicorn.Config(application(script), log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    page.set_viewport_size({"width": 1300, "height": 900})
    yield Theatre(page, script, f"http://127.0.0.1:{port}")
    page.goto("about:blank")
    server.should_exit = True
    thread.join(5)
