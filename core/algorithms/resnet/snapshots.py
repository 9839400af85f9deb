"""What the panels of both networks draw: small arrays, made without changing the state or a random generator."""

import numpy as np

from core.algorithms.resnet.metrics import current_gradients, current_losses, ratio, recent_sizes
from core.algorithms.resnet.train import ResNetTraining
from core.algorithms.resnet.views import decades
from core.events import Array
from core.figures import text_array


def classes(s: ResNetTraining) -> dict[str, Array]:
    """Names of the classes, a line each."""
    return {"names": text_array(s.data.classes)}


def towers(s: ResNetTraining) -> dict[str, Array]:
    """By network: gradient norms (networks, 3n + 2); training loss, test accuracy (-1 before the first evaluation),
    and the first block's gradient over the last one's (0 where there is none), (networks, 3)."""
    gradients, losses = current_gradients(s), current_losses(s)
    scores = [
        (losses[name], s.accuracy.get(name, -1.0), ratio(row) or 0.0)
        for name, row in zip(s.networks, gradients, strict=True)
    ]
    return {"gradient": np.nan_to_num(gradients, posinf=3e38), "scores": np.nan_to_num(np.array(scores, np.float32))}


def gradient_history(s: ResNetTraining) -> dict[str, Array] | None:
    """Gradient norms as bytes of :func:`~core.algorithms.resnet.views.decades`, (networks, 3n + 2, steps), and the
    steps from one column to the next."""
    history = s.gradient_history
    if not history.rows:
        return None
    norms = decades(np.stack(history.rows, axis=-1))
    return {"norms": norms, "spacing": np.array([history.spacing], np.int32)}


def branches(s: ResNetTraining) -> dict[str, Array] | None:
    """Sizes of what shortcut and branch of each block of the residual network add up, (3n, 2)."""
    found = recent_sizes(s)
    return {"sizes": found["residual"][:, :2]} if "residual" in found else None


def spread(s: ResNetTraining) -> dict[str, Array]:
    """Standard deviation of each block's output, (networks, 3n)."""
    return {"spread": np.stack([rows[:, 2] for rows in recent_sizes(s).values()])}


STATIC_SNAPSHOTS = {"classes": classes}
SNAPSHOTS = {"towers": towers, "gradients": gradient_history, "branches": branches, "spread": spread}
