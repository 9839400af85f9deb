"""Each algorithm's page from its recorded run to a run of one's own that is watched, looked back on, left and ended."""

from collections.abc import Iterator

import pytest
from acts import LONG, address, badge, step_of, stop_run, train, wait_for_step
from conftest import Server, settled, visit
from playwright.sync_api import Locator, Page, expect

from core import registry

pytestmark = pytest.mark.browser

#: The pages that no other test trains on; a new algorithm comes in by itself.
SLUGS = [slug for slug in registry.experiments() if slug != "dnn"]

#: What a page needs beside a far end to go on as long as a test looks.
MORE = {"word2vec": "&epochs=1000"}

#: The part of the foremost picture that has to move, by its name, where another moves too; else any.
LEARNS = {"gan": "generated"}

HERO = '.tf-place[data-size="hero"]'

#: Makes ``picture(name)``: what the foremost picture holds but for its words, as one text that changes with it; empty
#: while that is. With a name only the curve or the cloud that is called so.
LOOK = """(hero) => { window.picture = (name) => {
  const plot = document.querySelector(`${hero} .js-plotly-plot`);
  if (!plot || !plot.data) return '';
  const plain = (key, value) => ArrayBuffer.isView(value) ? Array.from(value) : value;
  const traces = plot.data.filter((trace) => !name || trace.name === name)
    .map(({ x, y, z, marker = {} }) => [x, y, z, marker.color, marker.size])
    .filter(([x, y, z]) => [x, y, z].some((all) => all && (all.length || all.bdata)));
  const images = name ? [] : (plot.layout.images || []).map((image) => image.source);
  return traces.length || images.length ? JSON.stringify([traces, images], plain) : '';
}; }"""


#: The pictures of the worlds in the game.
SHOTS = "document.querySelector('.tf-game .tf-plot').layout.images.map((image) => image.source)"


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """A page whose foremost picture can be compared, and whose console tells no error. Streamlit's own questions for
    what a hosted app has are answered 404, which is no fault."""
    told: list[str] = []

    def hear(kind: str, text: str, url: str) -> None:
        if kind == "error" and not ("404" in text and "/_stcore/" in url):
            told.append(f"{text} ({url})")

    page.on("console", lambda message: hear(message.type, message.text, message.location["url"]))
    page.add_init_script(f"({LOOK})('{HERO}')")
    yield page
    assert not told


def another(page: Page, than: str, part: str = "") -> str:
    """Wait until the foremost picture holds something, and something else; what it holds."""
    page.wait_for_function("([part, than]) => picture(part) && picture(part) !== than", arg=[part, than], polling=100)
    return str(page.evaluate("picture", part))


def button(page: Page, name: str) -> Locator:
    return page.locator(".tf-transport").get_by_role("button", name=name, exact=True)


def paused(page: Page) -> None:
    expect(page.locator(".tf-state")).to_have_text("Paused")
    expect(button(page, "Resume")).to_be_enabled()


def stands(page: Page, *said: str) -> None:
    """Wait until the game says each of these over its worlds."""
    page.wait_for_function(
        """(said) => { const { annotations = [] } = document.querySelector('.tf-game .tf-plot').layout || {};
             return said.every((one) => annotations.some(({ text }) => new RegExp(`^${one}`).test(text))); }""",
        arg=said,
        polling=50,
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_from_the_recorded_run_to_one_of_ones_own(watched: Page, server: Server, slug: str) -> None:
    page, part = watched, LEARNS.get(slug, "")
    visit(page, f"{server.url}/{slug}?{LONG}&stop.seconds=120{MORE.get(slug, '')}")
    badge(page, "RECORDED")
    recorded = another(page, "", part)
    expect(page.locator(f"{HERO} .js-plotly-plot")).to_be_in_viewport(ratio=0.9)
    drawn = page.locator(f"{HERO} .js-plotly-plot").locator(".imagelayer image, .trace, .gl-canvas")
    expect(drawn.first).to_be_attached()

    run = train(page)
    badge(page, "LIVE")
    seen = another(page, recorded, part)
    for _ in range(2):  # the run itself brings one after the other
        seen = another(page, seen, part)
    wait_for_step(page, 0)

    button(page, "Pause").click()
    paused(page)
    held = step_of(page)
    page.reload()
    settled(page)
    badge(page, "LIVE")
    paused(page)
    assert address(page)["run"] == run
    here = step_of(page)
    assert here >= held
    last = another(page, "", part)

    line = page.get_by_role("slider", name="Time line")
    line.press("Home")
    badge(page, "REPLAY")
    expect(line).to_have_attribute("aria-valuenow", "0")
    another(page, last, part)
    line.press("End")
    badge(page, "LIVE")
    page.wait_for_function("([part, last]) => picture(part) === last", arg=[part, last], polling=100)
    assert step_of(page) == here, "it went on in the pause"

    button(page, "Resume").click()
    wait_for_step(page, here)
    another(page, last, part)
    stop_run(page)
    expect(button(page, "Train")).to_be_enabled()
    assert address(page)["run"] == run


def test_a_person_plays_beside_the_recorded_agent(watched: Page, server: Server) -> None:
    """Nothing moves before the first key; then both worlds go on, and the pictures of the training stay as they are."""
    page = watched
    visit(page, f"{server.url}/dqn")
    badge(page, "RECORDED")
    before = another(page, "")
    button(page, "Play it yourself").click()
    stands(page, "you: step 0,", "agent: step 0,")
    start = page.evaluate(SHOTS)
    assert len(start) == 2

    page.keyboard.press("ArrowRight")
    stands(page, "you: (step|over after) [1-9]", "agent: (step|over after) [1-9]")
    page.wait_for_function(f"(start) => {SHOTS}.every((shot, i) => shot !== start[i])", arg=start)
    stands(page, "you: over after [1-9]")  # who pushes to one side only lets the pole fall
    page.keyboard.press("Space")
    stands(page, "you: step 0,", "agent: step 0,")
    page.keyboard.press("Escape")
    expect(page.locator(".tf-game")).to_be_hidden()
    badge(page, "RECORDED")
    assert page.evaluate("picture()") == before
