"""Each algorithm's page: from its recorded run to a person's own that is watched, replayed, left and ended; a probe of
DQN; the parts of a round of the GAN."""

import re
from collections.abc import Iterator

import pytest
from actions import LONG, address, badge, step_of, stop_run, train, wait_for_step
from conftest import Server, settled, visit
from playwright.sync_api import Locator, Page, expect

from core import registry

pytestmark = pytest.mark.browser

#: The pages that no other test trains on; a new algorithm comes in by itself.
SLUGS = [slug for slug in registry.experiments() if slug != "dnn"]

#: What a page needs beside a far end for its run to outlast the test.
MORE = {"word2vec": "&epochs=1000"}

#: The trace of the hero that has to change, by its name, where another changes too; else any.
LEARNS = {"gan": "generated"}

HERO = '.tf-place[data-size="hero"]'

#: Makes ``hero(name)``: what the hero shows but for its words, as one text that changes with it; empty while it is.
#: With a name only the trace of that name.
DEFINE_HERO = """(hero) => { window.hero = (name) => {
  const plot = document.querySelector(`${hero} .js-plotly-plot`);
  if (!plot || !plot.data) return '';
  const plain = (key, value) => ArrayBuffer.isView(value) ? Array.from(value) : value;
  const traces = plot.data.filter((trace) => !name || trace.name === name)
    .map(({ x, y, z, marker = {} }) => [x, y, z, marker.color, marker.size])
    .filter(([x, y, z]) => [x, y, z].some((all) => all && (all.length || all.bdata)));
  const images = name ? [] : (plot.layout.images || []).map((image) => image.source);
  return traces.length || images.length ? JSON.stringify([traces, images], plain) : '';
}; }"""


#: The images of the worlds in the probe.
WORLDS = "document.querySelector('.tf-probe-dialog .tf-plot').layout.images.map((image) => image.source)"


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """A page whose hero can be compared, and whose console has no error. Streamlit's own requests for what a hosted app
    has are answered 404, which is no fault."""
    errors: list[str] = []

    def collect(kind: str, text: str, url: str) -> None:
        if kind == "error" and not ("404" in text and "/_stcore/" in url):
            errors.append(f"{text} ({url})")

    page.on("console", lambda message: collect(message.type, message.text, message.location["url"]))
    page.add_init_script(f"({DEFINE_HERO})('{HERO}')")
    yield page
    assert not errors


def another(page: Page, than: str, part: str = "") -> str:
    """Wait until the hero shows something, and something else; what it shows."""
    page.wait_for_function("([part, than]) => hero(part) && hero(part) !== than", arg=[part, than], polling=100)
    return str(page.evaluate("hero", part))


def button(page: Page, name: str) -> Locator:
    return page.locator(".tf-transport").get_by_role("button", name=name, exact=True)


def paused(page: Page) -> None:
    expect(page.locator(".tf-state")).to_have_text("Paused")
    expect(button(page, "Resume")).to_be_enabled()


def expect_worlds(page: Page, *titles: str) -> None:
    """Wait until the worlds of the probe have these titles."""
    page.wait_for_function(
        """(titles) => { const { annotations = [] } = document.querySelector('.tf-probe-dialog .tf-plot').layout || {};
             return titles.every((one) => annotations.some(({ text }) => new RegExp(`^${one}`).test(text))); }""",
        arg=titles,
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
    expect(line).to_have_value("0")
    another(page, last, part)
    line.press("End")
    badge(page, "LIVE")
    page.wait_for_function("([part, last]) => hero(part) === last", arg=[part, last], polling=100)
    assert step_of(page) == here, "it went on in the pause"

    button(page, "Resume").click()
    wait_for_step(page, here)
    another(page, last, part)
    stop_run(page)
    expect(button(page, "Train")).to_be_enabled()
    assert address(page)["run"] == run


def test_a_person_plays_beside_the_recorded_agent(watched: Page, server: Server) -> None:
    """Nothing moves before the first key; then both worlds go on, and the figures of the training stay as they are."""
    page = watched
    visit(page, f"{server.url}/dqn")
    badge(page, "RECORDED")
    before = another(page, "")
    button(page, "Play it yourself").click()
    expect_worlds(page, "you: step 0,", "agent: step 0,")
    start = page.evaluate(WORLDS)
    assert len(start) == 2

    page.keyboard.press("ArrowRight")
    expect_worlds(page, "you: (step|over after) [1-9]", "agent: (step|over after) [1-9]")
    page.wait_for_function(f"(start) => {WORLDS}.every((shot, i) => shot !== start[i])", arg=start)
    expect_worlds(page, "you: over after [1-9]")  # who pushes to one side only lets the pole fall
    page.keyboard.press("Space")
    expect_worlds(page, "you: step 0,", "agent: step 0,")
    page.keyboard.press("Escape")
    expect(page.locator(".tf-probe-dialog")).to_be_hidden()
    badge(page, "RECORDED")
    assert page.evaluate("hero()") == before


def last_part(page: Page) -> str:
    """The part whose step was the last, as the bar marks it."""
    return page.locator(".tf-stage [data-part].tf-active").get_attribute("data-part") or ""


def step_part(page: Page, part: str, updates: int) -> None:
    """One step of a part, or a round, and wait until the bar shows it."""
    here = step_of(page)
    page.locator(f'.tf-stage [data-part="{part}"]').click()
    page.wait_for_function(
        """step => [...document.querySelectorAll('.tf-stage *')].some(e => e.children.length === 0 &&
             e.textContent.replaceAll(',', '').startsWith(`step ${step} of`))""",
        arg=here + updates,
    )


def test_d_and_g_take_their_steps_one_by_one_and_in_a_round(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/gan?g_layers=8&d_layers=8&d_steps=2&{LONG}")
    train(page)
    wait_for_step(page, 20)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".tf-stage").get_by_text("Paused", exact=True).first).to_be_visible()
    expect(page.locator('.tf-stage [data-part="D"]')).to_be_enabled()
    expect(page.get_by_role("button", name="One step of D")).to_be_visible()
    for part in ("D", "D", "G", "D"):
        step_part(page, part, 1)
        expect(page.locator(f'.tf-stage [data-part="{part}"]')).to_have_class(re.compile("tf-active"))
        assert last_part(page) == part
    step_part(page, "round", 2)  # the second D of its two, and G
    assert last_part(page) == "G"
    step_part(page, "round", 3)
    assert last_part(page) == "G"
