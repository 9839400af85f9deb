"""Pictures of one's own in a real browser: files, a zip and the camera; thumbnails that go when they are pressed."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import ARGUMENTS
from conftest import PERSON, ROOT, Server, expect_no_traceback, free_port, installed, settled, stop, visit
from playwright.sync_api import Locator, Page, Playwright, expect

from core.data.pictures import is_name
from tests.core.data.malformed import encoded, noise, zipped

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with nothing but the setting."""
    folder, port = tmp_path_factory.mktemp("pictures-of-ones-own"), free_port()
    output = folder / "server.out"
    command = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).with_name("picture_upload_harness.py"))]
    with output.open("ab") as out:
        process = subprocess.Popen(
            [*command, "--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, "TENFOLD_DATA": str(folder / "data")},
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
    expect_no_traceback(server)


def bring(page: Page, name: str, *seeds: int) -> None:
    """Choose pictures for a class as a person does."""
    settled(page)
    page.get_by_label("Class", exact=True).fill(name)
    page.get_by_label("Class", exact=True).press("Enter")
    settled(page)
    files = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": encoded(noise(seed=n))} for n in seeds]
    page.locator("input[type=file]").first.set_input_files(files)


def thumbnails(page: Page, name: str) -> Locator:
    return page.locator(".tf-thumbs-class").filter(has=page.get_by_text(name, exact=True)).locator(".tf-thumbs-picture")


def value(page: Page) -> str:
    settled(page)
    return page.get_by_test_id("stCode").inner_text().strip()


def test_files_of_two_classes_are_a_set_and_a_thumbnail_goes_when_it_is_pressed(
    page: Page, server: Server, pictures: Path
) -> None:
    visit(page, server.url)
    expect(page.get_by_text("2 to 10 classes are needed")).to_be_visible()
    bring(page, "cup", *range(5))
    expect(thumbnails(page, "cup")).to_have_count(5)
    assert value(page) == ""
    bring(page, "plate", *range(5, 11))
    expect(thumbnails(page, "plate")).to_have_count(6)
    first = value(page)
    assert is_name(first)
    page.screenshot(path=pictures / "own_pictures.png")
    # Each shows its own part of the sheet: it is drawn, and no two are alike.
    shots = [one.screenshot() for one in thumbnails(page, "plate").all()]
    assert len(set(shots)) == 6

    thumbnails(page, "plate").nth(1).click()
    expect(thumbnails(page, "plate")).to_have_count(5)
    page.mouse.move(700, 500)
    settled(page)
    assert is_name(value(page)) and value(page) != first
    page.get_by_role("button", name="Take out picture 3 of plate").focus()
    page.keyboard.press("Enter")
    expect(thumbnails(page, "plate")).to_have_count(4)
    expect(page.get_by_text("the class plate has 4 pictures; 5 to 300 are needed")).to_be_visible()
    assert value(page) == ""
    page.get_by_role("button", name="Take out the class plate").click()
    expect(thumbnails(page, "plate")).to_have_count(0)
    expect(thumbnails(page, "cup")).to_have_count(5)


def test_what_is_refused_is_named_beside_the_box(page: Page, server: Server, pictures: Path) -> None:
    visit(page, server.url)
    content = {f"{n}/{i}.png": encoded(noise(seed=9 * i + len(n))) for n in ("cup", "plate") for i in range(5)}
    content |= {"cup/notes.txt": b"no picture", "../../out.png": encoded(noise(seed=99))}
    page.locator("input[type=file]").last.set_input_files(
        {"name": "photos.zip", "mimeType": "application/zip", "buffer": zipped(content)}
    )
    expect(thumbnails(page, "plate")).to_have_count(5)
    alerts = page.get_by_test_id("stSidebar").get_by_role("alert")
    expect(alerts).to_have_count(2)
    expect(alerts.first).to_contain_text("../../out.png: its path leads out of the archive.")
    expect(alerts.last).to_contain_text("cup/notes.txt: it is not a picture in one of these formats")
    assert is_name(value(page))
    page.screenshot(path=pictures / "own_pictures_refused.png")


def test_pictures_are_taken_by_the_camera(playwright: Playwright, server: Server, pictures: Path) -> None:
    """Chromium's own test picture moves, so that no two photos are alike."""
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    browser = playwright.chromium.launch(executable_path=installed(), args=[*ARGUMENTS, *camera])
    try:
        page = browser.new_context(**PERSON, permissions=["camera"]).new_page()
        visit(page, server.url)
        page.get_by_label("Class", exact=True).fill("screen")
        page.get_by_label("Class", exact=True).press("Enter")
        page.get_by_text("Use the camera").click()
        for n in range(1, 3):
            page.wait_for_function("document.querySelector('video')?.videoWidth > 0")  # before, it takes no photo
            page.get_by_role("button", name="Take Photo").click()
            expect(thumbnails(page, "screen")).to_have_count(n)
            settled(page)
        page.screenshot(path=pictures / "own_pictures_camera.png")
    finally:
        browser.close()
