"""Probing a trained model, in real Chromium against the fake server."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

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
