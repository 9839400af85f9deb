"""Figures of the graph networks' panels and probes, from their snapshots.

A map of nodes names what never changes, such as positions and edges, instead of carrying it: they are the arrays of
``"scene"`` at step 0.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.data import graphs, motifs
from core.experiment import Context
from core.figures import (
    Figure,
    Trace,
    axis,
    bars,
    confusion_matrix,
    figure,
    footnote,
    hidden_axis,
    line,
    placed_image,
    placed_text,
    points,
    segments,
    static_array,
    text_lines,
)
from core.palette import BAD, GOOD, INK
from core.words import N_

#: Nodes of a map beyond which it does not show their names: text for each makes a frame large.
_NAMED = 600
#: The class of a node whose class is unknown, and the hop of one that no message comes from.
_NONE = 255


def graph(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The graph, each node in the colour of its predicted class, a cross where that is wrong; for links, the edges
    held out, found or missed."""
    if "counts" in arrays:
        return _links(arrays, context)
    scene = context.statics["scene"]
    predicted, truth = arrays["predicted"], scene["class"]
    wrong = (truth != _NONE) & (truth != predicted)
    size = _node_size(scene)
    coloured: dict[str, Any] = {"colour": predicted, "scale": "classes", "opacity": 1, "outline": 0}
    hover: dict[str, Any] = {}
    if len(truth) <= _NAMED:
        rows = zip(_node_names(scene), predicted.tolist(), arrays["percent"].tolist(), strict=True)
        hover = {"hover": "text", "text": [f"{name} → {c + 1} ({percent} %)" for name, c, percent in rows]}
    marked = N_("the motif") if _of_graphs(context) else N_("training node")
    traces = [
        _edges(scene),
        _nodes(size=np.where(wrong, 0, size).astype(np.float32), **coloured, **hover),
        _nodes(size=np.where(wrong, size, 0).astype(np.float32), symbol="x", **coloured),
        _nodes("mark_x", "mark_y", size=size + 7, symbol="circle-open", colour=INK, outline=2.5, name=marked),
    ]
    return _map(traces, context)


def _links(arrays: Mapping[str, Any], context: Context) -> Figure:
    scene = context.statics["scene"]
    kinds = (
        ("found", N_("held out, found"), GOOD, ""),
        ("missed", N_("held out, missed"), BAD, ""),
        ("false", N_("no edge, predicted as one"), palette.TEST, "dot"),
    )
    pairs = [
        line(arrays[f"{kind}_x"], arrays[f"{kind}_y"], name=name, colour=colour, dash=dash, webgl=True)
        for kind, name, colour, dash in kinds
    ]
    nodes = _nodes(size=_node_size(scene), colour=INK, **_names_on_hover(scene))
    return _map([_edges(scene), *pairs, nodes], context)


