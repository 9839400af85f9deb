"""Graphs: their edges, the features of their nodes, and which nodes are for training, choosing and testing.

Zachary's karate club and the characters of Les Misérables come inside packages, block models are drawn by a formula;
Cora's papers are embedded, CiteSeer's and PubMed's downloaded on demand (:mod:`core.data.planetoid`), and a person may
paste a graph of their own (:mod:`core.data.graphs_csv`).

- W. W. Zachary. An information flow model for conflict and fission in small groups. 1977: 34 members, 78 friendships.
- D. E. Knuth. The Stanford GraphBase. 1993: 77 characters, joined where they share a chapter.
- P. W. Holland, K. B. Laskey, S. Leinhardt. Stochastic blockmodels: first steps. 1983.
"""

from dataclasses import dataclass

import numpy as np

from core.events import Array
from core.words import N_, Refusal

#: Share of the nodes outside of the training part that choose the epoch; the others test it.
VALIDATION = 0.3
#: Nodes of each class of the graphs that come with the packages.
EMBEDDED = {"karate": (13, 12, 4, 5), "lesmis": (26, 17, 15, 13, 6)}

#: Classes of the graphs of publications, in the order of their files.
SUBJECTS = {
    "cora": (
        N_("theory"),
        N_("reinforcement learning"),
        N_("genetic algorithms"),
        N_("neural networks"),
        N_("probabilistic methods"),
        N_("case based"),
        N_("rule learning"),
    ),
}


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of each node: a sparse matrix by rows (CSR), for most entries are 0.

    Attributes:
        starts: int64 (n + 1,), where each row begins in the other two.
        columns: int64, the columns of the entries that are not 0.
        values: float32, these entries.
        width: number of columns.
    """

    starts: Array
    columns: Array
    values: Array
    width: int

    @classmethod
    def of(cls, dense: Array) -> "Features":
        """Those of a dense matrix (n, width)."""
        rows, columns = np.nonzero(dense)
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(dense)))]).astype(np.int64)
        return cls(starts, columns.astype(np.int64), dense[rows, columns].astype(np.float32), dense.shape[1])

    @classmethod
    def own_number(cls, n: int) -> "Features":
        """The identity matrix: each node has a column of its own, and nothing else."""
        return cls(np.arange(n + 1), np.arange(n), np.ones(n, np.float32), n)

    def dense(self) -> Array:
        """The whole matrix, float32 (n, width)."""
        whole = np.zeros((len(self.starts) - 1, self.width), np.float32)
        whole[np.repeat(np.arange(len(whole)), np.diff(self.starts)), self.columns] = self.values
        return whole


@dataclass(frozen=True, slots=True)
class Graph:
    """One graph.

    Attributes:
        edges: int64 (2, m), each edge once with the lower number first, without loops.
        n: nodes.
        x: features of the nodes.
        y: int64 (n,), the class of each node, -1 where it is unknown.
        classes: their names.
        train, val, test: numbers of the nodes that are trained on, that choose the epoch, and that test it.
        names: of the nodes; empty where they have none.
        features: what ``x`` is: ``"given"`` with the graph, or made by :func:`made_features`: ``"own"``, ``"degree"``.

    Raises:
        ValueError: a node without a class is in one of the three parts.
    """

    name: str
    edges: Array
    n: int
    x: Features
    y: Array
    classes: tuple[str, ...]
    train: Array
    val: Array
    test: Array
    names: tuple[str, ...] = ()
    features: str = "given"

    def __post_init__(self) -> None:
        # So that no loss, accuracy or confusion matrix counts an unknown class.
        if any((self.y[part] < 0).any() for part in (self.train, self.val, self.test)):
            raise ValueError("a node without a class cannot be trained on, choose the epoch, or test it")

    def degrees(self) -> Array:
        """Neighbours of each node, int64 (n,)."""
        found: Array = np.bincount(self.edges.reshape(-1), minlength=self.n)
        return found


def tidy(pairs: Array, n: int) -> tuple[Array, int, int]:
    """Edges as a :class:`Graph` holds them, from any pairs (m, 2); and how many loops and duplicates were left out."""
    pairs = np.sort(np.asarray(pairs, np.int64).reshape(-1, 2), axis=1)
    joined = pairs[pairs[:, 0] != pairs[:, 1]]
    codes = np.unique(joined[:, 0] * n + joined[:, 1])
    return np.stack([codes // n, codes % n]), len(pairs) - len(joined), len(joined) - len(codes)


def split(y: Array, labels: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Node numbers for training (``labels`` of each class), for choosing the epoch and for testing.

    Raises:
        Refusal: nothing would be left to test.
    """
    known = [rng.permutation(np.flatnonzero(y == c)) for c in range(int(y.max(initial=-1)) + 1)]
    train = np.concatenate([rows[:labels] for rows in known]) if known else np.zeros(0, np.int64)
    rest = rng.permutation(np.concatenate([rows[labels:] for rows in known]) if known else train)
    chosen = round(VALIDATION * len(rest))
    if chosen < 1 or len(rest) - chosen < 1:
        raise Refusal(
            "labels",
            N_("Labels: with {labels} of each class for training none of the {n} labelled nodes is left for the test."),
            labels=labels,
            n=int((y >= 0).sum()),
        )
    return np.sort(train), np.sort(rest[:chosen]), np.sort(rest[chosen:])


