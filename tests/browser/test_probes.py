"""Probing a trained model, in real Chromium against the fake server."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import emulate
from playwright.sync_api import FloatRect, Locator, expect

from core.drawn_picture import ink
from tests.browser.stage_fixture import StagePage

pytestmark = pytest.mark.browser

PROBE = {
    "name": "ask",
    "title": "Ask it",
    "sentence": "What it answers.",
    "keys": {"ArrowLeft": {"x": -1}, "ArrowRight": {"x": 1}},
    "labels": {"ArrowLeft": "Push left"},
    "idle": None,
    "beat": 0,
}


def open_probe(stage: StagePage, **changes: Any) -> None:
    stage.open("run=live")
    stage.rerun(probes=[PROBE | changes])
    stage.page.get_by_role("button", name="Ask it").click()
    expect(stage.page.locator(".tf-probe-dialog")).to_be_visible()


def requests(stage: StagePage) -> list[dict[str, Any]]:
    return [message["request"] for message in stage.received("ask")]


def test_keys_and_buttons_probe_the_model_and_leave_the_training_alone(stage: StagePage) -> None:
    open_probe(stage)
    shown = "document.querySelector('.tf-probe-dialog .tf-plot').data?.[0].y[0]"
    stage.wait(lambda: stage.page.evaluate(shown) == 0)
    stage.page.keyboard.press("ArrowRight")
    stage.wait(lambda: stage.page.evaluate(shown) == 1)
    stage.page.get_by_role("button", name="Push left").click()
    stage.wait(lambda: stage.page.evaluate(shown) == -1)
    stage.page.evaluate("document.activeElement.blur()")  # even where nothing in the dialog has the focus
    stage.page.keyboard.press("Space")
    assert requests(stage) == [{}, {"x": 1}, {"x": -1}]
    assert stage.received("command") == []
    stage.page.keyboard.press("Escape")
    stage.wait(lambda: stage.received("close"))
    stage.page.keyboard.press("ArrowRight")
    stage.wait(lambda: stage.received("command"))


def test_the_state_that_answers_is_named_where_the_run_was_saved_for_the_probe(stage: StagePage) -> None:
    stage.server.checkpoints = (100,)
    open_probe(stage)
    expect(stage.page.get_by_label("Play with").locator("option").first).to_have_text("the newest, step 300")


def test_a_saved_state_is_chosen_and_a_session_begins_again(stage: StagePage) -> None:
    open_probe(stage)
    stage.page.get_by_label("Play with").select_option("100")
    stage.page.get_by_role("button", name="Start again").click()
    stage.wait(lambda: len(stage.received("probe")) == 3)
    assert [message["step"] for message in stage.received("probe")] == [None, 100, 100]


def test_a_model_that_does_not_answer_gets_no_more_than_a_few_requests(stage: StagePage) -> None:
    stage.server.mute_probes = True
    open_probe(stage, beat=50, idle={"x": 0})
    stage.wait(lambda: len(stage.received("ask")) == 3)
    stage.page.wait_for_timeout(400)
    assert len(stage.received("ask")) == 3


def test_the_run_of_somebody_else_cannot_be_probed(stage: StagePage) -> None:
    stage.open("run=other")
    stage.rerun(probes=[PROBE])
    button = stage.page.get_by_role("button", name="Ask it")
    expect(button).to_have_attribute("title", re.compile("somebody else"))
    expect(button).to_be_disabled()


def test_an_answer_before_the_drawing_library_is_drawn_once_that_is_there(stage: StagePage) -> None:
    held: list[Any] = []
    stage.page.route("**/plotly.min.js*", lambda route: held.append(route))
    open_probe(stage)
    stage.wait(lambda: requests(stage) and held)
    stage.page.wait_for_timeout(200)
    held[0].continue_()
    stage.wait(lambda: stage.page.evaluate("document.querySelector('.tf-probe-dialog .tf-plot').data?.[0].y[0]") == 0)


def test_a_written_line_is_a_request_and_keys_stay_in_the_line(stage: StagePage) -> None:
    open_probe(stage, keys={}, text="words")
    line = stage.page.get_by_label("Words to ask for")
    expect(line).to_be_focused()
    stage.page.keyboard.type("king - man ")
    stage.page.keyboard.press("Enter")
    stage.wait(lambda: len(requests(stage)) == 2)
    stage.page.keyboard.type("queen")  # in the place of what was written before
    stage.page.get_by_role("button", name="Ask", exact=True).click()
    stage.wait(lambda: len(requests(stage)) == 3)
    assert requests(stage) == [{}, {"words": "king - man "}, {"words": "queen"}]
    assert stage.received("command") == [] and stage.triggers() == []


def test_a_clicked_point_is_a_request(stage: StagePage) -> None:
    open_probe(stage, click="node", keys={"a": {"x": 1}})
    shown = "document.querySelector('.tf-probe-dialog .tf-plot').data?.[0].y[0]"
    stage.wait(lambda: stage.page.evaluate(shown) == 0)
    stage.page.keyboard.press("a")
    stage.wait(lambda: stage.page.evaluate(shown) == 1)
    box = stage.page.locator(".tf-probe-dialog .bars .point").bounding_box()
    assert box
    stage.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    stage.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    stage.wait(lambda: len(requests(stage)) == 3)
    assert requests(stage)[2] == {"node": 7}


# Drawing


DRAW = {"name": "draw", "canvas": "drawing", "canvasSize": 56, "keys": {}, "labels": {}}


def drawings(stage: StagePage) -> list[npt.NDArray[np.uint8]]:
    """The pictures that were sent, oldest first: (56, 56) each."""
    return [ink(request["drawing"], 56) for request in requests(stage) if "drawing" in request]


def drawn(stage: StagePage, count: int) -> npt.NDArray[np.uint8]:
    """The newest picture, once so many were sent and all that was sent is answered."""
    figure = stage.page.locator(".tf-probe-dialog .tf-plot")
    stage.wait(lambda: len(drawings(stage)) >= count)
    stage.wait(lambda: figure.get_attribute("data-drawn") == str(stage.received("ask")[-1]["n"]))
    return drawings(stage)[-1]


def draw(stage: StagePage, *places: tuple[float, float]) -> None:
    """A stroke of the mouse through places of the canvas, as shares of its width and height."""
    box = box_of(stage.page.locator(".tf-pad-canvas"))
    stage.page.mouse.move(*within(box, *places[0]))
    stage.page.mouse.down()
    for place in places[1:]:
        stage.page.mouse.move(*within(box, *place))
    stage.page.mouse.up()


def box_of(locator: Locator) -> FloatRect:
    box = locator.bounding_box()
    assert box
    return box


def within(box: FloatRect, x: float, y: float) -> tuple[float, float]:
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_what_is_drawn_by_mouse_is_sent_erased_and_cleared(stage: StagePage) -> None:
    open_probe(stage, **DRAW)
    draw(stage, (0.25, 0.5), (0.5, 0.5), (0.75, 0.5))
    line = drawn(stage, 1)
    assert line[27:29, 14:42].min() > 250, "the middle of the stroke"
    assert not line[:24].any() and not line[32:].any() and not line[:, :10].any() and not line[:, 46:].any()
    across = line[:, 28].astype(float) / 255
    assert 4.6 < across.sum() < 5.6, "an eleventh of the canvas is 5.1 cells wide"
    assert np.count_nonzero((across > 0.02) & (across < 0.98)) >= 2, "its edges fade"
    stage.page.get_by_role("button", name="Eraser").click()
    draw(stage, (0.75, 0.3), (0.75, 0.7))
    stage.wait(lambda: not drawings(stage)[-1][28, 42])
    erased = drawings(stage)[-1]
    assert erased[28, 20] > 250 and not erased[20:36, 41:43].any()
    stage.page.get_by_role("button", name="Clear").click()
    stage.wait(lambda: not drawings(stage)[-1].any())
    assert requests(stage)[-1]["drawing"] != "", "a blank canvas is a picture, too"
    expect(stage.page.get_by_text("Draw here")).to_be_visible()


def test_a_drawing_is_sent_while_it_is_drawn_and_never_faster_than_it_is_answered(stage: StagePage) -> None:
    stage.server.mute_probes = True
    open_probe(stage, **DRAW)
    draw(stage, *((0.2 + 0.05 * i, 0.3) for i in range(13)))
    stage.wait(lambda: len(requests(stage)) == 3)
    stage.page.wait_for_timeout(200)
    assert len(requests(stage)) == 3
    stage.server.mute_probes = False
    stage.page.get_by_role("button", name="Start again").click()
    first = stage.wait(lambda: requests(stage)[3:])[0]
    assert ink(first["drawing"], 56)[17, 12:42].min() > 200, "a session begins with what is drawn already"


def test_keys_draw_while_the_canvas_has_the_focus_and_else_are_the_probes(stage: StagePage) -> None:
    open_probe(stage, **DRAW | {"keys": PROBE["keys"]})
    press = stage.page.keyboard.press
    draw(stage, (0.5, 0.2), (0.5, 0.2))  # a click leaves the keys to the probe
    press("ArrowRight")
    stage.wait(lambda: requests(stage)[-1].get("x") == 1)
    before = len(requests(stage))
    stage.page.get_by_label("Canvas to draw on").focus()
    press("Backspace")
    for _ in range(6):
        press("ArrowDown")
    for _ in range(10):
        press("Shift+ArrowRight")
    stage.wait(lambda: drawings(stage)[-1].any())
    stage.wait(lambda: drawings(stage)[-1][23, 46] > 200)
    line = drawings(stage)[-1]
    assert line[22:24, 30:46].min() > 200 and not line[:18].any() and not line[28:].any() and not line[:, :24].any()
    assert not any("x" in request for request in requests(stage)[before:])
    assert stage.received("command") == []


def test_a_key_pressed_behind_a_stroke_takes_the_drawing_along(stage: StagePage) -> None:
    """On its way to the model a request may be overtaken by the next."""
    stage.server.mute_probes = True
    open_probe(stage, **DRAW | {"keys": {"a": {"x": 1}}})
    draw(stage, (0.5, 0.5))
    stage.page.keyboard.press("a")
    stage.wait(lambda: len(requests(stage)) == 3)
    assert requests(stage)[2] == {"x": 1, "drawing": requests(stage)[1]["drawing"]}


# Pointing


PLACE = {"name": "place", "point": ["px", "py"], "keys": {}, "labels": {}}


def plot_area(stage: StagePage) -> FloatRect:
    """Where the axes are, once the figure is drawn."""
    return box_of(stage.page.locator(".tf-probe-dialog .nsewdrag"))


def test_a_place_that_is_pressed_or_dragged_is_a_request_in_the_axes_numbers(stage: StagePage) -> None:
    open_probe(stage, **PLACE)
    area, mouse = plot_area(stage), stage.page.mouse
    pixel = (8 / area["width"], 10 / area["height"])
    mouse.move(*within(area, 0.5, 0.5))
    mouse.move(area["x"] - 20, area["y"] + 50)
    mouse.down()  # beside the axes
    mouse.move(*within(area, 0.5, 0.5))
    mouse.up()
    assert requests(stage) == [{}]
    mouse.move(*within(area, 0.3, 0.2))
    mouse.down()
    pressed = stage.wait(lambda: requests(stage)[1:])[0]
    assert pressed == {"px": pytest.approx(-2 + 8 * 0.3, abs=pixel[0]), "py": pytest.approx(10 * 0.2, abs=pixel[1])}
    mouse.move(*within(area, 0.9, 0.7))
    stage.wait(lambda: requests(stage)[-1]["px"] == pytest.approx(-2 + 8 * 0.9, abs=pixel[0]))
    assert requests(stage)[-1]["py"] == pytest.approx(10 * 0.7, abs=pixel[1])
    mouse.move(area["x"] + area["width"] + 30, area["y"] - 30)
    stage.wait(lambda: requests(stage)[-1] == {"px": 6, "py": 0})
    mouse.up()
    count = len(requests(stage))
    mouse.move(*within(area, 0.4, 0.4))
    mouse.dblclick(*within(area, 0.5, 0.5))
    stage.wait(lambda: len(requests(stage)) == count + 2)
    stage.page.wait_for_timeout(400)  # of a double click Plotly would make something only by then
    figure = stage.page.locator(".tf-probe-dialog .tf-plot")
    axes = "plot => [plot._fullLayout.xaxis.range, plot._fullLayout.yaxis.range]"
    assert figure.evaluate(axes) == [[-2, 6], [10, 0]], "nothing has zoomed"


def test_a_finger_points_and_does_not_scroll(stage: StagePage) -> None:
    emulate(stage.page, phone=True)
    open_probe(stage, **PLACE)
    area = plot_area(stage)
    touch = stage.page.context.new_cdp_session(stage.page)

    def send(kind: str, *places: tuple[float, float]) -> None:
        points = [dict(zip("xy", within(area, *place), strict=True)) for place in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", (0.5, 0.8))
    for y in (0.7, 0.5, 0.3, 0.1):
        send("touchMove", (0.5, y))
    stage.wait(lambda: requests(stage)[-1].get("py") == pytest.approx(1, abs=20 / area["height"]))
    send("touchEnd")
    assert stage.page.evaluate("scrollY") == 0


@pytest.mark.parametrize("phone", [False, True])
def test_scenes_stand_side_by_side_and_on_a_phone_one_below_the_other(stage: StagePage, phone: bool) -> None:
    if phone:
        emulate(stage.page, phone=True)
    open_probe(stage, name="surfaces")
    plot = stage.page.locator(".tf-probe-dialog .tf-plot")
    stage.wait(lambda: plot.evaluate("plot => Boolean(plot._fullLayout?.scene2)"))
    domains = plot.evaluate(
        "({ _fullLayout: all }) => [all.scene, all.scene2].map(({ domain }) => [domain.x, domain.y])"
    )
    names = plot.evaluate("({ layout }) => layout.annotations.map(({ text, x, y }) => [text, x, y])")
    if phone:
        assert domains == [[[0, 1], [0.5, 1]], [[0, 1], [0, 0.5]]]
        assert names == [["first", 0.5, 1], ["second", 0.5, 0.5]]
    else:
        assert domains == [[[0, 0.5], [0, 1]], [[0.5, 1], [0, 1]]]
        assert names == [["first", 0.25, 1], ["second", 0.75, 1]]
