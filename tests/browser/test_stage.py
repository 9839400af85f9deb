"""The stage in real Chromium against a scripted server: what a person sees and does, without an engine."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.canned import boundary
from tests.browser.scripted import ROOT
from tests.browser.theatre import Theatre, port, theatre

__all__ = ["port", "theatre"]

pytestmark = pytest.mark.browser


def test_it_mounts_once_and_zoom_survives_a_rerun(theatre: Theatre) -> None:
    theatre.open()
    theatre.wait(lambda: theatre.drawn("loss") > 1)
    page = theatre.page
    page.evaluate("window.before = document.querySelector('[data-panel=loss] .tf-plot')")
    page.evaluate("Plotly.relayout(window.before, {'xaxis.range': [50, 150]})")
    drawn = theatre.drawn("loss")
    theatre.render(changed=True)
    theatre.render(changed=False, step=None)
    theatre.wait(lambda: theatre.drawn("loss") > drawn + 1)
    assert page.evaluate("document.querySelector('[data-panel=loss] .tf-plot') === window.before")
    assert page.evaluate("window.before.layout.xaxis.range") == [50, 150]
    assert page.locator(".tf-stage").count() == 1
    assert len(theatre.script.since) == 1


def test_an_overtaken_call_does_not_end_the_stage_and_the_last_one_does(theatre: Theatre) -> None:
    theatre.open()
    theatre.page.evaluate("() => { const old = page.render({changed: true}); old(); }")
    assert theatre.page.locator(".tf-stage").count() == 1
    theatre.wait(lambda: theatre.script.sockets)
    theatre.page.evaluate("() => { document.querySelector('#host').remove(); page.cleanup(); }")
    theatre.wait(lambda: not theatre.script.sockets)


def test_a_call_that_is_late_and_ends_at_once_neither_ends_the_stage_nor_takes_it_back(theatre: Theatre) -> None:
    """So it goes in Streamlit where data change while the stage's script is still on its way."""
    theatre.open()
    theatre.page.evaluate("() => { window.before = document.querySelector('.tf-stage'); page.render({lang: 'zh'}); }")
    expect(theatre.page.locator(".tf-stage[lang=zh-CN]")).to_be_visible()
    theatre.page.evaluate("() => { page.render({lang: 'en'}, 0); page.cleanup(); }")
    theatre.page.wait_for_timeout(500)
    assert theatre.page.evaluate("document.querySelector('.tf-stage') === window.before")
    expect(theatre.page.locator(".tf-stage")).to_have_attribute("lang", "zh-CN")
    theatre.page.evaluate("() => { document.querySelector('#host').remove(); page.cleanup(); }")
    theatre.wait(lambda: not theatre.script.sockets)


def test_words_that_come_late_are_said_by_what_came_meanwhile_too(theatre: Theatre) -> None:
    theatre.open()
    theatre.page.evaluate("() => { page.render({lang: 'zh'}); page.render({changed: true}); }")
    expect(theatre.page.locator(".tf-stage").get_by_text("决策边界").first).to_be_visible()


def test_curves_grow(theatre: Theatre) -> None:
    theatre.open()
    first = theatre.wait(lambda: theatre.points("loss"))
    theatre.wait(lambda: theatre.points("loss") > first + 5)
    lines = "document.querySelector('[data-panel=loss] .tf-plot').data.filter(t => t.line).map(t => t.line.color)"
    colours = theatre.page.evaluate(lines)
    assert colours == ["#3f90da", "#ffa90e"]
    theatre.wait(lambda: theatre.heard("drawn"))


def test_only_panels_in_sight_are_asked_for_and_drawn(theatre: Theatre) -> None:
    theatre.page.set_viewport_size({"width": 1300, "height": 400})
    theatre.open()
    theatre.wait(lambda: theatre.drawn("boundary") > 2)
    assert theatre.heard("see")[-1]["panels"] == ["boundary"]
    assert theatre.drawn("confusion") == 0
    theatre.page.locator("[data-panel=confusion]").scroll_into_view_if_needed()
    theatre.page.mouse.wheel(0, 2000)
    theatre.wait(lambda: theatre.drawn("confusion"))
    theatre.wait(lambda: "boundary" not in theatre.heard("see")[-1]["panels"])
    still = theatre.drawn("boundary")
    theatre.page.wait_for_timeout(600)
    assert theatre.drawn("boundary") == still
    chip = theatre.page.get_by_role("button", name="Activations", exact=True)
    chip.click()
    theatre.wait(lambda: "activations" in theatre.heard("see")[-1]["panels"])
    expect(chip).to_have_attribute("aria-expanded", "true")
    theatre.page.mouse.wheel(0, 4000)
    theatre.wait(lambda: theatre.drawn("activations"))


