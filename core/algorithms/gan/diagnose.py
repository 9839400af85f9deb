"""What can be said of a game from its numbers alone; the words stand in ``spec.py``."""

from collections.abc import Sequence
from statistics import mean, median
from typing import NamedTuple

from core.words import N_

#: Evaluations that a diagnosis looks back on, and updates before which there is none: G has to get somewhere first.
LOOK, SOON = 5, 1000
#: Half of the modes or fewer are covered, every time, and the samples are near no more of them. Over when either is
#: more by two.
LOST = 0.5
#: D gives real samples more than this and generated ones less than what is left, every time. Over when it is less sure
#: by half. Under label smoothing the surest D gives real samples that much less.
SURE, SURE_OVER = 0.9, 0.8
#: From one evaluation to the next this share of the samples changed their mode. Over when it is less than half of it.
MOVED = 0.25

#: What helps against a D that is too strong: another loss where that is to be had.
STEEPER = N_("Try the non-saturating loss, fewer D steps, a lower rate of D, or instance noise.")
WEAKER = N_("Try fewer D steps, a lower rate of D, instance noise, or label smoothing.")


class Evaluation(NamedTuple):
    """What was found after ``step`` updates.

    Attributes:
        covered: modes (or classes) that samples hit, at least a tenth of a fair part each; ``modes``: of how many.
        near: modes that G, as it is, sends noise near to, hit or not.
        moved: share of the noise that G, as it is, sent to another mode than at the evaluation before.
        real, fake: D's mean answer as a probability; 0.5 for both where it is none.
    """

    step: int
    covered: int
    near: int
    modes: int
    moved: float
    real: float
    fake: float


def diagnose(
    history: Sequence[Evaluation], active: set[str], *, loss: str = "non_saturating", smoothing: float = 0.0
) -> dict[str, dict[str, object]]:
    """Diagnoses that begin to hold with the newest evaluation, with what to say of them.

    Args:
        history: the last evaluations, the newest last.
        active: what holds already; changed to what holds now. What ceases to hold may begin again.
        loss: the loss that the game is played for; smoothing: by how much less than 1 D is to call real samples.
    """
    last = [one for one in history if one.step >= SOON][-LOOK:]
    found: dict[str, dict[str, object]] = {}
    if len(last) == LOOK:
        now = last[-1]
        least = LOST * now.modes + (1 if "mode collapse" in active else 0)
        sure = SURE_OVER if "D too strong" in active else SURE
        if all(one.real > sure * (1 - smoothing) and one.fake < 1 - sure for one in last):
            found["D too strong"] = {
                "real": f"{now.real:.2f}",
                "fake": f"{now.fake:.2f}",
                "remedy": STEEPER if loss == "minimax" else WEAKER,
            }
        # Few covered may also mean that samples hit nothing yet: then they lie about between all of the modes, or
        # wherever they began, where D is too strong for G to learn.
        crowded = median(one.near for one in last) <= least
        if crowded and all(one.covered <= least for one in last) and "D too strong" not in found:
            found["mode collapse"] = {"covered": now.covered, "modes": now.modes}
        moved = mean(one.moved for one in last)
        if moved > (MOVED / 2 if "oscillation" in active else MOVED):
            found["oscillation"] = {"percent": round(100 * moved)}
    begun = {name: said for name, said in found.items() if name not in active}
    active.clear()
    active.update(found)
    return begun
