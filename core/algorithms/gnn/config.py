"""The settings of the graph networks, and which of them cannot go together."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.data import graphs_csv
from core.data.graphs import EMBEDDED
from core.experiment import Config, Setting
from core.field_kinds import UPLOADED_TEXT
from core.words import N_, Refusal

Task = Literal["nodes", "links", "graphs"]
Data = Literal["blocks", "karate", "lesmis", "pasted", "cora", "citeseer", "pubmed"]
Model = Literal["gcn", "sage", "gat", "gin", "mlp"]
Size = Annotated[int, Field(ge=2, le=1000)]

#: Data sets whose publisher says which nodes are for training, choosing and testing.
PUBLISHED = ("cora", "citeseer", "pubmed")
#: Data sets of which nothing is known but the edges.
BARE = ("blocks", "karate", "lesmis", "pasted")
ON_ONE = ("nodes", "links")

DATA, MODEL, TRAINING, REGULARISATION, LOOKING = (
    N_("Data"),
    N_("Model"),
    N_("Training"),
    N_("Regularisation"),
    N_("Looking closer"),
)


class GNNConfig(Config):
    """Settings of a graph network and its training."""

    task: Task = Setting(
        "nodes",
        N_("Task"),
        N_("What to predict: the class of a node, which edges are missing, or the kind of a whole graph."),
        group=DATA,
        labels={"nodes": N_("Nodes"), "links": N_("Edges"), "graphs": N_("Graphs")},
    )
    data: Data = Setting(
        "blocks",
        N_("Graph"),
        N_("The one graph to learn on."),
        group=DATA,
        shown_if={"task": ON_ONE},
        labels={
            "blocks": N_("Communities (random)"),
            "karate": N_("Karate club, 34 members"),
            "lesmis": N_("Les Misérables, 77 characters"),
            "pasted": N_("Your own edge list"),
            "cora": N_("Cora, 2,708 papers (1 MB to fetch)"),
            "citeseer": N_("CiteSeer, 3,327 papers (2 MB to fetch)"),
            "pubmed": N_("PubMed, 19,717 papers (41 MB to fetch)"),
        },
    )
    blocks: tuple[Size, ...] = Setting(
        (60, 60, 60, 60, 60),
        N_("Communities"),
        N_("How many nodes each community has."),
        group=DATA,
        shown_if={"task": ON_ONE, "data": ("blocks",)},
        min_length=2,
        max_length=8,
    )
    p_in: float = Setting(
        0.1,
        N_("Edges within"),
        N_("Chance of two nodes of the same community to be joined."),
        group=DATA,
        step=0.005,
        shown_if={"task": ON_ONE, "data": ("blocks",)},
        ge=0,
        le=1,
    )
    p_out: float = Setting(
        0.003,
        N_("Edges between"),
        N_("Chance of two nodes of different communities to be joined."),
        group=DATA,
        step=0.001,
        shown_if={"task": ON_ONE, "data": ("blocks",)},
        ge=0,
        le=0.3,
    )
    edge_list: str = Setting(
        "",
        N_("Edge list"),
        N_(
            "Your edges: two ids a line, with a comma, a semicolon or a tab between; at most 200,000 lines. "
            "Further columns are not read."
        ),
        group=DATA,
        shown_if={"task": ON_ONE, "data": ("pasted",)},
        kind=UPLOADED_TEXT,
    )
    node_table: str = Setting(
        "",
        N_("Node table"),
        N_("What is known of the nodes, if anything: an id, a label, and as many numbers as you like a line."),
        group=DATA,
        shown_if={"task": ON_ONE, "data": ("pasted",)},
        kind=UPLOADED_TEXT,
    )
    features: Literal["own", "degree"] = Setting(
        "own",
        N_("Features"),
        N_("What a node knows of itself where nothing else is known: which one it is, or how many neighbours it has."),
        group=DATA,
        shown_if={"task": ON_ONE, "data": BARE},
        labels={"own": N_("Own number"), "degree": N_("Degree")},
    )
    labels: int = Setting(
        2,
        N_("Labels"),
        N_("Nodes of each class whose class is told in training; of the others 30 % choose the epoch, 70 % test it."),
        group=DATA,
        scale="log",
        shown_if={"task": ("nodes",), "data": BARE},
        ge=1,
        le=500,
    )
    held_out: float = Setting(
        0.2,
        N_("Edges held out"),
        N_("Share of the edges that the model never sees: a third of them choose the epoch, the others test it."),
        group=DATA,
        step=0.05,
        shown_if={"task": ("links",)},
        ge=0.05,
        le=0.8,
    )
    graphs: int = Setting(
        600,
        N_("Graphs"),
        N_("How many graphs to draw: half to train on, the others to choose the epoch and to test it."),
        group=DATA,
        scale="log",
        shown_if={"task": ("graphs",)},
        ge=60,
        le=5000,
    )

    model: Model = Setting(
        "gcn",
        N_("Layer"),
        N_("How a node takes in what its neighbours say; without edges it is the control that hears nobody."),
        group=MODEL,
        labels={
            "gcn": N_("GCN: degree-weighted mean"),
            "sage": N_("GraphSAGE: itself beside its neighbours"),
            "gat": N_("GAT: attention"),
            "gin": N_("GIN: sum"),
            "mlp": N_("MLP: no edges (control)"),
        },
    )
    depth: int = Setting(
        2, N_("Depth"), N_("Layers: a node hears of others as many edges away."), group=MODEL, ge=1, le=32
    )
    hidden: int = Setting(
        16,
        N_("Hidden units"),
        N_("Units of each layer before the last; with attention, of each head."),
        group=MODEL,
        scale="log",
        ge=1,
        le=256,
    )
    heads: int = Setting(
        8,
        N_("Heads"),
        N_("Attentions side by side in each layer before the last, which has one."),
        group=MODEL,
        shown_if={"model": ("gat",)},
        ge=1,
        le=16,
    )
    aggregation: Literal["mean", "max", "sum"] = Setting(
        "mean",
        N_("Aggregation"),
        N_("What is made of the neighbours' messages."),
        group=MODEL,
        shown_if={"model": ("sage",)},
        labels={"mean": N_("Mean"), "max": N_("Maximum"), "sum": N_("Sum")},
    )
    remedy: Literal["none", "residual", "pairnorm", "jumping"] = Setting(
        "none",
        N_("Against over-smoothing"),
        N_("What keeps the nodes of a deep model apart."),
        group=MODEL,
        labels={
            "none": N_("Nothing"),
            "residual": N_("Residual: add the layer's input"),
            "pairnorm": N_("PairNorm: keep distances"),
            "jumping": N_("Jumping knowledge: read all layers"),
        },
    )
    readout: Literal["mean", "max", "sum"] = Setting(
        "sum",
        N_("Readout"),
        N_("What is made of all nodes of a graph before its kind is told."),
        group=MODEL,
        shown_if={"task": ("graphs",)},
        labels={"mean": N_("Mean"), "max": N_("Maximum"), "sum": N_("Sum")},
    )

    lr: float = Setting(
        0.01,
        N_("Learning rate"),
        N_("Length of a step of Adam: too small and nothing happens, too large and the loss leaps."),
        group=TRAINING,
        live=True,
        scale="log",
        ge=1e-6,
        le=10,
    )
    batch_size: int = Setting(
        64,
        N_("Batch size"),
        N_("Graphs looked at for one step; on one graph a step looks at the whole of it."),
        group=TRAINING,
        live=True,
        scale="log",
        shown_if={"task": ("graphs",)},
        ge=1,
        le=512,
    )

    dropout: float = Setting(
        0.5,
        N_("Dropout"),
        N_("Chance of a feature, and with attention of a neighbour, to sit out a training step in each layer."),
        group=REGULARISATION,
        live=True,
        step=0.05,
        ge=0,
        le=0.95,
    )
    edge_dropout: float = Setting(
        0.0,
        N_("Edge dropout"),
        N_("Chance of an edge to be left out of a training step."),
        group=REGULARISATION,
        live=True,
        step=0.05,
        ge=0,
        le=0.95,
    )
    weight_decay: float = Setting(
        5e-4,
        N_("Weight decay"),
        N_("Pull of the weights towards zero."),
        group=REGULARISATION,
        live=True,
        scale="log",
        ge=0,
        le=1,
    )
    decay: Literal["first", "all"] = Setting(
        "first",
        N_("Decay of"),
        N_("Which layers the weight decay is for: the first one alone, as in the paper of GCN, or all."),
        group=REGULARISATION,
        labels={"first": N_("First layer"), "all": N_("All layers")},
    )

    node: int = Setting(
        0,
        N_("Node to follow"),
        N_("The node whose receptive field is drawn, by its number; beyond the last one, the last."),
        group=LOOKING,
        live=True,
        shown_if={"task": ON_ONE},
        ge=0,
        le=19_716,
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
            graphs_csv.pasted(
                self.edge_list,
                self.node_table,
                labels=self.labels,
                features=self.features,
                seed=self.seed,
                told=self.task == "nodes",
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
