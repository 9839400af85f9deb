"""What can be said of a game from its numbers alone; the words stand in ``spec.py``."""

from collections.abc import Sequence
from statistics import mean, median
from typing import Any, NamedTuple, Self

#: Evaluations that a diagnosis looks back on, and updates before which there is none: G has to get somewhere first.
LOOK, SOON = 5, 1000
#: Half of the modes or fewer are covered, every time. Over when more than that and one more are.
LOST = 0.5
#: D gives real samples more and generated ones less than this, every time. Over when it is less sure by half.
SURE, SURE_OVER = 0.95, 0.9
#: From one evaluation to the next this share of the samples changed their mode. Over when it is less than half of it.
MOVED = 0.25


class Evaluation(NamedTuple):
    """What was found after ``step`` updates.

    Attributes:
        covered: modes (or classes) that samples hit, at least a tenth of a fair part each; ``modes``: of how many.
        near: modes that they are near, hit or not.
        moved: share of the samples that went to another mode since the evaluation before.
        real, fake: D's mean answer as a probability; 0.5 for both where it is none.
        shares: part of the samples near each mode.
    """

    step: int
    covered: int
    near: int
    modes: int
    moved: float
    real: float
    fake: float
    shares: tuple[float, ...]

    def plain(self) -> list[Any]:
        return [*self[:7], list(self.shares)]

    @classmethod
    def of(cls, plain: Sequence[Any]) -> Self:
        *numbers, shares = plain
        step, covered, near, modes, moved, real, fake = numbers
        return cls(step, covered, near, modes, moved, real, fake, tuple(shares))


def diagnose(history: Sequence[Evaluation], active: set[str]) -> dict[str, dict[str, object]]:
    """Diagnoses that begin to hold with the newest evaluation, with what to say of them.

    Args:
        history: the last evaluations, the newest last.
        active: what holds already; changed to what holds now. What ceases to hold may begin again.
    """
    last = [one for one in history if one.step >= SOON][-LOOK:]
    found: dict[str, dict[str, object]] = {}
    if len(last) == LOOK:
        now = last[-1]
        least = LOST * now.modes
        over = least + 1 if "mode collapse" in active else least
        moved = mean(one.moved for one in last)
        # Few covered may also mean that G has only begun to learn: then its samples lie about, and stay where they are.
        crowded = median(one.near for one in last) <= least or moved > MOVED
        if all(one.covered <= over for one in last) and (crowded or "mode collapse" in active):
            found["mode collapse"] = {"covered": now.covered, "modes": now.modes}
        sure = SURE_OVER if "D too strong" in active else SURE
        if all(one.real > sure and one.fake < 1 - sure for one in last):
            found["D too strong"] = {"real": f"{now.real:.2f}", "fake": f"{now.fake:.2f}"}
        if moved > (MOVED / 2 if "oscillation" in active else MOVED):
            found["oscillation"] = {"percent": round(100 * moved)}
    begun = {name: said for name, said in found.items() if name not in active}
    active.clear()
    active.update(found)
    return begun
