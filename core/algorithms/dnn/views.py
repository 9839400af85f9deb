"""Figures of the perceptron's panels, from their snapshots."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.events import Array
from core.experiment import Context
from core.figures import atlas, packed, raster
from core.words import N_

_BARE = {"visible": False, "fixedrange": True}
_INK = "#808080"  # reads on dark and on light


def boundary(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The plane in the colours of the classes, or of the values, under the points; a curve for a single feature."""
    data = context.statics["data"]
    if "curve" in arrays:
        return _curve(arrays["curve"], data)
    extent = [float(v) for v in data["extent"]]
    if "class" in arrays:
        picture = _tinted(arrays["class"], arrays["confidence"])
        scale, low, high = _steps(), -0.5, len(palette.CLASSES) - 0.5
    else:
        picture = raster(arrays["surface"], "diverging", smooth=True)
        scale = [[i / 6, colour] for i, colour in enumerate(palette.RAMPS["diverging"])]
        low, high = (float(v) for v in data["range"])
    flat = float(data["share"][0]) >= 1 - 1e-6
    return {
        "data": [
            _points(data["train"], data["train_y"], N_("train"), "circle", 7, scale, (low, high)),
            _points(data["test"], data["test_y"], N_("test"), "circle-open", 8, scale, (low, high)),
        ],
        "layout": {
            "images": [_placed(picture, extent)],
            "xaxis": {
                "range": extent[:2],
                "title": {"text": N_("x₁") if flat else N_("first principal component")},
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {
                "range": extent[2:],
                "title": {"text": N_("x₂") if flat else N_("second principal component, all others at their mean")},
                "showgrid": False,
                "zeroline": False,
            },
            "showlegend": True,
        },
    }


#: Opacity of a class's colour from a guess at random to certainty: the palest still tells the classes apart.
_PALE, _FULL = 80, 205


def _tinted(guess: Array, confidence: Array) -> dict[str, Any]:
    """The colour of each place's class, the more of it the surer: one byte a place, an index into tints."""
    classes = np.unique(guess)
    tints = 256 // len(classes)
    index = np.searchsorted(classes, guess) * tints + confidence.astype(np.int32) * (tints - 1) // 255
    opacity = np.linspace(_PALE, _FULL, tints).astype(int)
    colours = [f"{palette.CLASSES[c]}{alpha:02x}" for c in classes for alpha in opacity]
    return raster(index.astype(np.uint8), colours, smooth=True)


def _curve(values: Array, data: Mapping[str, Any]) -> dict[str, Any]:
    low, high = float(data["extent"][0]), float(data["extent"][1])
    x = np.linspace(low, high, len(values), dtype=np.float32)
    y = np.concatenate([data["train_y"], data["test_y"]])
    rim = 0.1 * float(y.max() - y.min())
    points = [
        {
            "type": "scattergl",
            "mode": "markers",
            "name": name,
            "x": packed(data[part][:, 0]),
            "y": packed(data[f"{part}_y"]),
            "marker": {"symbol": symbol, "size": 7, "color": colour, "opacity": 0.7},
            "hoverinfo": "x+y",
        }
        for part, name, symbol, colour in (
            ("train", N_("train"), "circle", palette.TRAIN),
            ("test", N_("test"), "circle-open", palette.TEST),
        )
    ]
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": N_("network"),
        "x": packed(x),
        "y": packed(values),
        "line": {"width": 4, "color": palette.BAD},
        "hoverinfo": "x+y",
    }
    return {
        "data": [*points, line],
        "layout": {
            "xaxis": {"range": [low, high], "title": {"text": N_("x")}},
            "yaxis": {"range": [float(y.min()) - rim, float(y.max()) + rim], "title": {"text": N_("y")}},
            "showlegend": True,
        },
    }


def _points(
    places: Array, y: Array, name: str, symbol: str, size: int, scale: list[Any], bounds: tuple[float, float]
) -> dict[str, Any]:
    marker: dict[str, Any] = {
        "symbol": symbol,
        "size": size,
        "color": packed(y),
        "colorscale": scale,
        "cmin": bounds[0],
        "cmax": bounds[1],
    }
    marker["line"] = {"width": 1, "color": "#ffffff"} if symbol == "circle" else {"width": 2}
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "x": packed(places[:, 0]),
        "y": packed(places[:, 1]),
        "marker": marker,
        "hoverinfo": "x+y",
    }