def scrub(theatre: Theatre, share: float) -> None:
    box = theatre.page.locator(".tf-track").bounding_box()
    assert box is not None
    theatre.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def test_scrubbing_shows_an_early_frame_and_returns_to_live(theatre: Theatre) -> None:
    theatre.open()
    theatre.wait(lambda: theatre.drawn("boundary") > 1)
    page = theatre.page
    middle = "document.querySelector('[data-panel=boundary] .tf-plot').data[0].z.bdata"
    scrub(theatre, 0)
    expect(page.locator(".tf-badge")).to_have_text("REPLAY")
    early = boundary(0)["data"][0]["z"]["bdata"]
    theatre.wait(lambda: page.evaluate(middle) == early)
    theatre.wait(lambda: "step=0" in page.url)
    shapes = page.evaluate("document.querySelector('[data-panel=loss] .tf-plot').layout.shapes.length")
    assert shapes == 2, "a cursor, and a veil over what came later"
    page.wait_for_timeout(800)
    assert page.evaluate(middle) == early, "live updates leave the view alone"
    asked = len(theatre.heard("frame"))
    page.keyboard.press("ArrowRight")
    theatre.wait(lambda: len(theatre.heard("frame")) > asked)
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert [m["step"] for m in theatre.heard("frame")][asked:] == [1], "a frame seen once is kept"
    page.get_by_role("button", name="Return to live").click()
    expect(page.locator(".tf-badge")).to_have_text("LIVE")
    theatre.wait(lambda: "step=" not in page.url)
    theatre.wait(lambda: page.evaluate(middle) != early)


def test_the_step_of_the_address_is_shown_at_once(theatre: Theatre) -> None:
    theatre.open("run=live&step=21")
    expect(theatre.page.locator(".tf-at")).to_have_text("step 21")
    assert theatre.wait(lambda: theatre.heard("frame"))[0]["step"] == 21


def test_dragging_asks_at_a_moderate_rate(theatre: Theatre) -> None:
    theatre.open()
    theatre.wait(lambda: theatre.drawn("boundary") > 1)
    box = theatre.page.locator(".tf-track").bounding_box()
    assert box is not None
    theatre.page.mouse.move(box["x"] + 1, box["y"] + 20)
    theatre.page.mouse.down()
    began = time.monotonic()
    for i in range(80):
        theatre.page.mouse.move(box["x"] + i * box["width"] / 80, box["y"] + 20)
    theatre.page.mouse.up()
    theatre.page.wait_for_timeout(300)
    assert 1 <= len(theatre.heard("frame")) <= 16 * (time.monotonic() - began) + 2
    theatre.wait(lambda: theatre.page.locator(".tf-at").inner_text() != "step 0")


def test_keys_pause_resume_and_step(theatre: Theatre) -> None:
    theatre.open()
    page = theatre.page
    expect(page.locator(".tf-primary")).to_have_text("Pause")
    page.keyboard.press("Space")
    expect(page.locator(".tf-primary")).to_have_text("Resume")
    step = theatre.script.step
    page.keyboard.press("ArrowRight")
    theatre.wait(lambda: theatre.script.step == step + 1)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input id=typing>')")
    page.focus("#typing")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    assert [m["do"] for m in theatre.heard("command")] == ["pause", "step"]
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    expect(page.locator(".tf-primary")).to_have_text("Pause")
    assert theatre.heard("command")[-1]["do"] == "resume"


def test_buttons_say_what_they_do(theatre: Theatre) -> None:
    theatre.open()
    page = theatre.page
    page.get_by_role("radio", name="5 steps per second", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".tf-badge")).to_have_text("Stopped")
    assert [(m["do"], m.get("value")) for m in theatre.heard("command")] == [("speed", 5), ("stop", None)]
    page.get_by_role("button", name="Same seed again").click()
    page.locator(".tf-primary").click()
    page.get_by_role("button", name="Continue this run").click()
    assert theatre.triggers() == [{"do": "restart"}, {"do": "train"}, {"do": "resume"}]


