"""Playing with a trained model, in real Chromium against the scripted server."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.theatre import Theatre, port, theatre

__all__ = ["port", "theatre"]

pytestmark = pytest.mark.browser

PROBE = {
    "name": "ask",
    "title": "Ask it",
    "sentence": "What it says.",
    "keys": {"ArrowLeft": {"x": -1}, "ArrowRight": {"x": 1}},
    "labels": {"ArrowLeft": "Push left"},
    "idle": None,
    "beat": 0,
}


def play(theatre: Theatre, **changes: Any) -> None:
    theatre.open("run=live")
    theatre.render(probes=[PROBE | changes])
    theatre.page.get_by_role("button", name="Ask it").click()
    expect(theatre.page.locator(".tf-game")).to_be_visible()


def asked(theatre: Theatre) -> list[dict[str, Any]]:
    return [message["request"] for message in theatre.heard("ask")]


def test_keys_and_buttons_ask_the_model_and_leave_the_training_alone(theatre: Theatre) -> None:
    play(theatre)
    shown = "document.querySelector('.tf-game .tf-plot').data?.[0].y[0]"
    theatre.wait(lambda: theatre.page.evaluate(shown) == 0)
    theatre.page.keyboard.press("ArrowRight")
    theatre.wait(lambda: theatre.page.evaluate(shown) == 1)
    theatre.page.get_by_role("button", name="Push left").click()
    theatre.wait(lambda: theatre.page.evaluate(shown) == -1)
    theatre.page.evaluate("document.activeElement.blur()")  # even where nothing in the dialog has the focus
    theatre.page.keyboard.press("Space")
    assert asked(theatre) == [{}, {"x": 1}, {"x": -1}]
    assert theatre.heard("command") == []
    theatre.page.keyboard.press("Escape")
    theatre.wait(lambda: theatre.heard("close"))
    theatre.page.keyboard.press("ArrowRight")
    theatre.wait(lambda: theatre.heard("command"))


def test_a_saved_state_is_chosen_and_a_session_begins_again(theatre: Theatre) -> None:
    play(theatre)
    theatre.page.get_by_label("Play with").select_option("100")
    theatre.page.get_by_role("button", name="Start again").click()
    theatre.wait(lambda: len(theatre.heard("probe")) == 3)
    assert [message["step"] for message in theatre.heard("probe")] == [None, 100, 100]


def test_a_model_that_does_not_answer_is_asked_no_more_than_a_few_times(theatre: Theatre) -> None:
    theatre.script.dumb = True
    play(theatre, beat=50, idle={"x": 0})
    theatre.wait(lambda: len(theatre.heard("ask")) == 3)
    theatre.page.wait_for_timeout(400)
    assert len(theatre.heard("ask")) == 3


def test_one_cannot_play_with_the_run_of_somebody_else(theatre: Theatre) -> None:
    theatre.open("run=other")
    theatre.render(probes=[PROBE])
    button = theatre.page.get_by_role("button", name="Ask it")
    expect(button).to_have_attribute("title", re.compile("somebody else"))
    expect(button).to_be_disabled()


def test_an_answer_before_the_drawing_library_is_drawn_once_that_is_there(theatre: Theatre) -> None:
    held: list[Any] = []
    theatre.page.route("**/plotly.min.js*", lambda route: held.append(route))
    play(theatre)
    theatre.wait(lambda: asked(theatre) and held)
    theatre.page.wait_for_timeout(200)
    held[0].continue_()
    theatre.wait(lambda: theatre.page.evaluate("document.querySelector('.tf-game .tf-plot').data?.[0].y[0]") == 0)


def test_what_is_written_is_asked_and_keys_stay_in_the_line(theatre: Theatre) -> None:
    play(theatre, keys={}, text="say")
    line = theatre.page.get_by_label("Words to ask for")
    expect(line).to_be_focused()
    theatre.page.keyboard.type("king - man ")
    theatre.page.keyboard.press("Enter")
    theatre.wait(lambda: len(asked(theatre)) == 2)
    theatre.page.keyboard.type("queen")  # what was asked is taken back by the next
    theatre.page.get_by_role("button", name="Ask", exact=True).click()
    theatre.wait(lambda: len(asked(theatre)) == 3)
    assert asked(theatre) == [{}, {"say": "king - man "}, {"say": "queen"}]
    assert theatre.heard("command") == [] and theatre.triggers() == []


def test_a_point_that_is_clicked_is_asked_for(theatre: Theatre) -> None:
    play(theatre, click="node", keys={"a": {"x": 1}})
    shown = "document.querySelector('.tf-game .tf-plot').data?.[0].y[0]"
    theatre.wait(lambda: theatre.page.evaluate(shown) == 0)
    theatre.page.keyboard.press("a")
    theatre.wait(lambda: theatre.page.evaluate(shown) == 1)
    box = theatre.page.locator(".tf-game .bars .point").bounding_box()
    assert box
    theatre.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    theatre.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    theatre.wait(lambda: len(asked(theatre)) == 3)
    assert asked(theatre)[2] == {"node": 7}
