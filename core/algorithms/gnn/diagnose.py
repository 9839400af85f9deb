"""What can be said of a training from its numbers alone; the words stand in ``spec.py``."""

from collections.abc import Sequence
from typing import NamedTuple

#: The nodes of the last layer but one are this near to one another, as a share of their length, while the training
#: part is not learned. Over when either no longer holds.
SMOOTH, SMOOTH_OVER, LEARNED = 0.35, 0.5, 0.9
#: After this many steps the training loss has lost no more than this share of what it was.
STALLED_STEPS, STALLED_GAIN = 100, 0.05
#: The validation loss is a quarter above its lowest and well above the training loss. Over when it is back within 5 %.
OVERFIT_RISE, OVERFIT_OVER, OVERFIT_GAP = 1.25, 1.05, 0.2
#: Evaluations from one look for diagnoses to the next.
LOOK = 8


class Evaluation(NamedTuple):
    """What was found after ``step`` updates; ``distance`` is the nodes' mean distance over their length."""

    step: int
    train_loss: float
    val_loss: float
    train_score: float
    distance: float


def diagnose(history: Sequence[Evaluation], active: set[str], *, deep: bool) -> dict[str, dict[str, object]]:
    """Diagnoses that begin to hold with the newest evaluation, with what to say of them.

    Args:
        history: every evaluation so far, the newest last.
        active: what holds already; changed to what holds now. What ceases to hold may begin again.
        deep: whether there are layers enough to smooth anything.
    """
    found: dict[str, dict[str, object]] = {}
    start, now = history[0], history[-1]

    near = SMOOTH_OVER if "over-smoothing" in active else SMOOTH
    if deep and now.step >= STALLED_STEPS // 2 and now.distance < near and now.train_score < LEARNED:
        found["over-smoothing"] = {"percent": round(100 * now.distance)}

    if now.step >= STALLED_STEPS and now.train_loss > (1 - STALLED_GAIN) * start.train_loss:
        found["stalled"] = {"loss": f"{now.train_loss:.3g}"}

    lowest = min(e.val_loss for e in history)
    begins = now.val_loss > OVERFIT_RISE * max(lowest, now.train_loss)
    begins &= now.val_loss - max(lowest, now.train_loss) > OVERFIT_GAP * start.train_loss
    if begins or ("over-fitting" in active and now.val_loss > OVERFIT_OVER * lowest):
        found["over-fitting"] = {"now": f"{now.val_loss:.3g}", "lowest": f"{lowest:.3g}"}

    begun = {name: said for name, said in found.items() if name not in active}
    active.clear()
    active.update(found)
    return begun
