"""Settings that several algorithms share: a learning rate is declared here once, with its words and its bounds.

A field of a :class:`~core.experiment.Config` is declared in two steps, its values and its words, or taken from here::

    batch_norm: bool = MODEL.setting(False).described(N_("Batch norm"), N_("Normalise each unit over the batch."))
    lr: float = fields.learning_rate(0.01, le=100)

Each function returns such a field. What an algorithm needs otherwise it passes: a bound, the group, a title or a
description that says more, and as ``details`` anything else that :func:`~core.experiment.Setting` takes.
No torch in here: the server imports it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from core.experiment import Setting
from core.words import N_


@dataclass(frozen=True, slots=True)
class Undescribed:
    """A setting whose values are declared and whose words are missing."""

    default: Any
    details: Mapping[str, Any]

    def described(self, title: str, description: str) -> Any:
        """The field. ``title`` and ``description``, one sentence of help, are marked with ``N_``."""
        return Setting(self.default, title, description, **self.details)


@dataclass(frozen=True, slots=True)
class Group:
    """A heading under which settings stand.

    Attributes:
        title: marked with ``N_``.
        shown_if: where the settings of this group are shown, unless one has a ``shown_if`` of its own.
    """

    title: str
    shown_if: Mapping[str, tuple[Any, ...]] | None = None

    def setting(self, default: Any, **details: Any) -> Undescribed:
        """A setting of this group; ``details`` as for :func:`~core.experiment.Setting`."""
        return Undescribed(default, {"group": self.title, "shown_if": self.shown_if} | details)


DATA = Group(N_("Data"))
MODEL = Group(N_("Model"))
TRAINING = Group(N_("Training"))
REGULARISATION = Group(N_("Regularisation"))
AUGMENTATION = Group(N_("Augmentation"))


# Data sets

#: Points in the plane, drawn by a formula: two columns, and a class or (curve, plane) a value.
Points = Literal["moons", "circles", "spiral", "xor", "gaussians", "checkerboard", "curve", "plane"]
#: Tables that are embedded.
Tables = Literal["iris", "wine", "breast_cancer", "digits"]
#: Images of 28×28 pixels in ten classes.
Images = Literal["mnist_5k", "mnist", "fashion_mnist"]
#: Data sets of images that are downloaded when first used; each has a test part of its own.
FETCHED = ("mnist", "fashion_mnist", "cifar10")

DATA_SETS = {
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
    "shapes": N_("Shapes, drawn at random"),
    "cifar10": N_("CIFAR-10, 60,000 colour images (170 MB to fetch)"),
    "pictures": N_("Your own pictures"),
}


def data_set(default: str, kind: Any, description: str, *, labels: Mapping[str, str] | None = None) -> Any:
    """The data set to train on.

    Args:
        kind: the field's ``Literal``, made of :data:`Points`, :data:`Tables`, :data:`Images` and names of its own.
        labels: words for the latter.
    """
    words = _labels(kind, DATA_SETS | dict(labels or {}))
    return DATA.setting(default, labels=words).described(N_("Data"), description)


def test_share(default: float, **details: Any) -> Any:
    """Share of the examples that is kept for the test, 0.05 to 0.8."""
    return DATA.setting(default, step=0.05, ge=0.05, le=0.8, **details).described(
        N_("Test share"), N_("Share of the data kept for the test: the network never trains on it.")
    )


# Networks

Width = Annotated[int, Field(ge=1, le=1024)]
#: Units of each hidden layer, first to last.
Widths = tuple[Width, ...]

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "silu", "gelu", "identity"]
ACTIVATIONS: Mapping[str, str] = {
    "sigmoid": N_("Sigmoid"),
    "tanh": N_("Tanh"),
    "relu": N_("ReLU"),
    "leaky_relu": N_("Leaky ReLU"),
    "elu": N_("ELU"),
    "silu": N_("SiLU (Swish)"),
    "gelu": N_("GELU"),
    "identity": N_("Identity (none)"),
}


def hidden_layers(
    default: tuple[int, ...],
    *,
    max_length: int,
    group: Group = MODEL,
    title: str = N_("Hidden layers"),
    description: str = N_(
        "Units of each hidden layer, first to last, 1 to 1,024 each; no layer makes the model linear."
    ),
    **details: Any,
) -> Any:
    """Units of each hidden layer: a field of type :data:`Widths`, of at most ``max_length`` layers."""
    return group.setting(default, max_length=max_length, **details).described(title, description)


def activation(
    default: str,
    kind: Any = Activation,
    *,
    group: Group = MODEL,
    title: str = N_("Activation"),
    description: str = N_("What a unit does with its sum: the bend that makes depth worth anything."),
    **details: Any,
) -> Any:
    """The activation of hidden units; ``kind`` is the field's ``Literal``, :data:`Activation` or a part of it."""
    return group.setting(default, labels=_labels(kind, ACTIVATIONS), **details).described(title, description)


