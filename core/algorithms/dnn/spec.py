"""The declaration of the multilayer perceptron: panels, presets that are claims, metrics, diagnoses. No torch here."""

from typing import get_args

from core import fields, metrics
from core.algorithms.dnn.config import REGRESSION, Data, DNNConfig
from core.algorithms.dnn.diagnoses import DIAGNOSES
from core.experiment import Experiment, Panel, Paper, Preset
from core.words import N_

IMAGES = ("digits", *get_args(fields.Images))
CLASSES = tuple(name for name in get_args(Data) if name not in REGRESSION)
_VIEWS = "core.algorithms.dnn.views"

PANELS = (
    Panel(
        "boundary",
        N_("Decision boundary"),
        N_("What the network answers at every place. It learns from the filled points; the rings test it."),
        view=f"{_VIEWS}:boundary",
        size="hero",
    ),
    metrics.LOSS_PANEL,
    metrics.accuracy_panel(shown_if={"data": CLASSES}),
    metrics.rmse_panel(shown_if={"data": REGRESSION}),
    Panel(
        "neurons",
        N_("Neurons"),
        N_("Where on the plane each unit is active (red) or negative (blue), layer by layer; lines are the weights."),
        view=f"{_VIEWS}:neurons",
    ),
    metrics.GRADIENT_PANEL,
    Panel(
        "activations",
        N_("Activations"),
        N_(
            "How often the units of a layer take each value, and how many are stuck where the slope is flat; "
            "without a hidden layer, how often the outputs do."
        ),
        view=f"{_VIEWS}:activations",
    ),
    metrics.UPDATE_RATIO_PANEL,
    Panel(
        "confusion",
        N_("Confusion matrix"),
        N_("Which class (row) is taken for which (column), counted on test data."),
        view=f"{_VIEWS}:confusion",
        size="folded",
        shown_if={"data": CLASSES},
    ),
    Panel(
        "mistakes",
        N_("Mistakes"),
        N_("Test images the network gets wrong: true class → guess."),
        view=f"{_VIEWS}:mistakes",
        shown_if={"data": IMAGES},
    ),
)

METRICS = (*metrics.CLASSIFICATION, *metrics.ERRORS, *metrics.LAYERS)

_NOISY = {"data": "moons", "samples": 300, "noise": 0.3, "test_share": 0.8, "layers": (64, 64), "activation": "relu"}
_DEEP = {"data": "circles", "noise": 0.05, "layers": (16,) * 9, "optimizer": "sgd", "lr": 0.1}

PRESETS = (
    Preset(
        "spiral",
        N_("Spiral"),
        N_("Two small layers unroll three arms of a spiral: at least 97 % of points they never saw."),
        {"lr": 0.005},
        {"steps": 15_000},
    ),
    Preset(
        "xor_linear",
        N_("XOR without a hidden layer"),
        N_("No line parts XOR: a model without hidden layers ends close to chance, at most 65 %."),
        {"data": "xor", "layers": ()},
        {"steps": 2000},
    ),
    Preset(
        "xor_hidden",
        N_("XOR with a hidden layer"),
        N_("One hidden layer of eight units is enough for XOR: at least 97 %."),
        {"data": "xor", "layers": (8,)},
        {"steps": 3000},
    ),
    Preset(
        "zeros",
        N_("All weights zero"),
        N_("Units that start alike stay alike: eight of them draw no more than one could."),
        # Eight: the sums of as many equal numbers as a power of two are exact, whatever the order; at another width
        # rounding tells the units apart sooner or later, and they part.
        {"data": "circles", "layers": (8,), "activation": "sigmoid", "init": "zeros"},
        {"steps": 3000},
    ),
    Preset(
        "starved",
        N_("Nine sigmoid layers"),
        N_("Through nine sigmoid layers the gradient fades: the first gets at most a thousandth of the last."),
        _DEEP | {"activation": "sigmoid"},
        {"steps": 3000},
    ),
    Preset(
        "fed",
        N_("Nine ReLU layers"),
        N_("ReLU with Kaiming weights lets the gradient through: the first of nine layers gets at least a tenth."),
        _DEEP | {"activation": "relu", "init": "kaiming"},
        {"steps": 3000},
    ),
    Preset(
        "overfit",
        N_("Learning noise by heart"),
        N_("Few noisy points and a large network: at least 10 % better on what it trained on than on the test."),
        _NOISY,
        {"steps": 3000},
    ),
    Preset(
        "overfit_l2",
        N_("The same with L2"),
        N_("L2 keeps the weights small and at least halves the gap between training and test."),
        _NOISY | {"l2": 0.1},
        {"steps": 3000},
    ),
    Preset(
        "overfit_dropout",
        N_("The same with dropout"),
        N_("Units that sit out at random cannot rely on one another: at least half of the gap goes."),
        _NOISY | {"dropout": 0.9},
        {"steps": 3000},
    ),
    Preset(
        "too_fast",
        N_("A rate too large"),
        N_("Up to a rate of 0.9 or so the plane is learned. At 1.1 each step overshoots by more: the run diverges."),
        {"data": "plane", "layers": (), "optimizer": "sgd", "lr": 1.1, "batch_size": 4096},
        {"steps": 2000},
    ),
    Preset(
        "curve",
        N_("A curve"),
        N_("Tanh units add up to a wave: the test error comes down to the noise."),
        {"data": "curve", "noise": 0.1, "layers": (16, 16)},
        {"steps": 6000},
    ),
    Preset(
        "plane",
        N_("A plane"),
        N_("A plane needs no hidden layer: the test error comes down to the noise."),
        {"data": "plane", "noise": 0.1, "layers": ()},
        {"steps": 1500},
    ),
    Preset(
        "iris",
        N_("Iris"),
        N_("Four lengths tell three kinds of iris apart: at least 90 % of flowers never seen."),
        {"data": "iris", "layers": (8,)},
        {"steps": 1500},
    ),
    Preset(
        "mnist_5k",
        N_("MNIST, 5,000 images"),
        N_("4,000 handwritten digits teach a network to read at least 92 % of 1,000 others."),
        {"data": "mnist_5k", "test_share": 0.2, "layers": (128,), "activation": "relu", "init": "kaiming", "lr": 0.001},
        {"steps": 1500},
    ),
    Preset(
        "mnist",
        N_("MNIST, full"),
        N_("Five passes over 60,000 digits: at least 97 % of 10,000 others are read rightly."),
        {
            "data": "mnist",
            "layers": (256, 128),
            "activation": "relu",
            "init": "kaiming",
            "lr": 0.001,
            "batch_size": 128,
        },
        {"steps": 2345},
        download=11,
    ),
)

experiment = Experiment(
    slug="dnn",
    title=N_("Deep neural network"),
    family=N_("Foundations"),
    tagline=N_("Layers of simple units learn to bend a line into any boundary."),
    paper=Paper(
        "Learning representations by back-propagating errors",
        "D. E. Rumelhart, G. E. Hinton, R. J. Williams",
        1986,
        "https://doi.org/10.1038/323533a0",
    ),
    config=DNNConfig,
    panels=PANELS,
    presets=PRESETS,
    metrics=METRICS,
    diagnoses=metrics.sentences(DIAGNOSES),
    program="core.algorithms.dnn",
    snapshot_budget=0.012,
    place=1,
)
