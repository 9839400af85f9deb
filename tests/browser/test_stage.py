"""The stage in real Chromium against the fake server: what a person sees and does, without an engine."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tests.browser.fake_figures import boundary
from tests.browser.fake_server import PAGE, ROOT
from tests.browser.stage_fixture import StagePage

pytestmark = pytest.mark.browser


def test_it_mounts_once_and_zoom_survives_a_rerun(stage: StagePage) -> None:
    stage.open()
    stage.wait(lambda: stage.drawn("loss") > 1)
    page = stage.page
    page.evaluate("window.before = document.querySelector('[data-panel=loss] .tf-plot')")
    page.evaluate("Plotly.relayout(window.before, {'xaxis.range': [50, 150]})")
    drawn = stage.drawn("loss")
    stage.rerun(changed=True)
    stage.rerun(changed=False, step=None)
    stage.wait(lambda: stage.drawn("loss") > drawn + 1)
    assert page.evaluate("document.querySelector('[data-panel=loss] .tf-plot') === window.before")
    assert page.evaluate("window.before.layout.xaxis.range") == [50, 150]
    assert page.locator(".tf-stage").count() == 1
    assert len(stage.server.since) == 1


def test_an_overtaken_call_does_not_end_the_stage_and_the_last_one_does(stage: StagePage) -> None:
    stage.open()
    stage.page.evaluate("() => { const old = page.render({changed: true}); old(); }")
    assert stage.page.locator(".tf-stage").count() == 1
    stage.wait(lambda: stage.server.sockets)
    stage.page.evaluate("() => { document.querySelector('#host').remove(); page.cleanup(); }")
    stage.wait(lambda: not stage.server.sockets)


def test_a_call_that_is_late_and_ends_at_once_neither_ends_the_stage_nor_takes_it_back(stage: StagePage) -> None:
    """So it goes in Streamlit where data change while the stage's script is still on its way."""
    stage.open()
    stage.page.evaluate("() => { window.before = document.querySelector('.tf-stage'); page.render({lang: 'zh'}); }")
    expect(stage.page.locator(".tf-stage[lang=zh-CN]")).to_be_visible()
    stage.page.evaluate("() => { page.render({lang: 'en'}, 0); page.cleanup(); }")
    stage.page.wait_for_timeout(500)
    assert stage.page.evaluate("document.querySelector('.tf-stage') === window.before")
    expect(stage.page.locator(".tf-stage")).to_have_attribute("lang", "zh-CN")
    stage.page.evaluate("() => { document.querySelector('#host').remove(); page.cleanup(); }")
    stage.wait(lambda: not stage.server.sockets)


def test_words_that_come_late_are_those_of_what_came_meanwhile_too(stage: StagePage) -> None:
    stage.open()
    stage.page.evaluate("() => { page.render({lang: 'zh'}); page.render({changed: true}); }")
    expect(stage.page.locator(".tf-stage").get_by_text("决策边界").first).to_be_visible()


def test_curves_grow(stage: StagePage) -> None:
    stage.open()
    first = stage.wait(lambda: stage.points("loss"))
    stage.wait(lambda: stage.points("loss") > first + 5)
    lines = "document.querySelector('[data-panel=loss] .tf-plot').data.filter(t => t.line).map(t => t.line.color)"
    colours = stage.page.evaluate(lines)
    assert colours == ["#3f90da", "#ffa90e"]
    stage.wait(lambda: stage.received("drawn"))


