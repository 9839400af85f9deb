"""The parts of a round on the page of a GAN: a step of D, a step of G, a round, and slow motion that tells them."""

import re

import pytest
from acts import LONG, step_of, train, wait_for_step
from conftest import Server, visit
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def turn(page: Page) -> str:
    """The part whose step was made last, as the bar marks it."""
    return page.locator(".tf-stage [data-part].tf-turn").get_attribute("data-part") or ""


def press(page: Page, part: str, updates: int) -> None:
    """One step of a part, or a round, and wait until the bar tells of it."""
    here = step_of(page)
    page.locator(f'.tf-stage [data-part="{part}"]').click()
    page.wait_for_function(
        """step => [...document.querySelectorAll('.tf-stage *')].some(e => e.children.length === 0 &&
             e.textContent.replaceAll(',', '').startsWith(`step ${step} of`))""",
        arg=here + updates,
    )


def test_d_and_g_take_their_steps_by_themselves_and_in_a_round(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/gan?g_layers=8&d_layers=8&d_steps=2&{LONG}")
    train(page)
    wait_for_step(page, 20)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".tf-stage").get_by_text("Paused", exact=True).first).to_be_visible()
    expect(page.locator('.tf-stage [data-part="D"]')).to_be_enabled()
    expect(page.get_by_role("button", name="One step of D")).to_be_visible()
    for part in ("D", "D", "G", "D"):
        press(page, part, 1)
        expect(page.locator(f'.tf-stage [data-part="{part}"]')).to_have_class(re.compile("tf-turn"))
        assert turn(page) == part
    press(page, "round", 2)  # the second D of its two, and G
    assert turn(page) == "G"
    press(page, "round", 3)
    assert turn(page) == "G"
