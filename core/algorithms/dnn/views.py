"""Figures of the perceptron's panels, from their snapshots."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.events import Array
from core.experiment import Context
from core.figures import (
    Figure,
    Trace,
    atlas,
    axis,
    bars,
    confusion_matrix,
    distribution,
    figure,
    hidden_axis,
    line,
    misclassified_images,
    placed_image,
    placed_text,
    points,
    raster,
    segments,
)
from core.words import N_

#: Name in the legend, symbol and colour of both parts of the data.
_PARTS = {"train": (N_("train"), "circle", palette.TRAIN), "test": (N_("test"), "circle-open", palette.TEST)}

#: Opacity of a class's colour from a guess at random to certainty: the palest still tells the classes apart.
_PALE, _FULL = 80, 205

#: Width and height of a unit's map where its column and row are 1 apart.
_WIDE, _HIGH = 0.5, 0.9
#: From which share of the layer's strongest weight a weight is drawn in which width, in pixels.
_STRENGTHS = ((0.1, 0.8), (0.35, 2.0), (0.7, 4.0))
#: Weights drawn at the most, the strongest of their layers.
_WEIGHTS = 160


def boundary(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The plane in the colours of the classes, or of the values, under the points; a curve for a single feature."""
    data = context.statics["data"]
    if "curve" in arrays:
        return _curve(arrays["curve"], data)
    if "class" in arrays:
        image, scale, limits = _tinted(arrays["class"], arrays["confidence"]), "classes", None
    else:
        image, scale, limits = raster(arrays["surface"], "diverging", smooth=True), "diverging", data["range"].tolist()
    coloured: dict[str, Any] = {"scale": scale, "limits": limits, "webgl": True}
    traces = [
        points(*data[part].T, colour=data[f"{part}_y"], name=name, symbol=symbol, size=size, outline=width, **coloured)
        for (part, (name, symbol, _)), size, width in zip(_PARTS.items(), (7, 8), (1, 2), strict=True)
    ]
    extent = data["extent"]
    flat = float(data["share"][0]) >= 1 - 1e-6
    x = N_("x₁") if flat else N_("first principal component")
    y = N_("x₂") if flat else N_("second principal component, all others at their mean")
    return figure(
        traces,
        axis(x, extent[:2], grid=False),
        axis(y, extent[2:], grid=False),
        images=[placed_image(image, extent)],
        legend=True,
    )


def _tinted(guess: Array, confidence: Array) -> dict[str, Any]:
    """The colour of each place's class, the more of it the surer: one byte a place, an index into tints."""
    classes = np.unique(guess)
    tints = 256 // len(classes)
    index = np.searchsorted(classes, guess) * tints + confidence.astype(np.int32) * (tints - 1) // 255
    opacity = np.linspace(_PALE, _FULL, tints).astype(int)
    colours = [f"{palette.CLASSES[c]}{alpha:02x}" for c in classes for alpha in opacity]
    return raster(index.astype(np.uint8), colours, smooth=True)


def _curve(values: Array, data: Mapping[str, Any]) -> Figure:
    low, high = data["extent"][:2].tolist()
    traces = [
        points(data[part][:, 0], data[f"{part}_y"], name=name, symbol=symbol, colour=colour, opacity=0.7, webgl=True)
        for part, (name, symbol, colour) in _PARTS.items()
    ]
    x = np.linspace(low, high, len(values))
    traces.append(line(x, values, name=N_("network"), colour=palette.BAD, width=4, hover="x+y"))
    y = np.concatenate([data["train_y"], data["test_y"]])
    rim = 0.1 * float(y.max() - y.min())
    return figure(traces, axis(N_("x"), (low, high)), axis(N_("y"), (y.min() - rim, y.max() + rim)), legend=True)


