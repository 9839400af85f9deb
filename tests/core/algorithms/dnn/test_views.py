"""Snapshots and figures: small, valid Plotly, and true to the state."""

import base64
import copy
import importlib
import json
import time

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from core import palette
from core.algorithms.dnn import views
from core.algorithms.dnn.snapshots import SIDE, make_plane
from core.algorithms.dnn.spec import experiment
from core.events import Note, Snapshot
from core.experiment import Context
from core.figures import as_is
from core.runs.store.log import LogWriter
from tests.core.algorithms.dnn.training import run, snapshots, start

KINDS = {
    "spiral": {},
    "linear": {"data": "gaussians", "layers": ()},
    "curve": {"data": "curve"},
    "plane": {"data": "plane", "features": ("x", "product")},
    "iris": {"data": "iris", "layers": (12, 4)},
    "digits": {"data": "digits", "layers": (30,)},
    "deep": {"data": "circles", "layers": (16,) * 12},
}


@pytest.fixture(params=KINDS)
def seen(request):
    """(state, snapshots after some steps by panel, statics)."""
    state = start(KINDS[request.param])
    statics = snapshots(state)
    run(state, 40)
    return state, snapshots(state), statics


def figure(panel: str, arrays, state, statics):
    module, name = next(p.view for p in experiment.panels if p.name == panel).split(":")
    return getattr(importlib.import_module(module), name)(arrays, Context(state.config, statics, state.step))


def painted(made):
    """The figure as the browser hands it to Plotly: rasters are data URLs by then, sentences are text."""
    made = copy.deepcopy(made)
    for image in made["layout"].get("images", ()):
        raster = image["source"]
        assert len(base64.b64decode(raster["bdata"])) == np.prod(raster["shape"])
        image["source"] = "data:image/png;base64,AAAA"
    for note in made["layout"].get("annotations", ()):
        if isinstance(note["text"], dict):
            note["text"] = note["text"]["template"].format(**note["text"]["values"])
    return made


def test_every_panel_is_valid_plotly_and_plain_json(seen):
    state, snapshots, statics = seen
    wanted = {
        p.name
        for p in experiment.panels
        if p.view and all(getattr(state.config, f) in values for f, values in p.shown_if.items())
    }
    assert set(snapshots) == wanted
    for panel, arrays in snapshots.items():
        made = figure(panel, arrays, state, statics)
        json.dumps(made, allow_nan=False)
        go.Figure(painted(made))


def test_a_whole_frame_is_small(seen):
    state, snapshots, statics = seen
    if state.data.x_train.shape[1] <= 2 and len(state.config.layers) < 12:
        assert sum(len(json.dumps(figure(p, a, state, statics))) for p, a in snapshots.items()) <= 60_000
    for panel, arrays in snapshots.items():
        assert sum(a.nbytes for a in arrays.values()) <= 24_000, panel


def test_snapshots_survive_the_log(seen, tmp_path):
    state, _, _ = seen
    log = LogWriter(tmp_path / "log.sqlite")
    for panel, arrays in snapshots(state).items():
        log.append(Snapshot(state.step, panel, arrays))
    log.append(Note(1, "stalled", {"loss": "1"}))
    log.close()


def test_the_boundary_is_what_the_network_answers():
    state = start({})
    data = snapshots(state)["data"]
    run(state, 50)
    arrays = snapshots(state)["boundary"]
    left, right, bottom, top = data["extent"]
    row, column = 5, 50  # near the top, right of the middle
    place = np.array(
        [[left + (right - left) * column / (SIDE - 1), top - (top - bottom) * row / (SIDE - 1)]], np.float32
    )
    state.model.eval()
    with torch.no_grad():
        chances = state.model(state.encode(torch.from_numpy(place))).softmax(dim=1)[0]
    assert arrays["class"][row, column] == chances.argmax()
    expected = 255 * (float(chances.max()) - 1 / 3) / (2 / 3)
    assert arrays["confidence"][row, column] == pytest.approx(expected, abs=2)
    picture = views.boundary(arrays, Context(state.config, {"data": data}, 50))["layout"]["images"][0]
    index = np.frombuffer(base64.b64decode(picture["source"]["bdata"]), np.uint8).reshape(SIDE, SIDE)
    painted_as = picture["source"]["colours"][index[row, column]]
    colour = palette.CLASSES[arrays["class"][row, column]]
    assert painted_as[:7] == colour
    # As opaque as the network is sure; a guess at random still has a colour.
    assert int(painted_as[7:], 16) == pytest.approx(80 + 125 * expected / 255, abs=3)


def test_the_curve_is_what_the_network_answers_in_the_units_of_the_data():
    state = run(start({"data": "curve", "noise": 0.0, "layers": (32, 32), "init": "kaiming"}), 1200).state
    arrays = snapshots(state)["boundary"]
    low, high = state.cached(make_plane).extent[:2]
    x = np.linspace(low, high, len(arrays["curve"]))
    inside = np.abs(x) < 1.4
    assert np.abs(arrays["curve"] - np.sin(4 * x) - x / 2)[inside].max() < 0.35
    state.y_mean += 3.0
    moved = snapshots(state)["boundary"]["curve"]
    np.testing.assert_allclose(moved, arrays["curve"] + 3.0, atol=1e-5)


