"""What can be said of a training from its numbers alone; the words stand in ``spec.py``."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

#: Three quarters of a layer's units pass nothing on. Over when it is less than half.
DEAD_SHARE, DEAD_OVER = 0.75, 0.5
#: First layer's gradient as a share of the last one's, median of the newest evaluations: a step of the last layer is a
#: thousand of the first. One batch alone says little.
VANISHING, VANISHING_OVER, VANISHING_OF = 1e-3, 1e-2, 9
#: After this many steps the best loss of the second half of the training is within 1 % of the best of the first, and
#: has not halved since the start. Over when it has.
STALLED_STEPS, STALLED_GAIN, STALLED_LEVEL = 400, 0.01, 0.5
#: The test loss is a quarter above its lowest and above the training loss, by no less than a fifth of the first one.
#: Over when the test loss is back within 5 % of its lowest.
OVERFIT_RISE, OVERFIT_OVER, OVERFIT_GAP = 1.25, 1.05, 0.2


class Evaluation(NamedTuple):
    """What was found after ``step`` updates; ``ratio`` is the first layer's gradient over the last one's, else 1."""

    step: int
    epochs: int
    train_loss: float
    test_loss: float
    ratio: float = 1.0


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

    ratio = median(e.ratio for e in history[-VANISHING_OF:])
    if len(history) >= VANISHING_OF and ratio <= (VANISHING_OVER if "vanishing gradients" in active else VANISHING):
        found["vanishing gradients"] = {"times": f"{float(f'{1 / max(ratio, 1e-12):.0e}'):,.0f}"}

    if now.step >= STALLED_STEPS:
        first = min(e.train_loss for e in history if e.step <= now.step // 2)
        second = min(e.train_loss for e in history if e.step > now.step // 2)
        flat = "stalled" in active or second > (1 - STALLED_GAIN) * first
        if flat and second > STALLED_LEVEL * start.train_loss:
            found["stalled"] = {"loss": f"{second:.3g}"}

    lowest = min(e.test_loss for e in history)
    begins = now.test_loss > OVERFIT_RISE * max(lowest, now.train_loss)
    begins &= now.test_loss - max(lowest, now.train_loss) > OVERFIT_GAP * start.train_loss
    if begins or ("over-fitting" in active and now.test_loss > OVERFIT_OVER * lowest):
        found["over-fitting"] = {"test": f"{now.test_loss:.3g}", "lowest": f"{lowest:.3g}"}

    begun = {name: said for name, said in found.items() if name not in active}
    active.clear()
    active.update(found)
    return begun
