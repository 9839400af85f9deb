"""Planetoid's graphs: the embedded Cora, small graphs in the published format over HTTP, the full ones where long.

The oracle is PyTorch Geometric's own reader, which loads the very files with an unrestricted ``pickle``.
"""

import base64
import hashlib
import pickle
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from torch_geometric.io import read_planetoid_data

from core.algorithms.gnn.views import embedding
from core.data import cache, embed, planetoid
from core.data.graphs import Features, Graph, tidy
from core.experiment import Context
from core.palette import INK
from core.words import Refusal
from tests.core.algorithms.trial import run, snapshots, start
from tests.core.data.conftest import Publisher
from tests.core.data.python2 import pickled

#: Papers of the small graph: the first train, 500 choose the epoch, some are only there, and of ten numbers at the end
#: eight test; the other two papers are in no file.
TRAINED, LABELLED, MISSING = 6, 520, (523, 527)
TESTED = [n for n in range(520, 530) if n not in MISSING]


def small() -> dict[str, bytes]:
    """The files of a graph of 530 papers, 12 words and 3 classes, in CiteSeer's way with papers that are missing."""
    rng = np.random.default_rng(0)
    order = rng.permutation(TESTED)

    def words(n: int) -> csr_matrix:
        found = (rng.random((n, 12)) < 0.3).astype(np.float32)
        found[:, 0] = 1
        return csr_matrix(found)

    allx, tx = words(LABELLED), words(len(TESTED))
    ally, ty = (np.eye(3, dtype=np.int32)[np.arange(n) % 3] for n in (LABELLED, len(TESTED)))
    graph: defaultdict[int, list[int]] = defaultdict(list)
    for a, b in rng.integers(0, 530, (1200, 2)).tolist():
        graph[a].append(b)
        graph[b].append(a)
    graph[3] += [3, graph[3][0]]  # a paper that cites itself, and a citation given twice
    parts = {"x": allx[:TRAINED], "tx": tx, "allx": allx, "y": ally[:TRAINED], "ty": ty, "ally": ally, "graph": graph}
    return {name: pickled(part) for name, part in parts.items()} | {
        "test.index": "".join(f"{n}\n" for n in order).encode()
    }


def published(publisher: Publisher, files: dict[str, bytes], url: str = "") -> dict[str, planetoid.Published]:
    """Publish the files as CiteSeer."""
    for part, raw in files.items():
        publisher.offer(f"ind.citeseer.{part}", raw)
    sums = tuple(hashlib.sha256(files[part]).hexdigest() for part in planetoid.PARTS)
    return {"citeseer": planetoid.Published("CiteSeer", url or publisher.url, sums)}


def assert_as_pyg_reads_it(graph: Graph, name: str) -> None:
    folder = {"cora": "Cora", "citeseer": "CiteSeer", "pubmed": "PubMed"}[name]
    theirs = read_planetoid_data(str(cache.folder() / "Planetoid" / folder / "raw"), name)
    x = theirs.x.numpy()
    np.testing.assert_allclose(graph.x.dense(), x / np.maximum(x.sum(axis=1, keepdims=True), 1), rtol=1e-6)
    assert np.array_equal(graph.edges, tidy(theirs.edge_index.numpy().T, theirs.num_nodes)[0])
    known = graph.y >= 0
    assert np.array_equal(graph.y[known], theirs.y.numpy()[known])
    for part in ("train", "val", "test"):
        assert np.array_equal(getattr(graph, part), np.flatnonzero(theirs[f"{part}_mask"].numpy())), part


def test_a_published_graph_is_downloaded_and_read_as_pyg_reads_it(publisher: Publisher) -> None:
    files = small()
    graph = planetoid.planetoid("citeseer", published(publisher, files))
    assert sorted(publisher.requests) == sorted(f"/ind.citeseer.{part}" for part in planetoid.PARTS)
    assert_as_pyg_reads_it(graph, "citeseer")
    assert (graph.n, graph.x.width, graph.classes) == (530, 12, ("1", "2", "3"))
    assert (len(graph.train), len(graph.val), len(graph.test)) == (6, 500, 8)
    publisher.requests.clear()
    planetoid.planetoid("citeseer", published(publisher, files))
    assert publisher.requests == [], "from the cache"


def test_papers_that_are_in_no_file_have_no_class_and_count_nowhere(publisher: Publisher) -> None:
    graph = planetoid.planetoid("citeseer", published(publisher, small()))
    assert np.flatnonzero(graph.y < 0).tolist() == list(MISSING)
    assert not graph.x.dense()[list(MISSING)].any()
    assert graph.test.tolist() == TESTED

    state = start("gnn", {"data": "citeseer", "hidden": 4}, graph)
    seen = snapshots("gnn", state)
    assert seen["confusion"]["counts"].sum() == len(TESTED)
    assert np.flatnonzero(seen["scene"]["class"] == 255).tolist() == list(MISSING)
    unknown, known = embedding(seen["embedding"], Context(state.config, seen, 0))["data"]
    assert unknown["marker"]["color"] == INK, "a missing class has no class's colour"
    assert np.frombuffer(base64.b64decode(known["marker"]["color"]["bdata"]), np.uint8).max() < 3
    right = run("gnn", state, 4).last("test/accuracy") * len(TESTED)
    assert right == pytest.approx(round(right))


