"""What is learned: the class of a node, which edges are missing, or the kind of a whole graph.

Each task has the loss of an update, and an evaluation of all the data without dropout. What is tested has no part in
the loss, and the edges that a link predictor is tested on carry no messages.
"""

import warnings
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.algorithms.gnn.config import GNNConfig
from core.algorithms.gnn.model import GNN, Edges, link_scores
from core.data.graphs import Features, Graph
from core.data.links import Links, negatives
from core.data.motifs import Motifs
from core.events import Array

PARTS = ("train", "val", "test")


@dataclass(slots=True)
class Evaluated:
    """The network's outputs for all the data, without dropout.

    Attributes:
        hidden: output of each layer, (n, its units).
        out: logits.
        values: metrics by name.
        predicted: uint8, the likeliest class of each node, graph or held out pair.
        confidence: its probability, float32.
        attention: of each layer that has one, (edges, heads).
    """

    hidden: list[Tensor]
    out: Tensor
    values: dict[str, float]
    predicted: Array
    confidence: Array
    attention: list[Tensor] = field(default_factory=list)


class Task(Protocol):
    """What is learned.

    Attributes:
        score_name: the metric that chooses the best epoch, ``accuracy`` or ``auc``.
        in_channels, out_channels: widths of the network's two ends.
        edges: those that carry messages.
        x: features of all nodes.
    """

    score_name: str
    in_channels: int
    out_channels: int
    edges: Edges
    x: Tensor

    def loss(self, model: GNN, config: GNNConfig, rng: torch.Generator) -> Tensor:
        """Loss of the next update, a scalar. ``rng`` is on the CPU."""
        ...

    def evaluate(self, model: GNN) -> Evaluated:
        """Outputs for all the data; the model is in evaluation mode, and no gradient is wanted."""
        ...


def drop_edges(pairs: Tensor, n: int, share: float, whole: Edges, rng: torch.Generator) -> Edges:
    """The edges of one update: each of ``pairs`` (2, m) is left out with probability ``share``, in both directions.

    Y. Rong et al. DropEdge. ICLR 2020: section 3.1, re-normalised: the weights are those of the edges that are left.
    """
    if share == 0:
        return whole
    kept = torch.rand(pairs.shape[1], generator=rng) >= share
    return Edges.of(pairs[:, kept.to(pairs.device)], n)


def tensor_of(x: Features, device: torch.device) -> Tensor:
    """Features as the first layer takes them: sparse where a tenth or less of the entries are there."""
    n = len(x.starts) - 1
    if len(x.values) > 0.1 * n * x.width:
        return torch.from_numpy(x.dense()).to(device)
    starts, columns, values = (torch.from_numpy(np.ascontiguousarray(a)) for a in (x.starts, x.columns, x.values))
    with warnings.catch_warnings(action="ignore"):  # that this layout is in beta: what is used of it is tested here
        return torch.sparse_csr_tensor(starts, columns, values, (n, x.width), check_invariants=True).to(device)


class NodeTask:
    """The class of each node of one graph; only the training part's classes are used."""

    score_name = "accuracy"

    def __init__(self, graph: Graph, device: torch.device) -> None:
        self.graph = graph
        self.x = tensor_of(graph.x, device)
        self.in_channels, self.out_channels = graph.x.width, len(graph.classes)
        self.pairs = torch.from_numpy(np.ascontiguousarray(graph.edges)).to(device)
        self.edges = Edges.of(self.pairs, graph.n)
        self.y = torch.from_numpy(graph.y).to(device)
        self.rows = {part: torch.from_numpy(getattr(graph, part)).to(device) for part in PARTS}

    def loss(self, model: GNN, config: GNNConfig, rng: torch.Generator) -> Tensor:
        edges = drop_edges(self.pairs, self.graph.n, config.edge_dropout, self.edges, rng)
        rows = self.rows["train"]
        return F.cross_entropy(model(self.x, edges)[rows], self.y[rows])

    def evaluate(self, model: GNN) -> Evaluated:
        hidden: list[Tensor] = []
        out = model(self.x, self.edges, hidden=hidden)
        return classified(hidden, out, self.y, self.rows, model.attention())


