"""Snapshots and figures: small, valid Plotly, and true to the state."""

import base64
import copy
import importlib
import io
import json

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from PIL import Image

from core.algorithms.gnn.metrics import evaluate
from core.algorithms.gnn.snapshots import embedding_frames, make_scene, neighbourhood
from core.algorithms.gnn.spec import experiment
from core.experiment import Context
from tests.core.algorithms.gnn.training import SMALL, run, start
from tests.core.algorithms.gnn.training import snapshots as take

KINDS = {
    "blocks": SMALL,
    "karate": {"data": "karate", "labels": 1, "model": "gat", "heads": 2},
    "lesmis": {"data": "lesmis", "labels": 1, "depth": 1, "features": "degree"},
    "links": SMALL | {"task": "links"},
    "graphs": {"task": "graphs", "graphs": 60, "batch_size": 16, "model": "gin"},
    "cora": {"data": "cora", "model": "gat", "hidden": 2, "heads": 1},
}


def filled(made, statics):
    """The figure as the browser has it: what is named stands in its place."""
    made = copy.deepcopy(made)
    for trace in made["data"]:
        for key, value in trace.items():
            if isinstance(value, dict) and "fixed" in value:
                panel, array = value["fixed"]
                trace[key] = np.asarray(statics[panel][array]).tolist()
    for image in made["layout"].get("images", ()):
        panel, array = image["source"]["fixed"]
        png = np.asarray(statics[panel][array]).tobytes()
        assert Image.open(io.BytesIO(png)).size == (900, 900)
        image["source"] = "data:image/png;base64," + base64.b64encode(png).decode()
    for note in made["layout"].get("annotations", ()):
        if isinstance(note["text"], dict):
            note["text"] = note["text"]["template"].format(**note["text"]["values"])
    return made


@pytest.fixture(params=KINDS)
def seen(request):
    """(state, snapshots after some steps by panel, statics)."""
    state = start(KINDS[request.param])
    statics = take(state)
    run(state, 4)
    return state, take(state), statics


def test_every_panel_is_valid_plotly_and_plain_json(seen):
    state, snapshots, statics = seen
    wanted = {
        p.name: p.view
        for p in experiment.panels
        if p.view and all(getattr(state.config, f) in values for f, values in p.shown_if.items())
    }
    assert set(snapshots) == set(wanted)
    for panel, arrays in snapshots.items():
        module, name = wanted[panel].split(":")
        made = getattr(importlib.import_module(module), name)(arrays, Context(state.config, statics, state.step))
        message = json.dumps(made, allow_nan=False)
        assert len(message) <= 250_000, panel
        go.Figure(filled(made, statics))
        assert sum(a.nbytes for a in arrays.values()) <= 40_000, panel


def test_a_frame_of_cora_holds_no_position_again():
    state = start(KINDS["cora"])
    statics = take(state)
    from core.algorithms.gnn import views

    arrays = take(state)["graph"]
    figure = views.graph(arrays, Context(state.config, statics, 0))
    assert len(statics["scene"]["x"]) == 2708 and len(statics["scene"]["edge_x"]) == 3 * 5278
    assert len(json.dumps(figure)) < 60_000
    assert sum(a.nbytes for a in arrays.values()) <= 2 * 2708


def test_the_graph_is_coloured_by_what_is_guessed_and_rings_are_the_training_nodes():
    state = start(SMALL)
    statics = take(state)
    run(state, 20)
    arrays = take(state)["graph"]
    state.model.eval()
    with torch.no_grad():
        expected = state.model(state.task.x, state.task.edges).argmax(dim=1).numpy()
    assert np.array_equal(arrays["guess"], expected)
    scene = statics["scene"]
    ringed = {tuple(place) for place in np.stack([scene["mark_x"], scene["mark_y"]], axis=1).tolist()}
    training = {(float(scene["x"][i]), float(scene["y"][i])) for i in state.graph.train}
    assert ringed == training and len(ringed) == 6


def test_a_frame_of_the_embedding_is_rotated_onto_the_one_before():
    one, other = start(SMALL), start(SMALL)
    run(one, 20), run(other, 20)
    turned = take(one)["embedding"]["place"].astype(float) @ np.array([[0.6, 0.8], [0.8, -0.6]])  # and mirrored
    other.cached(embedding_frames).add(other.cached(make_scene).shown, turned)
    assert np.allclose(take(other)["embedding"]["place"], turned, atol=0.01)


def test_a_receptive_field_is_as_deep_as_the_network():
    state = start(SMALL | {"depth": 3, "node": 7})
    field = take(state)["field"]
    A = np.zeros((60, 60), int)
    u, v = state.graph.edges
    A[u, v] = A[v, u] = 1
    reach = np.eye(60, dtype=int)[7]
    for hop in range(4):
        assert np.array_equal(field["hops"] <= hop, reach > 0), hop
        reach = reach + A @ reach
    assert field["counts"].sum() == (field["hops"] <= 3).sum()


def test_a_live_change_of_the_node_is_followed():
    state = start(SMALL)
    take(state)
    state.apply_config(state.config.model_copy(update={"node": 11}))
    field = take(state)["field"]
    assert field["hops"][11] == 0 and field["node"][0] == 11


def test_a_neighbourhood_holds_the_nearest():
    line = np.stack([np.arange(99), np.arange(1, 100)])
    assert neighbourhood(line, 100, 50, 11).tolist() == list(range(45, 56))
    assert neighbourhood(line[:, :10], 100, 5, 50).tolist() == list(range(11))


def test_attention_shown_is_that_of_the_edge():
    state = start(SMALL | {"model": "gat", "heads": 1})
    scene = state.cached(make_scene)
    strength = take(state)["attention"]["strength"]
    alpha = state.cached_at_step(evaluate).attention[0][:, 0].numpy()
    source, target = state.task.edges.edge_index_with_loops.numpy()
    for k in (0, 5, 17):
        u, v = scene.shown[scene.edges[:, k]]
        shares = [
            float(alpha[(source == a) & (target == b)][0]) * int((target == b).sum()) for a, b in ((u, v), (v, u))
        ]
        assert strength[k] == int(min(64 * max(shares), 255))
