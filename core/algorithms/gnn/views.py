"""Figures of the graph networks' panels, from their snapshots."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.events import Array
from core.experiment import Context
from core.figures import fixed, packed
from core.words import N_

INK = "#808080"  # reads on dark and on light
_EDGE = "rgba(128,128,128,0.28)"
_BARE = {"visible": False, "showgrid": False, "zeroline": False}
COLOURS = len(palette.CLASSES)

#: The class colours as a colour scale in steps, class 0 at its low end.
STEPS = [[(i + edge) / COLOURS, colour] for i, colour in enumerate(palette.CLASSES) for edge in (0, 1)]


def graph(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The graph, each node in the colour of the class it is taken for, a cross where that is wrong; for links, the
    edges held out, found or missed."""
    scene = context.statics["scene"]
    k = len(scene["x"])
    traces = [edges_of(context)]
    if "counts" in arrays:
        return _links(arrays, context, traces)
    guess, truth = np.asarray(arrays["guess"]), np.asarray(scene["class"])
    wrong = (truth != 255) & (truth != guess)
    size = node_size(k)
    of_graphs = getattr(context.config, "task", "") == "graphs"
    outline = {
        "type": "scattergl",
        "mode": "markers",
        "name": N_("the motif") if of_graphs else N_("its class is told"),
        "x": fixed("scene", "mark_x"),
        "y": fixed("scene", "mark_y"),
        "marker": {"symbol": "circle-open", "size": size + 7, "color": INK, "line": {"width": 2.5, "color": INK}},
        "hoverinfo": "skip",
    }
    nodes = [
        {
            "type": "scattergl",
            "mode": "markers",
            "showlegend": False,
            "x": fixed("scene", "x"),
            "y": fixed("scene", "y"),
            "text": _hover(scene, guess, arrays["sure"], context) if k <= 600 and symbol == "circle" else None,
            "hoverinfo": "text" if k <= 600 and symbol == "circle" else "skip",
            "marker": {
                "symbol": symbol,
                "opacity": 1,
                "size": packed(np.where(wrong == (symbol == "x"), size, 0).astype(np.float32)),
                "color": packed(guess),
                "colorscale": STEPS,
                "cmin": -0.5,
                "cmax": COLOURS - 0.5,
                "line": {"width": 0},
            },
        }
        for symbol in ("circle", "x")
    ]
    return {"data": [*traces, *nodes, outline], "layout": map_layout(context)}


def edges_of(context: Context, colour: str = _EDGE) -> dict[str, Any]:
    """All drawn edges, one trace; an empty one where they are many and :func:`map_layout` has a picture of them."""
    pictured = "edge_png" in context.statics["scene"]
    return {
        "type": "scattergl",
        "mode": "lines",
        "x": [] if pictured else fixed("scene", "edge_x"),
        "y": [] if pictured else fixed("scene", "edge_y"),
        "line": {"width": 1, "color": colour},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def node_size(nodes: int) -> int:
    """Diameter of a node in pixels: the fewer there are, the larger."""
    return int(np.clip(160 / np.sqrt(max(nodes, 1)), 5, 16))


def _hover(scene: Mapping[str, Any], guess: Array, sure: Any, context: Context) -> list[str]:
    names = node_names(scene)
    return [f"{name} → {int(g) + 1} ({int(s)} %)" for name, g, s in zip(names, guess, np.asarray(sure), strict=True)]


def node_names(scene: Mapping[str, Any]) -> list[str]:
    """What each drawn node is called: its name, else its number."""
    if "names" in scene:
        return bytes(np.asarray(scene["names"], np.uint8)).decode().split("\n")
    return [str(int(number)) for number in scene["number"]]


def map_layout(context: Context) -> dict[str, Any]:
    """Axes of a map of nodes, and where not all of them are drawn a word about it."""
    scene = context.statics["scene"]
    shown, total = (int(n) for n in scene["about"])
    layout: dict[str, Any] = {"xaxis": {**_BARE}, "yaxis": {**_BARE}, "showlegend": True}
    spans = []
    for axis, values in (("xaxis", scene["x"]), ("yaxis", scene["y"])):
        low, high = float(np.min(values)), float(np.max(values))
        rim = 0.05 * (high - low) + 1e-3
        layout[axis]["range"] = [low - rim, high + rim]
        spans.append((low, high))
    if "edge_png" in scene:
        (left, right), (bottom, top) = spans
        layout["images"] = [
            {
                "source": fixed("scene", "edge_png"),
                "xref": "x",
                "yref": "y",
                "x": left,
                "y": top,
                "sizex": right - left,
                "sizey": top - bottom,
                "sizing": "stretch",
                "layer": "below",
            }
        ]
    if getattr(context.config, "task", "") != "graphs" and shown < total:
        said = {
            "template": N_("{shown} of {total} nodes: the neighbourhood of the one with the most edges"),
            "values": {"shown": shown, "total": total},
        }
        layout["annotations"] = [note(said)]
    return layout


def note(text: Any) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0,
        "yanchor": "top",
        "showarrow": False,
        "font": {"color": INK},
    }


