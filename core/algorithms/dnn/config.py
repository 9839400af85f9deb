"""The settings of the multilayer perceptron, and which of them cannot go together."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.data.tabular import TABLES
from core.experiment import Config, Setting
from core.words import N_, Refusal

#: Data sets whose rows are drawn, so that count and noise can be chosen.
DRAWN = tuple(name for name, table in TABLES.items() if not table.rows)
#: Data sets that have an x₁ and an x₂ to make further inputs of.
FLAT = tuple(name for name, table in TABLES.items() if table.features == 2)
REGRESSION = tuple(name for name, table in TABLES.items() if not table.classes)
#: Data sets that come with a test part of their own.
SPLIT = ("mnist", "fashion_mnist")

Data = Literal[
    "moons",
    "circles",
    "spiral",
    "xor",
    "gaussians",
    "checkerboard",
    "curve",
    "plane",
    "iris",
    "wine",
    "breast_cancer",
    "digits",
    "mnist_5k",
    "mnist",
    "fashion_mnist",
]
Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "silu", "gelu", "identity"]
Width = Annotated[int, Field(ge=1, le=1024)]

DATA, FEATURES, MODEL, TRAINING, REGULARISATION = (
    N_("Data"),
    N_("Features"),
    N_("Model"),
    N_("Training"),
    N_("Regularisation"),
)


class DNNConfig(Config):
    """Settings of a multilayer perceptron and its training."""

    data: Data = Setting(
        "spiral",
        N_("Data"),
        N_("What to learn: points drawn by a formula, a table somebody measured, or images."),
        group=DATA,
        labels={
            "moons": N_("Moons"),
            "circles": N_("Circles"),
            "spiral": N_("Spiral"),
            "xor": N_("XOR"),
            "gaussians": N_("Gaussians"),
            "checkerboard": N_("Checkerboard"),
            "curve": N_("Curve (regression)"),
            "plane": N_("Plane (regression)"),
            "iris": N_("Iris"),
            "wine": N_("Wine"),
            "breast_cancer": N_("Breast Cancer"),
            "digits": N_("Digits, 8×8"),
            "mnist_5k": N_("MNIST, 5,000 images"),
            "mnist": N_("MNIST, 70,000 images (11 MB to fetch)"),
            "fashion_mnist": N_("Fashion-MNIST, 70,000 images (30 MB to fetch)"),
        },
    )
    samples: int = Setting(
        600,
        N_("Points"),
        N_("How many points to draw, those for the test included."),
        group=DATA,
        scale="log",
        shown_if={"data": DRAWN},
        ge=20,
        le=5000,
    )
    noise: float = Setting(
        0.03,
        N_("Noise"),
        N_("How far a point is pushed off its place at random, as a standard deviation."),
        group=DATA,
        step=0.01,
        shown_if={"data": DRAWN},
        ge=0,
        le=1,
    )
    test_share: float = Setting(
        0.3,
        N_("Test share"),
        N_("Share of the data kept for the test: the network never trains on it."),
        group=DATA,
        step=0.05,
        shown_if={"data": (*TABLES, "mnist_5k")},
        ge=0.05,
        le=0.8,
    )

    features: tuple[Literal["x", "square", "product", "sine"], ...] = Setting(
        ("x",),
        N_("Inputs"),
        N_("What the first layer gets to see of a point; all but x itself need data in two dimensions."),
        group=FEATURES,
        labels={
            "x": N_("x₁, x₂"),
            "square": N_("x₁², x₂²"),
            "product": N_("x₁·x₂"),
            "sine": N_("sin πx₁, sin πx₂"),
        },
        min_length=1,
        max_length=4,
    )

    layers: tuple[Width, ...] = Setting(
        (8, 8),
        N_("Hidden layers"),
        N_("Units of each hidden layer, first to last, 1 to 1,024 each; no layer makes the model linear."),
        group=MODEL,
        max_length=12,
    )
    activation: Activation = Setting(
        "tanh",
        N_("Activation"),
        N_("What a unit does with its sum: the bend that makes depth worth anything."),
        group=MODEL,
        labels={
            "sigmoid": N_("Sigmoid"),
            "tanh": N_("Tanh"),
            "relu": N_("ReLU"),
            "leaky_relu": N_("Leaky ReLU"),
            "elu": N_("ELU"),
            "silu": N_("SiLU (Swish)"),
            "gelu": N_("GELU"),
            "identity": N_("Identity (none)"),
        },
    )
    init: Literal["xavier", "kaiming", "normal", "zeros"] = Setting(
        "xavier",
        N_("Initial weights"),
        N_("How the weights are drawn before the first step; biases start at 0."),
        group=MODEL,
        labels={
            "xavier": N_("Xavier (Glorot)"),
            "kaiming": N_("Kaiming (He)"),
            "normal": N_("Normal, of a scale"),
            "zeros": N_("All zero"),
        },
    )
    init_scale: float = Setting(
        0.1,
        N_("Initial scale"),
        N_("Standard deviation of the initial weights."),
        group=MODEL,
        scale="log",
        shown_if={"init": ("normal",)},
        ge=1e-4,
        le=10,
    )
    batch_norm: bool = Setting(
        False,
        N_("Batch norm"),
        N_("Give each unit's sum mean 0 and deviation 1 over the batch before the activation."),
        group=MODEL,
    )

    loss: Literal["auto", "cross_entropy", "squared", "absolute", "huber"] = Setting(
        "auto",
        N_("Loss"),
        N_("What the training makes small; by itself cross-entropy for classes, squared error for values."),
        group=TRAINING,
        labels={
            "auto": N_("Fits the data"),
            "cross_entropy": N_("Cross-entropy"),
            "squared": N_("Squared error"),
            "absolute": N_("Absolute error"),
            "huber": N_("Huber"),
        },
    )
    optimizer: Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"] = Setting(
        "adam",
        N_("Optimiser"),
        N_("The rule that turns gradients into steps."),
        group=TRAINING,
        labels={
            "sgd": N_("SGD"),
            "momentum": N_("SGD with momentum"),
            "nesterov": N_("SGD with Nesterov momentum"),
            "rmsprop": N_("RMSprop"),
            "adam": N_("Adam"),
            "adamw": N_("AdamW"),
        },
    )
    lr: float = Setting(
        0.01,
        N_("Learning rate"),
        N_("Length of a step: too small and nothing happens, too large and the loss explodes."),
        group=TRAINING,
        live=True,
        scale="log",
        ge=1e-6,
        le=100,
    )
    momentum: float = Setting(
        0.9,
        N_("Momentum"),
        N_("Share of the last step that is carried into the next."),
        group=TRAINING,
        live=True,
        step=0.01,
        shown_if={"optimizer": ("momentum", "nesterov")},
        ge=0.1,
        le=0.999,
    )
    batch_size: int = Setting(
        32,
        N_("Batch size"),
        N_("Examples looked at for one step."),
        group=TRAINING,
        live=True,
        scale="log",
        ge=1,
        le=4096,
    )
    schedule: Literal["constant", "warmup", "step", "exponential", "cosine"] = Setting(
        "constant",
        N_("Schedule"),
        N_("How the learning rate changes with the steps."),
        group=TRAINING,
        labels={
            "constant": N_("Constant"),
            "warmup": N_("Warm-up, then constant"),
            "step": N_("Halved again and again"),
            "exponential": N_("Exponential decay"),
            "cosine": N_("Cosine to zero"),
        },
    )
    schedule_steps: int = Setting(
        1000,
        N_("Schedule length"),
        N_("Steps of the warm-up, between two halvings, to a tenth, or to the end of the cosine."),
        group=TRAINING,
        scale="log",
        shown_if={"schedule": ("warmup", "step", "exponential", "cosine")},
        ge=1,
        le=1_000_000,
    )

    dropout: float = Setting(
        0.0,
        N_("Dropout"),
        N_("Chance of a hidden unit to sit out a training step."),
        group=REGULARISATION,
        live=True,
        step=0.05,
        ge=0,
        le=0.9,
    )
    l1: float = Setting(
        0.0,
        N_("L1"),
        N_("Pull of all weights towards zero, equally strong however small they are: λ·Σ|w|."),
        group=REGULARISATION,
        live=True,
        scale="log",
        ge=0,
        le=1,
    )
    l2: float = Setting(
        0.0,
        N_("L2"),
        N_("Pull of large weights towards zero: λ/2·Σw²; with AdamW as its decoupled weight decay."),
        group=REGULARISATION,
        live=True,
        scale="log",
        ge=0,
        le=1,
    )
    clip: float = Setting(
        0.0,
        N_("Clip gradient"),
        N_("Longest gradient, over all weights together, that a step may use; 0 for any."),
        group=REGULARISATION,
        live=True,
        scale="log",
        ge=0,
        le=100,
    )

    @property
    def classification(self) -> bool:
        """Whether a class is predicted, not a value."""
        return self.data not in REGRESSION

    @property
    def criterion(self) -> str:
        """The loss in force: ``cross_entropy``, ``squared``, ``absolute`` or ``huber``."""
        if self.loss == "auto":
            return "cross_entropy" if self.classification else "squared"
        return self.loss

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse what cannot go together."""
        if self.loss == "cross_entropy" and not self.classification:
            raise Refusal(
                "loss",
                N_("Loss: cross-entropy is for classes, but {data} has values. Choose squared, absolute or Huber."),
                data=self.data,
            )
        if self.loss in ("absolute", "huber") and self.classification:
            raise Refusal(
                "loss",
                N_("Loss: {loss} is for values, but {data} has classes. Choose cross-entropy or squared error."),
                loss=self.loss,
                data=self.data,
            )
        if self.batch_norm and self.batch_size == 1:
            raise Refusal("batch_size", N_("Batch size: batch norm needs at least 2 examples at a time."))
        if len(set(self.features)) < len(self.features):
            raise Refusal("features", N_("Inputs: each may be chosen once."))
        if self.features != ("x",) and self.data not in FLAT:
            raise Refusal(
                "features",
                N_("Inputs: squares, products and sines are for data in two dimensions; for {data} choose x alone."),
                data=self.data,
            )
        self._check_split()
        return self

    def _check_split(self) -> None:
        """Refuse a split that leaves a class without a test, or a batch norm without a batch."""
        table = TABLES.get(self.data)
        if table is None:
            return
        rows, parts = table.rows or self.samples, max(len(table.classes), 1)
        if round(self.test_share * (rows // parts)) < 1:
            raise Refusal(
                "test_share",
                N_("Test share: {share} of {rows} points leaves some class without a test. Take more of either."),
                share=self.test_share,
                rows=rows,
            )


def rate(config: DNNConfig, step: int) -> float:
    """Learning rate of the update after ``step`` updates."""
    done = step / config.schedule_steps
    match config.schedule:
        case "warmup":
            return config.lr * min((step + 1) / config.schedule_steps, 1.0)
        case "step":
            return config.lr * 0.5 ** min(math.floor(done), 60)
        case "exponential":
            return config.lr * 10 ** -min(done, 18.0)
        case "cosine":
            return config.lr * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return config.lr