def test_only_panels_in_sight_are_requested_and_drawn(stage: StagePage) -> None:
    stage.page.set_viewport_size({"width": 1300, "height": 400})
    stage.open()
    stage.wait(lambda: stage.drawn("boundary") > 2)
    assert stage.received("see")[-1]["panels"] == ["boundary"]
    assert stage.drawn("confusion") == 0
    stage.page.locator("[data-panel=confusion]").scroll_into_view_if_needed()
    stage.page.mouse.wheel(0, 2000)
    stage.wait(lambda: stage.drawn("confusion"))
    stage.wait(lambda: "boundary" not in stage.received("see")[-1]["panels"])
    still = stage.drawn("boundary")
    stage.page.wait_for_timeout(400)
    assert stage.drawn("boundary") == still
    chip = stage.page.get_by_role("button", name="Activations", exact=True)
    chip.click()
    stage.wait(lambda: "activations" in stage.received("see")[-1]["panels"])
    expect(chip).to_have_attribute("aria-expanded", "true")
    stage.page.mouse.wheel(0, 4000)
    stage.wait(lambda: stage.drawn("activations"))


def scrub(stage: StagePage, share: float) -> None:
    box = stage.page.locator(".tf-track").bounding_box()
    assert box is not None
    stage.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def test_scrubbing_shows_an_early_frame_and_returns_to_live(stage: StagePage) -> None:
    stage.open()
    stage.wait(lambda: stage.drawn("boundary") > 1)
    page = stage.page
    middle = "document.querySelector('[data-panel=boundary] .tf-plot').data[0].z.bdata"
    scrub(stage, 0)
    expect(page.locator(".tf-badge")).to_have_text("REPLAY")
    early = boundary(0)["data"][0]["z"]["bdata"]
    stage.wait(lambda: page.evaluate(middle) == early)
    stage.wait(lambda: "step=0" in page.url)
    shapes = page.evaluate("document.querySelector('[data-panel=loss] .tf-plot').layout.shapes.length")
    assert shapes == 2, "a cursor, and a veil over what came later"
    page.wait_for_timeout(500)
    assert page.evaluate(middle) == early, "live updates leave the view alone"
    before = len(stage.received("frame"))
    page.keyboard.press("ArrowRight")
    stage.wait(lambda: len(stage.received("frame")) > before)
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert [m["step"] for m in stage.received("frame")][before:] == [1], "a frame seen once is kept"
    page.get_by_role("button", name="Return to live").click()
    expect(page.locator(".tf-badge")).to_have_text("LIVE")
    stage.wait(lambda: "step=" not in page.url)
    stage.wait(lambda: page.evaluate(middle) != early)


def test_the_step_of_the_address_is_shown_at_once(stage: StagePage) -> None:
    stage.open("run=live&step=21")
    expect(stage.page.locator(".tf-at")).to_have_text("step 21")
    assert stage.wait(lambda: stage.received("frame"))[0]["step"] == 21


def test_dragging_requests_frames_at_a_moderate_rate(stage: StagePage) -> None:
    stage.open()
    stage.wait(lambda: stage.drawn("boundary") > 1)
    box = stage.page.locator(".tf-track").bounding_box()
    assert box is not None
    stage.page.mouse.move(box["x"] + 1, box["y"] + 20)
    stage.page.mouse.down()
    began = time.monotonic()
    for i in range(40):
        stage.page.mouse.move(box["x"] + i * box["width"] / 40, box["y"] + 20)
    stage.page.mouse.up()
    stage.page.wait_for_timeout(300)
    assert 1 <= len(stage.received("frame")) <= 16 * (time.monotonic() - began) + 2
    stage.wait(lambda: stage.page.locator(".tf-at").inner_text() != "step 0")


def test_keys_pause_resume_and_step(stage: StagePage) -> None:
    stage.open()
    page = stage.page
    expect(page.locator(".tf-primary")).to_have_text("Pause")
    page.keyboard.press("Space")
    expect(page.locator(".tf-primary")).to_have_text("Resume")
    step = stage.server.step
    page.keyboard.press("ArrowRight")
    stage.wait(lambda: stage.server.step == step + 1)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input id=typing>')")
    page.focus("#typing")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    assert [m["do"] for m in stage.received("command")] == ["pause", "step"]
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    expect(page.locator(".tf-primary")).to_have_text("Pause")
    assert stage.received("command")[-1]["do"] == "resume"


