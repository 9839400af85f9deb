"""Metrics, panels of curves and diagnoses that several algorithms share, and how a diagnosis begins and ends.

A diagnosis is declared in one place: its name, the sentence a person reads, its two thresholds and the predicate that
compares what was measured with the one in force. It begins at the stricter threshold and lasts until the milder one is
no longer met, so that numbers that waver about one threshold do not log it again and again. No torch in here: the
server imports it for the sentences.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from core.experiment import Metric, Panel
from core.words import N_

# Metrics

TRAIN_LOSS = Metric("train/loss", N_("Training loss"), N_("Mean loss over training data; at most 500 examples."), "low")
TEST_LOSS = Metric("test/loss", N_("Test loss"), N_("Mean loss over all test data."), "low")
TRAIN_ACCURACY = Metric(
    "train/accuracy", N_("Training accuracy"), N_("Share of training examples put into the right class."), "high"
)
TEST_ACCURACY = Metric(
    "test/accuracy", N_("Test accuracy"), N_("Share of test examples put into the right class."), "high"
)
TRAIN_RMSE = Metric("train/rmse", N_("Training error"), N_("Root of the mean squared error over training data."), "low")
TEST_RMSE = Metric("test/rmse", N_("Test error"), N_("Root of the mean squared error over test data."), "low")
GRADIENT = Metric(
    "gradient/layer_*", N_("Gradient"), N_("Length of the gradient of a layer's weights, before clipping.")
)
UPDATE_RATIO = Metric(
    "update_ratio/layer_*", N_("Step"), N_("Length of a layer's last step as a share of the length of its weights.")
)
DEAD_SHARE = Metric(
    "dead/layer_*",
    N_("Dead units"),
    N_("Share of a layer's units whose slope is below 0.01 for every example looked at."),
    "low",
)

#: What a training reports that puts examples into classes, one that predicts values, and one that measures each layer.
CLASSIFICATION = (TRAIN_LOSS, TEST_LOSS, TRAIN_ACCURACY, TEST_ACCURACY)
ERRORS = (TRAIN_RMSE, TEST_RMSE)
LAYERS = (GRADIENT, UPDATE_RATIO, DEAD_SHARE)


# Panels of these

LOSS_PANEL = Panel(
    "loss",
    N_("Loss"),
    N_("How wrong the network is, on the data it trains on and on data it never trains on."),
    metrics=("train/loss", "test/loss"),
    size="side",
)
GRADIENT_PANEL = Panel(
    "gradient",
    N_("Gradient by layer"),
    N_("Length of the gradient of each layer's weights: where it is tiny, the layer does not learn."),
    metrics=("gradient/layer_*",),
    scale="log",
)
UPDATE_RATIO_PANEL = Panel(
    "update_ratio",
    N_("Step by layer"),
    N_("Length of a step as a share of the weights it changes: about a thousandth is healthy."),
    metrics=("update_ratio/layer_*",),
    size="folded",
    scale="log",
)


def accuracy_panel(shown_if: Mapping[str, tuple[Any, ...]] | None = None) -> Panel:
    """The curves of the accuracy on training and test data."""
    return Panel(
        "accuracy",
        N_("Accuracy"),
        N_("Share of examples put into the right class."),
        metrics=("train/accuracy", "test/accuracy"),
        size="side",
        shown_if=shown_if or {},
    )


def rmse_panel(shown_if: Mapping[str, tuple[Any, ...]] | None = None) -> Panel:
    """The curves of the error of values on training and test data."""
    return Panel(
        "error",
        N_("Error"),
        N_("Usual distance from the right value: the root of the mean squared error."),
        metrics=("train/rmse", "test/rmse"),
        size="side",
        shown_if=shown_if or {},
    )


# How a diagnosis begins and ends

#: Values of the ``{names}`` in a diagnosis's sentence.
Values = Mapping[str, object]

E = TypeVar("E", contravariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Diagnosis(Generic[E]):
    """Something that is wrong with a training, found from what was measured of it. Made by :func:`diagnosis`.

    Attributes:
        name: as a :class:`~core.events.Note` names it.
        sentence: what it means and what to try, with ``{names}`` of values; marked with ``N_``.
        find: takes the evidence and a threshold; the values of the sentence where the diagnosis holds by this
            threshold, ``None`` where it does not.
        begin, end: the threshold by which it begins, and the one by which it lasts once it has begun.
        unless: names of diagnoses that stand before this one and rule it out while they hold.
    """

    name: str
    sentence: str
    find: Callable[[E, Any], Values | None]
    begin: Any
    end: Any
    unless: tuple[str, ...] = ()


def diagnosis(
    name: str, sentence: str, *, begin: T, end: T | None = None, unless: tuple[str, ...] = ()
) -> Callable[[Callable[[E, T], Values | None]], Diagnosis[E]]:
    """Make a predicate a :class:`Diagnosis`. Without ``end`` it ends where it would begin."""
    last = begin if end is None else end
    return lambda find: Diagnosis(name, sentence, find, begin, last, unless)


def newly_diagnosed(diagnoses: Sequence[Diagnosis[E]], evidence: E, active: set[str]) -> dict[str, Values]:
    """The diagnoses that begin to hold with this evidence, in their order, with the values of their sentences.

    Args:
        active: names of those that hold already; changed to those that hold now. What has ended may begin again.
    """
    found: dict[str, Values] = {}
    for each in diagnoses:
        if found.keys().isdisjoint(each.unless):
            values = each.find(evidence, each.end if each.name in active else each.begin)
            if values is not None:
                found[each.name] = values
    begun = {name: values for name, values in found.items() if name not in active}
    active.clear()
    active.update(found)
    return begun


def sentences(diagnoses: Iterable[Diagnosis[Any]]) -> dict[str, str]:
    """The sentence of each diagnosis by name, as an :class:`~core.experiment.Experiment` declares them."""
    return {each.name: each.sentence for each in diagnoses}


# Shared diagnoses


class Evaluation(Protocol):
    """What an evaluation found after ``step`` updates: the losses of training and of held-out data, none negative."""

    @property
    def step(self) -> int: ...

    @property
    def train_loss(self) -> float: ...

    @property
    def held_out_loss(self) -> float: ...


class GradientRatio(Protocol):
    """An evaluation that knows the length of the first layer's gradient as a share of the last one's."""

    @property
    def gradient_ratio(self) -> float: ...


class Evaluated(Protocol):
    """Evidence that holds every evaluation so far, the newest last."""

    @property
    def history(self) -> Sequence[Evaluation]: ...


class GradientsEvaluated(Protocol):
    """Evidence that holds every evaluation so far with its gradients, the newest last."""

    @property
    def history(self) -> Sequence[GradientRatio]: ...


class Measured(Protocol):
    """Evidence that holds the newest metrics by name; any may be missing."""

    @property
    def metrics(self) -> Mapping[str, float]: ...


@diagnosis(
    "dead units",
    N_(
        "Dead units: {percent} % of layer {layer} pass no gradient on for any example, so they cannot learn. "
        "Try a smaller learning rate, leaky ReLU, or Kaiming initial weights."
    ),
    begin=0.75,
    end=0.5,
)
def dead_units(evidence: Measured, share: float) -> Values | None:
    """At least this share of some layer's units passes nothing on."""
    dead = {name: value for name, value in evidence.metrics.items() if name.startswith("dead/")}
    worst = max(dead, key=lambda name: dead[name], default="")
    if worst and dead[worst] >= share:
        return {"layer": int(worst.rsplit("_", 1)[1]), "percent": round(100 * dead[worst])}
    return None