def embedding(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The network's representation of each node in two dimensions; the colour is the true class."""
    scene = context.statics["scene"]
    known, size = scene["class"] != _NONE, _node_size(scene)
    common: dict[str, Any] = {"opacity": 0.8, "hover": "skip", "webgl": True}
    nodes = [points(*arrays["place"][known].T, size=size, colour=scene["class"][known], scale="classes", **common)]
    if not known.all():
        nodes.insert(0, points(*arrays["place"][~known].T, size=size, colour=INK, **common))
    plain = axis(limits=(-3.2, 3.2), showticklabels=False, zeroline=False)
    held = {
        "template": N_("two directions that hold {percent} % of the variance"),
        "values": {"percent": round(100 * float(arrays["share"][0]))},
    }
    return figure(nodes, plain, plain, annotations=[footnote(held)])


def smoothing(arrays: Mapping[str, Any], context: Context) -> Figure:
    """From layer to layer: how much joined nodes still differ, and how far any two are apart."""
    layers = np.arange(len(arrays["energy"]))
    kinds = (
        ("energy", N_("joined nodes: Dirichlet energy"), palette.CLASSES[4]),
        ("distance", N_("any two: mean distance"), palette.CLASSES[1]),
    )
    traces = [
        line(layers, np.maximum(arrays[kind], 1e-6), name=name, colour=colour, width=3, markers=7, hover="x+y")
        for kind, name, colour in kinds
    ]
    x = axis(N_("layer (0: the features)"), dtick=1 if len(layers) <= 12 else 4)
    return figure(traces, x, axis(N_("share of the length"), log=True, exponentformat="power"), legend=True)


def attention(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The edges that have more or less attention in the first layer than an even share, over all edges."""
    scene, strength = context.statics["scene"], np.asarray(arrays["strength"], np.float32) / 64
    ends = np.stack([scene["x"], scene["y"]], axis=1)[scene["edges"].astype(np.int64).T]  # (edges, 2, 2)
    less, more = strength < 0.9, (strength >= 1.25) & (strength < 9)
    traces = [
        _edges(scene, name=N_("about an even share")),
        segments(ends[less], name=N_("less"), colour=GOOD, width=1.5, webgl=True),
        segments(ends[more], name=N_("more"), colour=BAD, width=3, webgl=True),
    ]
    return _map(traces, context)


def receptive_field(arrays: Mapping[str, Any], context: Context) -> Figure:
    """From which nodes messages reach the chosen one, by the number of edges they come along."""
    scene, hops, counts = context.statics["scene"], arrays["hops"], arrays["counts"]
    reached, depth = hops != _NONE, max(len(counts) - 1, 1)
    size = _node_size(scene)
    sizes = np.where(hops == 0, size + 9, np.where(reached, size + 1, max(size - 3, 2)))
    nodes = _nodes(
        size=sizes.astype(np.float32),
        colour=np.where(reached, hops, depth).astype(np.uint8),
        opacity=np.where(reached, 1.0, 0.12),
        scale=palette.colour_scale("sequential", reverse=True),
        limits=(0, depth),
        colour_bar={"title": {"text": N_("edges away")}, "dtick": 1 if depth <= 8 else 4},
        **_names_on_hover(scene),
    )
    (chosen,) = np.flatnonzero(hops == 0)[:1].tolist() or [None]
    values = {
        "node": int(arrays["node"][0]) if chosen is None else _node_names(scene)[chosen],
        "reached": int(counts.sum()),
        "total": int(scene["about"][1]),
    }
    received = {"template": N_("node {node} receives messages from {reached} of {total} nodes"), "values": values}
    edges = _edges(scene, colour=palette.faded(INK, 0.2))
    return _map([edges, nodes], context, annotations=[footnote(received)], legend=False)


def clicked_receptive_field(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The same, of a node that a person clicks."""
    chart = receptive_field(arrays, context)
    names = _node_names(context.statics["scene"])
    chart["data"][1] |= {"customdata": list(range(len(names))), "text": names, "hoverinfo": "text"}
    chart["layout"]["margin"] = {"b": 44}
    return chart


def graph_editor(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The graph as it was edited, in the colours of the classes predicted now; beside it the probabilities of the
    chosen node."""
    scene = context.statics["scene"]
    x, y, names = scene["x"], scene["y"], _node_names(scene)
    cursor, chosen = arrays["at"].tolist()
    size = _node_size(scene) + 2
    edited = [
        line(arrays[f"{kind}_x"], arrays[f"{kind}_y"], name=name, colour=colour, width=4, dash=dash, webgl=True)
        for kind, name, colour, dash in (
            ("added", N_("edge added"), GOOD, ""),
            ("removed", N_("edge removed"), BAD, "dot"),
        )
    ]
    clickable: dict[str, Any] = {"customdata": list(range(len(x))), "text": names, "hover": "text"}
    nodes = _nodes(size=size, colour=arrays["after"], scale="classes", **clickable)
    # Drawn even where there is none, so that the legend keeps its place.
    rings: tuple[tuple[str, Any, str, str, int], ...] = (
        (N_("now another class"), np.flatnonzero(arrays["after"] != arrays["before"]), "circle-open", BAD, 9),
        (N_("without features"), arrays["without_features"], "square-open", INK, 9),
        (N_("chosen"), [chosen] if chosen >= 0 else [], "diamond-open", palette.CLASSES[4], 15),
        (N_("here"), [cursor], "circle-open-dot", INK, 15),
    )
    ringed = []
    for name, rows, symbol, colour, more in rings:
        at = np.asarray(rows, np.int64)
        ring: dict[str, Any] = {"symbol": symbol, "colour": colour, "size": size + more, "outline": 3}
        ringed.append(points(x[at], y[at], name=name, hover="skip", webgl=True, **ring))
    classes = _class_names(context, arrays["shares"].shape[1])
    beside: dict[str, Any] = {"horizontal": True, "xaxis": "x2", "yaxis": "y2", "hover": "skip"}
    probabilities = [
        bars(shares, classes, name=name, colour=colour, **beside)
        for shares, name, colour in zip(
            arrays["shares"], (N_("before"), N_("after")), (INK, palette.TRAIN), strict=True
        )
    ]
    moved = {
        "template": N_("{moved} nodes now have another predicted class"),
        "values": {"moved": int(arrays["moved"][0])},
    }
    about = {"template": N_("node {node}"), "values": {"node": names[chosen if chosen >= 0 else cursor]}}
    title = placed_text(about, 0.89, 0.9, paper=True, xanchor="center", yanchor="bottom", colour=INK)
    chart = _map(
        [_edges(scene), *edited, nodes, *ringed, *probabilities],
        context,
        annotations=[footnote(moved, x=0.33), title],
        xaxis2=axis(N_("probability"), (0, 1), domain=[0.78, 1], anchor="y2"),
        yaxis2=axis(reverse=True, type="category", domain=[0.1, 0.88], anchor="x2"),
        barmode="group",
        margin={"b": 44},
    )
    chart["layout"]["xaxis"]["domain"] = [0, 0.66]
    return chart


def confusion(arrays: Mapping[str, Any], context: Context) -> Figure:
    """True classes against predicted ones, counted on the test part."""
    return confusion_matrix(arrays["counts"], _class_names(context, len(arrays["counts"])))


def _map(traces: list[Trace], context: Context, *, legend: bool = True, **layout: Any) -> Figure:
    """A map of nodes; where not all of them are drawn, a footnote says which unless there are other annotations."""
    scene = context.statics["scene"]
    (left, right), (bottom, top) = ((float(scene[name].min()), float(scene[name].max())) for name in ("x", "y"))
    rims = 0.05 * (right - left) + 1e-3, 0.05 * (top - bottom) + 1e-3
    x = hidden_axis(left - rims[0], right + rims[0], zoom=True)
    y = hidden_axis(bottom - rims[1], top + rims[1], zoom=True)
    if "edge_png" in scene:
        layout["images"] = [placed_image(static_array("scene", "edge_png"), (left, right, bottom, top))]
    shown, total = scene["about"].tolist()
    if shown < total and not _of_graphs(context):
        text = N_("{shown} of {total} nodes: the neighbourhood of the one with the most edges")
        part = footnote({"template": text, "values": {"shown": shown, "total": total}})
        layout = {"annotations": [part]} | layout
    return figure(traces, x, y, legend=legend, **layout)


def _edges(scene: Mapping[str, Any], colour: str = palette.faded(INK, 0.28), **more: Any) -> Trace:
    """All drawn edges, one trace; an empty one where they are many and :func:`_map` has an image of them."""
    x, y = ([], []) if "edge_png" in scene else (static_array("scene", "edge_x"), static_array("scene", "edge_y"))
    return line(x, y, colour=colour, width=1, webgl=True, **more)


def _nodes(x: str = "x", y: str = "y", *, hover: str = "skip", **marks: Any) -> Trace:
    """A marker for each drawn node; ``x`` and ``y`` name arrays of the scene."""
    return points(static_array("scene", x), static_array("scene", y), hover=hover, webgl=True, **marks)


def _names_on_hover(scene: Mapping[str, Any]) -> dict[str, Any]:
    return {"hover": "text", "text": _node_names(scene)} if len(scene["x"]) <= _NAMED else {}


def _node_size(scene: Mapping[str, Any]) -> int:
    """Diameter of a node in pixels: the fewer there are, the larger."""
    return int(np.clip(160 / np.sqrt(max(len(scene["x"]), 1)), 5, 16))


def _node_names(scene: Mapping[str, Any]) -> list[str]:
    """What each drawn node is called: its name, else its number."""
    if "names" in scene:
        return text_lines(scene["names"])
    return [str(number) for number in scene["number"].tolist()]


def _of_graphs(context: Context) -> bool:
    """Whether it is graphs that are classified, so that the map shows many."""
    return getattr(context.config, "task", "") == "graphs"


def _class_names(context: Context, classes: int) -> list[str]:
    """Names of the classes, as the publisher of the data gives them, else numbers."""
    if _of_graphs(context):
        return list(motifs.CLASSES)
    names = graphs.SUBJECTS.get(str(getattr(context.config, "data", "")), ())
    return list(names) if len(names) == classes else [str(i + 1) for i in range(classes)]
