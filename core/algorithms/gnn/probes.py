"""Change the graph under a trained network, and compare its outputs before and after.

The network stays as it was trained. An edge that is added or removed changes how messages flow, and with it the degrees
that weigh them; a node without its features passes on only the messages that it receives.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from core.algorithms.gnn.model import Edges
from core.algorithms.gnn.requests import GraphRequest
from core.algorithms.gnn.snapshots import lines, make_scene, receptive_field
from core.algorithms.gnn.tasks import NodeTask
from core.algorithms.gnn.train import GNNTraining
from core.events import Array, Event, Snapshot

#: No node is selected.
NONE = -1


class GraphEditor:
    """A graph that is being changed.

    Attributes:
        cursor, selected: numbers among the drawn nodes; the second may be :data:`NONE`.
        toggled: pairs (lower first) that are joined now and were not, or the other way round.
        without_features: nodes whose features are removed.
    """

    def __init__(self, s: GNNTraining) -> None:
        assert isinstance(s.task, NodeTask)
        self.s, self.task, self.scene = s, s.task, s.cached(make_scene)
        self.joined = {(int(u), int(v)) for u, v in s.task.graph.edges.T}
        self.cursor, self.selected = 0, NONE
        self.reset()
        self.before = self.outputs()

    def reset(self) -> None:
        """The graph as it was trained on."""
        self.toggled: set[tuple[int, int]] = set()
        self.without_features: set[int] = set()

    def apply(self, request: GraphRequest) -> None:
        """Make one change."""
        k = len(self.scene.shown)
        if request.act == "reset":
            self.reset()
        elif request.act in ("next", "back"):
            self.cursor = (self.cursor + (1 if request.act == "next" else -1)) % k
        elif request.act == "remove_features":
            node = self.selected if self.selected != NONE else self.cursor
            self.without_features ^= {int(self.scene.shown[node])}
        elif request.act == "select" or 0 <= request.node < k:
            self.cursor = self.cursor if request.act == "select" else request.node
            self._select()

    def _select(self) -> None:
        """The first node is selected; an edge to the next one is added or removed; the same node again deselects."""
        if self.selected in (NONE, self.cursor):
            self.selected = NONE if self.selected == self.cursor else self.cursor
            return
        u, v = sorted(int(self.scene.shown[i]) for i in (self.selected, self.cursor))
        self.toggled ^= {(u, v)}

    def pairs(self) -> list[tuple[int, int]]:
        """Edges as they are now."""
        return sorted(self.joined ^ self.toggled)

    @torch.no_grad()
    def outputs(self) -> Array:
        """Probability of each class for every node, float32 (n, classes)."""
        pairs = torch.tensor(self.pairs(), dtype=torch.int64, device=self.s.device).reshape(-1, 2).T
        x = self.task.x
        if self.without_features:
            x = without(x, sorted(self.without_features))
        self.s.model.eval()
        out = self.s.model(x, Edges.of(pairs.contiguous(), self.task.graph.n))
        found: Array = out.softmax(dim=1).cpu().numpy()
        return found

    def arrays(self) -> dict[str, Array]:
        """Predictions before and after, and what was changed."""
        after, shown = self.outputs(), self.scene.shown
        place_of = {int(node): i for i, node in enumerate(shown)}
        arrays = {
            "before": self.before[shown].argmax(axis=1).astype(np.uint8),
            "after": after[shown].argmax(axis=1).astype(np.uint8),
            "moved": np.array([int((after.argmax(axis=1) != self.before.argmax(axis=1)).sum())], np.int32),
            "at": np.array([self.cursor, self.selected], np.int32),
            "without_features": np.array([place_of[node] for node in sorted(self.without_features)], np.int32),
        }
        node = int(shown[self.selected if self.selected != NONE else self.cursor])
        arrays["shares"] = np.stack([self.before[node], after[node]]).astype(np.float32)
        for name, pairs in (("added", self.toggled - self.joined), ("removed", self.toggled & self.joined)):
            ends = np.array([[place_of[u], place_of[v]] for u, v in sorted(pairs)], np.int64).reshape(-1, 2).T
            arrays[f"{name}_x"], arrays[f"{name}_y"] = lines(self.scene.place, ends)
        return arrays


def without(x: Tensor, nodes: list[int]) -> Tensor:
    """Features (n, d), dense or sparse by rows, with those of some nodes all 0."""
    removed = torch.zeros(x.shape[0], dtype=torch.bool, device=x.device)
    removed[nodes] = True
    if x.layout != torch.sparse_csr:
        return x.masked_fill(removed[:, None], 0)
    starts = x.crow_indices()
    row = torch.repeat_interleave(torch.arange(x.shape[0], device=x.device), starts[1:] - starts[:-1])
    parts = starts, x.col_indices(), x.values().masked_fill(removed[row], 0)
    return torch.sparse_csr_tensor(*parts, x.shape, check_invariants=False)  # only the values are new


def probe(s: GNNTraining, name: str, requests: Iterator[GraphRequest]) -> Iterator[Event]:
    """The graph editor, or the receptive field of a node, until the session is closed."""
    if name == "reach":
        yield from receptive_fields(s, name, requests)
        return
    editor = GraphEditor(s)
    for request in requests:
        editor.apply(request)
        yield Snapshot(s.step, name, editor.arrays())


def receptive_fields(s: GNNTraining, name: str, requests: Iterator[GraphRequest]) -> Iterator[Event]:
    """The receptive field of the node that is clicked, or reached by keys."""
    shown = s.cached(make_scene).shown
    at = int(np.abs(shown - s.config.node).argmin())
    for request in requests:
        if request.act in ("next", "back"):
            at = (at + (1 if request.act == "next" else -1)) % len(shown)
        elif 0 <= request.node < len(shown):
            at = request.node
        yield Snapshot(s.step, name, receptive_field(s, int(shown[at])))
