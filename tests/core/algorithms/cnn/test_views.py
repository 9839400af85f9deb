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

from core.algorithms.cnn import views
from core.algorithms.cnn.snapshots import followed, last_hidden
from core.algorithms.cnn.spec import experiment
from core.events import Snapshot
from core.experiment import Context
from core.figures import as_is, text_array
from core.runs.store.log import LogWriter
from tests.core.algorithms.cnn.training import SMALL, run, snapshots, start
from tests.core.algorithms.trial import own_pictures

MNIST = SMALL | {"data": "mnist_5k", "blocks": (16, 32), "dense": (64,)}
KINDS = {
    "digits": SMALL,
    "mnist": MNIST,
    "mlp": SMALL | {"network": "mlp", "scrambled": True},
    "colour": SMALL | {"data": "shapes", "samples": 120, "train_size": 60, "head": "average", "blocks": (40, 6)},
    "lenet5": MNIST | {"network": "lenet5"},
    "subset": SMALL | {"subset": "second", "frozen": True, "dense": (), "activation": "gelu"},
}


@pytest.fixture(params=KINDS, scope="module")
def seen(request):
    """(state, snapshots after some steps by panel, statics)."""
    state = start(KINDS[request.param])
    statics = snapshots(state)
    run(state, 4)
    return state, snapshots(state), statics


def drawn(view: str, arrays, state, statics):
    module, name = view.split(":")
    return getattr(importlib.import_module(module), name)(arrays, Context(state.config, statics, state.step))


def figure(panel: str, arrays, state, statics):
    return drawn(next(p.view for p in experiment.panels if p.name == panel), arrays, state, statics)


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
    state, taken, statics = seen
    wanted = {
        p.name
        for p in experiment.panels
        if p.view and all(getattr(state.config, f) in values for f, values in p.shown_if.items())
    }
    assert set(taken) == wanted
    for panel, arrays in taken.items():
        made = figure(panel, arrays, state, statics)
        json.dumps(made, allow_nan=False)
        go.Figure(painted(made))


def test_a_frame_is_small(seen):
    state, taken, statics = seen
    for panel, arrays in taken.items():
        if panel != "mistakes":  # whose pictures change with each evaluation alone
            assert sum(np.asarray(a).nbytes for a in arrays.values()) <= 32_000, panel
            assert len(json.dumps(figure(panel, arrays, state, statics))) <= 130_000, panel


def test_snapshots_survive_the_log(seen, tmp_path):
    state, _, statics = seen
    log = LogWriter(tmp_path / "log.sqlite")
    for panel, arrays in (snapshots(state) | {"data": statics["data"]}).items():
        log.append(Snapshot(state.step, panel, arrays))
    log.close()


def test_the_journey_is_what_the_layers_put_out():
    state = run(start(MNIST | {"picture": 5}), 5).state
    arrays = snapshots(state)["journey"]
    assert np.array_equal(arrays["image"], state.data.x_test[5])
    assert arrays["true"][0] == state.data.y_test[5]
    model = state.model.eval()
    with torch.no_grad():
        x = state.inputs(state.x_test[5:6])
        maps = torch.relu(model.features.convolution1(x))[0]
        chances = model(x).softmax(dim=1)[0]
    np.testing.assert_allclose(arrays["probability"], chances, atol=1e-6)
    assert arrays["maps_0"].shape == (16, 28, 28) and not arrays["signed"].any()
    np.testing.assert_allclose((arrays["maps_0"] / 255) ** 2, maps / maps.max(), atol=1 / 255)
    assert arrays["channels"].tolist() == [16, 16, 32, 32, 64]
    assert arrays["maps_3"].shape == (16, 7, 7) and arrays["maps_4"].shape == (1, 16, 4)


def test_a_scrambled_picture_is_shown_as_the_network_gets_it():
    state = start(SMALL | {"scrambled": True})
    taken = snapshots(state)
    expected = state.data.x_test[0].reshape(-1)[state.places.numpy()].reshape(1, 8, 8)
    assert np.array_equal(taken["journey"]["image"], expected)
    assert np.array_equal(taken["data"]["images"][0], expected)


def test_the_bars_of_the_classes_are_blue_where_right_and_red_where_wrong():
    state = start(SMALL)
    statics = snapshots(state)
    arrays = dict(statics["journey"]) | {"probability": np.eye(10, dtype=np.float32)[3]}
    for true, colours in ((3, {3: "#3f90da"}), (4, {3: "#bd1f01", 4: "#3f90da"})):
        made = figure("journey", arrays | {"true": np.array([true])}, state, statics)
        marked = made["data"][0]["marker"]["color"]
        assert {i: c for i, c in enumerate(marked) if c.startswith("#")} == colours
        assert made["layout"]["yaxis2"]["ticktext"] == [as_is(digit) for digit in "0123456789"]


