"""The canvas in the sidebar: what is drawn becomes points, stands in the address, and no rerun takes it away."""

from collections.abc import Iterator

import numpy as np
import pytest
from actions import address, control, expect_address
from conftest import PATIENCE, Server, emulate, expect_no_traceback, serve_toy, settled, stop, visit
from playwright.sync_api import Locator, Page, expect

from core import drawing

pytestmark = pytest.mark.browser

Place = tuple[float, float]


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app whose menu has the toy: one of its settings is drawn."""
    server = serve_toy(tmp_path_factory.mktemp("toys"))
    yield server
    stop(server)
    expect_no_traceback(server)


@pytest.fixture
def toy_page(shared_page: Page, toys: Server) -> Page:
    """The page of the toy with an empty canvas, on which nothing can be undone."""
    if not shared_page.url.startswith(f"{toys.url}/toy"):
        visit(shared_page, f"{toys.url}/toy")
    sketch = control(shared_page, "sketch")
    settled(shared_page)
    if counted(shared_page):
        drawn(shared_page)  # until then the page has not taken the last change
        shared_page.locator(".st-key-reset-sketch").get_by_role("button", name="↺").click()
        expect_address(shared_page, sketch=None)
        settled(shared_page)
    if sketch.get_by_role("button", name="Take the last stroke back").is_enabled():
        visit(shared_page, f"{toys.url}/toy")
    expect_count(shared_page, "0 points")
    return shared_page


def canvas(page: Page) -> Locator:
    """The canvas, whole in sight and at rest: a page that has just come still moves."""
    found = control(page, "sketch").locator("canvas")
    expect(found).to_be_visible()
    settled(page)
    before = None
    while before != (box := found.bounding_box()):
        found.evaluate("canvas => canvas.scrollIntoView({block: 'center', behavior: 'instant'})")
        page.wait_for_timeout(100)
        before = box
    return found


def where(page: Page, *way: Place) -> list[Place]:
    """The places on the screen of points of the drawing."""
    box = canvas(page).bounding_box()
    assert box is not None
    return [(box["x"] + box["width"] * (1 + x) / 2, box["y"] + box["height"] * (1 - y) / 2) for x, y in way]


def stroke(page: Page, *way: Place, moves: int = 10) -> None:
    """Draw along these places, with so many moves of the mouse from one to the next."""
    places = where(page, *way)
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=moves)
    page.mouse.up()


def counted(page: Page) -> int:
    """How many points the canvas shows that it has."""
    return int(control(page, "sketch").get_by_role("status").inner_text().split()[0])


def drawn(page: Page) -> np.ndarray:
    """The points that the address has, once they are as many as the canvas shows."""
    page.wait_for_function(
        "letters => new URLSearchParams(location.search).get('sketch')?.length === letters",
        arg=-(-counted(page) * 8 // 3),
    )
    return drawing.points(address(page)["sketch"])


def expect_count(page: Page, text: str) -> None:
    expect(control(page, "sketch").get_by_role("status")).to_have_text(text)


def test_a_stroke_becomes_points_at_even_distance(toy_page: Page) -> None:
    page = toy_page
    expect(control(page, "sketch").get_by_text("Draw with mouse, pen or finger")).to_be_visible()
    stroke(page, (-0.8, 0.5), (0.8, 0.5))
    points = drawn(page)
    assert points[0] == pytest.approx((-0.8, 0.5), abs=0.03), "y points upwards"
    assert np.abs(points[:, 1] - 0.5).max() < 0.03
    assert np.diff(points[:, 0]) == pytest.approx(5 / 127, abs=1.01 / 127)
    assert points[-1, 0] > 0.8 - 2 * 5 / 127
    expect_count(page, f"{len(points)} points")
    expect(control(page, "sketch").get_by_text("Draw with mouse, pen or finger")).to_be_hidden()


def test_no_rerun_takes_what_was_drawn_and_a_link_restores_it(toy_page: Page, page: Page) -> None:
    other, page = page, toy_page
    canvas(page).evaluate("canvas => canvas.marked = true")
    stroke(page, (-0.5, -0.5), (0.5, -0.5))
    stroke(page, (-0.5, 0.5), (0.5, 0.5))  # while the page is still about the first
    both = counted(page)
    assert both >= 50
    rate = control(page, "lr").get_by_role("slider")
    rate.press("ArrowRight")
    page.wait_for_function("new URLSearchParams(location.search).has('lr')")
    settled(page)
    expect_count(page, f"{both} points")
    stroke(page, (0, 0))
    expect_count(page, f"{both + 1} points")
    assert canvas(page).evaluate("canvas => canvas.marked"), "the canvas was mounted again"
    drawn(page)
    link = page.evaluate("location.href")

    visit(emulate(other, locale="zh-CN"), link)
    canvas(other)
    expect_count(other, f"{both + 1} 个点")
    ink = """canvas => { const {width, height} = canvas;
      const {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
      let blue = 0; for (let i = 0; i < data.length; i += 4) blue += data[i + 2] - data[i] > 60 && data[i + 3] > 128;
      return blue; }"""
    assert canvas(other).evaluate(ink) == pytest.approx(canvas(page).evaluate(ink), rel=0.1)
    expect(control(other, "sketch").get_by_role("button", name="撤回最后一笔")).to_be_disabled()
    other.locator(".st-key-reset-sketch").get_by_role("button", name="↺").click()
    expect_count(other, "0 个点")
    expect_address(other, sketch=None)


def test_undo_and_clear(toy_page: Page) -> None:
    page = toy_page
    undo = control(page, "sketch").get_by_role("button", name="Take the last stroke back")
    clear = control(page, "sketch").get_by_role("button", name="Clear the drawing")
    canvas(page)
    expect(undo).to_be_disabled()
    expect(clear).to_be_disabled()
    stroke(page, (0, 0))
    stroke(page, (0.5, 0.5))
    expect_count(page, "2 points")
    undo.click()
    expect_count(page, "1 points")
    clear.click()
    expect_count(page, "0 points")
    expect_address(page, sketch=None)
    undo.click()
    expect_count(page, "1 points")
    expect_address(page, sketch="f38")


def test_by_keyboard(toy_page: Page) -> None:
    page = toy_page
    canvas(page).focus()
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect_count(page, "5 points")
    assert drawn(page) * 127 == pytest.approx(np.array([[0, 0], [0, 5], [0, 10], [0, 15], [5, 15]]))
    page.keyboard.press("Backspace")
    expect_count(page, "4 points")
    expect(control(page, "sketch").get_by_text("The arrow keys move the pen")).to_be_visible()
    assert canvas(page).evaluate("canvas => canvas === document.activeElement"), "the canvas lost its focus"
    drawn(page)
    page.get_by_test_id("stSidebarContent").evaluate("sidebar => sidebar.scrollTo(0, sidebar.scrollHeight)")
    page.locator(".st-key-reset-sketch").get_by_role("button", name="↺").click()  # nothing moves under the mouse
    expect_count(page, "0 points")


def test_by_finger(page: Page, toys: Server) -> None:
    """The page does not scroll under the finger."""
    visit(emulate(page, phone=True), f"{toys.url}/toy")
    page.get_by_test_id("stExpandSidebarButton").click()
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *places: Place) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    first, *others = where(page, *[(0, 0.8 - i / 10) for i in range(17)])
    send("Start", first)
    for place in others:
        send("Move", place)
    send("End")
    points = drawn(page)
    assert len(points) == pytest.approx(1.6 * 127 / 5, abs=2)
    assert points[-1] == pytest.approx((0, -0.8), abs=0.05)


def test_what_is_longer_than_a_link_is_thinned(toy_page: Page) -> None:
    page = toy_page
    rows = np.linspace(0.9, -0.9, 16)
    way = [(side * sign, row) for sign, row in zip([1, -1] * 8, rows, strict=True) for side in (-0.9, 0.9)]
    stroke(page, *way, moves=2)
    expect_count(page, "600 points, the most: a longer drawing is thinned evenly")
    points = drawn(page)
    assert len(points) == drawing.MOST
    assert points[-1, 1] == pytest.approx(-0.9, abs=0.05) and points[0, 1] == pytest.approx(0.9, abs=0.03)


def test_it_is_shown_where_it_has_an_effect(page: Page, toys: Server) -> None:
    visit(page, f"{toys.url}/toy?sketch=f38")
    canvas(page)
    control(page, "centred").locator("label").click()
    expect(page.locator(".st-key-control-sketch")).to_have_count(0)
    control(page, "centred").locator("label").click()
    canvas(page)
    expect_count(page, "1 points")


def test_a_damaged_link_is_one_sentence(page: Page, toys: Server) -> None:
    visit(page, f"{toys.url}/toy?sketch=f3")
    alert = page.locator('[data-testid="stMain"] [data-testid="stAlert"]')
    expect(alert).to_contain_text("Sketch must be a drawing of at most 600 points, as its canvas writes it; it was f3.")
    canvas(page)
    expect_count(page, "0 points")


def test_browser_and_server_write_the_same(page: Page, toys: Server) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{toys.url}/_stcore/health")
    points = (np.random.default_rng(1).integers(-127, 128, (300, 2)) / 127).tolist()
    wrote = drawing.text(points)
    both = "([points, text]) => import('/lab/assets/draw/points.js').then(m => [m.write(points), m.read(text)])"
    text, read = page.evaluate(both, [points, wrote])
    assert text == wrote
    assert np.array(read) == pytest.approx(np.array(points))
    assert page.evaluate("import('/lab/assets/draw/points.js').then(m => m.MOST)") == drawing.MOST