def neurons(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A column of small maps for each layer, joined by the weights: red positive, blue negative, thick strong."""
    widths, shown = [int(n) for n in arrays["widths"]], [int(n) for n in arrays["shown"]]
    tallest = max(shown)
    images, notes = [], []
    for i, (width, n) in enumerate(zip(widths, shown, strict=True)):
        if n:
            maps = arrays[f"maps_{i}"]
            if maps.shape[1] == 1:  # one feature: a line of values, drawn as high as any map
                maps = np.repeat(maps, 9, axis=1)
            strip = atlas(maps, columns=1, gap=max(1, round(maps.shape[1] * (1 / _HIGH - 1))))
            top = _height(0, n, tallest) + _HIGH / 2
            extent = [i - _WIDE / 2, i + _WIDE / 2, top - (n - 1 + _HIGH), top]
            images.append(_placed(raster(strip, "diverging"), extent))
        if width > n:
            notes.append(_note(f"+{width - n}", i, _height(max(n, 1) - 1, max(n, 1), tallest) - 0.75))
    return {
        "data": _links(arrays, shown, tallest),
        "layout": {
            "images": images,
            "annotations": notes,
            "xaxis": {
                "range": [-0.5, len(widths) - 0.5],
                "tickvals": list(range(len(widths))),
                "ticktext": [N_("inputs"), *[str(i) for i in range(1, len(widths) - 1)], N_("outputs")],
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
            "yaxis": {**_BARE, "range": [-0.6 - 0.5, tallest - 0.4]},
        },
    }


#: Width and height of a map where its column and row are 1 apart.
_WIDE, _HIGH = 0.5, 0.9
_STRENGTHS = ((0.1, 0.8), (0.35, 2.0), (0.7, 4.0))  # from this share of the layer's strongest weight: line width

_LINKS = 160  # drawn at the most, the strongest of their layers


def _height(unit: int, units: int, tallest: int) -> float:
    """Where a unit stands in its column, the columns centred on one another."""
    return (tallest - 1) / 2 + (units - 1) / 2 - unit


def _links(arrays: Mapping[str, Any], shown: list[int], tallest: int) -> list[dict[str, Any]]:
    """One line trace for each sign and strength, its segments parted by gaps; the faintest weights are left out."""
    found: list[tuple[float, bool, int, int, int]] = []
    for i in range(len(shown) - 1):
        if f"weights_{i}" in arrays:
            W = np.nan_to_num(np.asarray(arrays[f"weights_{i}"], np.float32))
            strength = np.abs(W) / max(float(np.abs(W).max()), 1e-12)
            for to, start in np.argwhere(strength >= _STRENGTHS[0][0]):
                found.append((float(strength[to, start]), bool(W[to, start] > 0), i, int(start), int(to)))
    buckets: dict[tuple[int, bool], tuple[list[float], list[float]]] = {}
    for share, positive, i, start, to in sorted(found, reverse=True)[:_LINKS]:
        level = sum(share >= least for least, _ in _STRENGTHS) - 1
        x, y = buckets.setdefault((level, positive), ([], []))
        x += [i + _WIDE / 2, i + 1 - _WIDE / 2, np.nan]
        y += [_height(start, shown[i], tallest), _height(to, shown[i + 1], tallest), np.nan]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": packed(np.array(x, np.float32)),
            "y": packed(np.array(y, np.float32)),
            "line": {"width": _STRENGTHS[level][1], "color": palette.RAMPS["diverging"][-1 if positive else 0]},
            "opacity": 0.75,
            "hoverinfo": "skip",
        }
        for (level, positive), (x, y) in sorted(buckets.items())
    ]


def activations(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A ridge for each layer, how often its units take a value; beside it the shares that are dead and saturated."""
    share = np.asarray(arrays["share"], np.float32)
    low, high = (float(v) for v in arrays["range"])
    layers, bins = share.shape
    linear = not len(arrays["dead"])  # no hidden layer: these are the outputs
    edges = np.linspace(low, high, bins + 1)
    middles = ((edges[1:] + edges[:-1]) / 2).astype(np.float32)
    x = np.concatenate([[low], middles, [high]]).astype(np.float32)
    ridges = []
    for i in range(layers - 1, -1, -1):  # the upper ones first, so that a lower one stands in front
        # The square root keeps the rest of a layer visible beside the spike of a dead or saturated one.
        height = np.sqrt(share[i] / max(float(share[i].max()), 1e-9))
        ridges.append(
            {
                "type": "scatter",
                "mode": "lines",
                "fill": "toself",
                "x": packed(x),
                "y": packed(np.concatenate([[i + 1.0], i + 1.0 + 0.9 * height, [i + 1.0]]).astype(np.float32)),
                "line": {"width": 1.5, "color": palette.TRAIN},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    places = [i + 1.3 for i in range(len(arrays["dead"]))]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": packed(np.asarray(arrays[key], np.float32)),
            "y": places,
            "xaxis": "x2",
            "width": 0.28,
            "offset": offset,
            "marker": {"color": colour},
        }
        for key, name, colour, offset in (
            ("dead", N_("dead units"), palette.BAD, -0.28),
            ("saturated", N_("flat activations"), palette.CLASSES[3], 0.02),
        )
    ]
    return {
        "data": ridges if linear else ridges + bars,
        "layout": {
            "xaxis": {
                "domain": [0, 1 if linear else 0.62],
                "title": {"text": N_("outputs") if linear else N_("activation")},
                "range": [low, high],
            },
            "xaxis2": {
                "domain": [0.68, 1],
                "title": {"text": N_("share")},
                "range": [0, 1],
                "tickformat": ".0%",
                "tickvals": [0.5, 1],
                "anchor": "y",
                "visible": not linear,
            },
            "yaxis": {
                "title": {"text": "" if linear else N_("layer")},
                "showticklabels": not linear,
                "tickvals": [i + 1 for i in range(layers)],
                "range": [0.8, layers + 1.1],
                "zeroline": False,
            },
            "showlegend": True,
        },
    }


def confusion(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """True classes down, guessed ones across; the colour is the share of the true class."""
    counts = np.asarray(arrays["counts"])
    names = class_names(str(getattr(context.config, "data", "")), len(counts))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
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
            "xaxis": {
                "title": {"text": N_("guessed class")},
                "tickvals": list(range(len(names))),
                "ticktext": names,
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {
                "title": {"text": N_("true class")},
                "tickvals": list(range(len(names))),
                "ticktext": names,
                "autorange": "reversed",
                "showgrid": False,
                "zeroline": False,
            },
        },
    }


_ACROSS = 8


def mistakes(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Test images taken for another class, one picture; under each its true class → the guess."""
    images, wrong = np.asarray(arrays["images"]), [int(n) for n in arrays["wrong"]]
    layout: dict[str, Any] = {
        "xaxis": {**_BARE, "range": [0, _ACROSS]},
        "yaxis": {**_BARE, "range": [3 * 1.35, -0.1]},
        "annotations": [
            {
                "text": {
                    "template": N_("{wrong} of {seen} test images are mistaken"),
                    "values": {"wrong": wrong[0], "seen": wrong[1]},
                },
                "xref": "paper",
                "yref": "paper",
                "x": 0.5,
                "y": 1.0,
                "yanchor": "bottom",
                "showarrow": False,
            }
        ],
        "margin": {"t": 32},
    }
    if not len(images):
        return {"data": [], "layout": layout}
    names = class_names(str(getattr(context.config, "data", "")), 10)
    # A row of pictures is 1 high, and 0.35 are left under it for their labels.
    layout["images"] = []
    for row, start in enumerate(range(0, len(images), _ACROSS)):
        strip = np.concatenate(images[start : start + _ACROSS], axis=1)
        extent = [0, len(images[start : start + _ACROSS]), 1.35 * row + 1, 1.35 * row]
        layout["images"].append(_placed(raster(strip, "grey"), extent))
    labels = {
        "type": "scatter",
        "mode": "text",
        "x": [i % _ACROSS + 0.5 for i in range(len(images))],
        "y": [i // _ACROSS * 1.35 + 1.16 for i in range(len(images))],
        "text": [f"{names[t]} → {names[g]}" for t, g in zip(arrays["true"], arrays["guessed"], strict=True)],
        "hoverinfo": "skip",
    }
    return {"data": [labels], "layout": layout}


def class_names(data: str, classes: int) -> list[str]:
    """Names of a data set's classes, as its publisher gives them."""
    from core.data.images import PUBLISHED
    from core.data.tabular import TABLES

    if data in PUBLISHED:
        return list(PUBLISHED[data].classes)
    if data in TABLES and TABLES[data].classes:
        return list(TABLES[data].classes)
    return [str(i) for i in range(classes)]


def _placed(picture: dict[str, Any], extent: list[float]) -> dict[str, Any]:
    """A raster over (left, right, bottom, top) of the axes, under the traces."""
    left, right, bottom, top = extent
    return {
        "source": picture,
        "xref": "x",
        "yref": "y",
        "x": left,
        "y": top,
        "sizex": right - left,
        "sizey": abs(top - bottom),
        "sizing": "stretch",
        "layer": "below",
    }


def _note(text: str, x: float, y: float) -> dict[str, Any]:
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": {"color": _INK}}


def _steps() -> list[list[Any]]:
    """The class colours as a colour scale in steps, class 0 at its low end."""
    n = len(palette.CLASSES)
    return [[(i + edge) / n, colour] for i, colour in enumerate(palette.CLASSES) for edge in (0, 1)]
