"""Which settings are allowed, and the sentence where they are not."""

import numpy as np
import pytest

from core.algorithms.gnn.config import GNNConfig
from core.data import graphs, graphs_csv, uploads
from core.settings import check
from core.words import Refusal
from tests.core.algorithms.gnn.training import run, start

RING = "\n".join(f"n{i},n{(i + 1) % 30}" for i in range(30))


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))


def kept(text: str) -> str:
    return uploads.keep(text.encode())


def own(edges: str, nodes: str = "", **more):
    return {"data": "pasted", "edge_list": kept(edges), "node_table": kept(nodes) if nodes else "", **more}


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"depth": 33}, "depth", "between 1 and 32"),
        ({"data": "facebook"}, "data", "must be one of"),
        ({"task": "graphs", "graphs": 60, "batch_size": 31}, "batch_size", "half of 60 are 30"),
        ({"blocks": (5, 5), "labels": 5}, "labels", "leave 0 of 10 nodes for the test"),
        ({"blocks": (1, 5)}, "blocks", "entries, each a whole number between 2"),
        ({"data": "pasted"}, "edge_list", "paste one, or choose a file"),
        ({"data": "pasted", "edge_list": "../../etc/passwd"}, "edge_list", "the name of an uploaded text"),
        ({"data": "pasted", "edge_list": "0" * 32}, "edge_list", "not kept on this machine"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values, field, sentence):
    with pytest.raises(Refusal, match=sentence) as refused:
        check(GNNConfig, values)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("edges", "nodes", "field", "sentence"),
    [
        ("a\nb\n", "", "edge_list", "line 1 has one id"),
        ("a,b\nc\n", "", "edge_list", "line 2 has one id"),
        ("# nothing\n", "", "edge_list", "no edge"),
        ("a,b\n" * 200_001, "", "edge_list", "at most 200,000 lines can be taken; this text has 200,001"),
        ("a,b\r" * 200_001, "", "edge_list", "at most 200,000 lines"),
        ("\n".join(f"{i},{i + 1}" for i in range(20_000)), "", "edge_list", "at most 20,000 nodes"),
        ("a,b\nb,c\n", "", "node_table", "labels of two kinds"),
        ("a,b\nb,c\n", "a,x\nz,y\n", "node_table", "in no edge: 1, such as z in line 2"),
        ("a,b\nb,c\n", "a,x,1\nb,y,two\n", "node_table", "line 2 needs 1 numbers"),
        ("a,b\nb,c\n", "a,x,1\nb,y,nan\n", "node_table", "line 2 needs 1 numbers"),
        ("a,b\nb,c\n", "a,x,1\nb,y,1e39\n", "node_table", "line 2 needs 1 numbers, .* none larger than 1e\\+15"),
        ("a,b\nb,c\n", "a,x\nb,y\na,z\n", "node_table", "a stands in line 1 and again in line 3"),
        ("a,b\nb,c\n", "a,x\nb,y\n", "labels", "none of the 2 labelled nodes is left"),
        (RING, "\n".join(f"n{i},{i}" for i in range(12)), "node_table", "at most 10 different labels"),
    ],
)
def test_a_graph_of_ones_own_that_cannot_be_is_refused(edges, nodes, field, sentence):
    with pytest.raises(Refusal, match=sentence) as refused:
        check(GNNConfig, own(edges, nodes))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("edges", "names"),
    [
        ("source,target\na,b\nb,c\n", ("a", "b", "c")),
        ("from;to;weight\na;b;3\nb;c;1\n", ("a", "b", "c")),
        ("u,v\nv,w\nw,x\n", ("u", "v", "w", "x")),
        ("u,hub\nhub,w\n", ("u", "hub", "w")),
        ("a,b\rb,c\r", ("a", "b", "c")),
    ],
)
def test_a_heading_is_no_edge_and_an_edge_no_heading(edges, names):
    kept = uploads.keep(edges.encode(), "edge_list")
    assert graphs_csv.parse(kept, "").names == names


def test_the_node_called_as_a_column_keeps_its_line():
    kept = uploads.keep(b"id,b\nb,c\n", "edge_list")
    table = uploads.keep(b"id,x\nb,y\nc,x\n", "node_table")
    assert graphs_csv.parse(kept, table).y.tolist() == [0, 1, 0]


def test_as_many_lines_as_are_allowed_are_taken():
    kept = uploads.keep(b"a,b\n" * graphs_csv.LINES, "edge_list")
    assert graphs_csv.parse(kept, "").doubles == graphs_csv.LINES - 1


def test_more_labels_than_an_embedded_graph_has_are_refused_before_anything_starts():
    for data in ("karate", "lesmis"):
        graph = getattr(graphs, data)(labels=1, features="own", seed=0)
        assert tuple(np.bincount(graph.y)) == graphs.EMBEDDED[data]
        with pytest.raises(Refusal, match=r"leave [0-3] of") as refused:
            check(GNNConfig, {"data": data, "labels": max(graphs.EMBEDDED[data])})
        assert refused.value.field == "labels"


def test_a_text_too_long_or_not_utf_8_is_refused():
    with pytest.raises(Refusal, match="at most 20 MB"):
        uploads.keep(b"1,2\n" * 10_000_000)
    with pytest.raises(Refusal, match="UTF-8"):
        uploads.keep(b"a,b\n\xff\xfe,c\n")


def test_edges_are_predicted_from_twenty_on():
    with pytest.raises(Refusal, match="at least 20 are needed; this graph has 19"):
        start(own("\n".join(f"{i},{i + 1}" for i in range(19)), task="links"))
    run(start(own("\n".join(f"{i},{i + 1}" for i in range(20)), task="links")), 3)


def test_too_few_pairs_that_are_not_joined_are_refused():
    full = "\n".join(f"{i},{j}" for i in range(8) for j in range(i))
    with pytest.raises(Refusal, match="28 of its 28 pairs are joined"):
        start(own(full, task="links"))


def test_loops_and_doubles_are_left_out_and_noted():
    nodes = "\n".join(f"n{i},{'even' if i % 2 == 0 else 'odd'},{i % 2}" for i in range(30))
    state = start(own("source;target\n" + RING.replace(",", ";") + "\nn3;n3\nn1;n0\nn0;n1\n", nodes, model="mlp"))
    assert state.graph.edges.shape[1] == 30 and state.graph.n == 30
    assert state.graph.names[:2] == ("n0", "n1") and state.graph.classes == ("even", "odd")
    log = run(state, 60)
    (note,) = [note for note in log.notes if note.diagnosis == "tidied"]
    assert note.values == {"loops": 1, "doubles": 2, "edges": 30}
    assert log.last("train/accuracy") == 1.0
