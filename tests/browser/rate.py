"""How often the hero of each page is drawn while it trains, and how soon after Train a curve is, in real
Chromium without a GPU on this very machine.

``python tests/browser/rate.py [slug ...]``. Settings stand after the slug as in an address: ``gnn?preset=cora``.
"""

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from chromium import ARGUMENTS, executable
from conftest import serve, stop
from playwright.sync_api import Browser, sync_playwright

from core import registry

#: Seconds of training before drawings are counted, and while they are; and trainings begun of each page.
WARM_S, COUNTED_S, BEGUN = 6, 8, 3

#: Settings of a page whose run would end by itself while its drawings are counted.
LONGER = {"word2vec": "epochs=100"}

HERO = ".tf-place[data-size=hero] .tf-plot"
#: The run that the stage views.
RUN = "document.querySelector('.tf-stage').dataset.run"
#: A curve of another run than ``before`` is drawn with two points.
MOVES = """before => [...document.querySelectorAll('[data-kind="curves"] .tf-plot')]
    .some((plot) => plot.dataset.run && plot.dataset.run !== before && plot.data?.[0]?.x?.length > 1)"""


def measure(browser: Browser, url: str, wanted: str) -> str:
    """A line of the table."""
    slug, _, settings = wanted.partition("?")
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page.goto(f"{url}/{slug}?{settings or LONGER.get(slug, '')}&stop.steps=1000000")
    page.wait_for_selector(".js-plotly-plot")
    page.wait_for_timeout(3000)
    moved = []
    for begun in range(BEGUN):
        before, begin = page.evaluate(RUN), time.perf_counter()
        page.get_by_role("button", name="Train", exact=True).click()
        page.wait_for_function(MOVES, arg=before, polling=20)
        moved.append(time.perf_counter() - begin)
        if begun == BEGUN - 1:
            page.wait_for_timeout(WARM_S * 1000)
            plot = page.locator(HERO).first
            drawn, begin = int(plot.get_attribute("data-drawn") or 0), time.perf_counter()
            page.wait_for_timeout(COUNTED_S * 1000)
            rate = (int(plot.get_attribute("data-drawn") or 0) - drawn) / (time.perf_counter() - begin)
        page.get_by_role("button", name="Stop", exact=True).click()
        page.wait_for_timeout(2500)
    page.close()
    each = " ".join(f"{seconds:.2f}" for seconds in moved)
    return f"{wanted:18} {rate:4.1f} pictures/s, a curve is drawn after {statistics.median(moved):.2f} s ({each})"


def main(pages: list[str]) -> None:
    scratch = Path(tempfile.mkdtemp())
    server = serve(scratch)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
            for wanted in pages or list(registry.experiments()):
                print(measure(browser, server.url, wanted), flush=True)
            browser.close()
    finally:
        stop(server)
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
