"""What can be said of a training from its numbers alone; the words stand in ``spec.py``."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: Half of a layer's units pass nothing on: the layer is half as wide as it was made. Over again below a quarter.
DEAD_SHARE, DEAD_OVER = 0.5, 0.25
#: First layer's gradient as a share of the last one's: each step of the last layer is a thousand of the first.
VANISHING, VANISHING_OVER = 1e-3, 1e-2
#: After this many steps the best loss of the second half of the training is within 1 % of the best of the first, and
#: has not halved since the start.
STALLED_STEPS, STALLED_GAIN, STALLED_LEVEL = 400, 0.01, 0.5
#: The test loss is a quarter above its lowest, and above the training loss by a tenth of what the training began with.
OVERFIT_RISE, OVERFIT_OVER, OVERFIT_GAP = 1.25, 1.05, 0.1


class Evaluation(NamedTuple):
    """Losses after ``step`` updates."""

    step: int
    epochs: int
    train_loss: float
    test_loss: float


def diagnose(
    history: Sequence[Evaluation], values: Mapping[str, float], active: set[str]
) -> dict[str, dict[str, object]]:
    """Diagnoses that begin to hold with the newest evaluation, with what to say of them.

    Args:
        history: every evaluation so far, the newest last.
        values: the newest metrics; those a diagnosis is made of may be missing.
        active: what holds already; changed to what holds now. What ceases to hold may begin again.
    """
    found: dict[str, dict[str, object]] = {}
    start, now = history[0], history[-1]

    dead = {name: share for name, share in values.items() if name.startswith("dead/")}
    worst = max(dead, key=lambda name: dead[name], default="")
    if worst and dead[worst] >= (DEAD_OVER if "dead units" in active else DEAD_SHARE):
        found["dead units"] = {"layer": int(worst.rsplit("_", 1)[1]), "percent": round(100 * dead[worst])}

    gradients = [length for name, length in values.items() if name.startswith("gradient/")]
    if len(gradients) > 1 and gradients[-1] > 0:
        ratio = gradients[0] / gradients[-1]
        if ratio <= (VANISHING_OVER if "vanishing gradients" in active else VANISHING):
            found["vanishing gradients"] = {"ratio": f"{ratio:.0e}"}

    if now.step >= STALLED_STEPS:
        first = min(e.train_loss for e in history if e.step <= now.step // 2)
        second = min(e.train_loss for e in history if e.step > now.step // 2)
        if second > (1 - STALLED_GAIN) * first and second > STALLED_LEVEL * start.train_loss:
            found["stalled"] = {"loss": f"{second:.3g}"}

    lowest = min(e.test_loss for e in history)
    rise = OVERFIT_OVER if "over-fitting" in active else OVERFIT_RISE
    if now.test_loss > rise * lowest and now.test_loss - now.train_loss > OVERFIT_GAP * start.train_loss:
        found["over-fitting"] = {"test": f"{now.test_loss:.3g}", "lowest": f"{lowest:.3g}"}

    begun = {name: said for name, said in found.items() if name not in active}
    active.clear()
    active.update(found)
    return begun
