"""Pictures of the unit."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.experiment import Context
from core.figures import packed


def line(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The line where the unit is undecided."""
    w1, w2, b = (float(value) for value in arrays["weights"])
    x = np.linspace(-4, 8, 2, dtype=np.float32)
    return {"data": [{"type": "scatter", "x": packed(x), "y": packed(-(b + w1 * x) / (w2 or 1e-9))}], "layout": {}}
