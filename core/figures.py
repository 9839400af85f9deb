"""Parts of a Plotly figure that travel well: arrays as base64 instead of text, small maps as one picture.

A *raster* is a picture the browser paints itself from indices into a palette: a grid of many small maps costs one
raster, where as many subplots would stop the page. It stands as the ``source`` of a Plotly layout image.
"""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.events import Array
from core.palette import RAMPS

_PLOTLY_DTYPES = {
    "float64": "f8",
    "float32": "f4",
    "int32": "i4",
    "uint32": "u4",
    "int16": "i2",
    "uint16": "u2",
    "int8": "i1",
    "uint8": "u1",
}


def packed(values: Any) -> dict[str, Any]:
    """A numeric array of one to three dimensions as Plotly's typed-array object.

    float16 and int64, which Plotly does not know, become float32 and int32; bool becomes uint8.
    """
    array = np.asarray(values)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    elif array.dtype.name not in _PLOTLY_DTYPES:
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.int32)
    array = np.ascontiguousarray(array)
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    message: dict[str, Any] = {
        "dtype": _PLOTLY_DTYPES[array.dtype.name],
        "bdata": base64.b64encode(array.tobytes()).decode("ascii"),
    }
    if array.ndim > 1:
        message["shape"] = ", ".join(str(n) for n in array.shape)
    return message


def quantised(values: Any, low: float, high: float) -> Array:
    """``values`` from ``low`` … ``high`` as uint8 0 … 255, clipped; what is not a number becomes the middle."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is far beyond either end is clipped anyway
        scaled = (np.asarray(values, dtype=np.float32) - np.float32(low)) * np.float32(255 / max(high - low, 1e-12))
        if np.isnan(scaled.sum()):  # cheaper to ask than to mend what is whole
            scaled = np.where(np.isnan(scaled), np.float32(127.5), scaled)
    result: Array = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    return result


def raster(indices: Array, palette: str | Sequence[str], *, smooth: bool = False) -> dict[str, Any]:
    """A picture for a layout image's ``source``.

    Args:
        indices: uint8 of shape (height, width), row 0 on top; or (height, width, 3) or (height, width, 4) for a
            picture in colours of its own, with ``palette="rgb"``.
        palette: a name in :data:`core.palette.RAMPS` (256 colours between its anchors), ``"rgb"``, or a list of
            colours that the indices count, ``#rrggbb`` or, with an opacity, ``#rrggbbaa``.
        smooth: samples of something continuous, to be drawn without visible pixels.
    """
    if indices.dtype != np.uint8:
        raise ValueError("a raster is made of uint8")
    ramp = isinstance(palette, str) and palette != "rgb"
    colours: str | list[str] = list(RAMPS[palette] if ramp else palette)  # type: ignore[index]
    if palette == "rgb":
        colours = "rgb"
    return {
        "raster": True,
        "shape": list(indices.shape),
        "bdata": base64.b64encode(np.ascontiguousarray(indices).tobytes()).decode("ascii"),
        "colours": colours,
        "ramp": ramp,
        "smooth": smooth,
    }


def atlas(maps: Array, columns: int, gap: int = 1, fill: int = 128) -> Array:
    """Many small maps (n, height, width) as one picture, row by row, ``gap`` pixels of ``fill`` between them."""
    n, height, width = maps.shape
    rows = -(-n // columns)
    picture = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), fill, dtype=maps.dtype)
    for i, one in enumerate(maps):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        picture[top : top + height, left : left + width] = one
    return picture


def fixed(panel: str, array: str) -> dict[str, Any]:
    """An array of a panel's snapshot at step 0, as a value in a trace or, where it holds the bytes of a PNG, as the
    source of a layout image: it is named, not told.

    What never changes, such as where the nodes of a graph stand, need not travel with each frame: the browser fetches
    the snapshot's arrays once for a run and puts them where figures name them.
    """
    return {"fixed": [panel, array]}