def test_a_run_of_somebody_else_is_watched_only(theatre: Theatre) -> None:
    theatre.open("run=other")
    page = theatre.page
    theatre.wait(lambda: page.locator(".tf-badge").inner_text() == "LIVE")
    for name in ("Pause", "One step", "Stop", "Same seed again"):
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_disabled()
        assert "somebody else" in (button.get_attribute("title") or "")
    page.keyboard.press("Space")
    assert theatre.heard("command") == []
    page.get_by_role("button", name="Train my own").click()
    assert theatre.triggers() == [{"do": "train"}]


def test_a_refusal_is_said(theatre: Theatre) -> None:
    theatre.open("run=other&lang=zh")
    theatre.wait(lambda: theatre.page.locator(".tf-badge").inner_text() == "实时")
    sentence = {"template": "{field} has to be at least {low}", "values": {"field": "Learning rate", "low": 0.5}}
    theatre.render(refusal=sentence)
    expect(theatre.page.locator(".tf-toast")).to_contain_text("学习率 has to be at least 0.5")


def test_a_recorded_run_plays_by_itself(theatre: Theatre) -> None:
    page = theatre.page
    page.emulate_media(reduced_motion="no-preference")
    theatre.open("recorded=recorded-dnn")
    expect(page.locator(".tf-badge")).to_have_text("RECORDED")
    expect(page.locator(".tf-primary")).to_have_text("Train")
    seen = set()
    theatre.wait(lambda: seen.add(page.locator(".tf-at").inner_text()) or len(seen) > 4)
    assert "step=" not in page.url
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play on")).to_be_visible()
    page.locator(".tf-primary").click()
    assert theatre.triggers() == [{"do": "train"}]
    theatre.render(run="live", recorded=None)
    expect(page.locator(".tf-badge")).to_have_text("LIVE")
    expect(page.locator(".tf-primary")).to_have_text("Pause")


def test_panels_are_saved(theatre: Theatre, tmp_path: Path) -> None:
    theatre.open("run=paused")
    theatre.wait(lambda: theatre.drawn("boundary") and theatre.points("loss"))
    files: dict[str, bytes] = {}
    for panel, title, kind, item in (
        ("loss", "Loss", "csv", "Save the numbers"),
        ("boundary", "Decision boundary", "png", "Save as picture"),
        ("loss", "Loss", "svg", "Save as drawing"),
        ("boundary", "Decision boundary", "csv", "Save the numbers"),
    ):
        theatre.page.get_by_role("button", name=f"Save {title}", exact=True).click()
        with theatre.page.expect_download() as waiting:
            theatre.page.locator(f"[data-panel={panel}]").get_by_role("menuitem", name=re.compile(item)).click()
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


def test_a_panel_is_enlarged_and_escape_closes_it(theatre: Theatre) -> None:
    theatre.open("run=paused")
    theatre.wait(lambda: theatre.drawn("boundary"))
    page = theatre.page
    small = page.locator("[data-panel=boundary] .tf-plot").bounding_box()
    page.get_by_role("button", name="Enlarge Decision boundary").click()
    expect(page.locator(".tf-dialog")).to_be_visible()
    width = "document.querySelector('[data-panel=boundary] .tf-plot').layout.width"
    theatre.wait(lambda: page.evaluate(width) > (small or {})["width"] * 1.2)
    page.keyboard.press("Escape")
    expect(page.locator(".tf-dialog")).to_be_hidden()
    theatre.wait(lambda: abs(page.evaluate(width) - (small or {})["width"]) < 2)


def test_a_turned_knob_is_a_mark(theatre: Theatre) -> None:
    theatre.open()
    theatre.wait(lambda: theatre.points("loss"))
    theatre.script.marks.append({"step": theatre.script.step + 30, "field": "rate", "old": 0.01, "new": 0.02})
    expect(theatre.page.locator(".tf-tick")).to_have_attribute("aria-label", re.compile("Learning rate 0.01 → 0.02"))
    shapes = "document.querySelector('[data-panel=loss] .tf-plot').layout.shapes.map(s => s.label?.text)"
    theatre.wait(lambda: theatre.page.evaluate(shapes) == ["Learning rate 0.01 → 0.02"])


def test_a_run_that_ended_badly_says_why_and_goes_on(theatre: Theatre) -> None:
    theatre.open("run=failed&lang=zh")
    expect(theatre.page.locator(".tf-note")).to_contain_text("训练出错：内存不足")
    theatre.page.get_by_role("button", name="接着这次训练").click()
    assert theatre.triggers() == [{"do": "resume"}]


