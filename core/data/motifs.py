"""Small graphs of three kinds that differ by one motif: a random graph with a ring, a house or a tree grown onto it.

A graph's size, and how many edges it has beyond a tree's, are drawn alike for all kinds, so that counting them tells
little; which motif is there has to be seen in how the edges meet. No node has any feature but a 1.
"""

from dataclasses import dataclass

import numpy as np

from core.data.cache import report_progress
from core.events import Array
from core.words import N_

DRAWING = N_("Drawing the graphs")
CLASSES = (N_("ring"), N_("house"), N_("tree"))

#: Edges of each motif on six nodes, and how many more than a tree's five.
_MOTIFS = (
    ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)),
    ((0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (1, 4), (4, 5)),
    ((0, 1), (0, 2), (1, 3), (1, 4), (2, 5)),
)
_NODES = 6


@dataclass(frozen=True, slots=True)
class Motifs:
    """Many small graphs.

    Attributes:
        x: features of all nodes, float32 (nodes, 1).
        starts: where each graph's nodes begin among all, (graphs + 1,).
        edges: of each graph, (2, m) in its own numbers, each once.
        y: the kind of each graph, (graphs,).
        marked: whether a node belongs to the motif, (nodes,).
        train, val, test: numbers of the graphs of each part.
    """

    x: Array
    starts: Array
    edges: tuple[Array, ...]
    y: Array
    marked: Array
    classes: tuple[str, ...]
    train: Array
    val: Array
    test: Array

    def joined(self, numbers: Array) -> tuple[Array, Array, Array]:
        """Features (n, 1), edges (2, m) and the place in ``numbers`` of each node's graph (n,), side by side."""
        sizes = np.diff(self.starts)[numbers]
        shifts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        edges = [self.edges[number] + shift for number, shift in zip(numbers, shifts, strict=True)]
        member = np.repeat(np.arange(len(numbers)), sizes)
        return np.ones((len(member), 1), np.float32), np.concatenate(edges, axis=1), member


def motifs(count: int, seed: int) -> Motifs:
    """``count`` graphs of 14 to 22 nodes: half to train on, a fifth to choose the epoch, the others to test it."""
    rng = np.random.default_rng([seed, 4])
    y = rng.permutation(np.arange(count) % len(CLASSES))
    edges, marked, sizes = [], [], []
    for i, kind in enumerate(y):
        base = int(rng.integers(8, 17))
        found = {(int(rng.integers(0, node)), node) for node in range(1, base)}  # a random tree
        more = int(rng.integers(2, 5)) - (len(_MOTIFS[kind]) - _NODES + 1)  # so that all kinds have 2 to 4 more edges
        while more > 0:
            a, b = sorted(int(v) for v in rng.integers(0, base, 2))
            if a != b and (a, b) not in found:
                found.add((a, b))
                more -= 1
        found |= {(base + a, base + b) for a, b in _MOTIFS[kind]}
        found.add((int(rng.integers(0, base)), base + int(rng.integers(0, _NODES))))
        order = rng.permutation(base + _NODES)  # so that a node's number does not give the motif away
        edges.append(np.sort(order[np.array(sorted(found)).T], axis=0))
        marked.append(np.isin(np.arange(base + _NODES), order[base:]))
        sizes.append(base + _NODES)
        if i % 500 == 0:
            report_progress(DRAWING, i / count)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rows = rng.permutation(count)
    train, val, test = np.split(rows, [count // 2, count // 2 + count // 5])
    x = np.ones((int(starts[-1]), 1), np.float32)
    return Motifs(x, starts, tuple(edges), y.astype(np.int64), np.concatenate(marked), CLASSES, train, val, test)