def test_more_than_two_features_are_seen_along_their_principal_components():
    state = start({"data": "iris"})
    plane = state.cached(make_plane)
    x = state.x_train.numpy()
    _, s, vt = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    ours, theirs = plane.train, (x - x.mean(axis=0)) @ vt[:2].T
    for i in range(2):
        assert abs(np.corrcoef(ours[:, i], theirs[:, i])[0, 1]) == pytest.approx(1.0, abs=1e-4)
        assert ours[:, i].std() == pytest.approx(theirs[:, i].std(), rel=1e-3)
    assert plane.share == pytest.approx((s[:2] ** 2).sum() / (s**2).sum(), rel=1e-4)
    # The places of the grid lie on the plane: what is left of them beside the two components is the mean.
    rest = plane.grid.numpy() - x.mean(axis=0)
    assert np.abs(rest - rest @ vt[:2].T @ vt[:2]).max() < 1e-3
    made = figure(
        "boundary",
        snapshots(state)["boundary"],
        state,
        {"data": snapshots(state)["data"]},
    )
    assert "principal component" in made["layout"]["xaxis"]["title"]["text"]
    assert "mean" in made["layout"]["yaxis"]["title"]["text"]


def test_the_confusion_counts_every_test_row_once():
    state = run(start({"data": "iris", "layers": (8,)}), 300).state
    counts = snapshots(state)["confusion"]["counts"]
    assert counts.sum() == len(state.data.y_test)
    assert counts.sum(axis=1).tolist() == np.bincount(state.data.y_test).tolist()
    assert np.trace(counts) == (state.predictions == state.data.y_test).sum()


def test_the_mistakes_are_images_that_were_mistaken():
    state = run(start({"data": "digits", "layers": (10,)}), 60).state
    arrays = snapshots(state)["mistakes"]
    wrong = np.flatnonzero(state.predictions != state.data.y_test)
    assert arrays["wrong"].tolist() == [len(wrong), len(state.data.y_test)]
    assert len(arrays["images"]) == min(len(wrong), 24) > 0
    assert (arrays["true"] != arrays["guessed"]).all()
    assert arrays["true"].tolist() == state.data.y_test[wrong[:24]].tolist()
    labels = views.mistakes(arrays, Context(state.config, {}, 60))["data"][0]["text"]
    assert labels[0] == as_is(f"{arrays['true'][0]} → {arrays['guessed'][0]}")


def test_a_dead_unit_shows_in_the_activations():
    state = start({"activation": "relu", "layers": (8, 8)})
    with torch.no_grad():
        state.model.layers[0].bias[:4] = -100.0
    arrays = snapshots(state)["activations"]
    assert arrays["dead"][0] >= 0.5
    assert arrays["saturated"][0] >= arrays["dead"][0]
    np.testing.assert_allclose(arrays["share"].astype(float).sum(axis=1), 1, atol=0.01)


def test_without_a_hidden_layer_the_outputs_are_shown():
    state = run(start({"data": "plane", "layers": ()}), 50).state
    arrays = snapshots(state)["activations"]
    assert arrays["share"].shape[0] == 1
    assert len(arrays["dead"]) == len(arrays["saturated"]) == 0
    made = views.activations(arrays, Context(state.config, {}, 50))
    assert made["layout"]["xaxis"]["title"]["text"] == "outputs"
    assert [trace["type"] for trace in made["data"]] == ["scatter"]


def test_points_and_surface_of_many_points_have_one_scale():
    state = start({"data": "plane", "samples": 5000, "layers": ()})
    data = snapshots(state)["data"]
    y = state.data.y_train
    assert data["range"].tolist() == [y.min(), y.max()]
    assert data["train_y"].max() < y.max()  # or this test says nothing
    arrays = snapshots(state)["boundary"]
    marker = views.boundary(arrays, Context(state.config, {"data": data}, 0))["data"][0]["marker"]
    assert (marker["cmin"], marker["cmax"]) == (pytest.approx(y.min()), pytest.approx(y.max()))


def test_units_beyond_ten_are_counted_not_drawn():
    state = start({"data": "iris", "layers": (25, 3)})
    arrays = snapshots(state)["neurons"]
    assert arrays["shown"].tolist() == [4, 10, 3, 3]
    assert arrays["widths"].tolist() == [4, 25, 3, 3]
    notes = views.neurons(arrays, Context(state.config, {}, 0))["layout"]["annotations"]
    assert [note["text"] for note in notes] == ["+15"]


def test_observing_is_quick():
    state = run(start({}), 10).state
    snapshots(state)
    times = []
    for _ in range(40):
        began = time.perf_counter()
        snapshots(state)
        times.append(time.perf_counter() - began)
    assert min(times) <= 0.003
