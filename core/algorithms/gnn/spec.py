"""The declaration of the graph networks: panels, presets that are claims, metrics, diagnoses. No torch in here."""

from dataclasses import replace

from core import metrics
from core.algorithms.gnn.config import ON_ONE, GNNConfig
from core.algorithms.gnn.diagnoses import DIAGNOSES, NOTES
from core.algorithms.gnn.requests import GraphRequest
from core.experiment import Experiment, Metric, Panel, Paper, Preset, Probe
from core.words import N_

_VIEWS = "core.algorithms.gnn.views"
_SCORED = {"task": ("nodes", "graphs")}

#: What the hero panel shows, by task.
_GRAPH_SENTENCES = {
    "nodes": N_("Each node in the colour of the class it is taken for, a cross where that is wrong."),
    "links": N_(
        "Of the edges held out from the training those it finds and those it misses, and pairs it takes for edges."
    ),
    "graphs": N_("A few graphs, each in the colour of the class it is taken for; crosses where that is wrong."),
}

PANELS = (
    *(
        Panel("graph", N_("The graph"), sentence, view=f"{_VIEWS}:graph", size="hero", shown_if={"task": (task,)})
        for task, sentence in _GRAPH_SENTENCES.items()
    ),
    Panel(
        "accuracy",
        N_("Accuracy"),
        N_("Share put into the right class. The chosen epoch is the best on validation; the test has no part in it."),
        metrics=("train/accuracy", "val/accuracy", "test/accuracy", "chosen/accuracy"),
        size="side",
        shown_if=_SCORED,
    ),
    Panel(
        "auc",
        N_("Area under the ROC curve"),
        N_("Chance that an edge is scored above a pair that is not joined. One half is guessing."),
        metrics=("train/auc", "val/auc", "test/auc", "chosen/auc"),
        size="side",
        shown_if={"task": ("links",)},
    ),
    Panel(
        "loss",
        N_("Loss"),
        N_("How wrong the network is on what it trains on, and on what is held out."),
        metrics=("train/loss", "val/loss", "test/loss"),
        size="side",
    ),
    Panel(
        "embedding",
        N_("What the network makes of them"),
        N_("The last layer but one, flattened; the colour is the true class."),
        view=f"{_VIEWS}:embedding",
    ),
    Panel(
        "smoothing",
        N_("Smoothing by layer"),
        N_("How much joined nodes, and any two, still differ after each layer: near 0 all nodes are alike."),
        view=f"{_VIEWS}:smoothing",
    ),
    Panel(
        "field",
        N_("Receptive field"),
        N_("From where messages reach the node you follow: as many edges away as there are layers."),
        view=f"{_VIEWS}:receptive_field",
        shown_if={"task": ON_ONE},
    ),
    Panel(
        "attention",
        N_("Attention on the edges"),
        N_("Which edges get more attention in the first layer than an even share, and which get less."),
        view=f"{_VIEWS}:attention",
        shown_if={"task": ON_ONE, "model": ("gat",)},
    ),
    Panel(
        "confusion",
        N_("Confusion matrix"),
        N_("Which class (row) is taken for which (column), counted on the test part."),
        view=f"{_VIEWS}:confusion",
        size="folded",
        shown_if=_SCORED,
    ),
)

METRICS = (
    replace(metrics.TRAIN_LOSS, sentence=N_("Mean loss over the training part, without dropout.")),
    Metric("val/loss", N_("Validation loss"), N_("Mean loss over the part that chooses the epoch."), "low"),
    metrics.TEST_LOSS,
    metrics.TRAIN_ACCURACY,
    Metric(
        "val/accuracy", N_("Validation accuracy"), N_("Share of the validation part put into the right class."), "high"
    ),
    metrics.TEST_ACCURACY,
    Metric(
        "chosen/accuracy",
        N_("Test, chosen epoch"),
        N_("Test accuracy of the epoch that was best on the validation part so far."),
        "high",
    ),
    Metric("train/auc", N_("Training"), N_("Area under the ROC curve over edges that are trained on."), "high"),
    Metric("val/auc", N_("Validation"), N_("Area under the ROC curve over edges that choose the epoch."), "high"),
    Metric("test/auc", N_("Test"), N_("Area under the ROC curve over edges that test it."), "high"),
    Metric(
        "chosen/auc",
        N_("Test, chosen epoch"),
        N_("Test area of the epoch that was best on the validation part so far."),
        "high",
    ),
)

_CORA = {"data": "cora"}
_DEEP = _CORA | {"depth": 16}
_MOTIFS = {"task": "graphs", "depth": 3, "dropout": 0.0, "weight_decay": 0.0, "hidden": 32}
_SHORT = {"steps": 200}

