"""The graph editor: changes are made to a copy, and the outputs are those of the changed graph."""

import networkx
import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from core.algorithms.gnn import views
from core.algorithms.gnn.model import Edges
from core.algorithms.gnn.probes import GraphEditor, probe
from core.algorithms.gnn.requests import GraphRequest
from core.experiment import Context
from tests.core.algorithms.gnn.test_views import filled
from tests.core.algorithms.gnn.training import SMALL, run, snapshots, start


@pytest.fixture
def state():
    trained = start(SMALL)
    run(trained, 60)
    return trained


def answers(state, *requests):
    return [event.arrays for event in probe(state, "change", iter(requests))]


def expected(state, edges, x=None):
    state.model.eval()
    with torch.no_grad():
        pairs = torch.tensor(edges).T.contiguous()
        return state.model(state.task.x if x is None else x, Edges.of(pairs, state.graph.n)).softmax(1).numpy()


def test_the_edge_between_two_clicked_nodes_comes_and_goes(state):
    edges = {tuple(edge) for edge in state.graph.edges.T.tolist()}
    u, v = sorted(edges)[3]
    w = next(w for w in range(60) if w not in (u, v) and tuple(sorted((u, w))) not in edges)
    requests = [GraphRequest(), GraphRequest(node=u), GraphRequest(node=v), GraphRequest(node=v), GraphRequest(node=w)]
    first, chosen, gone, back, added = answers(state, *requests)
    assert first["at"].tolist() == [0, -1] and chosen["at"].tolist() == [u, u]
    assert len(gone["removed_x"]) == 3 and len(back["removed_x"]) == 0
    assert len(added["added_x"]) == 3
    assert np.allclose(gone["shares"][1], expected(state, sorted(edges - {(u, v)}))[u])
    assert np.allclose(added["shares"][1], expected(state, sorted(edges | {tuple(sorted((u, w)))}))[u])
    assert np.array_equal(back["after"], first["before"]) and back["moved"][0] == 0


def test_keys_do_what_clicks_do(state):
    moves = [GraphRequest(act="select"), GraphRequest(act="next"), GraphRequest(act="next"), GraphRequest(act="select")]
    by_keys = answers(state, *moves)[-1]
    by_clicks = answers(state, GraphRequest(node=0), GraphRequest(node=2))[-1]
    for name, array in by_keys.items():
        assert np.array_equal(array, by_clicks[name], equal_nan=array.dtype.kind == "f"), name
    assert answers(state, GraphRequest(act="back"))[0]["at"][0] == 59
    assert answers(state, GraphRequest(node=5), GraphRequest(node=5))[1]["at"].tolist() == [5, -1], (
        "the same node deselects"
    )


def test_a_node_without_features_adds_nothing_of_its_own(state):
    x = state.task.x.to_dense().clone()
    x[4] = 0
    gone = answers(state, GraphRequest(node=4), GraphRequest(act="remove_features"))[-1]
    edges = sorted(tuple(edge) for edge in state.graph.edges.T.tolist())
    assert np.allclose(gone["shares"][1], expected(state, edges, x)[4], atol=1e-6)
    assert gone["without_features"].tolist() == [4]
    restored = answers(state, GraphRequest(node=4), GraphRequest(act="remove_features"), GraphRequest(act="reset"))[-1]
    assert len(restored["without_features"]) == 0 and np.allclose(restored["shares"][0], restored["shares"][1])


def test_a_node_that_does_not_exist_is_ignored_and_the_last_edge_can_be_removed(state):
    assert answers(state, GraphRequest(node=5000))[0]["at"].tolist() == [0, -1]
    editor = GraphEditor(state)
    editor.toggled = set(editor.joined)
    assert editor.pairs() == [] and np.isfinite(editor.outputs()).all()


def test_the_picture_is_valid_plotly_and_can_be_clicked(state):
    fresh = start(SMALL)
    statics = snapshots(fresh)
    arrays = answers(state, GraphRequest(node=1), GraphRequest(node=30), GraphRequest(act="remove_features"))[-1]
    made = views.graph_editor(arrays, Context(state.config, statics, 60))
    go.Figure(filled(made, statics))
    (clickable,) = [trace for trace in made["data"] if "customdata" in trace]
    assert clickable["customdata"] == list(range(60))


def test_the_receptive_field_of_a_clicked_node_is_what_networkx_finds(state):
    G = networkx.Graph(state.graph.edges.T.tolist())
    moves = [
        GraphRequest(),
        GraphRequest(node=17),
        GraphRequest(act="next"),
        GraphRequest(act="back"),
        GraphRequest(node=5000),
    ]
    found = [event.arrays for event in probe(state, "reach", iter(moves))]
    assert [int(arrays["node"][0]) for arrays in found] == [0, 17, 18, 17, 17]
    for arrays in found:
        near = networkx.single_source_shortest_path_length(G, int(arrays["node"][0]), state.config.depth)
        assert {i: int(h) for i, h in enumerate(arrays["hops"]) if h != 255} == dict(near)
        assert arrays["counts"].tolist() == [list(near.values()).count(h) for h in range(state.config.depth + 1)]
    fresh = start(SMALL)
    statics = snapshots(fresh)
    made = views.clicked_receptive_field(found[1], Context(state.config, statics, 60))
    go.Figure(filled(made, statics))
    (clickable,) = [trace for trace in made["data"] if "customdata" in trace]
    assert clickable["customdata"] == list(range(60))