def test_a_click_on_a_test_picture_gives_its_number():
    state = start(SMALL | {"picture": 13})
    taken = snapshots(state)
    made = figure("pictures", taken["pictures"], state, taken)
    clickable = made["data"][-1]
    assert np.concatenate(clickable["customdata"]).tolist() == list(range(24)) and clickable["hoverinfo"] != "skip"
    assert (clickable["x0"], clickable["dx"], clickable["dy"]) == (0.5, 1, views._ROW)  # as wide as the pictures
    frame = made["data"][1]
    assert (min(frame["x"]), min(frame["y"])) == (13 % views._COLUMNS, 13 // views._COLUMNS * views._ROW)


def test_of_few_pictures_those_alone_can_be_clicked_and_their_names_fit():
    few = ("a" * 30, "b")
    state = start(SMALL | {"data": "pictures", "pictures": own_pictures(0), "train_size": 0})
    taken = snapshots(state)
    data = {name: array[:2] for name, array in taken["data"].items()} | {"classes": text_array(few)}
    guessed = {"guessed": np.array([0, 1], np.uint8), "chosen": np.array([1], np.int32)}
    made = figure("pictures", guessed, state, taken | {"data": data})
    assert made["data"][-1]["customdata"] == [[0, 1]]
    assert made["data"][0]["text"] == [as_is("aaaaaaa…"), as_is("b")]
    probability = {"probability": np.array([0.5, 0.5], np.float32), "true": np.array([0])}
    layout = figure("journey", dict(taken["journey"]) | probability, state, taken | {"data": data})["layout"]
    assert layout["xaxis"]["domain"][1] <= layout["xaxis2"]["domain"][0] - 9 * views._LETTER


def test_only_our_own_shapes_are_named_by_words_that_are_translated():
    for settings, name in ((KINDS["colour"], "circle"), (SMALL, as_is("0"))):
        state = start(settings)
        context = Context(state.config, snapshots(state), 0)
        assert views.class_names(context)[0] == name


def test_filters_are_the_first_layer_s_weights_and_a_perceptron_s_are_put_back_in_place():
    state = start(SMALL)
    W = state.model.features.convolution1.weight.detach().numpy()
    expected = np.rint(127.5 + 127.5 * W / np.abs(W).max())
    np.testing.assert_allclose(snapshots(state)["filters"]["filters"], expected, atol=1)
    scrambled = start(SMALL | {"network": "mlp", "scrambled": True})
    with torch.no_grad():  # a unit that responds to the top left pixel alone
        W = scrambled.model.head.dense1.weight
        W.zero_()
        W[0, (scrambled.places == 0).nonzero()[0, 0]] = 1.0
    shown = snapshots(scrambled)["filters"]["filters"][0, 0]
    assert shown[0, 0] == 255 and (np.delete(shown.reshape(-1), 0) == 128).all()


def test_the_map_is_of_what_the_outputs_read_and_frames_are_aligned():
    state = run(start(SMALL | {"dense": (16,)}), 8).state
    first = last_hidden(state)["places"]
    with torch.no_grad():
        model = state.model.eval()
        x = model.head[:-1](model.features(state.inputs(state.x_test[:300])))
    x = (x - x.mean(dim=0)).numpy()
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    plane = u[:, :2] * s[:2]
    plane /= max(np.sqrt((plane**2).sum(1).mean()), np.sqrt((plane**2).sum(1).max()) / 1.6)
    apart = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (first, plane)]
    np.testing.assert_allclose(*apart, atol=1e-3)
    run(state, 9)
    after = last_hidden(state)["places"]
    assert np.abs(after - first).max() < 0.5
    wide = run(start(SMALL | {"dense": (), "blocks": (64,), "train_size": 60}), 1).state  # 1,024 features
    assert last_hidden(wide)["places"].shape == (300, 2)


def test_confusion_and_mistakes_are_those_of_the_last_evaluation():
    state = run(start(SMALL), 4).state
    taken, guessed = snapshots(state), state.probabilities.argmax(axis=1)
    counts = taken["confusion"]["counts"]
    assert counts.sum() == len(state.y_test) and np.trace(counts) == (guessed == state.data.y_test).sum()
    assert taken["mistakes"]["wrong"].tolist() == [int((guessed != state.data.y_test).sum()), len(guessed)]


def test_observing_is_quick():
    state = run(start(MNIST), 2).state
    took = []
    for _ in range(5):
        began = time.perf_counter()
        followed(state, state.x_test[:1])
        took.append(time.perf_counter() - began)
    assert min(took) <= 0.02
