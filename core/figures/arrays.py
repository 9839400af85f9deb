"""Arrays as they travel in a figure: as base64 instead of text, as rasters, or by reference.

A *raster* is an image that the browser draws itself from indices into a palette: a grid of many small maps costs one
raster, where as many subplots would stop the page. It stands as the ``source`` of a Plotly layout image.
"""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.events import Array
from core.palette import RAMPS

#: Before each word of a text: the browser translates what it draws, and a word that happens to be one of the page's
#: own would come out translated. The character has no width.
_WORD_JOINER = "\u2060"

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
        if np.isnan(scaled.sum()):  # the test is cheaper than the replacement
            scaled = np.where(np.isnan(scaled), np.float32(127.5), scaled)
    result: Array = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    return result


def raster(indices: Array, palette: str | Sequence[str], *, smooth: bool = False) -> dict[str, Any]:
    """An image for a layout image's ``source``.

    Args:
        indices: uint8 of shape (height, width), row 0 on top; or (height, width, 3) or (height, width, 4) for a
            image in colours of its own, with ``palette="rgb"``.
        palette: a name in :data:`core.palette.RAMPS` (256 colours between its anchors), ``"rgb"``, or a list of
            colours that the indices number, ``#rrggbb`` or, with an opacity, ``#rrggbbaa``.
        smooth: samples of something continuous, to be drawn without visible pixels.

    Raises:
        ValueError: the indices are not uint8.
    """
    if indices.dtype != np.uint8:
        raise ValueError("the indices of a raster are uint8")
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
    """Many small maps as one image, row by row, ``gap`` pixels of ``fill`` between them.

    Args:
        maps: (n, height, width), or (n, height, width, 3) in colour.
    """
    n, height, width, *channels = maps.shape
    rows = -(-n // columns)
    image = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, *channels), fill, dtype=maps.dtype)
    for i, one in enumerate(maps):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        image[top : top + height, left : left + width] = one
    return image


def static_array(panel: str, array: str) -> dict[str, Any]:
    """A reference to an array of a panel's snapshot at step 0, as a value in a trace or, where the array holds the
    bytes of a PNG, as the source of a layout image.

    What never changes, such as the positions of a graph's nodes, need not travel with each frame: the browser fetches
    the snapshot's arrays once for a run and puts them where figures refer to them.
    """
    return {"fixed": [panel, array]}


def png(file: Any) -> str:
    """The bytes of a PNG file, uint8 (n,), as the source of a layout image."""
    return "data:image/png;base64," + base64.b64encode(np.ascontiguousarray(file).tobytes()).decode("ascii")


def text_lines(array: Any) -> list[str]:
    """The lines of a UTF-8 text that a snapshot holds as uint8 (n,); none where it is empty."""
    text = np.ascontiguousarray(array).tobytes().decode("utf-8")
    return text.split("\n") if text else []


def as_is(text: str) -> str:
    """Text of a data set, marked so that the browser does not translate it."""
    return _WORD_JOINER + text
