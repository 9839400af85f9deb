"""The pages as a person meets them: real server, real training, real Chromium."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from conftest import Server, settled, visit
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

#: Long enough to be still training when a test looks.
LONG = "stop.steps=10000000"


#: All words on the page that can be seen, without those in pictures, which are drawn anew when they come into sight.
WORDS = """[...document.querySelectorAll('[data-testid=stSidebar], [data-testid=stMain], [data-testid=stTopNav]')]
  .map((part) => {
    const words = [...part.querySelectorAll('input')].map((input) => input.value);
    const walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const parent = walk.currentNode.parentElement;
      const other = parent.closest('[data-testid=stIconMaterial], svg, style, script, .js-plotly-plot, .st-key-learn');
      if (!other && parent.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }))
        words.push(walk.currentNode.textContent);
    }
    return words.join(' ');
  }).join(' ')"""

#: Names that are the same in every language.
NAMES = {"English", "MNIST", "Tenfold", "Fashion", "epoch", "ReLU", "Tanh", "Adam", "Dropout", "Xavier", "Glorot"}


def control(page: Page, name: str) -> Locator:
    """The control of a setting, its group opened."""
    found = page.locator(f".st-key-control-{name}")
    group = page.locator('[data-testid="stExpander"]', has=found)
    if not found.is_visible():
        group.locator("summary").click()
        expect(found).to_be_visible()
    return found


def address(page: Page) -> dict[str, str]:
    """What the address says now."""
    return {n: v[0] for n, v in parse_qs(urlparse(page.evaluate("location.href")).query).items()}


def expect_address(page: Page, **parts: str | None) -> None:
    """Wait until the address says so; ``None`` for what it must not hold."""
    page.wait_for_function(
        """parts => { const q = new URLSearchParams(location.search);
             return Object.entries(parts).every(([n, v]) => q.get(n.replace('__', '.')) === v); }""",
        arg=parts,
    )


def train(page: Page) -> str:
    """Press Train and wait for the run; its id."""
    page.get_by_role("button", name=re.compile("^Train")).first.click()
    page.wait_for_function("new URLSearchParams(location.search).has('run')")
    settled(page)
    return address(page)["run"]


def badge(page: Page, word: str) -> None:
    expect(page.locator(".tf-stage").get_by_text(word, exact=True).first).to_be_visible()


def step_of(page: Page) -> int:
    """The step that the transport bar tells."""
    told = page.locator(".tf-stage").get_by_text(re.compile(r"^step [\d,]+( of |$)")).first.inner_text()
    found = re.search(r"[\d,]+", told)
    assert found
    return int(found[0].replace(",", ""))


def wait_for_step(page: Page, beyond: int) -> None:
    page.wait_for_function(
        """beyond => [...document.querySelectorAll('.tf-stage *')].some(e => {
             const m = e.children.length === 0 && /^step ([\\d,]+) of/.exec(e.textContent);
             return m && Number(m[1].replaceAll(',', '')) > beyond; })""",
        arg=beyond,
    )


def stop_run(page: Page) -> None:
    page.locator(".tf-stage").get_by_role("button", name=re.compile("Stop")).first.click()
    expect(page.locator(".tf-stage").get_by_text("Stopped", exact=True).first).to_be_visible()


def test_home_leads_to_every_algorithm_that_exists(page: Page, server: Server, pictures: Path) -> None:
    visit(page, server.url)
    page.screenshot(path=pictures / "home.png")
    cards = page.locator('[class*="st-key-card-"]')
    assert cards.count() >= 1
    page.get_by_role("link", name="Deep neural network").first.click()
    expect(page.get_by_role("heading", name="Deep neural network")).to_be_visible()
    assert urlparse(page.evaluate("location.href")).path.endswith("/dnn")


def test_a_moved_slider_stands_in_the_address_and_a_link_restores_it(
    page: Page, server: Server, visitor: Callable[..., Page]
) -> None:
    visit(page, f"{server.url}/dnn")
    noise = control(page, "noise").get_by_role("slider")
    before = noise.get_attribute("aria-valuenow")
    noise.focus()
    noise.press("ArrowRight")
    page.wait_for_function("new URLSearchParams(location.search).has('noise')")
    assert float(address(page)["noise"]) > float(before or 0)
    settled(page)
    assert noise.evaluate("slider => slider === document.activeElement"), "the slider lost its focus"
    control(page, "batch_norm").locator("label").click()
    expect_address(page, batch_norm="true")
    link = page.evaluate("location.href")

    other = visit(visitor(), link)
    slider = control(other, "noise").get_by_role("slider")
    assert slider.get_attribute("aria-valuenow") == noise.get_attribute("aria-valuenow")
    expect(control(other, "batch_norm").get_by_role("switch")).to_be_checked()


def test_a_change_is_marked_and_taken_back(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn?noise=0.2")
    mark = control(page, "noise").get_by_text("●")
    expect(mark).to_be_visible()
    page.locator(".st-key-reset-noise").get_by_role("button", name="↺").click()
    expect(mark).to_have_count(0)
    expect_address(page, noise=None)


def test_a_preset_changes_the_settings_and_says_its_claim(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn")
    page.locator(".st-key-dnn-preset-en").get_by_role("combobox").click()
    page.get_by_role("option", name="XOR with a hidden layer").click()
    expect(page.get_by_text("One hidden layer of eight units is enough")).to_be_visible()
    expect_address(page, preset="xor_hidden")
    expect(control(page, "data").get_by_role("combobox")).to_have_value("XOR")


def test_layers_are_a_list_that_grows_and_shrinks(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn")
    layers = control(page, "layers")
    expect(layers.locator("input").first).to_be_visible()
    count = layers.locator("input").count()
    layers.get_by_role("button", name="+", exact=True).click()
    expect(layers.locator("input")).to_have_count(count + 1)
    last = layers.locator("input").last
    last.fill("3")
    last.press("Enter")
    page.wait_for_function("(new URLSearchParams(location.search).get('layers') || '').endsWith(',3')")
    layers.get_by_role("button", name="−", exact=True).click()
    expect(layers.locator("input")).to_have_count(count)
    expect_address(page, layers=None)


def test_hidden_controls_are_not_there(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn?hide=noise,lr,preset,device")
    control(page, "data")
    assert (
        page.locator(
            ".st-key-control-noise, .st-key-control-lr, [class*=st-key-dnn-preset], .st-key-dnn-device"
        ).count()
        == 0
    )
    assert page.locator(".st-key-control-batch_size").count() == 1
    assert address(page)["hide"] == "noise,lr,preset,device"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("batch_size=0", "Batch size must be a whole number between 1 and 4096; it was 0."),
        ("run=nosuchrun", "There is no such run here"),
        ("device=quantum", "There is no device quantum here"),
        ("step=%00&lang=xx&hide=%27%22", None),
    ],
)
def test_a_bad_address_is_told_in_one_sentence(page: Page, server: Server, query: str, said: str | None) -> None:
    visit(page, f"{server.url}/dnn?{query}")
    alerts = page.locator('[data-testid="stMain"] [data-testid="stAlert"]')
    if said is None:
        expect(alerts).to_have_count(0)
    else:
        expect(alerts).to_have_count(1)
        expect(alerts).to_contain_text(said)
    assert page.locator('[data-testid="stException"]').count() == 0
    expect(page.get_by_role("button", name=re.compile("^Train")).first).to_be_enabled()


def test_settings_in_conflict_are_refused_at_train(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn?batch_norm=true")
    batch = control(page, "batch_size").get_by_role("slider")
    batch.focus()
    batch.press("Home")
    expect(control(page, "batch_size").get_by_text("1", exact=True).first).to_be_visible()
    settled(page)
    page.get_by_role("button", name=re.compile("^Train")).first.click()
    expect(page.locator('[data-testid="stMain"] [data-testid="stAlert"]')).to_contain_text(
        "batch norm needs at least 2"
    )
    assert "run" not in address(page)


def test_all_words_change_with_one_click(page: Page, server: Server, pictures: Path) -> None:
    visit(page, f"{server.url}/dnn")
    page.get_by_role("radio", name="中文").or_(page.get_by_role("button", name="中文")).first.click()
    expect(page.get_by_role("heading", name="深度神经网络")).to_be_visible()
    expect_address(page, lang="zh")
    expect(page.locator(".tf-stage").get_by_text("决策边界").first).to_be_visible()
    settled(page)
    page.wait_for_timeout(500)
    page.screenshot(path=pictures / "chinese.png")
    said = page.evaluate(WORDS)
    english = set(re.findall(r"[A-Za-z]{4,}", said)) - NAMES
    assert not english, said
    page.reload()
    expect(page.get_by_role("heading", name="深度神经网络")).to_be_visible()


def test_a_chinese_browser_is_answered_in_chinese(visitor: Callable[..., Page], server: Server) -> None:
    page = visit(visitor(locale="zh-CN"), f"{server.url}/dnn")
    expect(page.get_by_role("heading", name="深度神经网络")).to_be_visible()
    assert "lang" not in address(page)


def test_dark_and_light_by_one_click(page: Page, server: Server, pictures: Path) -> None:
    visit(page, f"{server.url}/dnn")
    ground = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    light = page.evaluate(ground)
    page.locator(".tf-theme").click()
    page.wait_for_function(f"{ground} !== '{light}'")
    page.wait_for_timeout(800)
    page.screenshot(path=pictures / "dark.png")
    assert page.locator('[data-testid="stMainMenuPopover"]').count() == 0
    page.locator(".tf-theme").click()
    page.wait_for_function(f"{ground} === '{light}'")


def test_train_and_the_curves_move(page: Page, server: Server, pictures: Path) -> None:
    visit(page, f"{server.url}/dnn?{LONG}")
    train(page)
    badge(page, "LIVE")
    wait_for_step(page, 50)
    page.screenshot(path=pictures / "training.png")
    seen = step_of(page)
    wait_for_step(page, seen)
    stop_run(page)


def test_a_moved_slider_leaves_the_stage_alone(page: Page, server: Server) -> None:
    """The very DOM node of a chart survives."""
    visit(page, f"{server.url}/dnn?{LONG}")
    train(page)
    wait_for_step(page, 20)
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
    batch = control(page, "batch_size").get_by_role("slider")
    batch.focus()
    batch.press("Home")
    settled(page)
    page.get_by_role("button", name=re.compile("^Train")).first.click()
    expect(page.locator('[data-testid="stMain"] [data-testid="stAlert"]')).to_be_visible()
    assert page.evaluate(same), "a refusal moved the stage"


def test_fixed_settings_wait_while_it_trains_and_live_ones_do_not(page: Page, server: Server, pictures: Path) -> None:
    visit(page, f"{server.url}/dnn?{LONG}")
    train(page)
    wait_for_step(page, 20)
    expect(control(page, "noise").get_by_role("slider")).to_be_disabled()
    expect(page.locator(".st-key-dnn-preset-en").get_by_role("combobox")).to_be_disabled()
    control(page, "data").get_by_test_id("stTooltipHoverTarget").first.hover()
    expect(page.get_by_text("Fixed while the run trains").first).to_be_visible()

    rate = control(page, "lr").get_by_role("slider")
    expect(rate).to_be_enabled()
    rate.focus()
    rate.press("ArrowRight")
    # The turned knob is a mark that the time line and the log know of.
    page.wait_for_function("document.querySelector('.tf-stage').innerText.includes('Learning rate')")
    settled(page)
    page.screenshot(path=pictures / "knob.png")
    expect(page.get_by_role("button", name="Train with changes")).to_be_hidden()
    stop_run(page)
    expect(control(page, "noise").get_by_role("slider")).to_be_enabled()


def test_reload_attaches_again_and_others_watch_without_touching(
    page: Page, server: Server, visitor: Callable[..., Page], pictures: Path
) -> None:
    visit(page, f"{server.url}/dnn?{LONG}&noise=0.2")
    run = train(page)
    wait_for_step(page, 20)
    page.reload()
    settled(page)
    badge(page, "LIVE")
    assert address(page)["run"] == run
    expect(control(page, "noise").get_by_role("slider")).to_be_disabled()

    other = visit(visitor(), f"{server.url}/dnn?run={run}")
    badge(other, "LIVE")
    wait_for_step(other, step_of(other))
    expect(other.get_by_text("somebody else's run").first).to_be_visible()
    other.screenshot(path=pictures / "watching.png")
    rate = control(other, "lr").get_by_role("slider")
    rate.focus()
    rate.press("ArrowRight")
    settled(other)
    assert '"knobs":[]' in (server.runs / run / "control.json").read_text()
    stop = other.locator(".tf-stage").get_by_role("button", name=re.compile("Stop")).first
    assert stop.count() == 0 or stop.is_disabled()
    stop_run(page)


def test_the_menu_and_back_keep_what_was_set(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn?noise=0.2")
    page.get_by_test_id("stTopNavLink").first.click()
    expect(page.get_by_role("heading", name="Watch a neural network learn")).to_be_visible()
    settled(page)
    page.get_by_role("link", name="Deep neural network").first.click()
    expect_address(page, noise="0.2")
    page.locator(".st-key-reset-noise").get_by_role("button", name="↺").click()
    expect_address(page, noise=None)
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
    expect(row.get_by_role("button", name="Delete")).to_be_disabled()
    stop_run(page)
    settled(page)
    expect(row.get_by_role("button", name="Delete")).to_be_enabled()
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(row).to_have_count(0)
    assert not (server.runs / run).exists()
    expect_address(page, run=None)


def test_learn_and_code_are_there(page: Page, server: Server, pictures: Path) -> None:
    visit(page, f"{server.url}/dnn")
    expect(page.locator(".st-key-learn .katex").first).to_be_visible()
    page.locator(".st-key-learn").screenshot(path=pictures / "learn.png")
    page.get_by_role("tab", name="Code").click()
    expect(page.get_by_role("heading", name="model.py")).to_be_visible()
    expect(page.get_by_role("heading", name="train.py")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download train.py").click()
    source = Path(__file__).parents[2] / "core/algorithms/dnn/train.py"
    assert Path(download.value.path()).read_text() == source.read_text()


def test_a_link_can_be_copied(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn?noise=0.2")
    page.get_by_role("button", name="Link").click()
    expect(page.get_by_text("/dnn?noise=0.2").first).to_be_visible()


@pytest.mark.parametrize("path", ["", "dnn"])
def test_nothing_overflows_on_a_phone(visitor: Callable[..., Page], server: Server, path: str, pictures: Path) -> None:
    page = visitor(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    visit(page, f"{server.url}/{path}")
    page.wait_for_timeout(800)
    page.screenshot(path=pictures / f"phone-{path or 'home'}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    main = '[data-testid="stMain"]'
    assert page.evaluate(
        f"document.querySelector('{main}').scrollWidth <= document.querySelector('{main}').clientWidth"
    )
    sidebar = page.locator('[data-testid="stSidebar"]')
    expect(sidebar).not_to_be_in_viewport()
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(sidebar).to_be_in_viewport()
    page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    expect(sidebar).not_to_be_in_viewport()


def test_no_word_comes_from_another_host(page: Page, server: Server) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlparse(request.url).netloc))
    visit(page, f"{server.url}/dnn")
    visit(page, server.url)
    page.wait_for_timeout(500)
    assert asked - {""} == {urlparse(server.url).netloc}


def test_without_a_socket_the_page_feeds_the_stage(page: Page, server: Server, pictures: Path) -> None:
    """A proxy that lets no live socket through: pictures still come, commands still arrive."""
    page.route_web_socket(re.compile("/lab/runs/"), lambda socket: socket.close())
    visit(page, f"{server.url}/dnn?{LONG}")
    run = train(page)
    wait_for_step(page, 50)
    page.screenshot(path=pictures / "fallback.png")
    wait_for_step(page, step_of(page))
    stop_run(page)
    assert '"mode":"stop"' in (server.runs / run / "control.json").read_text()
    expect(control(page, "noise").get_by_role("slider")).to_be_enabled()


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
