"""What is learned: the class of a node, which edges are missing, or the kind of a whole graph.

Each task is a class that holds the data, with the loss of an update and an evaluation of all the data without dropout.
What is tested has no part in the loss, and the edges that a link predictor is tested on carry no messages.
"""

import warnings
from dataclasses import dataclass

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
    """What the network makes of all the data, without dropout.

    Attributes:
        hidden: output of each layer, (n, its units).
        values: metrics by name.
        predicted: uint8, the likeliest class of each node, graph or held out pair.
        confidence: its probability, float32.
        attention: of each layer that has one, (edges, heads).
    """

    hidden: list[Tensor]
    values: dict[str, float]
    predicted: Array
    confidence: Array
    attention: list[Tensor]

    @property
    def representation(self) -> Tensor:
        """Output of the last layer but one, or of the only one, (n, its units)."""
        return (self.hidden[:-1] or self.hidden)[-1]


def drop_edges(edges: Edges, n: int, share: float, rng: torch.Generator) -> Edges:
    """The edges of one update: each is left out with probability ``share``, in both directions.

    Y. Rong et al. DropEdge. ICLR 2020: section 3.1, re-normalised: the weights are those of the edges that are left.

    Args:
        n: nodes.
        rng: on the CPU.
    """
    if share == 0:
        return edges
    pairs = edges.pairs
    kept = torch.rand(pairs.shape[1], generator=rng) >= share  # (m,)
    return Edges.of(pairs[:, kept.to(pairs.device)], n)


def feature_tensor(x: Features, device: torch.device) -> Tensor:
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
        self.x = feature_tensor(graph.x, device)
        self.in_channels, self.out_channels = graph.x.width, len(graph.classes)
        self.edges = Edges.of(torch.from_numpy(np.ascontiguousarray(graph.edges)).to(device), graph.n)
        self.y = torch.from_numpy(graph.y).to(device)
        self.rows = {part: torch.from_numpy(getattr(graph, part)).to(device) for part in PARTS}

    def loss(self, model: GNN, config: GNNConfig, rng: torch.Generator) -> Tensor:
        edges = drop_edges(self.edges, self.graph.n, config.edge_dropout, rng)
        out = model(self.x, edges)  # (n, classes)
        rows = self.rows["train"]
        return F.cross_entropy(out[rows], self.y[rows])

    def evaluate(self, model: GNN) -> Evaluated:
        hidden = model.layer_outputs(self.x, self.edges)
        return classified(hidden, model.logits(hidden), self.y, self.rows, model.attention())


class LinkTask:
    """Which pairs are joined: a third of the edges held out choose the epoch, the others test it.

    ``scored_pairs`` holds for each part its pairs (2, k), the joined ones first, and how many of these are joined.
    """

    score_name = "auc"

    def __init__(self, links: Links, hidden: int, device: torch.device) -> None:
        self.links, self.graph = links, links.graph
        self.x = feature_tensor(links.graph.x, device)
        self.in_channels, self.out_channels = links.graph.x.width, hidden
        self.edges = Edges.of(torch.from_numpy(np.ascontiguousarray(links.train)).to(device), links.graph.n)
        self.scored_pairs = {
            part: (torch.from_numpy(np.concatenate(pairs, axis=1)).to(device), pairs[0].shape[1])
            for part, pairs in {"train": links.train_pairs, "val": links.val, "test": links.test}.items()
        }

    def loss(self, model: GNN, config: GNNConfig, rng: torch.Generator) -> Tensor:
        edges = drop_edges(self.edges, self.graph.n, config.edge_dropout, rng)
        z = model(self.x, edges)  # (n, hidden)
        positive = self.edges.pairs  # (2, m)
        seed = int(torch.randint(2**31 - 1, (1,), generator=rng))
        negative = negatives(self.links.excluded, self.graph.n, positive.shape[1], np.random.default_rng(seed))
        pairs = torch.cat([positive, torch.from_numpy(negative).to(positive.device)], dim=1)  # (2, 2m)
        return link_loss(link_scores(z, pairs), positive.shape[1])

    def evaluate(self, model: GNN) -> Evaluated:
        hidden = model.layer_outputs(self.x, self.edges)
        z = model.logits(hidden)
        values = {}
        for part, (pairs, n_positive) in self.scored_pairs.items():
            scores = link_scores(z, pairs)
            values[f"{part}/loss"] = float(link_loss(scores, n_positive))
            values[f"{part}/auc"] = auc(scores[:n_positive].cpu().numpy(), scores[n_positive:].cpu().numpy())
        confidence = link_scores(z, self.scored_pairs["test"][0]).sigmoid().cpu().numpy()
        return Evaluated(hidden, values, (confidence > 0.5).astype(np.uint8), confidence, model.attention())


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
        self.x, self.edges, self.graph_of_node = self.batch(np.arange(len(data.y)))
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
        graph_ids = rows[torch.randperm(len(rows), generator=rng)[: config.batch_size].numpy()]  # (batch_size,)
        x, edges, batch = self.batch(graph_ids)
        out = model(x, drop_edges(edges, len(x), config.edge_dropout, rng), batch, len(graph_ids))  # (batch_size, k)
        return F.cross_entropy(out, self.y[torch.from_numpy(graph_ids)])

    def evaluate(self, model: GNN) -> Evaluated:
        hidden = model.layer_outputs(self.x, self.edges)
        out = model.logits(hidden, self.graph_of_node, len(self.y))
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
    values = dict(zip(found, torch.stack(list(found.values())).tolist(), strict=True))  # from the device in one go
    return Evaluated(hidden, values, predicted.to(torch.uint8).cpu().numpy(), confidence.cpu().numpy(), attention)


#: Each has ``score_name``, the metric that chooses the epoch; ``in_channels`` and ``out_channels``, the widths of the
#: network's two ends; ``x``, the features of all nodes; ``edges``, those that carry messages.
Task = NodeTask | LinkTask | GraphTask
