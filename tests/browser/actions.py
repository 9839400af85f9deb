"""What a person does on a page, and waits for."""

import re
from urllib.parse import parse_qs, urlparse

from conftest import settled
from playwright.sync_api import Locator, Page, expect

#: A stop condition beyond any test: the run is still training when the test ends it.
LONG = "stop.steps=10000000"


def control(page: Page, name: str) -> Locator:
    """The control of a setting, its group opened."""
    found = page.locator(f".st-key-control-{name}")
    group = page.locator('[data-testid="stExpander"]', has=found)
    found.wait_for(state="attached")
    # Whether it is open, not whether the control is seen: one that has just come has no height yet.
    if group.count() and group.locator("details").get_attribute("open") is None:
        group.locator("summary").click()
        expect(found).to_be_visible()
        # It slides open: a click on what still moves lands beside it where frames are late.
        group.evaluate(
            """group => Promise.allSettled(group.getAnimations({subtree: true})
                 .filter(one => one.effect.getComputedTiming().endTime < Infinity).map(one => one.finished))"""
        )
    return found


def address(page: Page) -> dict[str, str]:
    """The query of the address now."""
    return {n: v[0] for n, v in parse_qs(urlparse(page.evaluate("location.href")).query).items()}


def expect_address(page: Page, **parts: str | None) -> None:
    """Wait until the query of the address has these parts; ``None`` for what it must not have."""
    page.wait_for_function(
        """parts => { const q = new URLSearchParams(location.search);
             return Object.entries(parts).every(([n, v]) => q.get(n.replace('__', '.')) === v); }""",
        arg=parts,
    )


def train(page: Page) -> str:
    """Press Train and wait for the run; its id."""
    page.get_by_role("button", name=re.compile("^Train")).first.click()
    page.wait_for_function("new URLSearchParams(location.search).has('run')")
    settled(page)
    return address(page)["run"]


def badge(page: Page, word: str) -> None:
    expect(page.locator(".tf-stage").get_by_text(word, exact=True).first).to_be_visible()


def step_of(page: Page) -> int:
    """The step that the transport bar shows."""
    text = page.locator(".tf-stage").get_by_text(re.compile(r"^step [\d,]+( of |$)")).first.inner_text()
    found = re.search(r"[\d,]+", text)
    assert found
    return int(found[0].replace(",", ""))


def wait_for_step(page: Page, beyond: int) -> None:
    page.wait_for_function(
        """beyond => [...document.querySelectorAll('.tf-stage *')].some(e => {
             const m = e.children.length === 0 && /^step ([\\d,]+) of/.exec(e.textContent);
             return m && Number(m[1].replaceAll(',', '')) > beyond; })""",
        arg=beyond,
    )


def stop_run(page: Page) -> None:
    page.locator(".tf-stage").get_by_role("button", name=re.compile("Stop")).first.click()
    expect(page.locator(".tf-stage").get_by_text("Stopped", exact=True).first).to_be_visible()
