"""The graph networks' cases for the contract suite."""

from typing import Any

import torch

from tests.core.algorithms.contract import Cases, Effect, Overfit, Trial, drawn, initial, shapes
from tests.core.algorithms.gnn.training import SMALL
from tests.core.algorithms.trial import Log, UploadedText

TINY = {"blocks": (12, 12), "p_in": 0.5, "p_out": 0.1, "hidden": 4, "dropout": 0.0, "weight_decay": 0.0}
LINKS, MANY = {"task": "links"}, {"task": "graphs", "graphs": 60, "batch_size": 8}
GAT, DEEP = {"model": "gat", "heads": 2}, {"depth": 3}
EDGES = (
    UploadedText("\n".join(f"{i},{i + 1}" for i in range(20))),
    UploadedText("\n".join(f"{i},{i // 2}" for i in range(1, 21))),
)
NODES = tuple(UploadedText("\n".join(f"{i},{'ab'[i // step % 2]}" for i in range(21))) for step in (1, 2))
PASTED = {"data": "pasted", "edge_list": EDGES[0]}
MODELS = ("gcn", "sage", "gat", "gin", "mlp")

#: One training of each kind.
KINDS = {
    "gcn": SMALL,
    "gat": SMALL | {"model": "gat", "heads": 2, "edge_dropout": 0.2, "features": "degree"},
    "sage": SMALL | {"model": "sage", "aggregation": "max", "remedy": "jumping"},
    "gin": SMALL | {"model": "gin", "remedy": "pairnorm", "depth": 3},
    "mlp": SMALL | {"model": "mlp"},
    "links": SMALL | {"task": "links", "edge_dropout": 0.1},
    "graphs": {"task": "graphs", "graphs": 60, "batch_size": 16, "model": "gin", "hidden": 8, "edge_dropout": 0.1},
}


def kept_as_it_is(state: Any) -> None:
    """The whole training part is one batch."""


def edges(trial: Trial) -> Any:
    return trial.state.task.edges.pairs


def by_heart(kind: str) -> Overfit:
    settings = KINDS[kind] | {"dropout": 0.0, "edge_dropout": 0.0, "weight_decay": 0.0, "remedy": "none"}
    settings |= {"hidden": 32, "depth": 3, "batch_size": 30} if kind == "graphs" else {"features": "own"}
    below = 0.03 if kind == "graphs" else 1e-6
    return Overfit(
        kind, settings, kept_as_it_is, 600, below, lambda log: 1 - max(v for _, v in log.curves["train/accuracy"])
    )


def link_loss(log: Log) -> float:
    """The loss of the training pairs as a share of that of chance, ln 2.

    The pairs that links are measured by are none of those that are trained on, so it is the loss that shows it.
    """
    state = log.state
    return float(state.task.loss(state.model, state.config, torch.Generator().manual_seed(9)) / torch.tensor(2.0).log())


CASES = Cases(
    settings=TINY,
    effects=(
        Effect("seed", (0, 1), {}, initial, steps=0),
        Effect("seed", (0, 1), MANY),
        Effect("task", ("nodes", "links", "graphs"), MANY | PASTED | {"node_table": NODES[0]}, shapes(), steps=0),
        Effect(
            "data",
            ("blocks", "karate", "lesmis", "pasted"),
            LINKS | PASTED,
            lambda t: t.state.task.edges.pairs,
            steps=0,
        ),
        Effect("blocks", ((12, 12), (12, 14))),
        Effect("p_in", (0.5, 0.6)),
        Effect("p_out", (0.1, 0.2)),
        Effect("edge_list", EDGES, PASTED | {"node_table": NODES[0]}),
        Effect("node_table", NODES, PASTED),
        Effect("features", ("own", "degree")),
        Effect("features", ("own", "degree"), LINKS),
        *(Effect("features", ("own", "degree"), {"data": name}) for name in ("karate", "lesmis")),
        Effect("labels", (2, 3)),
        Effect("labels", (2, 3), {"data": "karate"}),
        Effect("held_out", (0.2, 0.4), LINKS),
        Effect("graphs", (60, 90), MANY),
        Effect("model", MODELS, {}, lambda t: type(t.state.model.layers[0]).__name__, steps=0),
        Effect("depth", (1, 2, 3), {}, shapes(), steps=0),
        *(Effect("hidden", (4, 5), context, shapes(), 0) for context in (*({"model": m} for m in MODELS), LINKS, MANY)),
        # The attention heads that there are, and the width that they have together.
        Effect("heads", (2, 3), GAT, lambda t: t.state.model.layers[0].heads, steps=1),
        Effect("heads", (2, 3), GAT, lambda t: t.state.model.layers[1].in_channels, steps=1),
        Effect("aggregation", ("mean", "max", "sum"), {"model": "sage"}),
        # The nodes of the drawn graphs have one feature, the same for all: its mean is its maximum.
        Effect("aggregation", ("mean", "sum"), MANY | {"model": "sage"}),
        Effect("remedy", ("none", "residual", "pairnorm", "jumping"), DEEP),
        Effect("readout", ("mean", "max", "sum"), MANY),
        Effect("lr", (0.01, 0.02)),
        Effect("batch_size", (8, 16), MANY),
        *(
            Effect(name, (0.0, 0.2, 0.6), context)
            for name in ("dropout", "edge_dropout")
            for context in ({}, LINKS, MANY, GAT)
        ),
        Effect("weight_decay", (0.0, 0.1, 0.2)),
        Effect("decay", ("first", "all"), {"weight_decay": 0.1}),
        Effect("node", (0, 1), {}, drawn("field", "hops")),
        Effect("node", (0, 1), LINKS, drawn("field", "hops")),
    ),
    resume=KINDS,
    overfit=(
        *(by_heart(kind) for kind in KINDS if kind != "links"),
        # One layer without edges is an embedding for each node, which may be anywhere.
        Overfit(
            "links",
            SMALL | {"task": "links", "model": "mlp", "depth": 1, "hidden": 64, "dropout": 0.0, "weight_decay": 0},
            kept_as_it_is,
            600,
            0.2,
            link_loss,
        ),
    ),
    # PairNorm takes the mean of all nodes away, and with it what a bias adds to each: it is left out.
    gradient={
        kind: of
        | {"dropout": 0.0, "edge_dropout": 0.0, "remedy": of.get("remedy", "none").replace("pairnorm", "residual")}
        for kind, of in KINDS.items()
    },
    gradient_steps=3,
)