def _links(arrays: Mapping[str, Any], context: Context, traces: list[dict[str, Any]]) -> dict[str, Any]:
    kinds = (
        ("found", N_("held out, found"), palette.GOOD, "solid"),
        ("missed", N_("held out, missed"), palette.BAD, "solid"),
        ("false", N_("no edge, taken for one"), palette.TEST, "dot"),
    )
    for key, name, colour, dash in kinds:
        traces.append(
            {
                "type": "scattergl",
                "mode": "lines",
                "name": name,
                "x": packed(arrays[f"{key}_x"]),
                "y": packed(arrays[f"{key}_y"]),
                "line": {"width": 2, "color": colour, "dash": dash},
                "hoverinfo": "skip",
            }
        )
    scene = context.statics["scene"]
    traces.append(
        {
            "type": "scattergl",
            "mode": "markers",
            "x": fixed("scene", "x"),
            "y": fixed("scene", "y"),
            "marker": {"size": node_size(len(scene["x"])), "color": INK},
            "text": node_names(scene) if len(scene["x"]) <= 600 else None,
            "hoverinfo": "text" if len(scene["x"]) <= 600 else "skip",
            "showlegend": False,
        }
    )
    return {"data": traces, "layout": map_layout(context)}


def embedding(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What the network makes of each node, flattened; the colour is the true class."""
    scene, place = context.statics["scene"], np.asarray(arrays["place"], np.float32)
    # One step more than there are classes: a node whose class nobody knows is grey.
    marker: dict[str, Any] = {
        "size": node_size(len(place)),
        "opacity": 0.8,
        "color": packed(np.minimum(scene["class"], COLOURS)),
        "colorscale": [
            [(i + edge) / (COLOURS + 1), colour] for i, colour in enumerate((*palette.CLASSES, INK)) for edge in (0, 1)
        ],
        "cmin": -0.5,
        "cmax": COLOURS + 0.5,
    }
    return {
        "data": [
            {
                "type": "scattergl",
                "mode": "markers",
                "x": packed(place[:, 0]),
                "y": packed(place[:, 1]),
                "marker": marker,
                "hoverinfo": "skip",
            }
        ],
        "layout": {
            "xaxis": {"range": [-3.2, 3.2], "showticklabels": False, "zeroline": False},
            "yaxis": {"range": [-3.2, 3.2], "showticklabels": False, "zeroline": False},
            "annotations": [
                note(
                    {
                        "template": N_("two directions that hold {percent} % of the differences"),
                        "values": {"percent": round(100 * float(arrays["share"][0]))},
                    }
                )
            ],
        },
    }


def smoothing(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """From layer to layer: how much joined nodes still differ, and how far any two are apart."""
    layers = np.arange(len(arrays["energy"]))
    kinds = (
        ("energy", N_("joined nodes: Dirichlet energy"), palette.CLASSES[4]),
        ("distance", N_("any two: mean distance"), palette.CLASSES[1]),
    )
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": packed(layers.astype(np.int32)),
                "y": packed(np.maximum(np.asarray(arrays[key], np.float32), 1e-6)),
                "line": {"width": 3, "color": colour},
                "marker": {"size": 7, "color": colour},
                "hoverinfo": "x+y",
            }
            for key, name, colour in kinds
        ],
        "layout": {
            "xaxis": {"title": {"text": N_("layer (0: the features)")}, "dtick": 1 if len(layers) <= 12 else 4},
            "yaxis": {"type": "log", "title": {"text": N_("share of the length")}, "exponentformat": "power"},
            "showlegend": True,
        },
    }


def attention(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The edges along which more or less attention runs in the first layer than an even share, over all edges."""
    scene, strength = context.statics["scene"], np.asarray(arrays["strength"], np.float32) / 64
    place = np.stack([np.asarray(scene["x"]), np.asarray(scene["y"])], axis=1)
    pairs = np.asarray(scene["edges"], np.int64)
    even = edges_of(context) | {"name": N_("about an even share"), "showlegend": True}
    traces = [even]
    for low, high, name, colour, width in (
        (0.0, 0.9, N_("less"), palette.GOOD, 1.5),
        (1.25, 9.0, N_("more"), palette.BAD, 3),
    ):
        ends = place[pairs[:, (strength >= low) & (strength < high)].T]  # (m, 2, 2)
        gaps = np.full((len(ends), 1, 2), np.nan, np.float32)
        line = np.concatenate([ends, gaps], axis=1).reshape(-1, 2).astype(np.float32)  # (3m, 2)
        traces.append(
            {
                "type": "scattergl",
                "mode": "lines",
                "name": name,
                "x": packed(line[:, 0]),
                "y": packed(line[:, 1]),
                "line": {"width": width, "color": colour},
                "hoverinfo": "skip",
            }
        )
    return {"data": traces, "layout": map_layout(context)}


def field(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """From which nodes news reaches the followed one, by the number of edges it has to come."""
    scene, hops = context.statics["scene"], np.asarray(arrays["hops"])
    counts = [int(n) for n in arrays["counts"]]
    reached = hops != 255
    depth = max(len(counts) - 1, 1)
    size = node_size(len(hops))
    sizes = np.where(hops == 0, size + 9, np.where(reached, size + 1, max(size - 3, 2)))
    ramp = palette.RAMPS["sequential"]
    scale = [[i / (len(ramp) - 1), colour] for i, colour in enumerate(reversed(ramp))]
    node = {
        "type": "scattergl",
        "mode": "markers",
        "x": fixed("scene", "x"),
        "y": fixed("scene", "y"),
        "marker": {
            "size": packed(sizes.astype(np.float32)),
            "color": packed(np.where(reached, hops, depth).astype(np.uint8)),
            "opacity": packed(np.where(reached, 1.0, 0.12).astype(np.float32)),
            "colorscale": scale,
            "cmin": 0,
            "cmax": depth,
            "colorbar": {"title": {"text": N_("edges away")}, "dtick": 1 if depth <= 8 else 4},
        },
        "text": node_names(scene) if len(hops) <= 600 else None,
        "hoverinfo": "text" if len(hops) <= 600 else "skip",
    }
    layout = map_layout(context)
    layout["annotations"] = [
        note(
            {
                "template": N_("node {node} hears {heard} of {total} nodes"),
                "values": {
                    "node": node_names(scene)[int(np.flatnonzero(np.asarray(hops) == 0)[0])]
                    if (hops == 0).any()
                    else int(arrays["node"][0]),
                    "heard": sum(counts),
                    "total": int(scene["about"][1]),
                },
            }
        )
    ]
    return {"data": [edges_of(context, "rgba(128,128,128,0.2)"), node], "layout": layout}


def reach(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The same, of a node that a person clicks."""
    figure = field(arrays, context)
    names = node_names(context.statics["scene"])
    figure["data"][1] |= {"customdata": list(range(len(names))), "text": names, "hoverinfo": "text"}
    figure["layout"] |= {"showlegend": False, "margin": {"b": 44}}
    return figure


def confusion(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """True classes down, guessed ones across; the colour is the share of the true class."""
    counts = np.asarray(arrays["counts"])
    names = class_names(context, len(counts))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, "zeroline": False}
    return {
        "data": [
            {
                "type": "heatmap",
                "z": packed(share.astype(np.float32)),
                "text": [[str(n) if n else "" for n in row] for row in counts.tolist()],
                "texttemplate": "%{text}",
                "colorscale": [[0, "rgba(63,144,218,0.03)"], [1, palette.TRAIN]],
                "zmin": 0,
                "zmax": 1,
                "xgap": 1,
                "ygap": 1,
                "showscale": False,
                "hoverinfo": "skip",
            }
        ],
        "layout": {
            "xaxis": {**axis, "title": {"text": N_("guessed class")}},
            "yaxis": {**axis, "title": {"text": N_("true class")}, "autorange": "reversed"},
        },
    }


def class_names(context: Context, classes: int) -> list[str]:
    """Names of the classes, as the publisher of the data gives them, else numbers."""
    from core.data.graphs import SUBJECTS
    from core.data.motifs import CLASSES

    if getattr(context.config, "task", "") == "graphs":
        return list(CLASSES)
    names = SUBJECTS.get(str(getattr(context.config, "data", "")), ())
    return list(names) if len(names) == classes else [str(i + 1) for i in range(classes)]
