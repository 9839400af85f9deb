"""The line between the stage and the server: lost, had again, never there. Real Chromium, a scripted server."""

import pytest
from playwright.sync_api import expect

from tests.browser.theatre import Theatre, port, theatre

__all__ = ["port", "theatre"]

pytestmark = pytest.mark.browser


def test_a_lost_connection_is_had_again_from_where_it_was(theatre: Theatre) -> None:
    theatre.open()
    theatre.wait(lambda: theatre.points("loss") > 42)
    theatre.script.drop()
    theatre.wait(lambda: len(theatre.script.since) == 2)
    assert theatre.script.since[1] >= 420
    count = theatre.points("loss")
    theatre.wait(lambda: theatre.points("loss") > count)
    xs = theatre.page.evaluate("Array.from(document.querySelector('[data-panel=loss] .tf-plot').data[0].x)")
    assert xs == sorted(set(xs))


def test_a_run_that_is_not_there_is_said_once_and_train_is_offered(theatre: Theatre) -> None:
    theatre.open("run=unknown")
    expect(theatre.page.locator(".tf-toast")).to_have_text("There is no run called unknown.")
    expect(theatre.page.locator(".tf-primary")).to_have_text("Train")
    theatre.page.wait_for_timeout(1500)
    assert theatre.script.since == [-1], "it does not ask again"


def test_a_connection_that_stays_away_is_told(theatre: Theatre) -> None:
    theatre.open()
    theatre.wait(lambda: theatre.points("loss"))
    theatre.script.refuse_sockets = True
    theatre.script.drop()
    expect(theatre.page.locator(".tf-note")).to_contain_text("Connection lost, trying again")
    theatre.script.refuse_sockets = False
    expect(theatre.page.locator(".tf-note")).to_be_hidden(timeout=15_000)


def test_without_a_socket_the_page_feeds_the_stage(theatre: Theatre) -> None:
    theatre.script.refuse_sockets = True
    theatre.open("run=paused")
    page = theatre.page
    states = theatre.wait(lambda: page.evaluate("window.page.states"))
    assert 2900 < states[0][2] < 9000, "milliseconds of patience, by the browser's clock"
    assert states[0][0] == "fallback" and states[0][1]["since"] == 0
    assert "boundary" in states[0][1]["panels"]
    theatre.render(batch=theatre.script.batch("paused", 0, states[0][1]["panels"]))
    theatre.wait(lambda: theatre.points("loss") and theatre.drawn("boundary"))
    expect(page.locator(".tf-primary")).to_have_text("Resume")
    theatre.wait(lambda: page.evaluate("window.page.states.at(-1)[1].since") > 0)
    page.locator(".tf-primary").click()
    assert theatre.triggers() == [{"do": "command", "command": "resume", "value": None}]
    theatre.script.refuse_sockets = False
    theatre.wait(lambda: page.evaluate("window.page.states.at(-1)[1]") is None)


def test_the_base_address_is_the_path_without_the_page(theatre: Theatre) -> None:
    theatre.open("run=paused")
    found = theatre.page.evaluate(
        "import('/lab/assets/stage/stage.js?v=test').then(m => ['/', '/dnn', '/dnn/', '/~/+/dnn', '/~/+/', '/lab-dnn']"
        ".map(path => m.baseOf('dnn', path).slice(location.origin.length)))"
    )
    assert found == ["/", "/", "/", "/~/+/", "/~/+/", "/lab-dnn/"]
