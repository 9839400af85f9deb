"""A value that a person or an address brings is shown as the characters that it is: no link, no picture, no style."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlparse

import pytest
from conftest import ROOT, Server, free_port, settled, stop, visit
from hostile import HOST, VALUES
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

#: Everything that Markdown makes of a value beside its own characters.
MARKUP = (
    "a, img, em, strong, del, code, pre, hr, table, ul, ol, li, blockquote, sup, input, .katex, "
    "h2, h3, h4, h5, h6, b, [role=img], span[style], span[class*=stMarkdown]"
)


def shown(text: str) -> str:
    """The text of an element without the invisible joiners."""
    return re.sub(r"\s+", " ", text.replace("\u2060", "")).strip()


@pytest.fixture(scope="module")
def markdown_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("markdown"), free_port()
    output = folder / "server.out"
    command = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).with_name("markdown_page.py"))]
    with output.open("ab") as out:
        process = subprocess.Popen(
            [*command, "--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, "TENFOLD_RUNS": str(folder / "runs")},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://127.0.0.1:{port}", folder / "runs", process, output)
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1)
            break
        except OSError:
            assert process.poll() is None, output.read_text()
            time.sleep(0.1)
    yield server
    stop(server)


def test_streamlit_renders_an_escaped_value_as_its_own_characters(page: Page, markdown_page: Server) -> None:
    page.goto(markdown_page.url)
    page.locator(f".st-key-value-{len(VALUES) - 1} h1").wait_for()
    settled(page)
    page.wait_for_timeout(1000)  # the plugins for formulas and emoji are fetched late
    for n, value in enumerate(VALUES):
        block = page.locator(f".st-key-value-{n}")
        plain = " ".join(value.split())
        parts = block.locator('[data-testid="stMarkdownContainer"], h1').all()
        assert len(parts) >= 8
        found = {shown(part.inner_text()) for part in parts}
        assert found == {plain, f"it was {plain}."}, value
        for part in parts:
            assert part.locator(MARKUP).count() == 0, (value, part.inner_html())


HOSTILE = (
    f"![x](http://{HOST}/x.png)",
    f"[log in](http://{HOST})",
    f"http://{HOST}/a",
    f"www.{HOST}",
    ":red[x] $y$ `z`",
)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("preset={}", "There is no preset {}; there are:"),
        ("device={}", "There is no device {} here;"),
        ("layers={}", "it was {}."),
        ("data={}", "it was {}."),
        ("{}=1", "There is no setting {}"),
        ("stop.metric={}", "it was {}."),
        ("stop.{}=1", "There is no setting {}"),
    ],
)
def test_a_value_of_the_address_is_no_markdown(page: Page, server: Server, query: str, sentence: str) -> None:
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url) if urlparse(request.url).hostname == HOST else None)
    for value in HOSTILE:
        visit(page, f"{server.url}/dnn?{query.format(quote(value, safe=''))}")
        alerts = page.locator('[data-testid="stMain"] [data-testid="stAlert"]')
        expect(alerts).to_have_count(1)
        text = shown(alerts.inner_text())
        assert sentence.format(value) in text, text
        assert alerts.locator(MARKUP).count() == 0, alerts.inner_html()
        assert page.locator(f'a[href*="{HOST}"], img[src*="{HOST}"]').count() == 0
    assert not foreign
