"""The connection of the stage to the server: lost, opened again, never there, moved. Real Chromium, a fake server."""

import pytest
from playwright.sync_api import expect

from tests.browser.fake_server import to_browser
from tests.browser.stage_fixture import StagePage

pytestmark = pytest.mark.browser


def test_a_lost_connection_is_opened_again_from_where_it_was(stage: StagePage) -> None:
    stage.open()
    stage.wait(lambda: stage.points("loss") > 42)
    stage.server.disconnect()
    stage.wait(lambda: len(stage.server.since) == 2)
    assert stage.server.since[1] >= 420
    count = stage.points("loss")
    stage.wait(lambda: stage.points("loss") > count)
    xs = stage.page.evaluate("Array.from(document.querySelector('[data-panel=loss] .tf-plot').data[0].x)")
    assert xs == sorted(set(xs))


def test_a_missing_run_is_reported_once_and_train_is_offered(stage: StagePage) -> None:
    stage.open("run=unknown")
    expect(stage.page.locator(".tf-toast")).to_have_text("There is no run called unknown.")
    expect(stage.page.locator(".tf-primary")).to_have_text("Train")
    stage.page.wait_for_timeout(700)
    assert stage.server.since == [-1], "it tries again"


def test_a_connection_that_stays_lost_is_reported(stage: StagePage) -> None:
    stage.open()
    stage.wait(lambda: stage.points("loss"))
    stage.server.refuse_sockets = True
    stage.server.disconnect()
    expect(stage.page.locator(".tf-note")).to_contain_text("Connection lost, trying again")
    stage.server.refuse_sockets = False
    expect(stage.page.locator(".tf-note")).to_be_hidden(timeout=15_000)


def test_without_a_connection_the_page_feeds_the_stage(stage: StagePage) -> None:
    stage.server.refuse_sockets = True
    stage.open("run=paused")
    page = stage.page
    states = stage.wait(lambda: page.evaluate("window.page.states"))
    assert 2900 < states[0][2] < 9000, "milliseconds of patience, by the browser's clock"
    assert states[0][0] == "fallback" and states[0][1]["since"] == 0
    assert "boundary" in states[0][1]["panels"]
    stage.rerun(batch=to_browser(stage.server.hello("paused", states[0][1]["panels"])))
    stage.wait(lambda: stage.points("loss") and stage.drawn("boundary"))
    expect(page.locator(".tf-primary")).to_have_text("Resume")
    stage.wait(lambda: page.evaluate("window.page.states.at(-1)[1].since") > 0)
    page.locator(".tf-primary").click()
    assert stage.triggers() == [{"do": "command", "command": "resume", "value": None}]
    stage.server.refuse_sockets = False
    stage.wait(lambda: page.evaluate("window.page.states.at(-1)[1]") is None)


def test_the_base_address_is_the_path_without_the_page(stage: StagePage) -> None:
    stage.open("run=paused")
    found = stage.page.evaluate(
        "import('/lab/assets/stage/stage.js?v=test').then(m => ['/', '/dnn', '/dnn/', '/~/+/dnn', '/~/+/', '/lab-dnn']"
        ".map(path => m.baseOf('dnn', path).slice(location.origin.length)))"
    )
    assert found == ["/", "/", "/", "/~/+/", "/~/+/", "/lab-dnn/"]


def test_the_server_moves_the_stage_to_another_run_by_its_open_connection(stage: StagePage) -> None:
    stage.open("run=live")
    stage.wait(lambda: stage.drawn("boundary") > 1)
    stage.server.move_to = "recorded-dnn"
    expect(stage.page.locator(".tf-badge")).to_have_text("RECORDED")
    stage.wait(lambda: stage.points("loss") == 200)
    assert stage.page.locator(".tf-stage").get_attribute("data-run") == "recorded-dnn"
    assert len(stage.server.since) == 1, "it opened another connection"
    stage.server.move_to = ""
    stage.server.disconnect()
    stage.wait(lambda: len(stage.server.since) == 2)
    assert stage.server.since[1] == 2001, "it is not connected to the run that it was moved to"
