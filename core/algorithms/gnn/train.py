"""Training a graph network: one update uses the whole graph, or a batch of small ones.

The features go through the layers, the loss compares the outputs of the training nodes (or edges, or graphs), and Adam
takes a step. The papers and the mathematics are in ``model.py``, what is learned in ``tasks.py``; :func:`train` is the
loop.
"""

from collections.abc import Iterator
from typing import Any

import torch

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

#: Metrics are logged at every step up to this one, then at 256 steps of each doubling.
DENSE = 512
#: An evaluation of all graphs takes longer than an update on a batch of them.
GRAPHS_SPACING = 8


class GNNTraining(Training):
    """A graph network between two updates.

    Attributes:
        task: what is learned; it holds the data. graph: the one graph, ``None`` where there are many.
        model, optimizer: as ``build`` makes them. dropout_rng: draws the dropout masks.
        rng: draws what else is random: edges left out, negative pairs, batches of graphs.
        history: every evaluation so far.
    """

    saved = ("model", "optimizer", "rng", "dropout_rng", "history")

    task: Task
    graph: Graph | None
    model: GNN
    optimizer: torch.optim.Optimizer
    rng: torch.Generator
    dropout_rng: torch.Generator

    def __init__(self, config: GNNConfig, data: Graph | Links | Motifs, device: str) -> None:
        super().__init__(config, data, device)
        self.history = History(Evaluation)

    @property
    def chosen_epoch(self) -> Evaluation:
        """The best evaluation so far by the validation part: the highest score, of equal ones the lowest loss."""
        return max(self.history, key=lambda e: (e.held_out_score, -e.held_out_loss))

    def should_log(self, step: int) -> bool:
        spacing = max(1, log_spacing(step) // (DENSE // 64))
        return step % max(spacing, GRAPHS_SPACING if self.config.task == "graphs" else 1) == 0

    def apply_config(self, config: GNNConfig) -> None:
        super().apply_config(config)
        self.model.dropout.p = config.dropout
        for group, weight_decay in zip(self.optimizer.param_groups, weight_decays(config), strict=True):
            group["lr"], group["weight_decay"] = config.lr, weight_decay


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
    options: dict[str, Any] = {
        "labels": config.labels if config.task == "nodes" else 1,
        "features": config.features,
        "seed": config.seed,
    }
    match config.data:
        case "blocks":
            return graphs.blocks(config.blocks, config.p_in, config.p_out, **options)
        case "karate":
            return graphs.karate(**options)
        case "lesmis":
            return graphs.lesmis(**options)
        case "pasted":
            return graphs_csv.pasted(config.edge_list, config.node_table, **options, classified=config.task == "nodes")
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
        s.model = GNN(config, s.task.in_channels, s.task.out_channels, s.dropout_rng, sparse=sparse)
    s.model.to(s.device)
    first = s.model.first_layer
    others = [p for p in s.model.parameters() if all(p is not q for q in first)]
    decay_first, decay_others = weight_decays(config)
    groups = [{"params": first, "weight_decay": decay_first}, {"params": others, "weight_decay": decay_others}]
    s.optimizer = torch.optim.Adam(groups, lr=config.lr, fused=True)
    return s


def weight_decays(config: GNNConfig) -> tuple[float, float]:
    """Weight decay of the first layer and of the others; Kipf and Welling decay the first alone."""
    return config.weight_decay, config.weight_decay if config.decay == "all" else 0.0


def train(s: GNNTraining) -> Iterator[Event]:
    """Train the network of ``s``. A generator: yields after every update, from ``s.step`` on, without end.

    Args:
        s: the state of this training: network, optimiser, the task with its data.

    Raises:
        Diverged: the loss is not finite.
    """
    model, optimizer = s.model, s.optimizer
    model.train()
    while True:
        config = s.config  # live settings may have changed
        # Forward pass and loss of the task; NodeTask.loss in tasks.py is that of PyG's gcn.py.
        loss = s.task.loss(model, config, s.rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        epoch = float(s.step + 1) if s.graph is not None else None  # full batch: a step is an epoch
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield s.next_step(loss, epoch=epoch)
