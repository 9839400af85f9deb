"""Change the graph: what is asked is done to a copy, and the answer is that of the changed graph."""

import networkx
import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from core.algorithms.gnn import train as program
from core.algorithms.gnn import views
from core.algorithms.gnn.asked import Change
from core.algorithms.gnn.change import Bench
from core.algorithms.gnn.model import Edges
from core.experiment import Context
from tests.core.algorithms.gnn.test_views import filled
from tests.core.algorithms.gnn.training import SMALL, run, start


@pytest.fixture
def state():
    trained = start(SMALL)
    run(trained, 60)
    return trained


def ask(state, *asked):
    return [event.arrays for event in program.probe(state, "change", iter(asked))]


def expected(state, edges, x=None):
    state.model.eval()
    with torch.no_grad():
        pairs = torch.tensor(edges).T.contiguous()
        return state.model(state.task.x if x is None else x, Edges.of(pairs, state.graph.n)).softmax(1).numpy()


def test_the_edge_between_two_clicked_nodes_comes_and_goes(state):
    edges = {tuple(edge) for edge in state.graph.edges.T.tolist()}
    u, v = sorted(edges)[3]
    w = next(w for w in range(60) if w not in (u, v) and tuple(sorted((u, w))) not in edges)
    asked = [Change(), Change(node=u), Change(node=v), Change(node=v), Change(node=w)]
    first, chosen, gone, back, added = ask(state, *asked)
    assert first["at"].tolist() == [0, -1] and chosen["at"].tolist() == [u, u]
    assert len(gone["removed_x"]) == 3 and len(back["removed_x"]) == 0
    assert len(added["added_x"]) == 3
    assert np.allclose(gone["shares"][1], expected(state, sorted(edges - {(u, v)}))[u])
    assert np.allclose(added["shares"][1], expected(state, sorted(edges | {tuple(sorted((u, w)))}))[u])
    assert np.array_equal(back["after"], first["before"]) and back["moved"][0] == 0


def test_keys_do_what_clicks_do(state):
    moves = [Change(act="take"), Change(act="next"), Change(act="next"), Change(act="take")]
    by_keys = ask(state, *moves)[-1]
    by_clicks = ask(state, Change(node=0), Change(node=2))[-1]
    for name, array in by_keys.items():
        assert np.array_equal(array, by_clicks[name], equal_nan=array.dtype.kind == "f"), name
    assert ask(state, Change(act="back"))[0]["at"][0] == 59
    assert ask(state, Change(node=5), Change(node=5))[1]["at"].tolist() == [5, -1], "itself lets go"


def test_a_node_without_features_says_nothing_of_its_own(state):
    x = state.task.x.to_dense().clone()
    x[4] = 0
    gone = ask(state, Change(node=4), Change(act="feature"))[-1]
    edges = sorted(tuple(edge) for edge in state.graph.edges.T.tolist())
    assert np.allclose(gone["shares"][1], expected(state, edges, x)[4], atol=1e-6)
    assert gone["mute"].tolist() == [4]
    restored = ask(state, Change(node=4), Change(act="feature"), Change(act="restore"))[-1]
    assert len(restored["mute"]) == 0 and np.allclose(restored["shares"][0], restored["shares"][1])


def test_a_node_that_is_not_there_is_let_pass_and_the_last_edge_may_go(state):
    assert ask(state, Change(node=5000))[0]["at"].tolist() == [0, -1]
    bench = Bench(state)
    bench.turned = set(bench.joined)
    assert bench.pairs() == [] and np.isfinite(bench.said()).all()


def test_the_picture_is_valid_plotly_and_can_be_clicked(state):
    fresh = start(SMALL)
    statics = {event.panel: event.arrays for event in program.observe(fresh)}
    arrays = ask(state, Change(node=1), Change(node=30), Change(act="feature"))[-1]
    made = views.graph_editor(arrays, Context(state.config, statics, 60))
    go.Figure(filled(made, statics))
    (clickable,) = [trace for trace in made["data"] if "customdata" in trace]
    assert clickable["customdata"] == list(range(60))


def test_whom_a_clicked_node_hears_is_what_networkx_finds(state):
    G = networkx.Graph(state.graph.edges.T.tolist())
    moves = [Change(), Change(node=17), Change(act="next"), Change(act="back"), Change(node=5000)]
    told = [event.arrays for event in program.probe(state, "reach", iter(moves))]
    assert [int(arrays["node"][0]) for arrays in told] == [0, 17, 18, 17, 17]
    for arrays in told:
        near = networkx.single_source_shortest_path_length(G, int(arrays["node"][0]), state.config.depth)
        assert {i: int(h) for i, h in enumerate(arrays["hops"]) if h != 255} == dict(near)
        assert arrays["counts"].tolist() == [list(near.values()).count(h) for h in range(state.config.depth + 1)]
    fresh = start(SMALL)
    statics = {event.panel: event.arrays for event in program.observe(fresh)}
    made = views.clicked_receptive_field(told[1], Context(state.config, statics, 60))
    go.Figure(filled(made, statics))
    (clickable,) = [trace for trace in made["data"] if "customdata" in trace]
    assert clickable["customdata"] == list(range(60))
