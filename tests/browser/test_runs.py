"""Runs as a person meets them: trained, watched, left, opened again; real server, real Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from actions import LONG, address, badge, control, expect_address, step_of, stop_run, train, wait_for_step
from conftest import Server, settled, visit
from playwright.sync_api import Page, expect

from core.events import Scalars
from core.runs.store.log import LogReader

pytestmark = pytest.mark.browser


#: The settings of the run of :func:`training`, by which its page is known.
LIVE = {"run", "stop.steps"}


@pytest.fixture
def training(shared_page: Page, server: Server) -> Iterator[Page]:
    """A page on which a person's run trains without an end, every other setting as in the preset; it is begun again
    only where a test has ended it or changed a setting."""
    page = shared_page
    live = page.locator(".tf-badge[data-kind=live]")
    if not (page.url.startswith(server.url) and set(address(page)) == LIVE and live.is_visible()):
        if page.url.startswith(server.url) and live.is_visible():
            stop_run(page)
        visit(page, f"{server.url}/dnn?{LONG}")
        train(page)
    wait_for_step(page, 20)
    yield page


@pytest.fixture(scope="module", autouse=True)
def ended(shared_page: Page) -> Iterator[None]:
    """Nothing trains on when the tests of this module are through."""
    yield
    stop = shared_page.locator(".tf-stage").get_by_role("button", name="Stop", exact=True)
    if shared_page.url.startswith("http") and stop.is_enabled():
        stop_run(shared_page)


def test_train_and_the_curves_move(training: Page, pictures: Path) -> None:
    page = training
    badge(page, "LIVE")
    wait_for_step(page, 50)
    page.screenshot(path=pictures / "training.png")
    wait_for_step(page, step_of(page))


def test_reload_attaches_again_and_others_watch_without_touching(
    training: Page, page: Page, server: Server, pictures: Path
) -> None:
    other, page = page, training
    run = address(page)["run"]
    page.reload()
    settled(page)
    badge(page, "LIVE")
    assert address(page)["run"] == run
    expect(control(page, "noise").get_by_role("slider")).to_be_disabled()

    visit(other, f"{server.url}/dnn?run={run}")
    badge(other, "LIVE")
    wait_for_step(other, step_of(other))
    expect(other.get_by_text("somebody else's run").first).to_be_visible()
    other.screenshot(path=pictures / "watching.png")
    rate = control(other, "lr").get_by_role("slider")
    rate.focus()
    rate.press("ArrowRight")
    settled(other)
    assert '"changes":[]' in (server.runs / run / "control.json").read_text()
    stop = other.locator(".tf-stage").get_by_role("button", name=re.compile("Stop")).first
    assert stop.count() == 0 or stop.is_disabled()


def test_the_same_seed_again_ends_the_run_it_takes_the_place_of(training: Page, server: Server) -> None:
    page = training
    run = address(page)["run"]
    page.get_by_role("button", name="Same seed again").click()
    page.wait_for_function("(run) => new URLSearchParams(location.search).get('run') !== run", arg=run)
    again = address(page)["run"]
    badge(page, "LIVE")
    wait_for_step(page, 20)
    stop_run(page)
    assert again != run
    visit(page, f"{server.url}/dnn?run={run}")
    badge(page, "Stopped")


def test_a_moved_slider_leaves_the_stage_alone(training: Page) -> None:
    """The very DOM node of a chart survives."""
    page = training
    page.wait_for_selector(".tf-stage .js-plotly-plot")
    page.evaluate(
        "window.chart = document.querySelector('.tf-stage .js-plotly-plot'); window.stage = chart.closest('.tf-stage')"
    )
    stop_run(page)
    noise = control(page, "noise").get_by_role("slider")
    expect(noise).to_be_enabled()
    noise.focus()
    noise.press("ArrowRight")
    page.wait_for_function("new URLSearchParams(location.search).has('noise')")
    settled(page)
    same = "stage.isConnected && chart.isConnected && document.querySelector('.tf-stage') === stage"
    assert page.evaluate(same)
    control(page, "batch_norm").locator("label").click()
    expect(page.locator(".st-key-reset-batch_norm")).to_be_visible()
    batch = control(page, "batch_size").get_by_role("slider")
    batch.focus()
    batch.press("Home")
    expect(page.locator(".st-key-reset-batch_size")).to_be_visible()  # the slider hands over its value a moment later
    settled(page)
    page.get_by_role("button", name=re.compile("^Train")).first.click()
    expect(page.locator('[data-testid="stMain"] [data-testid="stAlert"]')).to_be_visible()
    assert page.evaluate(same), "a refusal moved the stage"


def test_fixed_settings_wait_while_it_trains_and_live_ones_do_not(training: Page, pictures: Path) -> None:
    page = training
    expect(control(page, "noise").get_by_role("slider")).to_be_disabled()
    expect(page.locator(".st-key-dnn-preset-en").get_by_role("combobox")).to_be_disabled()
    control(page, "data").get_by_test_id("stTooltipHoverTarget").first.hover()
    expect(page.get_by_text("Fixed while the run trains").first).to_be_visible()

    rate = control(page, "lr").get_by_role("slider")
    expect(rate).to_be_enabled()
    rate.focus()
    rate.press("ArrowRight")
    # The changed setting is a mark that the time line and the log know of.
    page.wait_for_function("document.querySelector('.tf-stage').innerText.includes('Learning rate')")
    settled(page)
    page.screenshot(path=pictures / "changed-setting.png")
    expect(page.get_by_role("button", name="Train with changes")).to_be_hidden()
    stop_run(page)
    expect(control(page, "noise").get_by_role("slider")).to_be_enabled()


def test_the_menu_and_back_keep_what_was_set(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn?noise=0.2")
    page.get_by_test_id("stTopNavLink").first.click()
    expect(page.get_by_role("heading", name="Watch a neural network learn")).to_be_visible()
    settled(page)
    page.get_by_role("link", name="Deep neural network").first.click()
    expect_address(page, noise="0.2")
    page.locator(".st-key-reset-noise").get_by_role("button", name="↺").click()
    expect_address(page, noise=None)
    page.wait_for_timeout(1200)  # within a second of a change an older address is taken for one that lags behind
    page.go_back()
    expect_address(page, noise="0.2")
    expect(control(page, "noise").get_by_text("●")).to_be_visible()


def test_earlier_runs_open_resume_and_delete(page: Page, server: Server, pictures: Path) -> None:
    visit(page, f"{server.url}/dnn?{LONG}&noise=0.15")
    run = train(page)
    wait_for_step(page, 50)
    stop_run(page)
    page.goto(f"{server.url}/dnn")
    settled(page)
    page.get_by_role("tab", name="Runs").click()
    row = page.locator(f".st-key-run-{run}")
    expect(row).to_contain_text("stopped")
    expect(row).to_contain_text("Noise 0.15")
    expect(row).to_contain_text("Test accuracy")
    row.scroll_into_view_if_needed()
    page.screenshot(path=pictures / "runs.png")
    row.get_by_role("button", name="Open").click()
    expect_address(page, run=run, noise="0.15")

    row.get_by_role("button", name="Resume").click()
    badge(page, "LIVE")
    wait_for_step(page, step_of(page))
    row.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("This run has not ended: it is stopped first.")).to_be_visible()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(row).to_have_count(0)
    assert not (server.runs / run).exists()
    expect_address(page, run=None)


def test_a_run_begins_with_the_weights_of_another(page: Page, server: Server, pictures: Path) -> None:
    visit(page, f"{server.url}/dnn?from=nosuchrun&data=moons&stop.steps=1000")
    expect(page.locator('[data-testid="stMain"] [data-testid="stAlert"]')).to_contain_text("There is no such run here")
    expect_address(page, **{"from": None})
    start_from = control(page, "from").get_by_role("combobox")
    expect(start_from).to_be_disabled()  # there is nothing else to start from yet
    first = train(page)
    badge(page, "Finished")
    expect(start_from).to_be_enabled()  # once the page has been drawn with the run that has ended
    settled(page)
    start_from.scroll_into_view_if_needed()  # a list that is open closes when the sidebar scrolls
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    start_from.click()
    page.get_by_role("option", name=re.compile(r": Spiral, step 1,000$")).click()
    expect_address(page, **{"from": f"{first}@1000"})
    expect(page.get_by_text("Settings changed: press Train").first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Train")).first.click()
    page.wait_for_function("run => ![null, run].includes(new URLSearchParams(location.search).get('run'))", arg=first)
    settled(page)
    badge(page, "Finished")
    run = address(page)["run"]
    assert run != first
    reader = LogReader(server.runs / run / "log.sqlite")
    began = next(record.event.values for record in reader.events(Scalars) if "test/accuracy" in record.event.values)
    reader.close()
    assert began["test/accuracy"] > 0.95
    page.get_by_role("tab", name="Runs").click()
    expect(page.locator(f".st-key-run-{run}")).to_contain_text("started from Spiral at step 1,000")
    page.screenshot(path=pictures / "started-from.png")


def test_a_finished_run_goes_on_to_a_later_end(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn?stop.steps=100")
    run = train(page)
    expect(page.locator(".tf-stage").get_by_text("Finished", exact=True).first).to_be_visible()
    steps = control(page, "stop-steps").get_by_role("slider")
    expect(steps).to_be_enabled()
    steps.focus()
    steps.press("ArrowRight")
    page.get_by_role("button", name="Continue the run until then").click()
    wait_for_step(page, 150)
    assert address(page)["run"] == run