def test_buttons_send_their_commands(stage: StagePage) -> None:
    stage.open()
    page = stage.page
    page.get_by_role("radio", name="5 steps per second", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".tf-badge")).to_have_text("Stopped")
    assert [(m["do"], m.get("value")) for m in stage.received("command")] == [("speed", 5), ("stop", None)]
    page.get_by_role("button", name="Same seed again").click()
    page.locator(".tf-primary").click()
    page.get_by_role("button", name="Continue this run").click()
    assert stage.triggers() == [{"do": "restart"}, {"do": "train"}, {"do": "resume"}]


def test_sliders_and_speeds_are_native_and_have_their_keys(stage: StagePage) -> None:
    stage.open("run=paused")
    page = stage.page
    full = page.get_by_role("radio", name="Full speed")
    expect(full).to_be_checked()
    full.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="25 steps per second")).to_be_checked()
    line = page.get_by_role("slider", name="Time line")
    line.press("Home")
    expect(line).to_have_value("0")
    expect(line).to_have_attribute("aria-valuetext", "step 0")
    line.press("ArrowRight")
    line.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuetext", "step 2")
    line.press("PageUp")  # a tenth of the frames
    expect(line).to_have_attribute("aria-valuetext", "step 3")
    line.press("Escape")
    expect(line).to_have_value("400")
    stage.wait(lambda: stage.received("command"))
    assert [(m["do"], m.get("value")) for m in stage.received("command")] == [("speed", 25)], "a key did more than that"


def test_a_run_of_somebody_else_is_watched_only(stage: StagePage) -> None:
    stage.open("run=other")
    page = stage.page
    stage.wait(lambda: page.locator(".tf-badge").inner_text() == "LIVE")
    for name in ("Pause", "One step", "Stop", "Same seed again"):
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_disabled()
        assert "somebody else" in (button.get_attribute("title") or "")
    page.keyboard.press("Space")
    assert stage.received("command") == []
    page.get_by_role("button", name="Train my own").click()
    assert stage.triggers() == [{"do": "train"}]


def point_at_a_cell(stage: StagePage, query: str) -> None:
    """The mouse over the upper right cell of a matrix whose click sets a setting."""
    stage.open(query)
    panels = [panel | ({"click": "shown"} if panel["name"] == "confusion" else {}) for panel in PAGE["panels"]]
    stage.rerun(panels=panels)
    panel = stage.page.locator("[data-panel=confusion]")
    panel.scroll_into_view_if_needed()
    stage.wait(lambda: stage.drawn("confusion"))
    stage.page.wait_for_timeout(150)  # of a plot that has just come Plotly reports nothing yet
    area = box(panel.locator(".nsewdrag"))
    stage.page.mouse.move(area["x"] + 0.7 * area["width"], area["y"] + 0.3 * area["height"])
    stage.page.mouse.move(area["x"] + 0.75 * area["width"], area["y"] + 0.25 * area["height"])
    expect(panel.locator(".hoverlayer .hovertext")).to_be_visible()


@pytest.mark.parametrize("run", ["live", "paused"])
def test_a_clicked_point_gives_a_live_setting_its_number(stage: StagePage, run: str) -> None:
    point_at_a_cell(stage, f"run={run}")
    assert cursor(stage) == "pointer"
    stage.page.mouse.down()
    stage.page.mouse.up()
    (command,) = stage.wait(lambda: stage.received("command"))
    chosen = {"field": "shown", "value": 11}
    assert command == {"type": "command", "do": "setting", "value": chosen}
    assert stage.triggers() == [{"do": "follow", "value": chosen}], "its control in the sidebar follows"


def test_no_click_is_lost_where_the_figure_is_drawn_anew_meanwhile(stage: StagePage) -> None:
    point_at_a_cell(stage, "run=live")
    for count in (1, 2, 3):
        drawn = stage.drawn("confusion")
        stage.page.mouse.down()
        stage.wait(lambda drawn=drawn: stage.drawn("confusion") > drawn + 1)
        stage.page.mouse.up()
        stage.wait(lambda count=count: len(stage.received("command")) == count)


