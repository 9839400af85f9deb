"""What can go wrong on a page: each is answered by a sentence, and there is a way on."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from actions import LONG, control, expect_address, step_of, stop_run, train, wait_for_step
from conftest import Server, copy_app, serve_copy, stop, visit
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

#: The image behind the points.
IMAGE = """(document.querySelector('[data-panel=boundary] .js-plotly-plot')?.layout?.images || [{}])[0].source"""


def test_a_diverged_run_says_so_where_classes_played_before(page: Page, server: Server) -> None:
    """The recorded run has an accuracy, this one an error: their curves bear the same names."""
    page.emulate_media(reduced_motion="no-preference")  # the recorded run plays
    visit(page, f"{server.url}/dnn?preset=too_fast")
    expect(page.locator("[data-panel=loss] .tf-entry").first).to_be_visible()
    page.locator(".tf-stage").get_by_role("button", name="Train").first.click()
    expect(page.locator(".tf-note")).to_contain_text(re.compile(r"Diverged at step \d+"))
    line = page.locator(".tf-track")
    line.press("Home")
    page.wait_for_function("new URLSearchParams(location.search).get('step') === '0'")
    expect(page.locator(".tf-badge")).to_have_text("REPLAY")
    page.get_by_role("radio", name="中文").first.click()
    expect(page.locator(".tf-badge")).to_have_text("回放")
    line.press("End")
    expect(page.locator(".tf-note")).to_contain_text(re.compile(r"在第 \d+ 步发散"))


def test_a_run_that_cannot_begin_says_why_and_promises_no_figure(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dqn?environment=other&other=NoSuch-v1")
    expect(page.locator(".tf-badge")).to_have_text("RECORDED")
    page.locator(".tf-primary").click()
    expect(page.locator(".tf-note")).to_contain_text("Gymnasium has no NoSuch-v1 here")
    expect(page.locator(".tf-badge")).to_have_text("Failed")
    page.wait_for_function(
        "[...document.querySelectorAll('.tf-empty')].every((one) => /^Press Train/.test(one.textContent))"
    )


def test_without_a_connection_the_page_feeds_the_stage(page: Page, server: Server) -> None:
    """Figures still come, commands still arrive, earlier steps are shown."""
    page.route_web_socket(re.compile("/lab/runs/"), lambda socket: None)  # open, and nothing comes
    visit(page, f"{server.url}/dnn?{LONG}")
    stage = page.locator(".tf-stage")
    stage.evaluate("stage => stage.marked = true")
    run = train(page)
    expect(stage.get_by_text("No live connection here")).to_be_visible()
    wait_for_step(page, 50)
    assert stage.evaluate("stage => stage.marked"), "the stage was mounted again when the page began to feed it"
    wait_for_step(page, step_of(page))
    stop_run(page)
    assert '"mode":"stop"' in (server.runs / run / "control.json").read_text()
    expect(control(page, "noise").get_by_role("slider")).to_be_enabled()
    page.wait_for_function(f"Boolean({IMAGE})")
    newest = page.evaluate(IMAGE)
    stage.get_by_role("slider", name="Time line").press("Home")
    page.wait_for_function(f"newest => {IMAGE} !== newest", arg=newest)
    expect_address(page, step="0")


def test_a_damaged_log_shows_what_is_left_and_goes_on(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn?stop.steps=400&data=moons")
    run = train(page)
    expect(page.locator(".tf-stage").get_by_text("Finished", exact=True).first).to_be_visible()
    page.goto("about:blank")
    log = server.runs / run / "log.sqlite"
    with closing(sqlite3.connect(log)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
    visit(page, f"{server.url}/dnn?run={run}")
    expect(page.locator(".tf-note")).to_contain_text("The log of this run is damaged")
    expect(page.locator("[data-panel=loss] .tf-entry").first).to_be_visible()
    control(page, "stop-steps").get_by_role("slider").press("ArrowRight")
    page.get_by_role("button", name="Continue the run until then").click()
    expect(page.locator(".tf-stage").get_by_text("step 500 of 500")).to_be_visible()
    assert page.locator('[data-testid="stException"]').count() == 0


def test_an_error_that_nobody_foresaw_is_one_sentence(page: Page, tmp_path: Path) -> None:
    """An app with a file missing: the log has the traceback, the person does not."""
    root = copy_app(tmp_path)
    (root / "core/algorithms/dnn/learn.en.md").unlink()
    server = serve_copy(tmp_path, root)
    try:
        visit(page, f"{server.url}/dnn")
        alert = page.locator('[data-testid="stMain"] [data-testid="stAlert"]')
        expect(alert).to_have_text(re.compile("This part of the page failed; your runs are safe"))
        assert page.locator('[data-testid="stException"]').count() == 0
        expect(page.get_by_role("button", name=re.compile("^Train")).first).to_be_enabled()
    finally:
        stop(server)
    assert "FileNotFoundError" in server.output.read_text(errors="replace")