#: Evaluations whose median is compared: one batch alone says little of its gradients.
_RATIOS = 9


@diagnosis(
    "vanishing gradients",
    N_(
        "Vanishing gradients: the first layer's is {times} times smaller than the last one's, so it hardly learns. "
        "Try ReLU with Kaiming initial weights, batch norm, or fewer layers."
    ),
    begin=1e-3,
    end=1e-2,
)
def vanishing_gradients(evidence: GradientsEvaluated, share: float) -> Values | None:
    """The first layer's gradient is at most this share of the last one's."""
    ratio = median(one.gradient_ratio for one in evidence.history[-_RATIOS:])
    if len(evidence.history) >= _RATIOS and ratio <= share:
        return {"times": f"{float(f'{1 / max(ratio, 1e-12):.0e}'):,.0f}"}
    return None


#: Steps before which no training has stalled, and the share of the first loss below which it has learned something.
_STALLED_STEPS, _STALLED_LEVEL = 400, 0.5


@diagnosis(
    "stalled",
    N_(
        "Stalled: the training loss has not moved for half of the run and stands at {loss}. "
        "Try a larger learning rate, more units or another activation."
    ),
    begin=0.99,
    end=0.0,  # once begun it ends by learning alone, not by moving a little
)
def stalled(evidence: Evaluated, share: float) -> Values | None:
    """The best loss of the second half is above this share of the first half's, and above half of the first loss."""
    start, now = evidence.history[0], evidence.history[-1]
    if now.step < _STALLED_STEPS:
        return None
    first = min(one.train_loss for one in evidence.history if one.step <= now.step // 2)
    second = min(one.train_loss for one in evidence.history if one.step > now.step // 2)
    if second > share * first and second > _STALLED_LEVEL * start.train_loss:
        return {"loss": f"{second:.3g}"}
    return None


class Rise(NamedTuple):
    """How far above its lowest a held-out loss is.

    Attributes:
        lowest, training: it is above so many times its lowest so far, and so many times the training loss.
        gap: it is above both by more than this share of the first training loss; 0 for any.
    """

    lowest: float
    training: float = 0.0
    gap: float = 0.0


def over_fitting(
    sentence: str = N_(
        "Over-fitting: the test loss has risen from {lowest} to {test}: the network learns its examples by heart. "
        "Try more data, L2, dropout, a smaller network, or stop earlier."
    ),
    now: str = "test",
) -> Diagnosis[Evaluated]:
    """The loss on held-out data has risen a good way, and the training loss has not; over when it is down again.

    Args:
        sentence: with ``{lowest}`` and the newest loss.
        now: name of the latter.
    """

    @diagnosis("over-fitting", sentence, begin=Rise(lowest=1.25, training=1.25, gap=0.2), end=Rise(lowest=1.05))
    def found(evidence: Evaluated, rise: Rise) -> Values | None:
        start, last = evidence.history[0], evidence.history[-1]
        loss, lowest = last.held_out_loss, min(one.held_out_loss for one in evidence.history)
        if not (loss > rise.lowest * lowest and loss > rise.training * last.train_loss):
            return None
        if rise.gap and not loss - max(lowest, last.train_loss) > rise.gap * start.train_loss:
            return None
        return {now: f"{loss:.3g}", "lowest": f"{lowest:.3g}"}

    return found
