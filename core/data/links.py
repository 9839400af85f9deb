"""Edges of a graph held out for link prediction, and pairs that are not joined to tell them from."""

from dataclasses import dataclass, replace

import numpy as np

from core.data.graphs import Graph, made_features
from core.events import Array
from core.words import N_, Refusal

#: Fewest edges that can be held out of and still leave a graph.
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Links:
    """One graph and its edges in three parts; each is (2, k), the lower number first.

    Attributes:
        graph: with all edges; features made of edges are made of the training edges alone.
        train: the edges that carry messages and are trained on.
        train_pairs: of the training part, edges and as many pairs that are not joined, to measure it by.
        val, test: edges held out and as many pairs that are not joined; no pair is in two parts.
        excluded: codes u·n + v of every edge and of the pairs in ``val``, ``test`` and ``train_pairs``, sorted: none of
            them is drawn as a negative in training, held-out edges and held-out non-edges alike, so that neither gives
            itself away by its absence.
    """

    graph: Graph
    train: Array
    train_pairs: tuple[Array, Array]
    val: tuple[Array, Array]
    test: tuple[Array, Array]
    excluded: Array


def hold_out(graph: Graph, share: float, seed: int) -> Links:
    """Take a share of the edges away: a third of it to choose the epoch, two thirds to test.

    Raises:
        Refusal: the graph has too few edges, or too few pairs that are not joined.
    """
    m, n = graph.edges.shape[1], graph.n
    if m < FEWEST:
        raise Refusal(
            "data",
            N_("Graph: to predict edges at least {fewest} are needed; this graph has {m}."),
            fewest=FEWEST,
            m=m,
        )
    rng = np.random.default_rng([seed, 3])
    order = rng.permutation(m)
    out = max(round(share * m), 3)
    val, test, train = order[: out // 3], order[out // 3 : out], order[out:]
    if n * (n - 1) // 2 < 3 * m:
        raise Refusal(
            "data",
            N_("Graph: {m} of its {pairs} pairs are joined, which leaves too few that are not to tell them from."),
            m=m,
            pairs=n * (n - 1) // 2,
        )
    excluded = np.sort(codes(graph.edges, n))
    non_edges = []
    for rows in (train, val, test):
        non_edges.append(negatives(excluded, n, len(rows), rng))
        excluded = np.sort(np.concatenate([excluded, codes(non_edges[-1], n)]))
    edges = [graph.edges[:, rows] for rows in (train, val, test)]
    train_pairs, chosen, tested = zip(edges, non_edges, strict=True)
    if graph.features != "given":  # a degree that counts a held-out edge would give it away
        graph = replace(graph, x=made_features(graph.features, edges[0], n))
    return Links(graph, edges[0], train_pairs, chosen, tested, excluded)


def codes(pairs: Array, n: int) -> Array:
    """One number for each pair (2, k)."""
    result: Array = pairs[0] * n + pairs[1]
    return result


def negatives(excluded: Array, n: int, count: int, rng: np.random.Generator) -> Array:
    """``count`` different pairs (2, count), the lower number first, none of which is in the sorted codes ``excluded``.

    Fewer where so many cannot be found in ten draws, which takes a graph with hardly any pairs left.
    """
    found = np.zeros(0, np.int64)
    for _ in range(10):
        u, v = rng.integers(0, n, (2, 2 * (count - len(found)) + 8))
        drawn = np.minimum(u, v) * n + np.maximum(u, v)
        drawn = drawn[u != v]
        at = np.minimum(np.searchsorted(excluded, drawn), len(excluded) - 1)
        free = np.unique(np.concatenate([found, drawn[excluded[at] != drawn]]))
        found = rng.permutation(free)[:count]
        if len(found) == count:
            break
    return np.stack([found // n, found % n])
