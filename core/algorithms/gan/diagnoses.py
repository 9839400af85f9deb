"""What can be wrong with a game of G and D, found from its numbers alone."""

from collections.abc import Sequence
from statistics import mean, median
from typing import NamedTuple

from core.metrics import Diagnosis, Values, diagnosis
from core.words import N_

#: Evaluations that a diagnosis is made from, and updates before which there is none: G has to get somewhere first.
WINDOW, WARM_UP = 5, 1000
#: Half of the modes or fewer are lost.
LOST = 0.5

#: What helps against a D that is too strong: another loss where that is to be had.
STEEPER = N_("Try the non-saturating loss, fewer D steps, a lower rate of D, or instance noise.")
WEAKER = N_("Try fewer D steps, a lower rate of D, instance noise, or label smoothing.")


class Evaluation(NamedTuple):
    """What was found after ``step`` updates.

    Attributes:
        covered: modes (or classes) that samples hit, at least a tenth of a fair part each; ``modes``: of how many.
        near: modes that G, as it is, sends noise near to, hit or not.
        moved: share of the noise that G, as it is, sent to another mode than at the evaluation before.
        real, fake: D's mean output as a probability; 0.5 for both where it is none.
    """

    step: int
    covered: int
    near: int
    modes: int
    moved: float
    real: float
    fake: float


class Evidence(NamedTuple):
    """What the diagnoses are made from.

    Attributes:
        history: the last evaluations, the newest last.
        loss: the loss that the game is played for.
        smoothing: how much less than 1 D's target for real samples is.
    """

    history: Sequence[Evaluation]
    loss: str = "non_saturating"
    smoothing: float = 0.0

    @property
    def window(self) -> Sequence[Evaluation]:
        """The last :data:`WINDOW` evaluations; empty where there are not so many after the warm-up."""
        last = [one for one in self.history if one.step >= WARM_UP][-WINDOW:]
        return last if len(last) == WINDOW else ()


@diagnosis(
    "D too strong",
    N_("D is too strong: it gives real samples {real} and generated ones {fake}, so G hardly learns. {remedy}"),
    begin=0.9,
    end=0.8,
)
def d_too_strong(evidence: Evidence, sure: float) -> Values | None:
    """D gives real samples more than this and generated ones less than what is left, every time.

    Under label smoothing the surest D gives real samples that much less.
    """
    window = evidence.window
    least, most = sure * (1 - evidence.smoothing), 1 - sure
    if not window or not all(one.real > least and one.fake < most for one in window):
        return None
    remedy = STEEPER if evidence.loss == "minimax" else WEAKER
    return {"real": f"{window[-1].real:.2f}", "fake": f"{window[-1].fake:.2f}", "remedy": remedy}


@diagnosis(
    "mode collapse",
    N_(
        "Mode collapse: the samples cover {covered} of {modes} modes; they crowd into a few. "
        "Try more D steps, packing, or the Wasserstein loss."
    ),
    begin=0,
    end=1,
    # Few covered may also mean that samples hit nothing yet: then they lie about between all of the modes, or
    # wherever they began, where D is too strong for G to learn.
    unless=("D too strong",),
)
def mode_collapse(evidence: Evidence, more: int) -> Values | None:
    """Half of the modes and this many more, or fewer, are covered, every time, and the samples are near no more."""
    window = evidence.window
    if not window:
        return None
    now, most = window[-1], LOST * window[-1].modes + more
    crowded = median(one.near for one in window) <= most and all(one.covered <= most for one in window)
    return {"covered": now.covered, "modes": now.modes} if crowded else None


@diagnosis(
    "oscillation",
    N_(
        "Oscillation: between two evaluations G sends {percent} % of the noise to another mode; G runs and D follows. "
        "Try lower rates, a lower β₁, or a gradient penalty."
    ),
    begin=0.25,
    end=0.125,
)
def oscillation(evidence: Evidence, share: float) -> Values | None:
    """From one evaluation to the next more than this share of the samples changes its mode, on the mean."""
    window = evidence.window
    moved = mean(one.moved for one in window) if window else 0.0
    return {"percent": round(100 * moved)} if moved > share else None


DIAGNOSES: tuple[Diagnosis[Evidence], ...] = (d_too_strong, mode_collapse, oscillation)
