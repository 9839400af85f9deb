"""What can be wrong with a training of the convolutional network, found from its numbers alone."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.metrics import Diagnosis, Values, diagnosis, over_fitting
from core.words import N_


class Evaluation(NamedTuple):
    """What was found after ``step`` updates.

    Attributes:
        held_out_loss: on the test data.
        fewest: of all classes the fewest predictions, as a share of the test pictures there are of that class; 0 where
            it is never predicted.
        least: number of that class.
    """

    step: int
    train_loss: float
    held_out_loss: float
    fewest: float = 1.0
    least: int = 0


class Evidence(NamedTuple):
    """What the diagnoses are made from: every evaluation so far, the newest last; the newest metrics; class names."""

    history: Sequence[Evaluation]
    metrics: Mapping[str, float]
    classes: Sequence[str]


@diagnosis(
    "dead channels",
    N_(
        "Dead channels: {percent} % of the channels of layer {layer} pass no gradient on for any picture, so they "
        "cannot learn. Try a smaller learning rate, leaky ReLU or batch norm."
    ),
    begin=0.5,
    end=0.25,
)
def dead_channels(evidence: Evidence, share: float) -> Values | None:
    """At least this share of some layer's channels passes nothing on."""
    dead = {name: value for name, value in evidence.metrics.items() if name.startswith("dead/")}
    worst = max(dead, key=lambda name: dead[name], default="")
    if worst and dead[worst] >= share:
        return {"layer": int(worst.rsplit("_", 1)[1]), "percent": round(100 * dead[worst])}
    return None


#: Evaluations in a row, and updates, before which a class may well be missing.
_MISSED, _SETTLED = 3, 128


@diagnosis(
    "class never predicted",
    N_(
        "One class is never predicted: {name}, of which there are test pictures. Try more pictures of it, a smaller "
        "learning rate or more steps."
    ),
    begin=0.01,
    end=0.05,
)
def class_never_predicted(evidence: Evidence, share: float) -> Values | None:
    """In the last evaluations some class had fewer predictions than this share of its pictures."""
    last = evidence.history[-_MISSED:]
    if len(last) == _MISSED and last[0].step >= _SETTLED and all(one.fewest < share for one in last):
        return {"name": evidence.classes[last[-1].least]}
    return None


DIAGNOSES: tuple[Diagnosis[Evidence], ...] = (
    dead_channels,
    class_never_predicted,
    over_fitting(
        N_(
            "Over-fitting: the test loss has risen from {lowest} to {test}: the network learns its pictures by heart. "
            "Try augmentation, more pictures, dropout, global average pooling, or stop earlier."
        )
    ),
)