class LinkTask:
    """Which pairs are joined: a third of the edges held out choose the epoch, the others test it.

    ``scored_pairs`` holds for each part its pairs (2, k), the joined ones first, and how many of these are joined.
    """

    score_name = "auc"

    def __init__(self, links: Links, hidden: int, device: torch.device) -> None:
        self.links, self.graph = links, links.graph
        self.x = tensor_of(links.graph.x, device)
        self.in_channels, self.out_channels = links.graph.x.width, hidden
        self.pairs = torch.from_numpy(np.ascontiguousarray(links.train)).to(device)
        self.edges = Edges.of(self.pairs, links.graph.n)
        self.scored_pairs = {
            part: (torch.from_numpy(np.concatenate(pairs, axis=1)).to(device), pairs[0].shape[1])
            for part, pairs in {"train": links.train_pairs, "val": links.val, "test": links.test}.items()
        }

    def loss(self, model: GNN, config: GNNConfig, rng: torch.Generator) -> Tensor:
        edges = drop_edges(self.pairs, self.graph.n, config.edge_dropout, self.edges, rng)
        z = model(self.x, edges)
        n_positive = self.pairs.shape[1]
        seed = int(torch.randint(2**31 - 1, (1,), generator=rng))
        negative = negatives(self.links.excluded, self.graph.n, n_positive, np.random.default_rng(seed))
        pairs = torch.cat([self.pairs, torch.from_numpy(negative).to(self.pairs.device)], dim=1)
        return link_loss(link_scores(z, pairs), n_positive)

    def evaluate(self, model: GNN) -> Evaluated:
        hidden: list[Tensor] = []
        z = model(self.x, self.edges, hidden=hidden)
        values = {}
        for part, (pairs, n_positive) in self.scored_pairs.items():
            scores = link_scores(z, pairs)
            values[f"{part}/loss"] = float(link_loss(scores, n_positive))
            values[f"{part}/auc"] = auc(scores[:n_positive].cpu().numpy(), scores[n_positive:].cpu().numpy())
        confidence = link_scores(z, self.scored_pairs["test"][0]).sigmoid().cpu().numpy()
        return Evaluated(hidden, z, values, (confidence > 0.5).astype(np.uint8), confidence, model.attention())


def link_loss(scores: Tensor, n_positive: int) -> Tensor:
    """Mean cross-entropy of pairs of which the first ``n_positive`` are joined."""
    target = torch.zeros_like(scores)
    target[:n_positive] = 1
    return F.binary_cross_entropy_with_logits(scores, target)


def auc(edges: Array, non_edges: Array) -> float:
    """Chance that a joined pair is scored above one that is not, half of the ties counted: area under the ROC curve."""
    order = np.sort(non_edges)
    below, upto = np.searchsorted(order, edges, "left"), np.searchsorted(order, edges, "right")
    return float((below + upto).sum() / (2 * len(edges) * len(non_edges)))


class GraphTask:
    """The kind of each of many small graphs; a step uses a batch of them, drawn anew each time."""

    score_name = "accuracy"

    def __init__(self, data: Motifs, device: torch.device) -> None:
        self.data, self.device = data, device
        self.in_channels, self.out_channels = data.x.shape[1], len(data.classes)
        self.all = self.batch(np.arange(len(data.y)))
        self.x, self.edges = self.all[0], self.all[1]
        self.rows = {part: torch.from_numpy(getattr(data, part)).to(device) for part in PARTS}
        self.y = torch.from_numpy(data.y).to(device)

    def batch(self, graph_ids: Array) -> tuple[Tensor, Edges, Tensor]:
        """Features, edges and the graph number of each node of these graphs, put side by side."""
        x, edges, batch = self.data.joined(graph_ids)
        pairs = torch.from_numpy(edges).to(self.device)
        return (
            torch.from_numpy(x).to(self.device),
            Edges.of(pairs, len(x)),
            torch.from_numpy(batch).to(self.device),
        )

    def loss(self, model: GNN, config: GNNConfig, rng: torch.Generator) -> Tensor:
        rows = self.data.train
        graph_ids = rows[torch.randperm(len(rows), generator=rng)[: config.batch_size].numpy()]
        x, edges, batch = self.batch(graph_ids)
        if config.edge_dropout:
            pairs = edges.edge_index[:, : edges.edge_index.shape[1] // 2]  # the first half: each edge once
            edges = drop_edges(pairs, len(x), config.edge_dropout, edges, rng)
        return F.cross_entropy(model(x, edges, batch, len(graph_ids)), self.y[torch.from_numpy(graph_ids)])

    def evaluate(self, model: GNN) -> Evaluated:
        x, edges, batch = self.all
        hidden: list[Tensor] = []
        out = model(x, edges, batch, len(self.y), hidden=hidden)
        return classified(hidden, out, self.y, self.rows, model.attention())


def classified(
    hidden: list[Tensor], out: Tensor, y: Tensor, rows: dict[str, Tensor], attention: list[Tensor]
) -> Evaluated:
    """Loss and accuracy of each part from logits ``out`` (n, classes)."""
    confidence, predicted = out.softmax(dim=1).max(dim=1)
    found = {}
    for part, of in rows.items():
        found[f"{part}/loss"] = F.cross_entropy(out[of], y[of])
        found[f"{part}/accuracy"] = (predicted[of] == y[of]).float().mean()
    values = dict(zip(found, torch.stack(list(found.values())).tolist(), strict=True))
    return Evaluated(hidden, out, values, predicted.to(torch.uint8).cpu().numpy(), confidence.cpu().numpy(), attention)
