"""A real server with runs of its own for each module, and real Chromium to drive it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from chromium import ARGUMENTS, executable

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


def serve(folder: Path, port: int = 0, house: Path = ROOT, **environment: str) -> Server:
    """Start the app that lies in ``house``, its runs in ``folder``, and wait until it answers."""
    port = port or free_port()
    output = folder / "server.out"
    runs = folder / "runs"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    with output.open("ab") as out:
        process = subprocess.Popen(
            [*command, f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=house,
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


def copied(folder: Path) -> Path:
    """The house as a copy below ``folder``, to damage it or to add to it."""
    house = folder / "house"
    house.mkdir()
    for part in ("app.py", "pages", "core", "assets", ".streamlit"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, house / part)
    return house


def serve_copy(folder: Path, house: Path, **environment: str) -> Server:
    """Start the app of a copied house, its runs in ``folder``."""
    path = os.pathsep.join(filter(None, [str(house), os.environ.get("PYTHONPATH", "")]))
    return serve(folder, house=house, PYTHONPATH=path, **environment)


def serve_toy(folder: Path) -> Server:
    """Start an app whose menu has the toy of the tests."""
    house = copied(folder)
    (house / "tests").mkdir()
    (house / "tests/__init__.py").touch()
    shutil.copytree(ROOT / "tests/toy", house / "tests/toy")
    (house / "pages/toy.py").write_text(
        'from pages.parts.algorithm_page import algorithm_page\n\nalgorithm_page("toy")\n'
    )
    (house / "core/algorithms/toy").mkdir()
    for language in ("en", "zh"):
        (house / f"core/algorithms/toy/learn.{language}.md").write_text("## Toy\n")
    return serve_copy(folder, house, TENFOLD_ALGORITHMS="tests.toy.spec")


def stop(server: Server) -> None:
    """End the app as Ctrl+C does."""
    server.process.send_signal(signal.SIGINT)
    try:
        server.process.wait(15)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app for the tests of one module."""
    server = serve(tmp_path_factory.mktemp("app"))
    yield server
    stop(server)
    told = server.output.read_text(errors="replace")
    assert "Traceback" not in told, told[-4000:]


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


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A browser that knows nothing yet."""
    browser = playwright.chromium.launch(executable_path=installed(), args=ARGUMENTS)
    yield browser
    browser.close()


#: How a person's browser is made, where a test asks for nothing else.
#: Recorded runs do not play by themselves for one who wants no motion: that is drawn where a test looks at it.
PERSON = {"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "reduced_motion": "reduce"}


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Makes a new person's page: cookies of their own. Options are those of a Playwright context."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def come(**options: object) -> Page:
        context = chromium.new_context(**{**PERSON, **options})  # type: ignore[arg-type]
        contexts.append(context)
        return opened(context, errors)

    yield come
    for context in contexts:
        context.close()
    assert not errors


def opened(context: BrowserContext, errors: list[str]) -> Page:
    """A new page that is patient and keeps the errors of its scripts."""
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a person's browser keeps what it has fetched and compiled."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def cached(playwright: Playwright, profile: Path) -> Iterator[BrowserContext]:
    """A browser that has been here before, as most have: compiled scripts are kept, which halves the time to open a
    page."""
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=installed(), args=ARGUMENTS, **PERSON
    )  # type: ignore[arg-type]
    yield context
    context.close()


@pytest.fixture
def page(cached: BrowserContext) -> Iterator[Page]:
    """One person's page: nothing is left of the person before but scripts."""
    errors: list[str] = []
    page = opened(cached, errors)
    yield page
    if page.url.startswith("http"):
        page.unroute_all(behavior="ignoreErrors")
        page.evaluate("localStorage.clear()")
    page.close()
    cached.clear_cookies()
    assert not errors


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: ``TENFOLD_PICTURES``, else a folder of this test run."""
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
