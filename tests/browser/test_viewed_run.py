"""Two viewed runs side by side on one page: each has a state of its own. Real Chromium, a fake server."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.fake_figures import boundary
from tests.browser.stage_fixture import StagePage

pytestmark = pytest.mark.browser

#: Makes ``view(id, options)``: a viewed run whose events are counted by name, and which is drawn as soon as it changes.
DEFINE_VIEW = """async () => {
    const { ViewedRun } = await import("/lab/assets/stage/viewed_run.js?v=test");
    const names = ["onNews", "onFigures", "onStep", "onPlaying", "onConnection", "onMoved", "onProbe", "onRefused",
                   "onFeedRequest"];
    window.view = (id, options = {}) => {
        const counts = {};
        const count = (name) => (run) => {
            counts[name] = (counts[name] || 0) + 1;
            if (name === "onNews") run.acknowledge();
        };
        const events = Object.fromEntries(names.map((name) => [name, count(name)]));
        const panels = ["boundary", "neurons"];
        const run = new ViewedRun({ id, base: `${location.origin}/`, version: "test", stage: `stage-of-${id}`,
            snapshotPanels: panels, panelsInSight: panels.slice(0, 1), events, ...options });
        return { run, counts };
    };
}"""

EARLY = boundary(0)["data"][0]["z"]["bdata"]


class Views:
    """The two viewed runs ``a`` and ``b`` of a page."""

    def __init__(self, stage: StagePage) -> None:
        self.stage = stage
        stage.open("run=")
        stage.page.evaluate(DEFINE_VIEW)
        stage.page.evaluate("() => { window.a = view('live'); window.b = view('finished'); }")

    def evaluate(self, expression: str) -> Any:
        return self.stage.page.evaluate(expression)

    def wait(self, expression: str) -> Any:
        return self.stage.page.wait_for_function(expression)

    def image(self, name: str) -> str:
        """The heat map that a run shows, "" where it shows none."""
        return str(self.evaluate(f"{name}.run.figure('boundary')?.data[0].z.bdata || ''"))


@pytest.fixture
def views(stage: StagePage) -> Iterator[Views]:
    views = Views(stage)
    yield views
    views.evaluate("() => { a.run.close(); b.run.close(); }")


def test_two_runs_side_by_side_have_a_state_each(views: Views) -> None:
    views.wait("a.run.figure('boundary') && b.run.figure('boundary')")
    assert views.evaluate("[a.run.id, b.run.id, a.run.model.state, b.run.model.state]") == [
        "live",
        "finished",
        "running",
        "finished",
    ]
    assert len(views.stage.server.sockets) == 2
    news, points = views.evaluate("[b.counts.onNews, b.run.model.curves.get('train/loss').x.length]")
    seq = views.evaluate("a.run.model.seq")
    views.wait(f"a.run.model.seq > {seq}")
    assert views.evaluate("[b.counts.onNews, b.run.model.curves.get('train/loss').x.length]") == [news, points]

    live = views.image("a")
    views.evaluate("b.run.replay.goTo(0)")
    views.wait(f"b.run.figure('boundary').data[0].z.bdata === '{EARLY}'")
    assert views.evaluate("[a.run.shownStep, b.run.shownStep, a.counts.onStep || 0, b.counts.onStep]") == [
        None,
        0,
        0,
        1,
    ]
    assert views.image("a") not in ("", EARLY) and live not in ("", EARLY)
    assert views.stage.received("frame", "live") == []

    views.evaluate("b.run.setPanelsInSight(['neurons'])")
    views.stage.wait(lambda: views.stage.received("see", "finished")[-1]["panels"] == ["neurons"])
    assert views.stage.received("see", "live")[-1]["panels"] == ["boundary"]
    views.evaluate("a.run.command('speed', 5)")
    assert views.evaluate("[a.run.speed, b.run.speed]") == [5, 0]
    views.stage.wait(lambda: views.stage.received("command"))
    assert views.stage.received("command", "finished") == []


def test_a_whole_hello_takes_the_place_of_what_was_known(views: Views) -> None:
    """As when the log was damaged and mended: less is known than before."""
    views.wait("a.run.figure('boundary') && a.run.model.seq > 420")
    views.evaluate("a.run.replay.goTo(360)")
    views.wait("a.run.shownStep !== null && a.run.replay.missingStep === null")
    views.stage.server.state, views.stage.server.mended = "paused", 100
    views.wait("a.run.model.seq === 101")
    curve, frames = "a.run.model.curves.get('train/loss').x", "a.run.model.frames.get('boundary')"
    assert views.evaluate(f"[Math.max(...{curve}) <= 100, Math.max(...{frames}) <= 100]") == [True, True]
    assert views.evaluate("a.run.replay.missingStep") is not None, "a frame of the damaged log may be another's"
    views.stage.server.state = "running"
    views.wait(f"Math.max(...{curve}) > 106")


def test_one_run_is_replaced_and_the_other_stays(views: Views) -> None:
    views.wait("a.run.figure('boundary') && b.run.figure('boundary')")
    views.evaluate("b.run.replay.goTo(0)")
    views.wait(f"b.run.figure('boundary').data[0].z.bdata === '{EARLY}'")
    views.stage.server.refuse_sockets = True
    views.evaluate("() => { a.run.close(); window.c = view('paused', { predecessor: a.run }); }")
    assert views.image("c") == views.image("a"), "it does not show the figures of the run before"
    assert views.evaluate("c.run.isEarlier('boundary')")
    assert views.evaluate("[c.run.model.seq, c.run.model.curves.size, c.run.shownStep]") == [0, 0, None]
    views.stage.server.refuse_sockets = False
    views.wait("c.run.connectionState === 'open' && !c.run.isEarlier('boundary')")
    assert views.evaluate("[c.run.model.state, b.run.shownStep, b.run.connectionState]") == ["paused", 0, "open"]
    assert views.image("b") == EARLY
    counts = views.evaluate("JSON.stringify(a.counts)")
    seq = views.evaluate("a.run.model.seq")
    views.stage.page.wait_for_timeout(400)
    assert views.evaluate("[JSON.stringify(a.counts), a.run.model.seq]") == [counts, seq], "it is closed and goes on"
    views.evaluate("c.run.close()")
    views.stage.wait(lambda: len(views.stage.server.sockets) == 1)
