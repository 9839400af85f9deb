"""Snapshots and figures: small, valid Plotly, and true to the state."""

import base64
import copy
import importlib
import json

import numpy as np
import plotly.graph_objects as go
import pytest

from core.algorithms.resnet import views
from core.algorithms.resnet.metrics import current_gradients
from core.algorithms.resnet.requests import CutRequest, SurfaceRequest
from core.algorithms.resnet.spec import experiment
from core.events import Snapshot
from core.experiment import Context
from core.runs.store.log import LogWriter
from tests.core.algorithms.resnet.training import TINY, program, run, snapshots, start

KINDS = {
    "both": TINY,
    "plain": TINY | {"networks": "plain"},
    "2016, no norm": TINY | {"order": "pre", "batch_norm": False, "networks": "residual"},
    "colour": {"data": "shapes", "samples": 80, "n": 1, "width": 2, "drop": 0.9},
    "deep": TINY | {"n": 18, "batch_size": 32},
}


@pytest.fixture(params=KINDS)
def seen(request):
    """(state, snapshots after some steps by panel, statics)."""
    state = start(KINDS[request.param])
    statics = snapshots(state)
    log = run(state, 3 if state.config.n > 9 else 25)
    return state, snapshots(state) | {name: s.arrays for name, s in log.snapshots.items()}, statics


def figure(view: str, arrays, state, statics):
    module, name = view.split(":")
    return getattr(importlib.import_module(module), name)(arrays, Context(state.config, statics, state.step))


def painted(made):
    """The figure as the browser hands it to Plotly: rasters are data URLs by then, sentences are text."""
    made = copy.deepcopy(made)
    for image in made["layout"].get("images", ()):
        assert len(base64.b64decode(image["source"]["bdata"])) == np.prod(image["source"]["shape"])
        image["source"] = "data:image/png;base64,AAAA"
    for note in made["layout"].get("annotations", ()):
        if isinstance(note["text"], dict):
            note["text"] = note["text"]["template"].format(**note["text"]["values"])
    return made


def valid(made) -> None:
    json.dumps(made, allow_nan=False)
    go.Figure(painted(made))


def test_every_panel_is_valid_plotly_and_small(seen):
    state, taken, statics = seen
    wanted = {
        p.name: p.view
        for p in experiment.panels
        if p.view and all(getattr(state.config, f) in values for f, values in p.shown_if.items())
    }
    assert set(taken) == set(wanted)
    for panel, arrays in taken.items():
        made = figure(wanted[panel], arrays, state, statics)
        valid(made)
        assert len(json.dumps(made)) <= 110_000, panel
        assert sum(a.nbytes for a in arrays.values()) <= 75_000, panel


def test_snapshots_survive_the_log(seen, tmp_path):
    state, taken, _ = seen
    log = LogWriter(tmp_path / "log.sqlite")
    for panel, arrays in taken.items():
        log.append(Snapshot(state.step, panel, arrays))
    log.close()


def test_the_towers_show_the_gradients_of_the_last_step_and_the_scores():
    log = run(start(TINY), 25)
    arrays = snapshots(log.state)["towers"]
    assert np.array_equal(arrays["gradient"], current_gradients(log.state))
    for i, name in enumerate(("residual", "plain")):
        expected = [log.last(f"{name}/{metric}") for metric in ("loss", "accuracy", "gradient_ratio")]
        assert arrays["scores"][i].tolist() == pytest.approx(expected, rel=1e-5)


def test_a_block_has_the_colour_of_its_gradient_on_one_scale_for_both():
    state = start(TINY)
    arrays = {
        "gradient": np.array([[1e-3, 1, 10, 1e3, 0], [1e-9, 1e9, 10, 1, 1]], np.float32),
        "scores": np.array([[0.5, -1, 0], [2.3, 0.25, 1234.5]], np.float32),
    }
    made = views.towers(arrays, Context(state.config, {}, 0))
    residual, plain = (trace["marker"]["color"] for trace in made["data"] if trace["type"] == "bar")
    assert residual[0] == plain[0] == "#440154" and residual[3] == plain[1] == "#fde725"
    assert residual[1] == plain[3] and residual[2] == plain[2] != residual[1]
    assert residual[4].startswith("rgba(128")
    texts = [note["text"] for note in made["layout"]["annotations"]]
    assert "<b>0.5</b>" in texts and "<b>–</b>" in texts and "<b>25.0 %</b>" in texts and "<b>1,234</b>" in texts
    bars = [trace for trace in made["data"] if trace["type"] == "bar"]
    assert bars[0]["customdata"] == [-1, 0, 1, 2, -1]
    lines = [
        trace
        for trace in made["data"]
        if trace["type"] == "scatter" and trace.get("line", {}).get("color") == views.COLOURS["residual"]
    ]
    assert len(lines) == 1, "only the residual network has shortcuts"


