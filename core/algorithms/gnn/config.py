"""The settings of the graph networks, and which of them cannot go together."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core import fields
from core.data import graphs_csv
from core.data.graphs import EMBEDDED
from core.experiment import Config, Setting
from core.field_kinds import UPLOADED_TEXT
from core.fields import DATA, MODEL, REGULARISATION, Group
from core.words import N_, Refusal

Task = Literal["nodes", "links", "graphs"]
Data = Literal["blocks", "karate", "lesmis", "pasted", "cora", "citeseer", "pubmed"]
Model = Literal["gcn", "sage", "gat", "gin", "mlp"]
Pooling = Literal["mean", "max", "sum"]
Size = Annotated[int, Field(ge=2, le=1000)]

#: Data sets of which nothing is known but the edges.
BARE = ("blocks", "karate", "lesmis", "pasted")
ON_ONE = ("nodes", "links")
#: Where the graph is drawn at random.
RANDOM = {"task": ON_ONE, "data": ("blocks",)}
OF_GRAPHS = {"task": ("graphs",)}
POOLINGS = {"mean": N_("Mean"), "max": N_("Maximum"), "sum": N_("Sum")}

INSPECTION = Group(N_("Looking closer"))


class GNNConfig(Config):
    """Settings of a graph network and its training."""

    task: Task = DATA.setting(
        "nodes", labels={"nodes": N_("Nodes"), "links": N_("Edges"), "graphs": N_("Graphs")}
    ).described(
        N_("Task"), N_("What to predict: the class of a node, which edges are missing, or the kind of a whole graph.")
    )
    data: Data = DATA.setting(
        "blocks",
        shown_if={"task": ON_ONE},
        labels={
            "blocks": N_("Communities (random)"),
            "karate": N_("Karate club, 34 members"),
            "lesmis": N_("Les Misérables, 77 characters"),
            "pasted": N_("Your own edge list"),
            "cora": N_("Cora, 2,708 papers"),
            "citeseer": N_("CiteSeer, 3,327 papers (1 MB to fetch)"),
            "pubmed": N_("PubMed, 19,717 papers (9 MB to fetch)"),
        },
    ).described(N_("Graph"), N_("The one graph to learn on."))
    blocks: tuple[Size, ...] = DATA.setting(
        (60, 60, 60, 60, 60), shown_if=RANDOM, min_length=2, max_length=8
    ).described(N_("Communities"), N_("How many nodes each community has."))
    p_in: float = DATA.setting(0.1, step=0.005, shown_if=RANDOM, ge=0, le=1).described(
        N_("Edges within"), N_("Chance of two nodes of the same community to be joined.")
    )
    p_out: float = DATA.setting(0.003, step=0.001, shown_if=RANDOM, ge=0, le=0.3).described(
        N_("Edges between"), N_("Chance of two nodes of different communities to be joined.")
    )
    edge_list: str = Setting(
        "",
        N_("Edge list"),
        N_(
            "Your edges: two ids a line, with a comma, a semicolon or a tab between; at most 200,000 lines. "
            "Further columns are not read."
        ),
        group=DATA.title,
        shown_if={"task": ON_ONE, "data": ("pasted",)},
        kind=UPLOADED_TEXT,
    )
    node_table: str = Setting(
        "",
        N_("Node table"),
        N_("What is known of the nodes, if anything: an id, a label, and as many numbers as you like a line."),
        group=DATA.title,
        shown_if={"task": ON_ONE, "data": ("pasted",)},
        kind=UPLOADED_TEXT,
    )
    features: Literal["own", "degree"] = DATA.setting(
        "own", shown_if={"task": ON_ONE, "data": BARE}, labels={"own": N_("Own number"), "degree": N_("Degree")}
    ).described(
        N_("Features"),
        N_("A node's features where the data have none: its own number, or how many neighbours it has."),
    )
    labels: int = DATA.setting(2, scale="log", shown_if={"task": ("nodes",), "data": BARE}, ge=1, le=500).described(
        N_("Labels"),
        N_("Nodes of each class whose label is given in training; of the others 30 % choose the epoch, 70 % test it."),
    )
    held_out: float = DATA.setting(0.2, step=0.05, shown_if={"task": ("links",)}, ge=0.05, le=0.8).described(
        N_("Edges held out"),
        N_("Share of the edges that the model never sees: a third of them choose the epoch, the others test it."),
    )
    graphs: int = DATA.setting(600, scale="log", shown_if=OF_GRAPHS, ge=60, le=5000).described(
        N_("Graphs"), N_("How many graphs to draw: half to train on, the others to choose the epoch and to test it.")
    )

    model: Model = MODEL.setting(
        "gcn",
        labels={
            "gcn": N_("GCN: degree-weighted mean"),
            "sage": N_("GraphSAGE: itself beside its neighbours"),
            "gat": N_("GAT: attention"),
            "gin": N_("GIN: sum"),
            "mlp": N_("MLP: no edges (control)"),
        },
    ).described(
        N_("Layer"),
        N_("How a node combines its neighbours' features with its own; the MLP is the control and uses no edges."),
    )
    depth: int = MODEL.setting(2, ge=1, le=32).described(
        N_("Depth"), N_("Layers: messages reach a node from as many edges away.")
    )
    hidden: int = MODEL.setting(16, scale="log", ge=1, le=256).described(
        N_("Hidden units"), N_("Units of each layer before the last; with attention, of each head.")
    )
    heads: int = MODEL.setting(8, shown_if={"model": ("gat",)}, ge=1, le=16).described(
        N_("Heads"), N_("Attentions side by side in each layer before the last, which has one.")
    )
    aggregation: Pooling = MODEL.setting("mean", shown_if={"model": ("sage",)}, labels=POOLINGS).described(
        N_("Aggregation"), N_("How the neighbours' messages are combined.")
    )
    remedy: Literal["none", "residual", "pairnorm", "jumping"] = MODEL.setting(
        "none",
        labels={
            "none": N_("Nothing"),
            "residual": N_("Residual: add the layer's input"),
            "pairnorm": N_("PairNorm: keep distances"),
            "jumping": N_("Jumping knowledge: read all layers"),
        },
    ).described(N_("Against over-smoothing"), N_("What keeps the nodes of a deep model apart."))
    readout: Pooling = MODEL.setting("sum", shown_if=OF_GRAPHS, labels=POOLINGS).described(
        N_("Readout"), N_("How all nodes of a graph are combined before its kind is predicted.")
    )

    lr: float = fields.learning_rate(0.01, le=10)
    batch_size: int = fields.batch_size(
        64,
        le=512,
        description=N_("Graphs used in one step; on a single graph a step uses the whole of it."),
        shown_if=OF_GRAPHS,
    )

    dropout: float = fields.dropout(
        0.5,
        le=0.95,
        description=N_(
            "Chance of a feature, and with attention of a neighbour, to sit out a training step in each layer."
        ),
    )
    edge_dropout: float = REGULARISATION.setting(0.0, live=True, step=0.05, ge=0, le=0.95).described(
        N_("Edge dropout"), N_("Chance of an edge to be left out of a training step.")
    )
    weight_decay: float = fields.weight_decay(5e-4)
    decay: Literal["first", "all"] = REGULARISATION.setting(
        "first", labels={"first": N_("First layer"), "all": N_("All layers")}
    ).described(
        N_("Decay of"),
        N_("Which layers the weight decay is for: the first one alone, as in the paper of GCN, or all."),
    )

    node: int = INSPECTION.setting(0, live=True, shown_if={"task": ON_ONE}, ge=0, le=19_716).described(
        N_("Node to follow"),
        N_("The node whose receptive field is drawn, by its number; beyond the last one, the last."),
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse what cannot go together."""
        if self.task == "graphs" and self.batch_size > self.graphs // 2:
            raise Refusal(
                "batch_size",
                N_("Batch size: {batch} graphs at a time need as many to train on; half of {graphs} are {half}."),
                batch=self.batch_size,
                graphs=self.graphs,
                half=self.graphs // 2,
            )
        if self.task != "graphs" and self.data == "pasted":
            graphs_csv.check(
                self.edge_list,
                self.node_table,
                labels=self.labels,
                seed=self.seed,
                classified=self.task == "nodes",
            )
        sizes = {**EMBEDDED, "blocks": self.blocks}.get(self.data, ())
        if self.task == "nodes" and sizes:
            rest = sum(max(size - self.labels, 0) for size in sizes)
            if rest < 4:
                raise Refusal(
                    "labels",
                    N_("Labels: {labels} of each class leave {rest} of {n} nodes for the test; at least 4 are needed."),
                    labels=self.labels,
                    rest=rest,
                    n=sum(sizes),
                )
        return self