def test_a_click_reaches_the_run_through_the_page_where_there_is_no_connection(stage: StagePage) -> None:
    point_at_a_cell(stage, "run=live")
    stage.server.refuse_sockets = True
    stage.server.disconnect()
    expect(stage.page.get_by_text("Connection lost")).to_be_visible()
    stage.page.mouse.down()
    stage.page.mouse.up()
    value = {"field": "shown", "value": 11}
    assert stage.wait(stage.triggers) == [{"do": "command", "command": "setting", "value": value}]


@pytest.mark.parametrize("run", ["other", "finished", "recorded-dnn"])
def test_a_click_does_nothing_to_a_run_that_takes_no_settings(stage: StagePage, run: str) -> None:
    point_at_a_cell(stage, f"recorded={run}" if run == "recorded-dnn" else f"run={run}")
    assert cursor(stage) != "pointer"
    stage.page.mouse.down()
    stage.page.mouse.up()
    stage.page.wait_for_timeout(200)
    assert stage.received("command") == [] and stage.triggers() == []


def cursor(stage: StagePage) -> str:
    area = "document.querySelector('[data-panel=confusion] .nsewdrag')"
    return str(stage.page.evaluate(f"getComputedStyle({area}).cursor"))


def test_a_refusal_is_shown(stage: StagePage) -> None:
    stage.open("run=other&lang=zh")
    stage.wait(lambda: stage.page.locator(".tf-badge").inner_text() == "实时")
    sentence = {"template": "{field} has to be at least {low}", "values": {"field": "Learning rate", "low": 0.5}}
    stage.rerun(refusal=sentence)
    expect(stage.page.locator(".tf-toast")).to_contain_text("学习率 has to be at least 0.5")


def test_a_recorded_run_plays_by_itself(stage: StagePage) -> None:
    page = stage.page
    page.emulate_media(reduced_motion="no-preference")
    stage.open("recorded=recorded-dnn")
    expect(page.locator(".tf-badge")).to_have_text("RECORDED")
    expect(page.locator(".tf-primary")).to_have_text("Train")
    seen = set()
    stage.wait(lambda: seen.add(page.locator(".tf-at").inner_text()) or len(seen) > 4)
    assert "step=" not in page.url
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play on")).to_be_visible()
    page.locator(".tf-primary").click()
    assert stage.triggers() == [{"do": "train"}]
    stage.rerun(run="live", recorded=None)
    expect(page.locator(".tf-badge")).to_have_text("LIVE")
    expect(page.locator(".tf-primary")).to_have_text("Pause")


def test_panels_are_saved(stage: StagePage, tmp_path: Path) -> None:
    stage.open("run=paused")
    stage.wait(lambda: stage.drawn("boundary") and stage.points("loss"))
    files: dict[str, bytes] = {}
    for panel, title, kind, item in (
        ("loss", "Loss", "csv", "Save the numbers"),
        ("boundary", "Decision boundary", "png", "Save as picture"),
        ("loss", "Loss", "svg", "Save as drawing"),
        ("boundary", "Decision boundary", "csv", "Save the numbers"),
    ):
        stage.page.get_by_role("button", name=f"Save {title}", exact=True).click()
        with stage.page.expect_download() as waiting:
            stage.page.locator(f"[data-panel={panel}]").get_by_role("menuitem", name=re.compile(item)).click()
        assert waiting.value.suggested_filename == f"{panel}.{kind}"
        target = tmp_path / f"{len(files)}.{kind}"
        waiting.value.save_as(target)
        files[f"{panel}.{kind}"] = target.read_bytes()
    lines = files["loss.csv"].decode().splitlines()
    assert lines[0] == "step,train/loss,test/loss"
    assert len(lines) == 41 and lines[1].startswith("10,0.")
    assert files["boundary.png"].startswith(b"\x89PNG") and len(files["boundary.png"]) > 20_000
    assert b"<svg" in files["loss.svg"]
    assert b"# class 0" in files["boundary.csv"]