# Training

Optimizer = Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]
OPTIMIZERS: Mapping[str, str] = {
    "sgd": N_("SGD"),
    "momentum": N_("SGD with momentum"),
    "nesterov": N_("SGD with Nesterov momentum"),
    "rmsprop": N_("RMSprop"),
    "adam": N_("Adam"),
    "adamw": N_("AdamW"),
}

Schedule = Literal["constant", "warmup", "step", "exponential", "cosine"]
SCHEDULES: Mapping[str, str] = {
    "constant": N_("Constant"),
    "warmup": N_("Warm-up, then constant"),
    "step": N_("Halved again and again"),
    "exponential": N_("Exponential decay"),
    "cosine": N_("Cosine to zero"),
}


def optimizer(
    default: str,
    kind: Any = Optimizer,
    *,
    group: Group = TRAINING,
    title: str = N_("Optimiser"),
    description: str = N_("The rule that turns gradients into steps."),
    **details: Any,
) -> Any:
    """The optimiser; ``kind`` is the field's ``Literal``, :data:`Optimizer` or a part of it."""
    return group.setting(default, labels=_labels(kind, OPTIMIZERS), **details).described(title, description)


def learning_rate(
    default: float,
    *,
    live: bool = True,
    ge: float = 1e-6,
    le: float = 1,
    group: Group = TRAINING,
    title: str = N_("Learning rate"),
    description: str = N_("Length of a step: too small and nothing happens, too large and the loss explodes."),
    **details: Any,
) -> Any:
    """The learning rate, on a slider of powers."""
    return group.setting(default, live=live, scale="log", ge=ge, le=le, **details).described(title, description)


def momentum(default: float) -> Any:
    """The momentum of SGD, 0.1 to 0.999; shown where the field ``optimizer`` has one."""
    shown_if = {"optimizer": ("momentum", "nesterov")}
    return TRAINING.setting(default, live=True, step=0.01, shown_if=shown_if, ge=0.1, le=0.999).described(
        N_("Momentum"), N_("Share of the last step that is carried into the next.")
    )


def batch_size(
    default: int,
    *,
    live: bool = True,
    ge: int = 1,
    le: int = 4096,
    group: Group = TRAINING,
    description: str = N_("Examples looked at for one step."),
    **details: Any,
) -> Any:
    """Examples of one update."""
    values = group.setting(default, live=live, scale="log", ge=ge, le=le, **details)
    return values.described(N_("Batch size"), description)


def schedule(default: str = "constant") -> Any:
    """How the learning rate changes: a field of type :data:`Schedule`."""
    return TRAINING.setting(default, labels=SCHEDULES).described(
        N_("Schedule"), N_("How the learning rate changes with the steps.")
    )


def schedule_steps(default: int) -> Any:
    """The length of the schedule in steps; shown where the field ``schedule`` has one."""
    shown_if = {"schedule": ("warmup", "step", "exponential", "cosine")}
    return TRAINING.setting(default, scale="log", shown_if=shown_if, ge=1, le=1_000_000).described(
        N_("Schedule length"),
        N_("Steps of the warm-up, between two halvings, to a tenth, or to the end of the cosine."),
    )


def clip_gradient(default: float, *, group: Group = REGULARISATION, **details: Any) -> Any:
    """Largest norm of the gradient of all weights together, 0 to 100; 0 for any."""
    return group.setting(default, live=True, scale="log", ge=0, le=100, **details).described(
        N_("Clip gradient"), N_("Longest gradient, over all weights together, that a step may use; 0 for any.")
    )


# Regularisation


def dropout(
    default: float,
    *,
    le: float = 0.9,
    description: str = N_("Chance of a hidden unit to sit out a training step."),
    **details: Any,
) -> Any:
    """The probability that a unit is dropped in training."""
    return REGULARISATION.setting(default, live=True, step=0.05, ge=0, le=le, **details).described(
        N_("Dropout"), description
    )


def weight_decay(default: float, **details: Any) -> Any:
    """The optimiser's weight decay, 0 to 1."""
    return REGULARISATION.setting(default, live=True, scale="log", ge=0, le=1, **details).described(
        N_("Weight decay"), N_("Pull of the weights towards zero.")
    )


def _labels(kind: Any, words: Mapping[str, str]) -> dict[str, str]:
    """The words for the values of a ``Literal``."""
    values: Iterable[str] = get_args(kind)
    return {value: words[value] for value in values}
