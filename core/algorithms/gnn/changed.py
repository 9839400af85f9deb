"""The figure of the graph that a person changes, from its snapshots."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.algorithms.gnn.views import (
    COLOURS,
    INK,
    STEPS,
    class_names,
    edges_of,
    map_layout,
    node_names,
    node_size,
    note,
)
from core.events import Array
from core.experiment import Context
from core.figures import packed, static_array
from core.words import N_


def change(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The graph as it was changed, in the colours of what is now guessed; beside it the chosen node's shares."""
    scene = context.statics["scene"]
    x, y = np.asarray(scene["x"]), np.asarray(scene["y"])
    after = np.asarray(arrays["after"])
    size = node_size(len(x)) + 2
    cursor, chosen = (int(i) for i in arrays["at"])
    moved = np.flatnonzero(after != np.asarray(arrays["before"]))
    mute = np.asarray(arrays["mute"], np.int64)
    names = node_names(scene)
    traces = [edges_of(context)]
    for key, name, colour, dash in (
        ("added", N_("edge added"), palette.GOOD, "solid"),
        ("removed", N_("edge removed"), palette.BAD, "dot"),
    ):
        line = {"width": 4, "color": colour, "dash": dash}
        traces.append(_marked(name, arrays[f"{key}_x"], arrays[f"{key}_y"], {"mode": "lines", "line": line}))
    nodes = {
        "type": "scattergl",
        "mode": "markers",
        "x": static_array("scene", "x"),
        "y": static_array("scene", "y"),
        "customdata": list(range(len(x))),
        "text": names,
        "hoverinfo": "text",
        "marker": {"size": size, "color": packed(after), "colorscale": STEPS, "cmin": -0.5, "cmax": COLOURS - 0.5},
        "showlegend": False,
    }
    traces.append(nodes)
    rings: tuple[tuple[str, Array, str, str, int], ...] = (
        (N_("now another class"), moved, "circle-open", palette.BAD, 9),
        (N_("without features"), mute, "square-open", INK, 9),
        (N_("chosen"), np.array([chosen] if chosen >= 0 else [], np.int64), "diamond-open", palette.CLASSES[4], 15),
        (N_("here"), np.array([cursor]), "circle-open-dot", INK, 15),
    )
    for name, rows, symbol, colour, more in rings:
        marker = {"symbol": symbol, "size": size + more, "color": colour, "line": {"width": 3, "color": colour}}
        traces.append(_marked(name, x[rows], y[rows], {"mode": "markers", "marker": marker}))
    shares = np.asarray(arrays["shares"], np.float32)
    classes = class_names(context, shares.shape[1])
    for row, name, colour in ((0, N_("before"), INK), (1, N_("after"), palette.TRAIN)):
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": classes,
                "x": packed(shares[row]),
                "xaxis": "x2",
                "yaxis": "y2",
                "marker": {"color": colour},
                "hoverinfo": "skip",
            }
        )
    layout = map_layout(context)
    layout["xaxis"]["domain"] = [0, 0.66]
    layout["xaxis2"] = {"domain": [0.78, 1], "anchor": "y2", "range": [0, 1], "title": {"text": N_("probability")}}
    layout["yaxis2"] = {"anchor": "x2", "type": "category", "autorange": "reversed", "domain": [0.1, 0.88]}
    layout["barmode"] = "group"
    layout["margin"] = {"b": 44}
    said = {
        "template": N_("{moved} nodes are now taken for another class"),
        "values": {"moved": int(arrays["moved"][0])},
    }
    node = chosen if chosen >= 0 else cursor
    about = {"template": N_("node {node}"), "values": {"node": names[node]}}
    layout["annotations"] = [note(said) | {"x": 0.33}, note(about) | {"x": 0.89, "y": 0.9, "yanchor": "bottom"}]
    return {"data": traces, "layout": layout}


def _marked(name: str, x: Any, y: Any, how: dict[str, Any]) -> dict[str, Any]:
    """A trace of what stands out; it is told even where it is empty, so that the key keeps its place."""
    return {
        "type": "scattergl",
        "name": name,
        "x": packed(np.asarray(x, np.float32)),
        "y": packed(np.asarray(y, np.float32)),
        "hoverinfo": "skip",
        **how,
    }