def neurons(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A column of small maps for each layer, joined by the weights: red positive, blue negative, thick strong."""
    widths, shown = arrays["widths"].tolist(), arrays["shown"].tolist()
    tallest = max(shown)
    images, annotations = [], []
    for i, (width, n) in enumerate(zip(widths, shown, strict=True)):
        if n:
            maps = arrays[f"maps_{i}"]
            if maps.shape[1] == 1:  # one feature: a line of values, drawn as high as any map
                maps = np.repeat(maps, 9, axis=1)
            strip = atlas(maps, columns=1, gap=max(1, round(maps.shape[1] * (1 / _HIGH - 1))))
            top = _height(0, n, tallest) + _HIGH / 2
            extent = (i - _WIDE / 2, i + _WIDE / 2, top - (n - 1 + _HIGH), top)
            images.append(placed_image(raster(strip, "diverging"), extent))
        if width > n:
            below = _height(max(n, 1) - 1, max(n, 1), tallest) - 0.75
            annotations.append(placed_text(f"+{width - n}", i, below, colour=palette.INK))
    names = [N_("inputs"), *[str(i) for i in range(1, len(widths) - 1)], N_("outputs")]
    return figure(
        _weights(arrays, shown, tallest),
        axis(limits=(-0.5, len(widths) - 0.5), names=names, grid=False, zoom=False),
        hidden_axis(-1.1, tallest - 0.4),
        images=images,
        annotations=annotations,
    )


def _height(unit: int, units: int, tallest: int) -> float:
    """Where a unit stands in its column, the columns centred on one another."""
    return (tallest - 1) / 2 + (units - 1) / 2 - unit


def _weights(arrays: Mapping[str, Any], shown: list[int], tallest: int) -> list[Trace]:
    """One trace for each sign and strength; the faintest weights are left out."""
    found: list[tuple[float, bool, int, int, int]] = []
    for i in range(len(shown) - 1):
        if f"weights_{i}" in arrays:
            W = np.nan_to_num(np.asarray(arrays[f"weights_{i}"], np.float32))
            strength = np.abs(W) / max(float(np.abs(W).max()), 1e-12)
            for to, start in np.argwhere(strength >= _STRENGTHS[0][0]).tolist():
                found.append((float(strength[to, start]), bool(W[to, start] > 0), i, start, to))
    groups: dict[tuple[int, bool], list[Any]] = {}
    for share, positive, i, start, to in sorted(found, reverse=True)[:_WEIGHTS]:
        level = sum(share >= least for least, _ in _STRENGTHS) - 1
        left = (i + _WIDE / 2, _height(start, shown[i], tallest))
        right = (i + 1 - _WIDE / 2, _height(to, shown[i + 1], tallest))
        groups.setdefault((level, positive), []).append((left, right))
    colours = palette.RAMPS["diverging"]
    return [
        segments(np.array(ends), width=_STRENGTHS[level][1], colour=colours[-1 if positive else 0], opacity=0.75)
        for (level, positive), ends in sorted(groups.items())
    ]


def activations(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A ridge for each layer, how often its units take a value; beside it the shares that are dead and saturated."""
    share = np.asarray(arrays["share"], np.float32)
    limits = arrays["range"].tolist()
    layers, dead = len(share), arrays["dead"]
    # The square root keeps the rest of a layer visible beside the spike of a dead or saturated one.
    heights = 0.9 * np.sqrt(share / np.maximum(share.max(axis=1, keepdims=True), 1e-9))
    ridges = [  # the upper ones first, so that a lower one stands in front
        distribution(heights[i], *limits, base=i + 1, colour=palette.TRAIN, width=1.5) for i in reversed(range(layers))
    ]
    if not len(dead):  # no hidden layer: these are the outputs
        return figure(ridges, axis(N_("outputs"), limits), axis(limits=(0.8, 2.1), names={1: ""}, zeroline=False))
    places = [i + 1.3 for i in range(len(dead))]
    shares = [
        bars(values, places, name=name, colour=colour, horizontal=True, xaxis="x2", width=0.28, offset=offset)
        for values, name, colour, offset in (
            (dead, N_("dead units"), palette.BAD, -0.28),
            (arrays["saturated"], N_("flat activations"), palette.CLASSES[3], 0.02),
        )
    ]
    return figure(
        ridges + shares,
        axis(N_("activation"), limits, domain=[0, 0.62]),
        axis(N_("layer"), (0.8, layers + 1.1), tickvals=list(range(1, layers + 1)), zeroline=False),
        xaxis2=axis(N_("share"), (0, 1), domain=[0.68, 1], anchor="y", tickformat=".0%", tickvals=[0.5, 1]),
        legend=True,
    )


def confusion(arrays: Mapping[str, Any], context: Context) -> Figure:
    """True classes against predicted ones, counted on test data."""
    return confusion_matrix(arrays["counts"], class_names(context, len(arrays["counts"])))


def mistakes(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Misclassified test images; under each its true class → the predicted one."""
    return misclassified_images(arrays, class_names(context, 10))


def class_names(context: Context, classes: int) -> list[str]:
    """Names of a data set's classes, as its publisher gives them, else numbers."""
    from core.data.images import PUBLISHED
    from core.data.tabular import TABLES

    data = str(getattr(context.config, "data", ""))
    if data in PUBLISHED:
        return list(PUBLISHED[data].classes)
    if data in TABLES and TABLES[data].classes:
        return list(TABLES[data].classes)
    return [str(i) for i in range(classes)]