PRESETS = (
    Preset(
        "communities",
        N_("Communities"),
        N_("Two labels in each of five communities, and edges: at least 90 % of the other nodes are put right."),
        {"lr": 0.002},
        {"steps": 2000},
    ),
    Preset(
        "control",
        N_("Communities, without edges"),
        N_("The same without edges: a node's own number gives nothing to go by, about one in five is right."),
        {"lr": 0.002, "model": "mlp"},
        {"steps": 1000},
    ),
    Preset(
        "nothing",
        N_("No communities to find"),
        N_("Edges by chance alone hold nothing of the class: one in four, within 0.05. Nothing leaks from the test."),
        {"blocks": (300, 300, 300, 300), "p_in": 0.005, "p_out": 0.005, "labels": 20},
        {"steps": 300},
    ),
    Preset(
        "karate",
        N_("Karate club"),
        N_("One label in each of four groups of a club: at least 70 % of the others, where guessing gives 38 %."),
        {"data": "karate", "labels": 1},
        _SHORT,
    ),
    Preset(
        "karate_control",
        N_("Karate club, without edges"),
        N_("The same without edges: no more than the 38 % that the largest group would give."),
        {"data": "karate", "labels": 1, "model": "mlp"},
        _SHORT,
    ),
    Preset(
        "cora",
        N_("Cora, GCN"),
        N_("The setting of the paper: 140 labels, 2,708 papers and who cites whom. At least 80.5 % of the test."),
        _CORA,
        _SHORT,
    ),
    Preset(
        "cora_mlp",
        N_("Cora, without edges"),
        N_("The same words without the citations: at most 62 %. The edges are worth twenty points."),
        _CORA | {"model": "mlp"},
        _SHORT,
    ),
    Preset(
        "cora_gat",
        N_("Cora, attention"),
        N_("Eight attentions instead of one mean: at least 81.5 % of the test."),
        _CORA | {"model": "gat", "hidden": 8, "dropout": 0.6, "lr": 0.005, "decay": "all"},
        _SHORT,
    ),
    Preset(
        "deep",
        N_("Cora, sixteen layers"),
        N_("Depth 2 → 16 costs at least 0.25 of accuracy: layer for layer, the nodes become alike."),
        _DEEP,
        _SHORT,
    ),
    Preset(
        "deep_jumping",
        N_("Sixteen layers, jumping knowledge"),
        N_("Read from all layers, not the last alone: at least 0.15 of the accuracy comes back."),
        _DEEP | {"remedy": "jumping"},
        _SHORT,
    ),
    Preset(
        "links",
        N_("Missing edges"),
        N_("A fifth of the edges is taken away; of an edge and a pair that is none, the right one in 80 % of cases."),
        {"task": "links", "hidden": 32},
        {"steps": 400},
    ),
    Preset(
        "motifs",
        N_("Rings, houses, trees"),
        N_("Sums count neighbours: GIN tells three kinds of small graphs apart, at least 85 % right."),
        _MOTIFS | {"model": "gin"},
        {"steps": 1500},
    ),
    Preset(
        "motifs_mean",
        N_("Rings, houses, trees, by the mean"),
        N_("Where no node has a feature of its own, a mean of equals is the same for all: no better than guessing."),
        _MOTIFS | {"model": "sage", "readout": "mean"},
        {"steps": 400},
    ),
)

#: From node to node by the arrow keys.
_WALK = {"ArrowLeft": {"act": "back"}, "ArrowRight": {"act": "next"}}
_WALK_LABELS = {"ArrowLeft": N_("Node before"), "ArrowRight": N_("Next node")}

PROBES = (
    Probe(
        "change",
        N_("Change the graph"),
        N_(
            "Click a node, then another: the edge between them comes or goes. F removes a node's features. "
            "By keys: ← → walk, Enter selects."
        ),
        request=GraphRequest,
        view=f"{_VIEWS}:graph_editor",
        keys=_WALK | {"Enter": {"act": "select"}, "f": {"act": "remove_features"}, " ": {"act": "reset"}},
        idle={},
        labels=_WALK_LABELS | {"Enter": N_("Select"), "f": N_("Remove features"), " ": N_("Reset")},
        click="node",
        shown_if={"task": ("nodes",)},
    ),
    Probe(
        "reach",
        N_("Receptive field"),
        N_("Click a node: messages reach it from these nodes, an edge a layer. By keys: ← → walk from node to node."),
        request=GraphRequest,
        view=f"{_VIEWS}:clicked_receptive_field",
        keys=_WALK,
        idle={},
        labels=_WALK_LABELS,
        click="node",
        shown_if={"task": ON_ONE},
    ),
)

experiment = Experiment(
    slug="gnn",
    title=N_("Graph neural network"),
    family=N_("Graphs & agents"),
    tagline=N_("Nodes gather messages from their neighbours, layer by layer, until each can be put into its class."),
    paper=Paper(
        "Semi-supervised classification with graph convolutional networks",
        "T. N. Kipf, M. Welling",
        2017,
        "https://arxiv.org/abs/1609.02907",
    ),
    config=GNNConfig,
    panels=PANELS,
    presets=PRESETS,
    metrics=METRICS,
    diagnoses=metrics.sentences(DIAGNOSES) | NOTES,
    program="core.algorithms.gnn",
    source=("model", "tasks", "train"),
    place=9,
    snapshot_budget=0.03,
    probes=PROBES,
)
