"""Training a graph network: one update uses the whole graph, or a batch of small ones.

The features go through the layers, the loss compares the outputs of the training nodes (or edges, or graphs), and Adam
takes a step. The papers and the mathematics stand in ``model.py``, what is learned in ``tasks.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx  # noqa: F401 - what a worker needs is imported once, before it is forked
import torch
import torch_geometric.datasets  # noqa: F401

from core.algorithms.gnn.config import GNNConfig
from core.algorithms.gnn.diagnoses import Evaluation
from core.algorithms.gnn.model import GNN
from core.algorithms.gnn.tasks import GraphTask, LinkTask, NodeTask, Task
from core.data import graphs, graphs_csv
from core.data.graphs import Graph
from core.data.links import Links, hold_out
from core.data.motifs import Motifs, motifs
from core.data.planetoid import planetoid
from core.events import Event
from core.training import History, Training, generator, log_spacing, seed_of

#: Up to this step metrics are logged at every one; then at every second, from twice as many on at every fourth, and on.
DENSE = 512
#: An evaluation of all graphs takes longer than an update on a batch of them.
GRAPHS_SPACING = 8


class GNNTraining(Training):
    """A graph network between two updates.

    Attributes:
        task: what is learned; it holds the data. graph: the one graph, ``None`` where there are many.
        model, optimizer: as ``build`` makes them. dropout_rng: draws the dropout masks.
        rng: draws what else is random: edges left out, negative pairs, batches of graphs.
        best: the best epoch so far, by the validation part. history: every evaluation.
    """

    saved = ("model", "optimizer", "rng", "dropout_rng", "best", "history")

    task: Task
    graph: Graph | None
    model: GNN
    optimizer: torch.optim.Optimizer
    rng: torch.Generator
    dropout_rng: torch.Generator

    def __init__(self, config: GNNConfig, data: Graph | Links | Motifs, device: str) -> None:
        super().__init__(config, data, device)
        self.best = BestEpoch()
        self.history = History(Evaluation)

    def should_log(self, step: int) -> bool:
        spacing = max(1, log_spacing(step) // (DENSE // 64))
        return step % max(spacing, GRAPHS_SPACING if self.config.task == "graphs" else 1) == 0


@dataclass(slots=True)
class BestEpoch:
    """The epoch with the best validation score so far, and its test score: chosen without the test part.

    Attributes:
        score, loss: of the validation part; of equal scores the lower loss is better.
        test: score of the test part at that epoch.
    """

    step: int = -1
    score: float = -1.0
    loss: float = float("inf")
    test: float = 0.0

    def update(self, step: int, score: float, loss: float, test: float) -> None:
        """Take this epoch if it is better."""
        if (score, -loss) > (self.score, -self.loss):
            self.step, self.score, self.loss, self.test = step, score, loss, test

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "score": self.score, "loss": self.loss, "test": self.test}

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        self.step, self.score, self.loss, self.test = (tree[name] for name in ("step", "score", "loss", "test"))


def load(config: GNNConfig) -> Graph | Links | Motifs:
    """The data of the settings, split into their parts.

    Raises:
        Refusal: it would have to be fetched and cannot be, or a part of it would be empty.
    """
    if config.task == "graphs":
        return motifs(config.graphs, config.seed)
    graph = load_graph(config)
    return hold_out(graph, config.held_out, config.seed) if config.task == "links" else graph


def load_graph(config: GNNConfig) -> Graph:
    """The graph of the settings."""
    how: dict[str, Any] = {
        "labels": config.labels if config.task == "nodes" else 1,
        "features": config.features,
        "seed": config.seed,
    }
    match config.data:
        case "blocks":
            return graphs.blocks(config.blocks, config.p_in, config.p_out, **how)
        case "karate":
            return graphs.karate(**how)
        case "lesmis":
            return graphs.lesmis(**how)
        case "pasted":
            return graphs_csv.pasted(config.edge_list, config.node_table, **how, classified=config.task == "nodes")
    return planetoid(config.data)


def build(config: GNNConfig, data: Graph | Links | Motifs, device: str) -> GNNTraining:
    """Network and optimiser at step 0."""
    s = GNNTraining(config, data, device)
    if isinstance(data, Motifs):
        s.task, s.graph = GraphTask(data, s.device), None
    elif isinstance(data, Links):
        s.task, s.graph = LinkTask(data, config.hidden, s.device), data.graph
    else:
        s.task, s.graph = NodeTask(data, s.device), data
    s.rng, s.dropout_rng = generator(config.seed, "draws"), generator(config.seed, "dropout", device)
    # PyG's layers draw their weights from the global generator.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(config.seed, "weights"))
        sparse = s.task.x.layout == torch.sparse_csr
        s.model = GNN(config, s.task.inputs, s.task.outputs, s.dropout_rng, sparse=sparse)
    s.model.to(s.device)
    first = s.model.first_layer
    others = [p for p in s.model.parameters() if all(p is not q for q in first)]
    s.optimizer = torch.optim.Adam([{"params": first}, {"params": others}], lr=config.lr, fused=True)
    return s


def train(s: GNNTraining) -> Iterator[Event]:
    """Update after update, from ``s.step`` on, without an end of its own.

    Raises:
        Diverged: the loss is not finite.
    """
    model, optimizer = s.model, s.optimizer
    model.train()
    while True:
        config = s.config  # live settings may have changed
        model.dropout.p = config.dropout
        loss = s.task.loss(model, config, s.rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for i, group in enumerate(optimizer.param_groups):
            group["lr"] = config.lr
            group["weight_decay"] = config.weight_decay if i == 0 or config.decay == "all" else 0.0
        optimizer.step()
        yield s.next_step(loss, epoch=s.step + 1.0 if s.graph is not None else None)