def test_it_speaks_chinese_and_changes_its_language_in_place(theatre: Theatre) -> None:
    theatre.open("run=paused")
    theatre.wait(lambda: theatre.drawn("boundary"))
    theatre.render(lang="zh")
    page = theatre.page
    expect(page.locator(".tf-primary")).to_have_text("继续")
    expect(page.locator("[data-panel=boundary] .tf-title")).to_have_text("决策边界")
    expect(page.locator("[data-panel=loss] .tf-name").first).to_have_text("训练集")
    page.locator("[data-panel=gradient]").scroll_into_view_if_needed()
    expect(page.locator("[data-panel=gradient] .tf-name").first).to_have_text("第 1 层")
    text = "第 400 / 2,000 步"
    expect(page.locator(".tf-fact-step")).to_have_text(text)
    theatre.render(lang="en")
    expect(page.locator(".tf-primary")).to_have_text("Resume")


def test_every_word_of_the_stage_is_marked_once_and_known_in_chinese() -> None:
    source = (ROOT / "assets/stage/words.js").read_text("utf-8")
    marked = re.findall(r'N_\("([^"]+)"\)', source)
    assert len(marked) == len(set(marked)) > 50
    for path in (ROOT / "assets/stage").glob("*.js"):
        if path.name != "words.js":
            assert "N_(" not in path.read_text("utf-8")


@pytest.mark.parametrize("query", ["", "run=live", "recorded=recorded-dnn", "run=failed&lang=zh"])
def test_everything_that_can_be_pressed_has_a_name(theatre: Theatre, query: str) -> None:
    theatre.open(query)
    theatre.page.wait_for_timeout(500)
    nameless = theatre.page.evaluate(
        "[...document.querySelectorAll('.tf-stage button, .tf-stage [role=slider], .tf-stage [role=progressbar]')]"
        ".filter(b => b.offsetParent && !(b.getAttribute('aria-label') || b.textContent.trim())).map(b => b.outerHTML)"
    )
    assert nameless == []


def test_it_fits_a_phone(theatre: Theatre) -> None:
    theatre.page.set_viewport_size({"width": 390, "height": 844})
    theatre.open()
    theatre.wait(lambda: theatre.drawn("boundary"))
    assert theatre.page.evaluate("document.documentElement.scrollWidth") <= 390
    small = theatre.page.evaluate(
        "[...document.querySelectorAll('.tf-stage button')].filter(b => b.offsetParent)"
        ".map(b => [b.className, b.offsetWidth, b.offsetHeight]).filter(([, w, h]) => w < 40 || h < 40)"
    )
    assert small == []


def test_what_never_changes_is_fetched_once_and_again_after_a_failure(theatre: Theatre) -> None:
    theatre.script.naming, theatre.script.lost = True, 1
    theatre.open()
    shown = "document.querySelector('[data-panel=boundary] .tf-plot')._fullData?.at(-1).y"
    theatre.wait(lambda: theatre.page.evaluate(shown))
    assert list(theatre.page.evaluate(f"Array.from({shown})")) == [0, 1, 4, 9, 16, 25]
    drawn = theatre.drawn("boundary")
    theatre.wait(lambda: theatre.drawn("boundary") > drawn + 3)
    assert theatre.script.fixed == ["/lab/runs/live/fixed/scene"] * 2


def test_every_picture_has_its_turn_while_one_scrubs(theatre: Theatre) -> None:
    """All are due anew before the foremost are drawn: those behind them come all the same."""
    theatre.open("run=live")
    theatre.wait(lambda: theatre.drawn("boundary") and theatre.drawn("score"))
    slow = """() => {
        const stage = document.querySelector(".tf-plot").tfPanel.stage, { Plotly } = stage;
        stage.Plotly = { ...Plotly, react(...all) {
            for (const end = performance.now() + 30; performance.now() < end;);
            return Plotly.react(...all);
        } };
        const again = () => { stage.panels.touch("*"); window.scrubbing = requestAnimationFrame(again); };
        again();
    }"""
    theatre.page.evaluate(slow)
    before = {name: theatre.drawn(name) for name in ("boundary", "score", "neurons")}
    theatre.wait(lambda: all(theatre.drawn(name) > count + 2 for name, count in before.items()))
    theatre.page.evaluate("cancelAnimationFrame(window.scrubbing)")
