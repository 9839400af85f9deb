"""A drawing as a setting: points in the plane, written so compactly that a link can carry them.

Each point is two bytes on a grid of 255 × 255 cells whose middle is exactly 0; the bytes are written in URL-safe
base64 without padding. 600 points make 1600 characters.
"""

import base64
import re

import numpy as np
import numpy.typing as npt

from core.words import N_, Refusal

#: Points that a drawing may have: more make a link too long to send.
MOST = 600

#: Cells from the middle to an edge.
_CELLS = 127


def points(text: str) -> npt.NDArray[np.float32]:
    """The points of a drawing, in the order they were drawn.

    Returns:
        (n, 2) float32 in [-1, 1], y upwards; n may be 0 and is at most :data:`MOST`.

    Raises:
        Refusal: :func:`text` writes no such text.
    """
    try:
        if not re.fullmatch("[A-Za-z0-9_-]*", text):
            raise ValueError(text)
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if len(raw) % 2 or 2 * _CELLS + 1 in raw or _encoded(raw) != text:
            raise ValueError(text)
    except ValueError:
        raise Refusal("", N_("This drawing cannot be read: it was changed or cut on its way.")) from None
    if len(raw) > 2 * MOST:
        raise Refusal("", N_("A drawing has at most {most} points; this one has {n}."), most=MOST, n=len(raw) // 2)
    cells = np.frombuffer(raw, np.uint8).reshape(-1, 2)  # (n, 2)
    return (cells.astype(np.float32) - _CELLS) / np.float32(_CELLS)


def text(points: npt.ArrayLike) -> str:
    """A drawing as a setting holds it; where there are more than :data:`MOST` points, evenly thinned to so many.

    Args:
        points: (n, 2) in [-1, 1], y upwards; what lies beyond is moved to the edge. Each moves by at most 1/254.

    Raises:
        ValueError: another shape, or a point that is not a number.
    """
    array = np.asarray(points, np.float64)
    if array.size == 0:
        return ""
    if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
        raise ValueError(f"a drawing is an array (n, 2) of finite numbers, not one of shape {array.shape}")
    if len(array) > MOST:
        array = array[np.linspace(0, len(array) - 1, MOST).round().astype(int)]  # (MOST, 2)
    return _encoded((np.rint(array.clip(-1, 1) * _CELLS) + _CELLS).astype(np.uint8).tobytes())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
