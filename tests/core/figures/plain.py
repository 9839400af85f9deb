"""A figure as Plotly gets it in the browser, and as a test reads it."""

import base64
import copy
from typing import Any

import numpy as np
import plotly.graph_objects as go

_DTYPES = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u4": "<u4", "i2": "<i2", "u2": "<u2", "i1": "i1", "u1": "u1"}


def unpacked(value: Any) -> Any:
    """A value in which packed arrays are lists, NaN being ``None``."""
    if isinstance(value, dict) and value.keys() >= {"dtype", "bdata"}:
        array = np.frombuffer(base64.b64decode(value["bdata"]), _DTYPES[value["dtype"]])
        if "shape" in value:
            array = array.reshape([int(n) for n in value["shape"].split(",")])
        return np.where(np.isnan(array), None, array).tolist() if array.dtype.kind == "f" else array.tolist()
    if isinstance(value, dict):
        return {name: unpacked(part) for name, part in value.items()}
    return [unpacked(part) for part in value] if isinstance(value, list) else value


def valid(figure: dict[str, Any]) -> dict[str, Any]:
    """The figure, after Plotly has accepted it: rasters are data URLs by then, sentences are text."""
    given = copy.deepcopy(figure)
    for image in given["layout"].get("images", ()):
        if isinstance(image["source"], dict):
            image["source"] = "data:image/png;base64,AAAA"
    for text in given["layout"].get("annotations", ()):
        if isinstance(text["text"], dict):
            text["text"] = text["text"]["template"].format(**text["text"]["values"])
    go.Figure(given)
    return figure
