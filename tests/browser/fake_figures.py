"""Data shaped like the DNN's, made up from formulas: the figures of its panels and the curves of its metrics."""

import math
from typing import Any

import numpy as np

from core.drawn_picture import ink
from core.figures import atlas, packed, quantised, raster

STEPS = 2000
FRAMES = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 500, 610, 800, 987, 1200, 1400, 1597, 1800, 2000]


def spiral(n: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Points of two spirals (2 n, 2) and their classes."""
    angle = np.sqrt(np.linspace(0.02, 1, n)) * 3.2
    arms = [np.stack([angle * np.sin(angle * 2 + k * np.pi), angle * np.cos(angle * 2 + k * np.pi)], 1) for k in (0, 1)]
    points = np.concatenate(arms) + np.random.default_rng(1).normal(0, 0.09, (2 * n, 2))
    return points.astype(np.float32), np.repeat([0, 1], n)


POINTS, LABELS = spiral()


def boundary(step: int) -> dict[str, Any]:
    """A boundary that bends from a line into the spiral as the steps go."""
    share = min(1.0, math.log1p(step) / math.log1p(STEPS))
    axis = np.linspace(-4, 4, 64, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    radius, angle = np.hypot(x, y), np.arctan2(x, y)
    z = (1 - share) * np.tanh(x + 0.4 * y) + share * np.tanh(3 * np.cos(angle - 2 * radius))
    dots = [
        {
            "type": "scattergl",
            "mode": "markers",
            "name": f"class {k}",
            "x": packed(POINTS[k == LABELS, 0]),
            "y": packed(POINTS[k == LABELS, 1]),
            "marker": {"size": 8, "color": colour, "line": {"width": 1, "color": "white"}},
        }
        for k, colour in enumerate(("#3f90da", "#ffa90e"))
    ]
    heat = {
        "type": "heatmap",
        "z": packed(quantised(z, -1, 1)),
        "x": packed(axis),
        "y": packed(axis),
        "zmin": 0,
        "zmax": 255,
        "showscale": False,
        "zsmooth": "fast",
        "hoverinfo": "skip",
        "colorscale": [[0, "#3f90da"], [0.5, "#f7f7f7"], [1, "#ffa90e"]],
        "opacity": 0.75,
    }
    axes = {"range": [-4, 4], "zeroline": False, "constrain": "domain"}
    return {
        "data": [heat, *dots],
        "layout": {"xaxis": {**axes, "title": "x₁"}, "yaxis": {**axes, "title": "x₂", "scaleanchor": "x"}},
    }


def neurons(step: int) -> dict[str, Any]:
    """Two layers of eight small maps as one raster, links between them as one line trace."""
    axis = np.linspace(-1, 1, 20)
    x, y = np.meshgrid(axis, axis)
    share = min(1.0, step / 900)
    maps = np.stack([np.tanh(4 * (x * math.cos(k + share) + y * math.sin(k * 1.7) + share * x * y)) for k in range(16)])
    image = atlas(quantised(maps, -1, 1), 8, gap=8)
    links_x: list[float | None] = []
    links_y: list[float | None] = []
    for a in range(8):
        for b in range(8):
            links_x += [a + 0.5, b + 0.5, None]
            links_y += [0.56, 0.44, None]
    return {
        "data": [
            {"type": "scatter", "mode": "lines", "x": links_x, "y": links_y, "line": {"width": 0.7, "color": "#94a4a2"}}
        ],
        "layout": {
            "xaxis": {"visible": False, "range": [0, 8]},
            "yaxis": {"visible": False, "range": [0, 1]},
            "images": [
                {
                    "source": raster(image, "diverging"),
                    "xref": "x",
                    "yref": "y",
                    "x": 0,
                    "y": 1,
                    "sizex": 8,
                    "sizey": 1,
                    "sizing": "stretch",
                    "layer": "above",
                }
            ],
        },
    }


def activations(step: int) -> dict[str, Any]:
    """Bars of a histogram."""
    edges = np.linspace(-1, 1, 24, dtype=np.float32)
    height = np.exp(-((edges - 0.4 * math.sin(step / 300)) ** 2) * 6).astype(np.float32)
    bars = {"type": "bar", "name": "layer 1", "x": packed(edges), "y": packed(height), "marker": {"color": "#3f90da"}}
    return {"data": [bars], "layout": {"bargap": 0.05, "xaxis": {"title": "activation"}, "yaxis": {"title": "share"}}}


def confusion(step: int) -> dict[str, Any]:
    """A small matrix with its counts."""
    good = int(80 + 70 * min(1, step / STEPS))
    z = np.array([[good, 150 - good], [150 - good, good]], dtype=np.int32)
    return {
        "data": [
            {
                "type": "heatmap",
                "z": packed(z),
                "customdata": packed(np.arange(10, 14, dtype=np.int32).reshape(2, 2)),
                "text": [[str(v) for v in row] for row in z],
                "texttemplate": "%{text}",
                "colorscale": "Blues",
                "showscale": False,
            }
        ],
        "layout": {
            "xaxis": {"title": "predicted", "tickvals": [0, 1], "ticktext": ["0", "1"], "constrain": "domain"},
            "yaxis": {
                "title": "true",
                "tickvals": [0, 1],
                "ticktext": ["0", "1"],
                "autorange": "reversed",
                "scaleanchor": "x",
            },
        },
    }


def answered(request: dict[str, Any]) -> dict[str, Any]:
    """A bar as high as the request's x."""
    bar = {"type": "bar", "x": ["x"], "y": [request.get("x", 0)], "customdata": [7]}
    return {"data": [bar], "layout": {"yaxis": {"range": [-1, 1]}}}


def recognised(request: dict[str, Any]) -> dict[str, Any]:
    """Ten shares, each by the ink in a few rows of the drawing; all alike without a drawing."""
    cells = ink(request.get("drawing", ""), 56).astype(np.float32)
    rows = np.array([part.mean() for part in np.array_split(cells, 10)]) / 40
    share = np.exp(rows) / np.exp(rows).sum()
    bars = {"type": "bar", "orientation": "h", "x": packed(share.astype(np.float32)), "y": list(range(10))}
    axes = {"xaxis": {"range": [0, 1], "title": "probability", "tickformat": ".0%"}, "yaxis": {"dtick": 1}}
    return {"data": [bars | {"marker": {"color": "#3f90da"}}], "layout": axes}


def placed(request: dict[str, Any]) -> dict[str, Any]:
    """A point where the request says, on axes of which one runs downwards."""
    dot = {"type": "scatter", "mode": "markers", "x": [request.get("px", 0)], "y": [request.get("py", 0)]}
    axes = {"xaxis": {"range": [-2, 6], "title": "z₁"}, "yaxis": {"range": [10, 0], "title": "z₂"}}
    return {"data": [dot | {"marker": {"size": 18, "color": "#bd1f01"}}], "layout": axes}


def surfaces(request: dict[str, Any]) -> dict[str, Any]:
    """Two surfaces side by side, each with its name over it."""
    traces, notes, scenes = [], [], {}
    for i, name in enumerate(("first", "second")):
        scene = f"scene{i + 1 if i else ''}"
        traces.append({"type": "surface", "z": [[0, 1], [1, i]], "scene": scene, "showscale": False})
        scenes[scene] = {"domain": {"x": [i / 2, (i + 1) / 2], "y": [0, 1]}}
        over = {"x": (i + 0.5) / 2, "y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom", "showarrow": False}
        notes.append(over | {"text": name})
    return {"data": traces, "layout": scenes | {"annotations": notes, "margin": {"t": 32}}}


ANSWERS = {"surfaces": surfaces, "ask": answered, "draw": recognised, "place": placed}

FIGURES = {"boundary": boundary, "neurons": neurons, "activations": activations, "confusion": confusion}


def metric(name: str, step: int) -> float:
    """A number such as a training logs."""
    noise = math.sin(step * 12.9898 + len(name)) * 0.02
    if name.endswith("/loss"):
        return 0.05 + 0.65 * math.exp(-step / 420) + noise * 0.6 + (0.04 if name.startswith("test") else 0)
    if name.endswith("/accuracy"):
        return min(1.0, 0.99 - 0.5 * math.exp(-step / 380) + noise - (0.03 if name.startswith("test") else 0))
    layer = int(name.rsplit("_", 1)[1])
    return 10 ** (-0.5 - (4 - layer) * 0.55 - step / 2400 + noise * 4)


METRICS = ["train/loss", "test/loss", "train/accuracy", "test/accuracy", *(f"gradient/layer_{k}" for k in (1, 2, 3))]


def points(low: int, high: int) -> dict[str, list[list[float]]]:
    """Curves of the steps low < step <= high, every tenth."""
    xs = [s for s in range(low + 1, high + 1) if s % 10 == 0]
    return {name: [xs, [metric(name, s) for s in xs]] for name in METRICS} if xs else {}
