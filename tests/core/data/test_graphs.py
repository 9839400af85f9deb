"""Graphs: what is drawn is as configured, what is split shares nothing, what is read is what was published."""

from dataclasses import replace

import numpy as np
import pytest

from core.data import graphs
from core.data.layout import layout
from core.data.links import codes, hold_out
from core.data.motifs import motifs


def test_a_block_model_has_the_chances_asked_for():
    graph = graphs.blocks((100, 150, 50), 0.2, 0.03, labels=3, features="own", seed=0)
    assert graph.n == 300 and (graph.edges[0] < graph.edges[1]).all()
    assert len(np.unique(codes(graph.edges, 300))) == graph.edges.shape[1]
    same = graph.y[graph.edges[0]] == graph.y[graph.edges[1]]
    inside = 100 * 99 / 2 + 150 * 149 / 2 + 50 * 49 / 2
    assert same.sum() / inside == pytest.approx(0.2, abs=0.01)
    assert (~same).sum() / (300 * 299 / 2 - inside) == pytest.approx(0.03, abs=0.005)


def test_parts_share_nothing_and_training_has_so_many_of_each_class():
    graph = graphs.blocks((40, 60), 0.2, 0.03, labels=7, features="degree", seed=1)
    parts = [graph.train, graph.val, graph.test]
    assert sorted(np.concatenate(parts).tolist()) == list(range(100))
    assert np.bincount(graph.y[graph.train]).tolist() == [7, 7]
    assert len(graph.val) == round(0.3 * 86)


def test_the_karate_club_has_34_members_and_78_friendships():
    club = graphs.karate(labels=1, features="own", seed=0)
    assert (club.n, club.edges.shape[1], len(club.train)) == (34, 78, 4)
    assert club.degrees().max() == 17, "the president's (Zachary 1977, node 34)"
    assert np.bincount(club.y).max() == 13


def test_les_miserables_has_77_characters():
    novel = graphs.lesmis(labels=1, features="own", seed=0)
    assert (novel.n, novel.edges.shape[1]) == (77, 254)
    assert novel.names[int(novel.degrees().argmax())] == "Valjean"


def test_features_survive_being_made_sparse():
    dense = np.array([[0, 2, 0], [0, 0, 0], [1, 0, 3]], np.float32)
    assert np.array_equal(graphs.Features.of(dense).dense(), dense)
    assert np.array_equal(graphs.Features.own_number(3).dense(), np.eye(3))


def test_edges_are_tidied():
    edges, loops, doubles = graphs.tidy(np.array([[2, 1], [1, 2], [0, 0], [0, 3], [0, 3]]), 4)
    assert edges.tolist() == [[0, 1], [3, 2]] and (loops, doubles) == (1, 2)


def test_held_out_edges_are_a_third_for_choosing():
    graph = graphs.blocks((30, 30), 0.3, 0.05, labels=1, features="own", seed=0)
    links = hold_out(graph, 0.3, 0)
    m = graph.edges.shape[1]
    assert links.val[0].shape[1] + links.test[0].shape[1] == round(0.3 * m)
    assert links.val[0].shape[1] == round(0.3 * m) // 3


def test_degrees_of_a_link_predictor_count_training_edges_alone():
    """A path of 30 nodes, of which hold_out takes some edges away."""
    edges = np.stack([np.arange(29), np.arange(1, 30)])
    y, nobody = np.full(30, -1), np.zeros(0, np.int64)
    x = graphs.made_features("degree", edges, 30)
    path = graphs.Graph("path", edges, 30, x, y, (), nobody, nobody, nobody, features="degree")
    links = hold_out(path, 0.3, 0)
    assert links.train.shape[1] == 29 - round(0.3 * 29)
    degree = np.zeros(30, np.int64)
    for u, v in links.train.T:
        degree[u] += 1
        degree[v] += 1
    assert np.array_equal(links.graph.x.dense(), np.eye(degree.max() + 1)[degree])
    assert not np.array_equal(links.graph.x.columns, path.x.columns)
    own = hold_out(replace(path, x=graphs.Features.own_number(30), features="own"), 0.3, 0)
    assert np.array_equal(own.graph.x.dense(), np.eye(30))
    given = hold_out(replace(path, features="given"), 0.3, 0)
    assert given.graph.x is path.x, "what came with the graph stays"


def test_motifs_differ_by_their_motif_and_not_by_their_counts():
    data = motifs(300, 0)
    sizes = np.diff(data.starts)
    many = np.array([edges.shape[1] for edges in data.edges])
    for kind in range(3):
        of = data.y == kind
        assert 95 <= of.sum() <= 105
        assert abs(sizes[of].mean() - sizes.mean()) < 0.8
        assert set((many - sizes)[of].tolist()) == {1, 2, 3}, "2 to 4 edges more than a tree"
    for number in range(6):
        edges, start = data.edges[number], data.starts[number]
        inside = data.marked[start : data.starts[number + 1]]
        assert inside.sum() == 6
        within = inside[edges].all(axis=0).sum()
        assert within == {0: 6, 1: 7, 2: 5}[int(data.y[number])]
        assert len(np.unique(codes(edges, 100))) == edges.shape[1]
    parts = np.concatenate([data.train, data.val, data.test])
    assert sorted(parts.tolist()) == list(range(300))
    x, edges, member = data.joined(np.array([4, 2]))
    assert len(x) == sizes[4] + sizes[2] and edges.max() == len(x) - 1 and (member == 1).sum() == sizes[2]


@pytest.mark.parametrize("sizes", [(30, 30), (300, 300)])
def test_a_layout_draws_what_is_joined_together(sizes):
    graph = graphs.blocks(sizes, 10 / sizes[0], 0.3 / sizes[0], labels=1, features="own", seed=0)
    place = layout(graph.edges, graph.n)
    assert place.shape == (graph.n, 2) and np.abs(place).max() <= 1 + 1e-6
    joined = np.linalg.norm(place[graph.edges[0]] - place[graph.edges[1]], axis=1).mean()
    rng = np.random.default_rng(0)
    any_two = np.linalg.norm(place - place[rng.permutation(graph.n)], axis=1).mean()
    assert joined < 0.6 * any_two
    assert np.array_equal(place, layout(graph.edges, graph.n)), "the same each time"


def test_a_graph_of_one_node_has_a_place():
    assert layout(np.zeros((2, 0), np.int64), 1).shape == (1, 2)