def test_no_part_may_hold_a_node_without_a_class() -> None:
    x, y, rows = Features.own_number(4), np.array([0, 1, -1, 0]), [np.array([i]) for i in range(4)]
    edges = np.array([[0], [1]])
    Graph("", edges, 4, x, y, ("1", "2"), rows[0], rows[1], rows[3])
    for parts in ((rows[2], rows[1], rows[3]), (rows[0], rows[2], rows[3]), (rows[0], rows[1], rows[2])):
        with pytest.raises(ValueError, match="without a class"):
            Graph("", edges, 4, x, y, ("1", "2"), *parts)


@pytest.mark.parametrize("fault", ["no network", "wrong checksum", "truncated download"])
def test_a_graph_that_cannot_be_had_is_refused_in_one_sentence(publisher: Publisher, fault: str) -> None:
    urls = {"no network": "http://127.0.0.1:9/", "truncated download": publisher.cut}
    where = published(publisher, small(), urls.get(fault, ""))
    if fault == "wrong checksum":
        publisher.offer("ind.citeseer.x", pickled(csr_matrix(np.zeros((6, 12), np.float32))))
    with pytest.raises(Refusal) as refused:
        planetoid.planetoid("citeseer", where)
    assert refused.value.field == "data"
    assert str(refused.value) == (
        "ind.citeseer.x is not on this machine and could not be fetched. Without a network, choose Cora, 2,708 papers."
    )


@pytest.mark.parametrize("part", ["x", "graph"])
def test_a_file_that_would_run_code_is_not_read_even_with_the_right_checksum(
    publisher: Publisher, tmp_path: Path, part: str
) -> None:
    class Foreign:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    for protocol in (0, 2, 4):
        files = small() | {"x": small()["x"], part: pickle.dumps(Foreign(), protocol)}
        for file in (cache.folder() / "Planetoid").rglob("ind.*"):
            file.unlink()
        with pytest.raises(pickle.UnpicklingError, match="no part of an array"):
            planetoid.planetoid("citeseer", published(publisher, files | {"y": files[part]}))
    assert not (tmp_path / "ran").exists()


def test_cora_is_embedded_as_published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_network: None) -> None:
    """Sizes and split as in table 1 of Kipf & Welling 2017."""
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path / "empty"))
    cora = planetoid.planetoid("cora")
    assert (cora.n, cora.edges.shape[1], cora.x.width, len(cora.classes)) == (2708, 5278, 1433, 7)
    assert 2 * cora.edges.shape[1] == 10_556 and (cora.edges[0] < cora.edges[1]).all()
    assert (cora.train.tolist(), cora.val.tolist()) == (list(range(140)), list(range(140, 640)))
    assert cora.test.tolist() == list(range(1708, 2708))
    assert np.bincount(cora.y[cora.train]).tolist() == [20] * 7
    assert np.bincount(cora.y).tolist() == [351, 217, 418, 818, 426, 298, 180]
    assert np.allclose(cora.x.dense().sum(axis=1), 1)
    assert len(cora.x.values) == 49_216, "as many as the matrix has that are not 0"
    assert not (tmp_path / "empty").exists()


def test_what_is_embedded_comes_back_as_it_was(publisher: Publisher, tmp_path: Path) -> None:
    graph = planetoid.read(published(publisher, small())["citeseer"])
    known = Graph("", graph.edges, graph.n, graph.x, np.maximum(graph.y, 0), (), graph.train, graph.val, graph.test)
    embed.cora(known, tmp_path / "small.npz")
    assert_same(planetoid.embedded(tmp_path / "small.npz"), known)


def assert_same(one: Graph, other: Graph) -> None:
    for name in ("edges", "y", "train", "val", "test"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    for name in ("starts", "columns", "values", "width"):
        assert np.array_equal(getattr(one.x, name), getattr(other.x, name)), name


@pytest.mark.long
def test_the_embedded_cora_is_the_published_one() -> None:
    assert_same(planetoid.embedded(planetoid.EMBEDDED), planetoid.read(planetoid.PUBLISHED["cora"]))
    assert_as_pyg_reads_it(planetoid.planetoid("cora"), "cora")


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "nodes", "edges", "words", "split", "unlabelled"),
    [("citeseer", 3327, 4552, 3703, (120, 500, 1000), 15), ("pubmed", 19717, 44324, 500, (60, 500, 1000), 0)],
)
def test_the_other_two_are_as_published(
    name: str, nodes: int, edges: int, words: int, split: tuple[int, int, int], unlabelled: int
) -> None:
    graph = planetoid.planetoid(name)
    assert (graph.n, graph.edges.shape[1], graph.x.width) == (nodes, edges, words)
    assert (len(graph.train), len(graph.val), len(graph.test)) == split
    assert (graph.y < 0).sum() == unlabelled
    assert_as_pyg_reads_it(graph, name)
