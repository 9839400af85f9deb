"""The settings of the multilayer perceptron, and which of them cannot go together."""

from typing import Literal, Self

from pydantic import model_validator

from core import fields
from core.data.tabular import TABLES
from core.experiment import Config
from core.fields import DATA, MODEL, REGULARISATION, TRAINING, Group
from core.words import N_, Refusal

#: Data sets whose rows are drawn, so that count and noise can be chosen.
DRAWN = tuple(name for name, table in TABLES.items() if not table.rows)
#: Data sets that have an x₁ and an x₂ to make further inputs of.
FLAT = tuple(name for name, table in TABLES.items() if table.features == 2)
REGRESSION = tuple(name for name, table in TABLES.items() if not table.classes)
#: Data sets that come with a test part of their own.
SPLIT = fields.FETCHED

Data = Literal[fields.Points, fields.Tables, fields.Images]
FEATURES = Group(N_("Features"))


class DNNConfig(Config):
    """Settings of a multilayer perceptron and its training."""

    data: Data = fields.data_set(
        "spiral", Data, N_("What to learn: points drawn by a formula, a table somebody measured, or images.")
    )
    samples: int = DATA.setting(600, scale="log", shown_if={"data": DRAWN}, ge=20, le=5000).described(
        N_("Points"), N_("How many points to draw, those for the test included.")
    )
    noise: float = DATA.setting(0.03, step=0.01, shown_if={"data": DRAWN}, ge=0, le=1).described(
        N_("Noise"), N_("How far a point is pushed off its place at random, as a standard deviation.")
    )
    test_share: float = fields.test_share(0.3, shown_if={"data": (*TABLES, "mnist_5k")})

    features: tuple[Literal["x", "square", "product", "sine"], ...] = FEATURES.setting(
        ("x",),
        labels={
            "x": N_("x₁, x₂"),
            "square": N_("x₁², x₂²"),
            "product": N_("x₁·x₂"),
            "sine": N_("sin πx₁, sin πx₂"),
        },
        min_length=1,
        max_length=4,
    ).described(
        N_("Inputs"),
        N_("What the first layer gets to see of a point; all but x itself need data in two dimensions."),
    )

    layers: fields.Widths = fields.hidden_layers((8, 8), max_length=12)
    activation: fields.Activation = fields.activation("tanh")
    init: Literal["xavier", "kaiming", "normal", "zeros"] = MODEL.setting(
        "xavier",
        labels={
            "xavier": N_("Xavier (Glorot)"),
            "kaiming": N_("Kaiming (He)"),
            "normal": N_("Normal, of a scale"),
            "zeros": N_("All zero"),
        },
    ).described(N_("Initial weights"), N_("How the weights are drawn before the first step; biases start at 0."))
    init_scale: float = MODEL.setting(0.1, scale="log", shown_if={"init": ("normal",)}, ge=1e-4, le=10).described(
        N_("Initial scale"), N_("Standard deviation of the initial weights.")
    )
    batch_norm: bool = MODEL.setting(False).described(
        N_("Batch norm"), N_("Give each unit's sum mean 0 and deviation 1 over the batch before the activation.")
    )

    loss: Literal["auto", "cross_entropy", "squared", "absolute", "huber"] = TRAINING.setting(
        "auto",
        labels={
            "auto": N_("Fits the data"),
            "cross_entropy": N_("Cross-entropy"),
            "squared": N_("Squared error"),
            "absolute": N_("Absolute error"),
            "huber": N_("Huber"),
        },
    ).described(
        N_("Loss"),
        N_("What the training makes small; by itself cross-entropy for classes, squared error for values."),
    )
    optimizer: fields.Optimizer = fields.optimizer("adam")
    lr: float = fields.learning_rate(0.01, le=100)
    momentum: float = fields.momentum(0.9)
    batch_size: int = fields.batch_size(32)
    schedule: fields.Schedule = fields.schedule("constant")
    schedule_steps: int = fields.schedule_steps(1000)

    dropout: float = fields.dropout(0.0)
    l1: float = REGULARISATION.setting(0.0, live=True, scale="log", ge=0, le=1).described(
        N_("L1"), N_("Pull of all weights towards zero, equally strong however small they are: λ·Σ|w|.")
    )
    l2: float = REGULARISATION.setting(0.0, live=True, scale="log", ge=0, le=1).described(
        N_("L2"), N_("Pull of large weights towards zero: λ/2·Σw²; with AdamW as its decoupled weight decay.")
    )
    clip: float = fields.clip_gradient(0.0)

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