def test_each_residual_block_has_its_shortcut():
    state = start(TINY | {"n": 18, "networks": "residual"})
    arrays = {"gradient": np.ones((1, 56), np.float32), "scores": np.zeros((1, 3), np.float32)}
    made = views.towers(arrays, Context(state.config, {}, 0))
    path = next(t for t in made["data"] if t.get("line", {}).get("color") == views.COLOURS["residual"])
    y = np.frombuffer(base64.b64decode(path["y"]["bdata"]), np.float32).reshape(54, 5)
    for i in range(54):
        assert y[i, :4].tolist() == pytest.approx([i + 0.5, i + 0.7, i + 1.3, i + 1.5])
        assert np.isnan(y[i, 4])


def test_the_history_is_drawn_input_at_the_bottom_oldest_at_the_left():
    state = start(TINY | {"networks": "plain"})
    for step in range(3):
        row = np.full((1, 5), 10.0**step, np.float32)
        row[0, 0] = 1e-3
        state.gradient_history.append(step, row)
    arrays = snapshots(state)["gradients"]
    made = views.gradients(arrays, Context(state.config, {}, 2))
    image = made["layout"]["images"][0]
    pixels = np.frombuffer(base64.b64decode(image["source"]["bdata"]), np.uint8).reshape(5, 3)
    assert pixels[-1].tolist() == [0, 0, 0]
    assert pixels[0].tolist() == [128, 170, 212]  # 10⁰, 10¹, 10² on six decades
    assert (image["x"], image["sizex"]) == (-0.5, 3.0)


def test_blocks_cut_in_turn_are_bars_beside_the_accuracy_of_the_uncut_network():
    state = run(start(TINY | {"networks": "residual"}), 3).state
    arrays = {
        "at": np.array([0, -1]), "cut": np.array([], np.int32), "moved": np.array([], np.int32),
        "accuracy": np.array([[0.8], [0.7]], np.float32), "each": np.array([[0.4, 0.8, -1]], np.float32),
    }  # fmt: skip
    made = views.block_editor(arrays, Context(state.config, {}, 3))
    bars = [trace for trace in made["data"] if trace["type"] == "bar"][1]
    assert bars["y"] == [1, 2], "the third was not cut yet"
    assert bars["x"][0] == pytest.approx(bars["x"][1] / 2)
    uncut = next(t for t in made["data"] if t.get("line", {}).get("color") == views.INK)
    x = np.frombuffer(base64.b64decode(uncut["x"]["bdata"]), np.float32)
    assert x[0] == x[1] == pytest.approx(bars["base"][0] + bars["x"][1]), "where a bar of the uncut accuracy ends"
    texts = [note["text"] for note in painted(made)["layout"]["annotations"]]
    assert texts == ["accuracy 70.0 %", "uncut: 80.0 %", "bars: with one cut", "Residual, 8 layers"]


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [((0.6, 6), [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]), ((1, 1e30), [1e0, 1e6, 1e12, 1e18, 1e24, 1e30])],
)
def test_a_logarithmic_axis_has_a_few_round_ticks(ends, ticks):
    assert views._log_axis("", np.array(ends))["tickvals"] == pytest.approx(ticks)


def test_the_probes_pictures_are_valid_at_every_moment():
    state = run(start(TINY), 3).state
    requests = {"cut": [CutRequest(), CutRequest(block=1), CutRequest(act="each")], "surface": [SurfaceRequest()]}
    for probe in experiment.probes:
        for event in program.probe(state, probe.name, iter(requests[probe.name])):
            made = figure(probe.view, event.arrays, state, {})
            valid(made)
    surfaces = [trace for trace in made["data"] if trace["type"] == "surface"]
    assert [trace["scene"] for trace in surfaces] == ["scene", "scene2"]
    heights = np.frombuffer(base64.b64decode(surfaces[0]["z"]["bdata"]), np.float32).reshape(17, 17)
    expected = np.log10(event.arrays["loss"][0]).clip(views._FLOOR, views._CEILING)
    np.testing.assert_allclose(heights, expected, atol=1e-5)
