"""A real server with runs of its own, and real Chromium to drive it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from chromium import ARGUMENTS, executable

from tests.browser.stage_fixture import fake_server, stage

__all__ = ["fake_server", "stage"]

ROOT = Path(__file__).parents[2]

#: Milliseconds that a loaded two-core machine may take for what a person waits for.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


@dataclass
class Server:
    """A running app.

    Attributes:
        url: without a slash at the end.
        runs: folder of its runs.
    """

    url: str
    runs: Path
    process: subprocess.Popen[bytes]
    output: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(folder: Path, port: int = 0, root: Path = ROOT, **environment: str) -> Server:
    """Start the app in ``root``, its runs in ``folder``, and wait until it answers."""
    port = port or free_port()
    output = folder / "server.out"
    runs = folder / "runs"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    with output.open("ab") as out:
        process = subprocess.Popen(
            [*command, f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=root,
            env={**os.environ, "TENFOLD_RUNS": str(runs), "OMP_NUM_THREADS": "1", **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://127.0.0.1:{port}", runs, process, output)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2):
                return server
        except OSError:
            time.sleep(0.1)
    stop(server)
    raise RuntimeError(f"the app did not start:\n{output.read_text(errors='replace')[-4000:]}")


def copy_app(folder: Path) -> Path:
    """A copy of the app below ``folder``, to damage it or to add to it."""
    root = folder / "app"
    root.mkdir()
    for part in ("app.py", "pages", "core", "assets", ".streamlit"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, root / part)
    return root


def serve_copy(folder: Path, root: Path, **environment: str) -> Server:
    """Start a copy of the app, its runs in ``folder``."""
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")]))
    return serve(folder, root=root, PYTHONPATH=path, **environment)


def serve_toy(folder: Path) -> Server:
    """Start an app whose menu has the toy of the tests."""
    root = copy_app(folder)
    (root / "tests").mkdir()
    (root / "tests/__init__.py").touch()
    shutil.copytree(ROOT / "tests/toy", root / "tests/toy")
    (root / "pages/toy.py").write_text(
        'from pages.parts.algorithm_page import algorithm_page\n\nalgorithm_page("toy")\n'
    )
    (root / "core/algorithms/toy").mkdir()
    for language in ("en", "zh"):
        (root / f"core/algorithms/toy/learn.{language}.md").write_text("## Toy\n")
    return serve_copy(folder, root, TENFOLD_ALGORITHMS="tests.toy.spec")


def stop(server: Server) -> None:
    """End the app as Ctrl+C does."""
    server.process.send_signal(signal.SIGINT)
    try:
        server.process.wait(15)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


def expect_no_traceback(server: Server) -> None:
    """What a server that has ended wrote must hold no error that nobody handled."""
    output = server.output.read_text(errors="replace")
    assert "Traceback" not in output, output[-4000:]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app for all tests that need nothing special of it."""
    server = serve(tmp_path_factory.mktemp("app"))
    yield server
    stop(server)
    expect_no_traceback(server)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright for the tests of one module: while it is open, its thread can run no other event loop."""
    with sync_playwright() as playwright:
        yield playwright


def installed() -> str:
    path = executable()
    if path is None:
        pytest.fail("no Chromium: run `python tests/browser/chromium.py`")
    return path


#: How a person's browser is made, where a test needs nothing else.
#: Recorded runs do not play by themselves for one who wants no motion: they play only in tests of that.
PERSON = {"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "reduced_motion": "reduce"}


@pytest.fixture(scope="session")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the browsers keep what they have fetched and compiled, which halves the time to open a page."""
    return tmp_path_factory.mktemp("profiles")


@contextmanager
def persistent(playwright: Playwright, profile: Path) -> Iterator[BrowserContext]:
    """A browser that has been here before, as most have."""
    options: dict[str, Any] = {"executable_path": installed(), "args": ARGUMENTS, **PERSON}
    context = playwright.chromium.launch_persistent_context(profile, **options)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def new_page(context: BrowserContext, errors: list[str]) -> Page:
    """A new page that keeps the errors of its scripts."""
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page


@pytest.fixture(scope="module")
def browser_context(playwright: Playwright, profiles: Path) -> Iterator[BrowserContext]:
    """The browser of the persons of :func:`page`."""
    with persistent(playwright, profiles / "first") as context:
        yield context


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """One person's page: nothing is left of the person before but scripts."""
    errors: list[str] = []
    page = new_page(browser_context, errors)
    yield page
    if page.url.startswith("http"):
        page.unroute_all(behavior="ignoreErrors")
        page.evaluate("localStorage.clear()")
    page.close()
    browser_context.clear_cookies()
    assert not errors


@pytest.fixture(scope="module")
def shared_page(playwright: Playwright, profiles: Path) -> Iterator[Page]:
    """Another person's page, which stays open for all tests of a module. Each test finds what the one before has left,
    so whatever it needs it has to make sure of: see the fixtures that are built on this one."""
    errors: list[str] = []
    with persistent(playwright, profiles / "second") as context:
        yield new_page(context, errors)
    assert not errors


def emulate(page: Page, *, locale: str = "", phone: bool = False) -> Page:
    """Make a page one of a browser in another language, or of a phone."""
    devtools = page.context.new_cdp_session(page)
    if locale:
        agent = page.evaluate("navigator.userAgent")
        devtools.send("Emulation.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": locale})
    if phone:
        page.set_viewport_size({"width": 390, "height": 844})
        size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        devtools.send("Emulation.setDeviceMetricsOverride", size)
        devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    return page


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept: ``TENFOLD_PICTURES``, else a folder of this test run."""
    chosen = os.environ.get("TENFOLD_PICTURES")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def settled(page: Page) -> Page:
    """Wait until the script behind the page has run to its end."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    return page


def visit(page: Page, url: str) -> Page:
    """Open an address and wait for its page."""
    page.goto(url)
    page.wait_for_selector('[data-testid="stMainBlockContainer"] h1')
    return settled(page)