def test_a_panel_is_enlarged_and_escape_closes_it(stage: StagePage) -> None:
    stage.open("run=paused")
    stage.wait(lambda: stage.drawn("boundary"))
    page = stage.page
    small = page.locator("[data-panel=boundary] .tf-plot").bounding_box()
    page.get_by_role("button", name="Enlarge Decision boundary").click()
    expect(page.locator(".tf-dialog")).to_be_visible()
    width = "document.querySelector('[data-panel=boundary] .tf-plot').layout.width"
    stage.wait(lambda: page.evaluate(width) > (small or {})["width"] * 1.2)
    page.keyboard.press("Escape")
    expect(page.locator(".tf-dialog")).to_be_hidden()
    stage.wait(lambda: abs(page.evaluate(width) - (small or {})["width"]) < 2)


def test_a_changed_setting_is_a_mark(stage: StagePage) -> None:
    stage.open()
    stage.wait(lambda: stage.points("loss"))
    stage.server.marks.append({"step": stage.server.step + 30, "field": "rate", "old": 0.01, "new": 0.02})
    expect(stage.page.locator(".tf-tick")).to_have_attribute("aria-label", re.compile("Learning rate 0.01 → 0.02"))
    shapes = "document.querySelector('[data-panel=loss] .tf-plot').layout.shapes.map(s => s.label?.text)"
    stage.wait(lambda: stage.page.evaluate(shapes) == ["Learning rate 0.01 → 0.02"])


def test_a_run_that_ended_badly_shows_why_and_goes_on(stage: StagePage) -> None:
    stage.open("run=failed&lang=zh")
    expect(stage.page.locator(".tf-note")).to_contain_text("训练出错：内存不足")
    stage.page.get_by_role("button", name="接着这次训练").click()
    assert stage.triggers() == [{"do": "resume"}]


def test_it_is_in_chinese_and_changes_its_language_in_place(stage: StagePage) -> None:
    stage.open("run=paused")
    stage.wait(lambda: stage.drawn("boundary"))
    stage.rerun(lang="zh")
    page = stage.page
    expect(page.locator(".tf-primary")).to_have_text("继续")
    expect(page.locator("[data-panel=boundary] .tf-title")).to_have_text("决策边界")
    expect(page.locator("[data-panel=loss] .tf-name").first).to_have_text("训练集")
    page.locator("[data-panel=gradient]").scroll_into_view_if_needed()
    expect(page.locator("[data-panel=gradient] .tf-name").first).to_have_text("第 1 层")
    text = "第 400 / 2,000 步"
    expect(page.locator(".tf-fact-step")).to_have_text(text)
    stage.rerun(lang="en")
    expect(page.locator(".tf-primary")).to_have_text("Resume")


def test_every_word_of_the_stage_is_marked_once_and_known_in_chinese() -> None:
    source = (ROOT / "assets/stage/words.js").read_text("utf-8")
    marked = re.findall(r'N_\("([^"]+)"\)', source)
    assert len(marked) == len(set(marked)) > 50
    for path in (ROOT / "assets/stage").glob("*.js"):
        if path.name != "words.js":
            assert "N_(" not in path.read_text("utf-8")


@pytest.mark.parametrize("query", ["", "run=live", "recorded=recorded-dnn", "run=failed&lang=zh"])
def test_everything_that_can_be_pressed_has_a_name(stage: StagePage, query: str) -> None:
    stage.open(query)
    if query:
        expect(stage.page.locator(".tf-badge")).to_be_visible()
    nameless = stage.page.evaluate(
        "[...document.querySelectorAll('.tf-stage button, .tf-stage input, .tf-stage [role=progressbar]')]"
        ".filter(b => b.offsetParent && !(b.getAttribute('aria-label') || b.textContent.trim())).map(b => b.outerHTML)"
    )
    assert nameless == []


