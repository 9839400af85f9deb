"""The pages as a person meets them: settings, words, themes; real server, real Chromium."""

import re
from pathlib import Path
from urllib.parse import urlparse

import pytest
from actions import address, control, expect_address
from conftest import Server, emulate, settled, visit
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

#: All words on the page that can be seen, without those in figures, which are drawn again when they come into sight.
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


@pytest.fixture
def dnn_page(shared_page: Page, server: Server) -> Page:
    """The page of the DNN with the settings of its preset, in English: opened only where a test has left another."""
    if shared_page.url != f"{server.url}/dnn":
        visit(shared_page, f"{server.url}/dnn")
    return settled(shared_page)


def test_home_leads_to_every_algorithm_that_exists(page: Page, server: Server, pictures: Path) -> None:
    visit(page, server.url)
    page.screenshot(path=pictures / "home.png")
    cards = page.locator('[class*="st-key-card-"]')
    assert cards.count() >= 1
    page.get_by_role("link", name="Deep neural network").first.click()
    expect(page.get_by_role("heading", name="Deep neural network")).to_be_visible()
    assert urlparse(page.evaluate("location.href")).path.endswith("/dnn")


def test_a_moved_slider_is_in_the_address_and_a_link_restores_it(dnn_page: Page, page: Page) -> None:
    other, page = page, dnn_page
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

    visit(other, link)
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


def test_a_preset_changes_the_settings_and_shows_its_claim(dnn_page: Page) -> None:
    page = dnn_page
    page.locator(".st-key-dnn-preset-en").get_by_role("combobox").click()
    page.get_by_role("option", name="XOR with a hidden layer").click()
    expect(page.get_by_text("One hidden layer of eight units is enough")).to_be_visible()
    expect_address(page, preset="xor_hidden")
    expect(control(page, "data").get_by_role("combobox")).to_have_value("XOR")


def test_layers_are_a_list_that_grows_and_shrinks(dnn_page: Page) -> None:
    page = dnn_page
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
    ("query", "sentence"),
    [
        ("batch_size=0", "Batch size must be a whole number between 1 and 4096; it was 0."),
        ("run=nosuchrun", "There is no such run here"),
        ("device=quantum", "There is no device quantum here"),
        ("step=%00&lang=xx&hide=%27%22", None),
    ],
)
def test_a_bad_address_is_answered_by_one_sentence(
    page: Page, server: Server, query: str, sentence: str | None
) -> None:
    visit(page, f"{server.url}/dnn?{query}")
    alerts = page.locator('[data-testid="stMain"] [data-testid="stAlert"]')
    if sentence is None:
        expect(alerts).to_have_count(0)
    else:
        expect(alerts).to_have_count(1)
        expect(alerts).to_contain_text(sentence)
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
    for _ in range(100):  # what is in sight is drawn again, one panel after the other
        page.wait_for_timeout(100)
        words = page.evaluate(WORDS)
        if not (english := set(re.findall(r"[A-Za-z]{4,}", words)) - NAMES):
            break
    page.screenshot(path=pictures / "chinese.png")
    assert not english, words
    page.reload()
    expect(page.get_by_role("heading", name="深度神经网络")).to_be_visible()


def test_words_change_while_the_script_of_the_stage_is_on_its_way(page: Page, server: Server) -> None:
    held: list[Route] = []
    page.route(re.compile("stage/panel.js"), lambda route: held.append(route))
    with page.expect_request(re.compile("stage/panel.js")):
        visit(page, f"{server.url}/dnn")
    page.get_by_role("radio", name="中文").first.click()
    expect(page.get_by_role("heading", name="深度神经网络")).to_be_visible()
    settled(page)
    assert held and page.locator(".tf-stage").count() == 0
    held[0].continue_()
    expect(page.locator(".tf-stage").get_by_text("决策边界").first).to_be_visible()
    page.wait_for_timeout(500)
    expect(page.locator(".tf-stage")).to_have_count(1)


def test_a_chinese_browser_is_answered_in_chinese(page: Page, server: Server) -> None:
    visit(emulate(page, locale="zh-CN"), f"{server.url}/dnn")
    expect(page.get_by_role("heading", name="深度神经网络")).to_be_visible()
    assert "lang" not in address(page)


def test_dark_and_light_by_one_click(dnn_page: Page, pictures: Path) -> None:
    page = dnn_page
    ground = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    light = page.evaluate(ground)
    page.locator(".tf-theme").click()
    page.wait_for_function(f"{ground} !== '{light}'")
    page.wait_for_timeout(800)
    page.screenshot(path=pictures / "dark.png")
    assert page.locator('[data-testid="stMainMenuPopover"]').count() == 0
    page.locator(".tf-theme").click()
    page.wait_for_function(f"{ground} === '{light}'")


def test_learn_and_code_are_there(dnn_page: Page, pictures: Path) -> None:
    page = dnn_page
    page.get_by_role("tab", name="Learn").click()
    expect(page.locator(".st-key-learn .katex").first).to_be_visible()
    page.locator(".st-key-learn").screenshot(path=pictures / "learn.png")
    page.get_by_role("tab", name="Code").click()
    code = page.locator(".st-key-code")
    expect(code.get_by_text("core/algorithms/dnn/model.py")).to_be_visible()
    code.get_by_role("tab", name="train.py").click()
    expect(code.get_by_text("core/algorithms/dnn/train.py")).to_be_visible()
    page.locator(".st-key-code").screenshot(path=pictures / "code.png")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download train.py").click()
    source = Path(__file__).parents[2] / "core/algorithms/dnn/train.py"
    assert Path(download.value.path()).read_text() == source.read_text()


def test_a_link_can_be_copied(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/dnn?noise=0.2")
    page.get_by_role("button", name="Link").click()
    expect(page.get_by_text("/dnn?noise=0.2").first).to_be_visible()


@pytest.mark.parametrize("path", ["", "dnn"])
def test_nothing_overflows_on_a_phone(page: Page, server: Server, path: str, pictures: Path) -> None:
    visit(emulate(page, phone=True), f"{server.url}/{path}")
    page.wait_for_timeout(500)
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


def test_nothing_comes_from_another_host(page: Page, server: Server) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlparse(request.url).netloc))
    visit(page, f"{server.url}/dnn")
    visit(page, server.url)
    page.wait_for_timeout(500)
    assert hosts - {""} == {urlparse(server.url).netloc}
