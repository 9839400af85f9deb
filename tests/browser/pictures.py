"""Takes the pictures of the home page's cards and of the README, from the recorded runs, in real Chromium.

``python tests/browser/pictures.py``, after ``python -m core record <slug>``.
"""

import shutil
import tempfile
from pathlib import Path

from chromium import ARGUMENTS, executable
from conftest import ROOT, serve, stop
from playwright.sync_api import Browser, sync_playwright

from core import registry

#: Where on the time line the card's picture is taken: late enough to know what it is, early enough to see it learn.
MOMENT = 0.45


def card(browser: Browser, url: str, slug: str) -> None:
    """The hero of the recorded run, without its frame."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, device_scale_factor=2, reduced_motion="reduce")
    page.goto(f"{url}/{slug}")
    line = page.get_by_role("slider", name="Time line")
    line.wait_for()
    page.wait_for_timeout(3000)
    box = line.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * MOMENT, box["y"] + box["height"] / 2)
    page.mouse.move(5, 5)
    page.wait_for_timeout(2500)
    plot = page.locator('.tf-place[data-size="hero"] .nsewdrag').first
    plot.screenshot(path=ROOT / "assets" / "recorded" / slug / "picture.png")
    page.close()


def readme(browser: Browser, url: str) -> None:
    """The DNN page while it trains."""
    page = browser.new_page(viewport={"width": 1360, "height": 940})
    page.goto(f"{url}/dnn")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("LIVE", exact=True).wait_for()
    page.wait_for_timeout(2000)  # it is still training then
    (ROOT / "assets" / "pictures").mkdir(exist_ok=True)
    page.screenshot(path=ROOT / "assets" / "pictures" / "dnn.png")
    page.close()


def main() -> None:
    scratch = Path(tempfile.mkdtemp())
    server = serve(scratch)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
            for slug in registry.experiments():
                card(browser, server.url, slug)
            readme(browser, server.url)
            browser.close()
    finally:
        stop(server)
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
