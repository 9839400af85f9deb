"""Pictures of one's own on a page, from the files to the run that is deleted."""

import re
from io import BytesIO

import pytest
from actions import LONG, badge, control, stop_run, train, wait_for_step
from conftest import Server, settled, visit
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from core.data import cache
from core.data.pictures import is_name

pytestmark = pytest.mark.browser


def file(kind: str, n: int) -> dict[str, object]:
    """A circle or a square on noise."""
    picture = Image.effect_noise((64, 64), 60).convert("RGB")
    box = (8 + n, 16 - n, 40 + n, 48 - n)
    paint = ImageDraw.Draw(picture)
    (paint.ellipse if kind == "circle" else paint.rectangle)(box, fill=(255, 160 + 10 * n, 40))
    content = BytesIO()
    picture.save(content, "PNG")
    return {"name": f"{kind}{n}.png", "mimeType": "image/png", "buffer": content.getvalue()}


def test_two_classes_of_files_are_trained_tried_and_deleted_with_their_run(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/cnn?{LONG}")
    control(page, "data").get_by_role("combobox").click()
    page.get_by_role("option", name="Your own pictures").click()
    for kind in ("circle", "square"):
        name = page.get_by_label("Class", exact=True)
        name.fill(kind)
        name.press("Enter")
        settled(page)
        page.locator("input[type=file]").first.set_input_files([file(kind, n) for n in range(6)])
        expect(page.locator(".tf-thumbs-class").filter(has_text=kind).locator(".tf-thumbs-picture")).to_have_count(6)
        settled(page)
    run = train(page)
    badge(page, "LIVE")
    wait_for_step(page, 5)
    (kept,) = set(re.findall("pictures=([0-9a-f]+)", page.url))
    assert is_name(kept)

    bar = page.locator(".tf-transport")
    expect(bar.get_by_role("button", name="Draw", exact=True)).to_be_hidden()  # nobody draws a photograph
    bar.get_by_role("button", name="Fool it", exact=True).click()
    shown = "document.querySelector('.tf-probe-dialog .tf-plot')?.layout?.images?.length"
    page.wait_for_function(f"{shown} === 3")
    first = page.evaluate("document.querySelector('.tf-probe-dialog .tf-plot').layout.images[0].source")
    page.get_by_role("button", name="Next picture").click()
    page.wait_for_function(
        "first => document.querySelector('.tf-probe-dialog .tf-plot').layout.images[0].source !== first", arg=first
    )
    page.keyboard.press("Escape")
    stop_run(page)

    held = cache.folder() / "pictures" / f"{kept}.used"
    assert held.exists()
    page.get_by_role("tab", name="Runs").click()
    settled(page)
    row = page.locator(f".st-key-run-{run}")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(row).to_have_count(0)
    for _ in range(100):
        if not held.exists():
            break
        page.wait_for_timeout(100)
    assert not held.exists(), "they are deleted with the last run that uses them"