def test_it_fits_a_phone(stage: StagePage) -> None:
    stage.page.set_viewport_size({"width": 390, "height": 844})
    stage.open()
    stage.wait(lambda: stage.drawn("boundary"))
    assert stage.page.evaluate("document.documentElement.scrollWidth") <= 390
    small = stage.page.evaluate(
        "[...document.querySelectorAll('.tf-stage button, .tf-stage input')].filter(b => b.offsetParent)"
        ".map(b => [b.className, b.offsetWidth, b.offsetHeight]).filter(([, w, h]) => w < 40 || h < 40)"
    )
    assert small == []


def test_no_tick_of_a_low_panel_is_cut(stage: StagePage) -> None:
    """A legend of several lines leaves little to the figure."""
    stage.page.set_viewport_size({"width": 960, "height": 720})
    stage.open()
    metrics = [f"{split}/{name}" for split in ("train", "test") for name in ("loss", "accuracy")] + ["gradient/layer_1"]
    stage.rerun(panels=[panel | ({"metrics": metrics} if panel["name"] == "loss" else {}) for panel in PAGE["panels"]])
    expect(stage.page.locator("[data-panel=loss] .tf-entry")).to_have_count(5)
    stage.wait(lambda: stage.points("loss"))
    bottoms = "plot => [plot, ...plot.querySelectorAll('.xtick text')].map(p => p.getBoundingClientRect().bottom)"
    plot = stage.page.locator("[data-panel=loss] .tf-plot")
    stage.wait(lambda: box(plot)["height"] < 110)  # low indeed, the legend has two lines
    drawn = stage.drawn("loss")
    stage.wait(lambda: stage.drawn("loss") > drawn)
    bottom, *ticks = plot.evaluate(bottoms)
    assert len(ticks) > 2 and max(ticks) <= bottom + 1


def box(locator: Locator) -> FloatRect:
    found = locator.bounding_box()
    assert found
    return found


def test_what_never_changes_is_fetched_once_and_again_after_a_failure(stage: StagePage) -> None:
    stage.server.name_static, stage.server.static_failures = True, 1
    stage.open()
    shown = "document.querySelector('[data-panel=boundary] .tf-plot')._fullData?.at(-1).y"
    stage.wait(lambda: stage.page.evaluate(shown))
    assert list(stage.page.evaluate(f"Array.from({shown})")) == [0, 1, 4, 9, 16, 25]
    drawn = stage.drawn("boundary")
    stage.wait(lambda: stage.drawn("boundary") > drawn + 3)
    assert stage.server.static_requests == ["/lab/runs/live/fixed/scene"] * 2


def test_what_never_changes_is_fetched_again_for_a_run_that_has_ended(stage: StagePage) -> None:
    """Nothing else would draw the figure once more."""
    stage.server.name_static, stage.server.static_failures = True, 1
    stage.open("run=finished")
    stage.wait(
        lambda: stage.page.evaluate("document.querySelector('[data-panel=boundary] .tf-plot')._fullData?.at(-1).y")
    )
    assert len(stage.server.static_requests) == 2


def test_every_panel_is_drawn_while_one_scrubs(stage: StagePage) -> None:
    """All have to be drawn again before the first ones are: those behind them are drawn all the same."""
    stage.open("run=live")
    stage.wait(lambda: stage.drawn("boundary") and stage.drawn("score"))
    slow = """() => {
        const { react } = Plotly, line = document.querySelector(".tf-track");
        Plotly.react = (...all) => {
            for (const end = performance.now() + 30; performance.now() < end;);
            return react(...all);
        };
        const scrub = (share) => {
            line.value = line.max * share;
            line.dispatchEvent(new Event("input"));
            window.scrubbing = requestAnimationFrame(() => scrub((share + 0.01) % 0.2));
        };
        scrub(0);
    }"""
    stage.page.evaluate(slow)
    before = {name: stage.drawn(name) for name in ("boundary", "score", "neurons")}
    stage.wait(lambda: all(stage.drawn(name) > count + 2 for name, count in before.items()))
    stage.page.evaluate("cancelAnimationFrame(window.scrubbing)")
