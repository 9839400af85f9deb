"""The declaration of the residual network: panels, presets that are claims, metrics, probes. No torch in here."""

from core import metrics
from core.algorithms.resnet.config import ResNetConfig
from core.algorithms.resnet.diagnoses import DIAGNOSES
from core.algorithms.resnet.requests import CutRequest, SurfaceRequest
from core.experiment import Experiment, Metric, Panel, Paper, Preset, Probe
from core.words import N_

_VIEWS = "core.algorithms.resnet.views"

PANELS = (
    Panel(
        "towers",
        N_("Two towers"),
        N_("Input at the bottom. Colour: norm of each block's gradient, also as first ÷ last."),
        view=f"{_VIEWS}:towers",
        size="hero",
    ),
    Panel(
        "loss",
        N_("Training loss"),
        N_("Cross-entropy, mean of the last 30 batches."),
        metrics=("residual/loss", "plain/loss"),
        size="side",
        scale="log",
    ),
    Panel(
        "accuracy",
        N_("Test accuracy"),
        N_("Share of test pictures put into the right class."),
        metrics=("residual/accuracy", "plain/accuracy"),
        size="side",
    ),
    Panel(
        "gradients",
        N_("Gradients over time"),
        N_("A row for each block, the input at the bottom; a column for each step. Colours as in the towers."),
        view=f"{_VIEWS}:gradients",
    ),
    Panel(
        "gradient_ratio",
        N_("Gradient: first ÷ last"),
        N_(
            "Norm of the first block's gradient over the last's: far above 1 it explodes on its way back, far below it "
            "vanishes."
        ),
        metrics=("residual/gradient_ratio", "plain/gradient_ratio"),
        scale="log",
    ),
    Panel(
        "branches",
        N_("F(x) against x"),
        N_("What each residual block adds, F(x), and what it adds it to, x: their root mean squares."),
        view=f"{_VIEWS}:branches",
        shown_if={"networks": ("both", "residual")},
    ),
    Panel(
        "spread",
        N_("Spread of activations"),
        N_("Standard deviation of each block's output: a sum of many branches grows, unless something holds it."),
        view=f"{_VIEWS}:spread",
    ),
    Panel(
        "confusion",
        N_("Confusion matrix"),
        N_("Which class (row) the residual network takes for which (column); where it trains alone, the plain one."),
        view=f"{_VIEWS}:confusion",
        size="folded",
    ),
    Panel(
        "mistakes",
        N_("Mistakes"),
        N_(
            "Test images that the residual network gets wrong (where it trains alone, the plain one), most confident "
            "first: true class → predicted class."
        ),
        view=f"{_VIEWS}:mistakes",
    ),
)

METRICS = (
    Metric("residual/loss", N_("Residual"), N_("Mean training loss over the last 30 batches."), "low"),
    Metric("plain/loss", N_("Plain"), N_("Mean training loss over the last 30 batches."), "low"),
    Metric("residual/accuracy", N_("Residual"), N_("Share of all test pictures put into the right class."), "high"),
    Metric("plain/accuracy", N_("Plain"), N_("Share of all test pictures put into the right class."), "high"),
    Metric("residual/gradient_ratio", N_("Residual"), N_("Norm of the first block's gradient over the last block's.")),
    Metric("plain/gradient_ratio", N_("Plain"), N_("Norm of the first block's gradient over the last block's.")),
)

_MNIST = {"data": "mnist_5k", "test_share": 0.2}
_DEEP = _MNIST | {"n": 9}

PRESETS = (
    Preset(
        "fifty_six",
        N_("Fifty-six layers"),
        N_(
            "Deeper, and the plain network is worse on its own training data: its loss is at least 5 times that of "
            "20 layers and of the residual network."
        ),
        _DEEP,
        {"steps": 300},
    ),
    Preset(
        "twenty",
        N_("Twenty layers"),
        N_("Both networks learn; the residual one's training loss is at most two thirds of the plain one's."),
        _MNIST,
        {"steps": 300},
    ),
    Preset(
        "no_norm",
        N_("Fifty-six layers without batch norm"),
        N_(
            "No norm, no shortcut, and no explosion: the first block's gradient is between a tenth and 30 times the "
            "last's. With shortcuts the signal itself explodes, to a loss above 1,000."
        ),
        _DEEP | {"batch_norm": False, "lr": 1e-6},
        {"steps": 30},
    ),
)

PROBES = (
    Probe(
        "cut",
        N_("Cut and swap blocks"),
        N_(
            "Click a block to cut it from both networks, or cut each in turn. Swap takes two blocks of a stage, one "
            "after the other."
        ),
        request=CutRequest,
        view=f"{_VIEWS}:block_editor",
        keys={
            "ArrowUp": {"act": "next"},
            "ArrowDown": {"act": "back"},
            "Enter": {"act": "cut"},
            "e": {"act": "each"},
            "s": {"act": "swap"},
            " ": {"act": "restore"},
        },
        idle={},
        labels={
            "ArrowUp": N_("Next block"),
            "ArrowDown": N_("Block before"),
            "Enter": N_("Cut"),
            "e": N_("Each in turn"),
            "s": N_("Swap"),
            " ": N_("Reset"),
        },
        click="block",
    ),
    Probe(
        "surface",
        N_("Loss surface"),
        N_("The training loss around the weights (red), in two random directions, on a log scale. Drag to rotate."),
        request=SurfaceRequest,
        view=f"{_VIEWS}:loss_surfaces",
        keys={" ": {"act": "again"}, "ArrowUp": {"act": "wider"}, "ArrowDown": {"act": "narrower"}},
        idle={},
        labels={" ": N_("Other directions"), "ArrowUp": N_("Wider"), "ArrowDown": N_("Narrower")},
    ),
)

experiment = Experiment(
    slug="resnet",
    title=N_("Residual network"),
    family=N_("Vision"),
    tagline=N_("A shortcut past every block lets networks of a hundred layers learn."),
    paper=Paper(
        "Deep Residual Learning for Image Recognition",
        "K. He, X. Zhang, S. Ren, J. Sun",
        2015,
        "https://arxiv.org/abs/1512.03385",
    ),
    config=ResNetConfig,
    panels=PANELS,
    presets=PRESETS,
    metrics=METRICS,
    diagnoses=metrics.sentences(DIAGNOSES),
    program="core.algorithms.resnet",
    probes=PROBES,
    place=3,
    snapshot_budget=0.02,
)
