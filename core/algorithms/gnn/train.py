"""Training a graph network: one update looks at the whole graph, or at a batch of small ones.

The features go through the layers, the loss compares what is said of the training nodes (or edges, or graphs), and Adam
takes a step. The papers and the mathematics stand in ``model.py``; here is how they are used.
"""

from collections.abc import Iterator
from typing import Any

import networkx  # noqa: F401 - what a worker needs is imported once, before it is forked
import numpy as np
import torch
import torch_geometric.datasets  # noqa: F401

from core.algorithms.gnn.change import probe
from core.algorithms.gnn.config import GNNConfig
from core.algorithms.gnn.measure import report, told
from core.algorithms.gnn.model import GNN
from core.algorithms.gnn.observe import observe
from core.algorithms.gnn.state import State
from core.algorithms.gnn.tasks import GraphTask, LinkTask, NodeTask, Task
from core.data import graphs, graphs_csv
from core.data.graphs import Graph
from core.data.links import Links, hold_out
from core.data.motifs import Motifs, motifs
from core.data.planetoid import planetoid
from core.events import Event, Note, Step
from core.experiment import Diverged

__all__ = ["build", "load", "observe", "probe", "train"]

#: What random numbers are drawn for; the data draw theirs from the same seed in :mod:`core.data`.
WEIGHTS, MASKS, DRAWS = 401, 402, 403

#: A forward pass between two looks at the loss of an update: asking an accelerator makes it wait.
CHECK = 16


def load(config: GNNConfig) -> Graph | Links | Motifs:
    """The data of the settings, split into their parts.

    Raises:
        Refusal: it would have to be fetched and cannot be, or a part of it would be empty.
    """
    if config.task == "graphs":
        return motifs(config.graphs, config.seed)
    graph = one_graph(config)
    return hold_out(graph, config.held_out, config.seed) if config.task == "links" else graph


def one_graph(config: GNNConfig) -> Graph:
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


def build(config: GNNConfig, data: Graph | Links | Motifs, device: str) -> State:
    """Network, optimiser and generators at step 0; each generator has a purpose of its own."""
    place = torch.device(device)
    task: Task
    graph: Graph | None = None
    if isinstance(data, Motifs):
        task = GraphTask(data, place)
    elif isinstance(data, Links):
        task, graph = LinkTask(data, config.hidden, place), data.graph
    else:
        task, graph = NodeTask(data, place), data
    sparse = task.x.layout == torch.sparse_csr
    # PyG's layers draw their weights from the global generator: it is lent to them, and put back.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_mixed(config.seed, WEIGHTS))
        model = GNN(config, task.inputs, task.outputs, generator(config.seed, MASKS, device), sparse=sparse)
    model.to(place)
    first = {id(p) for p in model.first}
    others = [p for p in model.parameters() if id(p) not in first]
    optimizer = torch.optim.Adam([{"params": model.first}, {"params": others}], lr=config.lr, fused=True)
    return State(config, task, graph, device, model, optimizer, generator(config.seed, DRAWS))


def _mixed(seed: int, purpose: int) -> int:
    return int(np.random.SeedSequence([seed, purpose]).generate_state(1, np.uint64)[0])


def generator(seed: int, purpose: int, device: str = "cpu") -> torch.Generator:
    """A stream of random numbers that has nothing in common with those of other seeds and other purposes."""
    return torch.Generator(device).manual_seed(_mixed(seed, purpose))


def train(state: State) -> Iterator[Event]:
    """Update for update, from ``state.step`` on, without an end of its own.

    Raises:
        Diverged: the loss is no longer a number.
    """
    model, optimizer = state.model, state.optimizer
    parameters = list(model.parameters())
    model.train()
    if state.step == 0 and state.config.data == "pasted" and state.graph is not None:
        yield from tidied(state)
    while True:
        if told(state):
            yield from report(state)

        config = state.config  # anew: live settings may have been turned
        model.drop.p = config.dropout
        loss = state.task.loss(model, config, state.draw)
        if (state.device.type == "cpu" or state.step % CHECK == 0) and not bool(loss.isfinite()):
            raise Diverged(f"the loss is {loss.item()}")
        for p in parameters:
            p.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
        for i, group in enumerate(optimizer.param_groups):
            group["lr"] = config.lr
            group["weight_decay"] = config.weight_decay if i == 0 or config.decay == "all" else 0.0
        optimizer.step()
        state.step += 1
        yield Step(state.step, float(state.step) if state.graph is not None else None)


def tidied(state: State) -> Iterator[Event]:
    """Say what was left out of a person's edges."""
    found = graphs_csv.parse(state.config.edge_list, state.config.node_table)
    if found.loops or found.doubles:
        yield Note(0, "tidied", {"loops": found.loops, "doubles": found.doubles, "edges": found.edges.shape[1]})
