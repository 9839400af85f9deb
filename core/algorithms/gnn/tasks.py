"""What is learned: the class of a node, which edges are missing, or the kind of a whole graph.

Each task says what the loss of an update is, and what is found when all of the data are looked at without dropout. Who
is tested has no part in the loss, and the edges that a link predictor is tested on carry no messages.
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
class Seen:
    """What was found after ``step`` updates, without dropout.

    Attributes:
        hidden: what each layer says, (n, its units).
        out: sums of the output.
        values: metrics by name.
        predicted: uint8, the class thought likeliest of each node (or of each graph).
        sure: of each, the probability that it is given.
        attention: of the last layer that has one, (edges, heads).
    """

    step: int
    hidden: list[Tensor]
    out: Tensor
    values: dict[str, float]
    predicted: Array
    sure: Array
    attention: list[Tensor] = field(default_factory=list)


class Task(Protocol):
    """What a training is for.

    Attributes:
        score: what is high where it goes well, ``accuracy`` or ``auc``.
        inputs, outputs: widths of the network's two ends.
        edges: those that carry messages.
        x: features of all nodes.
    """

    score: str
    inputs: int
    outputs: int
    edges: Edges
    x: Tensor

    def loss(self, model: GNN, config: GNNConfig, draw: torch.Generator) -> Tensor:
        """Loss of the next update, a scalar. ``draw`` is on the CPU."""
        ...

    def look(self, model: GNN, step: int) -> Seen:
        """Look at everything; the model is in its mode of testing, and no gradient is wanted."""
        ...


def kept(pairs: Tensor, n: int, share: float, whole: Edges, draw: torch.Generator) -> Edges:
    """The edges of one update: each of ``pairs`` (2, m) is left out with probability ``share``, in both directions.

    Y. Rong et al. DropEdge. ICLR 2020; the weights follow the edges that are left (eq. 3 and "A_drop" normalised).
    """
    if share == 0:
        return whole
    stays = torch.rand(pairs.shape[1], generator=draw) >= share
    return Edges.of(pairs[:, stays.to(pairs.device)], whole.looped.shape[1] - whole.plain.shape[1])


def tensor_of(x: Features, device: torch.device) -> Tensor:
    """Features as the first layer takes them: sparse where a tenth or less of the entries are there."""
    n = len(x.starts) - 1
    if len(x.values) > 0.1 * n * x.width:
        return torch.from_numpy(x.dense()).to(device)
    starts, columns, values = (torch.from_numpy(np.ascontiguousarray(a)) for a in (x.starts, x.columns, x.values))
    with warnings.catch_warnings(action="ignore"):  # that this layout is in beta: what is used of it is tested here
        return torch.sparse_csr_tensor(starts, columns, values, (n, x.width), check_invariants=True).to(device)


class NodeTask:
    """The class of each node of one graph; only those of the training part are told."""

    score = "accuracy"

    def __init__(self, graph: Graph, device: torch.device) -> None:
        self.graph = graph
        self.x = tensor_of(graph.x, device)
        self.inputs, self.outputs = graph.x.width, len(graph.classes)
        self.pairs = torch.from_numpy(np.ascontiguousarray(graph.edges)).to(device)
        self.edges = Edges.of(self.pairs, graph.n)
        self.y = torch.from_numpy(graph.y).to(device)
        self.rows = {part: torch.from_numpy(getattr(graph, part)).to(device) for part in PARTS}

    def loss(self, model: GNN, config: GNNConfig, draw: torch.Generator) -> Tensor:
        edges = kept(self.pairs, self.graph.n, config.edge_dropout, self.edges, draw)
        rows = self.rows["train"]
        return F.cross_entropy(model(self.x, edges)[rows], self.y[rows])

    def look(self, model: GNN, step: int) -> Seen:
        hidden: list[Tensor] = []
        out = model(self.x, self.edges, hidden=hidden)
        sure, predicted = out.softmax(dim=1).max(dim=1)
        found = {}
        for part, rows in self.rows.items():
            found[f"{part}/loss"] = F.cross_entropy(out[rows], self.y[rows])
            found[f"{part}/accuracy"] = (predicted[rows] == self.y[rows]).float().mean()
        values = dict(zip(found, torch.stack(list(found.values())).tolist(), strict=True))
        return Seen(step, hidden, out, values, _bytes(predicted), sure.cpu().numpy(), model.attention())


class LinkTask:
    """Which pairs are joined: a third of the edges held out choose the epoch, the others test it."""

    score = "auc"

    def __init__(self, links: Links, hidden: int, device: torch.device) -> None:
        self.links, self.graph = links, links.graph
        self.x = tensor_of(links.graph.x, device)
        self.inputs, self.outputs = links.graph.x.width, hidden
        self.pairs = torch.from_numpy(np.ascontiguousarray(links.train)).to(device)
        self.edges = Edges.of(self.pairs, links.graph.n)
        self.asked = {
            part: (torch.from_numpy(np.concatenate(pairs, axis=1)).to(device), pairs[0].shape[1])
            for part, pairs in {"train": links.shown, "val": links.val, "test": links.test}.items()
        }

    def loss(self, model: GNN, config: GNNConfig, draw: torch.Generator) -> Tensor:
        edges = kept(self.pairs, self.graph.n, config.edge_dropout, self.edges, draw)
        z = model(self.x, edges)
        joined = self.pairs.shape[1]
        drawn = int(torch.randint(2**31 - 1, (1,), generator=draw))
        apart = negatives(self.links.taken, self.graph.n, joined, np.random.default_rng(drawn))
        pairs = torch.cat([self.pairs, torch.from_numpy(apart).to(self.pairs.device)], dim=1)
        return _link_loss(link_scores(z, pairs), joined)

    def look(self, model: GNN, step: int) -> Seen:
        hidden: list[Tensor] = []
        z = model(self.x, self.edges, hidden=hidden)
        values = {}
        for part, (pairs, joined) in self.asked.items():
            scores = link_scores(z, pairs)
            values[f"{part}/loss"] = float(_link_loss(scores, joined))
            values[f"{part}/auc"] = auc(scores[:joined].cpu().numpy(), scores[joined:].cpu().numpy())
        sure = link_scores(z, self.asked["test"][0]).sigmoid().cpu().numpy()
        return Seen(step, hidden, z, values, (sure > 0.5).astype(np.uint8), sure, model.attention())


def _link_loss(scores: Tensor, joined: int) -> Tensor:
    """Mean cross-entropy of pairs of which the first ``joined`` are."""
    truth = torch.zeros_like(scores)
    truth[:joined] = 1
    return F.binary_cross_entropy_with_logits(scores, truth)


def auc(joined: Array, apart: Array) -> float:
    """Chance that a joined pair is scored above one that is not, half of the ties counted: area under the ROC curve."""
    order = np.sort(apart)
    below, upto = np.searchsorted(order, joined, "left"), np.searchsorted(order, joined, "right")
    return float((below + upto).sum() / (2 * len(joined) * len(apart)))


class GraphTask:
    """The kind of each of many small graphs; a step looks at a batch of them, drawn anew each time."""

    score = "accuracy"

    def __init__(self, data: Motifs, device: torch.device) -> None:
        self.data, self.device = data, device
        self.inputs, self.outputs = data.x.shape[1], len(data.classes)
        self.all = self.batch(np.arange(len(data.y)))
        self.x, self.edges = self.all[0], self.all[1]
        self.rows = {part: torch.from_numpy(getattr(data, part)).to(device) for part in PARTS}
        self.y = torch.from_numpy(data.y).to(device)

    def batch(self, numbers: Array) -> tuple[Tensor, Edges, Tensor]:
        """Features, edges and the graph number of each node of these graphs, put side by side."""
        x, edges, member = self.data.joined(numbers)
        pairs = torch.from_numpy(edges).to(self.device)
        return (
            torch.from_numpy(x).to(self.device),
            Edges.of(pairs, len(x)),
            torch.from_numpy(member).to(self.device),
        )

    def loss(self, model: GNN, config: GNNConfig, draw: torch.Generator) -> Tensor:
        rows = self.data.train
        numbers = rows[torch.randperm(len(rows), generator=draw)[: config.batch_size].numpy()]
        x, edges, member = self.batch(numbers)
        if config.edge_dropout:
            edges = kept(edges.plain[:, : edges.plain.shape[1] // 2], len(x), config.edge_dropout, edges, draw)
        return F.cross_entropy(model(x, edges, member, len(numbers)), self.y[torch.from_numpy(numbers)])

    def look(self, model: GNN, step: int) -> Seen:
        x, edges, member = self.all
        hidden: list[Tensor] = []
        out = model(x, edges, member, len(self.y), hidden=hidden)
        sure, predicted = out.softmax(dim=1).max(dim=1)
        found = {}
        for part, rows in self.rows.items():
            found[f"{part}/loss"] = F.cross_entropy(out[rows], self.y[rows])
            found[f"{part}/accuracy"] = (predicted[rows] == self.y[rows]).float().mean()
        values = dict(zip(found, torch.stack(list(found.values())).tolist(), strict=True))
        return Seen(step, hidden, out, values, _bytes(predicted), sure.cpu().numpy(), model.attention())


def _bytes(predicted: Tensor) -> Array:
    found: Array = predicted.to(torch.uint8).cpu().numpy()
    return found