def made_features(kind: str, edges: Array, n: int) -> Features:
    """Features of nodes of which nothing is known: their ``own`` number, or their ``degree``, one column for each
    degree up to 32.

    Args:
        edges: int64 (2, m), those that the degrees count.
        n: nodes.
    """
    if kind == "own":
        return Features.own_number(n)
    degrees = np.minimum(np.bincount(edges.reshape(-1), minlength=n), 32)
    return Features(np.arange(n + 1), degrees, np.ones(n, np.float32), int(degrees.max(initial=0)) + 1)


def blocks(sizes: tuple[int, ...], p_in: float, p_out: float, *, labels: int, features: str, seed: int) -> Graph:
    """A stochastic block model: two nodes of one block are joined with probability ``p_in``, others with ``p_out``."""
    rng = np.random.default_rng([seed, 1])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    found = []
    for a in range(len(sizes)):
        for b in range(a, len(sizes)):
            hit = rng.random((sizes[a], sizes[b])) < (p_in if a == b else p_out)
            if a == b:
                hit = np.triu(hit, 1)
            i, j = np.nonzero(hit)
            found.append(np.stack([i + starts[a], j + starts[b]]))
    edges, n = np.concatenate(found, axis=1).astype(np.int64), int(starts[-1])
    y = np.repeat(np.arange(len(sizes)), sizes)
    parts = split(y, labels, rng)
    x = made_features(features, edges, n)
    return Graph("blocks", edges, n, x, y, _numbered(len(sizes)), *parts, features=features)


def karate(*, labels: int, features: str, seed: int) -> Graph:
    """Zachary's karate club as PyG holds it: four communities, found by modularity, are its classes."""
    from torch_geometric.datasets import KarateClub

    club = KarateClub()[0]
    edges, _, _ = tidy(club.edge_index.numpy().T, club.num_nodes)
    return _embedded("karate", edges, club.y.numpy().astype(np.int64), (), labels, features, seed)


def lesmis(*, labels: int, features: str, seed: int) -> Graph:
    """Characters of Les Misérables; its classes are the communities that greedy modularity finds among them."""
    import networkx as nx

    found = nx.les_miserables_graph()
    names = tuple(found)
    number = {name: i for i, name in enumerate(names)}
    edges, _, _ = tidy(np.array([(number[a], number[b]) for a, b in found.edges]), len(names))
    y = np.zeros(len(names), np.int64)
    for c, members in enumerate(nx.community.greedy_modularity_communities(found)):
        y[[number[name] for name in members]] = c
    return _embedded("lesmis", edges, y, names, labels, features, seed)


def _embedded(
    name: str, edges: Array, y: Array, names: tuple[str, ...], labels: int, features: str, seed: int
) -> Graph:
    parts = split(y, labels, np.random.default_rng([seed, 2]))
    classes = _numbered(int(y.max()) + 1)
    x = made_features(features, edges, len(y))
    return Graph(name, edges, len(y), x, y, classes, *parts, names, features)


def _numbered(classes: int) -> tuple[str, ...]:
    return tuple(str(c + 1) for c in range(classes))
