"""What the panels of the unit draw."""

import numpy as np

from core.algorithms.perceptron.train import Perceptron
from core.events import Array


def line(s: Perceptron) -> dict[str, Array]:
    """w1, w2, b."""
    parts = [p.detach().cpu().numpy().ravel() for p in s.model.parameters()]
    return {"weights": np.concatenate(parts)}


SNAPSHOTS = {"line": line}
