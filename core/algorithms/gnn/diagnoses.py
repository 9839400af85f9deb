"""What can be wrong with a training of a graph network, found from its numbers alone."""

from collections.abc import Sequence
from typing import NamedTuple

from core.metrics import Diagnosis, Values, diagnosis, over_fitting
from core.words import N_

#: Evaluations from one search for diagnoses to the next.
DIAGNOSE_EVERY = 8
#: Steps before which no training has stalled; half as many are enough to see whether it is over-smoothed.
STALLED_STEPS = 100
#: Score on the training part from which on it is learned.
LEARNED = 0.9


class Evaluation(NamedTuple):
    """What was found after ``step`` updates.

    Attributes:
        held_out_loss: on the validation part.
        train_score, held_out_score, test_score: accuracy, or the area under the ROC curve.
        distance: the mean distance of two nodes in the last layer but one, over their length.
    """

    step: int
    train_loss: float
    held_out_loss: float
    train_score: float
    held_out_score: float
    test_score: float
    distance: float


class Evidence(NamedTuple):
    """What the diagnoses are made from.

    Attributes:
        history: every evaluation so far, the newest last.
        deep: whether there are layers enough to smooth anything.
    """

    history: Sequence[Evaluation]
    deep: bool


@diagnosis(
    "over-smoothing",
    N_(
        "Over-smoothing: so deep inside the network two nodes differ by no more than {percent} % of their length, and "
        "even the training part is not learned. Try fewer layers, PairNorm, or jumping knowledge."
    ),
    begin=0.35,
    end=0.5,
)
def over_smoothing(evidence: Evidence, distance: float) -> Values | None:
    """Nodes are nearer to one another than this share of their length, while the training part is not learned."""
    now = evidence.history[-1]
    smooth = evidence.deep and now.step >= STALLED_STEPS // 2 and now.distance < distance
    return {"percent": round(100 * now.distance)} if smooth and now.train_score < LEARNED else None


@diagnosis(
    "stalled",
    N_(
        "Stalled: the training loss stands at {loss}, about where it began. "
        "Try a larger learning rate, fewer layers, or less dropout."
    ),
    begin=0.95,
)
def stalled(evidence: Evidence, share: float) -> Values | None:
    """The training loss is still above this share of what it was."""
    start, now = evidence.history[0], evidence.history[-1]
    flat = now.step >= STALLED_STEPS and now.train_loss > share * start.train_loss
    return {"loss": f"{now.train_loss:.3g}"} if flat else None


DIAGNOSES: tuple[Diagnosis[Evidence], ...] = (
    over_smoothing,
    stalled,
    over_fitting(
        N_(
            "Over-fitting: the validation loss has risen from {lowest} to {now}. "
            "Try more labels, dropout, weight decay, or stop earlier: the chosen epoch already does."
        ),
        now="now",
    ),
)

#: What is found of the data, not of the training.
NOTES = {
    "tidied": N_(
        "Your edge list: {loops} edges of a node to itself and {doubles} given before were left out; {edges} remain."
    ),
}
