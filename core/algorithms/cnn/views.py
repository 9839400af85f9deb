"""Figures of the convolutional network's panels and probes, from their snapshots."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core import palette
from core.data.image_data import displayed
from core.events import Array
from core.experiment import Context
from core.figures import (
    Figure,
    Trace,
    as_is,
    atlas,
    axis,
    bars,
    confusion_matrix,
    equal_axes,
    figure,
    footnote,
    heading,
    hidden_axis,
    labelled_images,
    labels,
    line,
    placed_image,
    placed_text,
    points,
    raster,
    text_lines,
)
from core.words import N_

# Figures of maps have axes of one scale. Panels count in maps: a map is 1 wide; probes count in pixels of the picture.

#: Maps of a layer below one another; from one layer to the next; and the width of a unit of a dense layer.
_BELOW, _APART, _UNIT = 8, 0.45, 0.25
#: What a layer is called.
_LAYERS = {"convolution": N_("convolution {n}"), "pooling": N_("pooling {n}"), "dense": N_("dense {n}")}
#: Shares of the width that the maps and the bars beside them get.
_MAPS, _BARS = (0.0, 0.76), (0.85, 1.0)
#: Pictures in a row, and the height of a row with its labels.
_COLUMNS, _ROW = 8, 1.4
#: Filters in a row, and in a row of more than three rows of these.
_FEW, _MANY = 6, 8
#: What lies over a picture, red, green and blue, and how far at most.
_GLOW, _STRONGEST = np.array([255, 169, 14], np.float32), 0.8


def journey(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The picture, the maps of each layer from left to right, and the probabilities of the classes."""
    middle = _BELOW / 2
    images = [placed_image(picture(arrays["image"]), (0, 2, middle - 1, middle + 1))]
    annotations = [placed_text(N_("picture"), 1, middle - 1.1, yanchor="top", colour=palette.INK, size=11)]
    left = 2 + _APART
    channels, signed = arrays["channels"].tolist(), arrays["signed"].tolist()
    for i, name in enumerate(text_lines(arrays["layers"])):
        maps = np.asarray(arrays[f"maps_{i}"])
        if dense := name.startswith("dense"):
            strip, width, height = maps[0], maps.shape[2] * _UNIT, maps.shape[1] * _UNIT
        else:
            width = 1 if len(maps) <= 2 else 2
            height = -(-len(maps) // width)
            strip = atlas(maps, width, gap=max(1, maps.shape[1] // 12), fill=128 if signed[i] else 70)
        place = (left, left + width, middle - height / 2, middle + height / 2)
        images.append(placed_image(raster(strip, "diverging" if signed[i] else "grey"), place))
        title = {"template": _layer(name), "values": {"n": _number(name)}}
        at = {"x": left + width / 2, "colour": palette.INK, "size": 11}
        annotations.append(placed_text(title, y=middle - height / 2 - 0.1, yanchor="top", textangle=-20, **at))
        shown = min(channels[i], maps.size if dense else len(maps))
        if channels[i] > shown:
            more = {"template": N_("+{more} more"), "values": {"more": channels[i] - shown}}
            annotations.append(placed_text(more, y=middle + height / 2, yanchor="bottom", **at))
        left += width + _APART
    x, y = equal_axes((-0.1, left, -1.1, _BELOW + 0.5), hidden=True)
    true = int(arrays["true"][0]) if "true" in arrays else -1
    return figure(
        [_probabilities(arrays["probability"], true)],
        x | {"domain": list(_MAPS)},
        y,
        images=images,
        annotations=annotations,
        **_class_axes(context),
    )


def _layer(name: str) -> str:
    return _LAYERS[name.rstrip("0123456789")]


def _number(name: str) -> str:
    return name[len(name.rstrip("0123456789")) :]


def _probabilities(probability: Array, true: int = -1, **more: Any) -> Trace:
    """A bar for each class: blue the predicted one, or red where another is true, which then is blue."""
    best = int(np.argmax(probability))
    colours = [palette.faded(palette.INK, 0.6)] * len(probability)
    colours[best] = palette.GOOD if true in (-1, best) else palette.BAD
    if true >= 0:
        colours[true] = palette.GOOD
    beside: dict[str, Any] = {"horizontal": True, "xaxis": "x2", "yaxis": "y2", "hover": "skip"} | more
    return bars(np.asarray(probability, np.float32), list(range(len(probability))), colour=colours, **beside)


def _class_axes(context: Context) -> dict[str, Any]:
    """The axes of bars of all classes."""
    return {
        "xaxis2": axis(N_("probability"), (0, 1), domain=list(_BARS), anchor="y2", tickvals=[0, 1], zoom=False),
        "yaxis2": axis(names=class_names(context), reverse=True, domain=[0, 1], anchor="x2", zoom=False, grid=False),
    }


def pictures(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The first test pictures, each to be clicked; under it what it is taken for."""
    fixed, names = context.statics["data"], class_names(context)
    guessed, true, n = arrays["guessed"].tolist(), fixed["true"].tolist(), len(fixed["true"])
    rows = [fixed["images"][start : start + _COLUMNS] for start in range(0, n, _COLUMNS)]
    strips = [placed_image(picture(_beside(row)), (0, len(row), _ROW * i + 1, _ROW * i)) for i, row in enumerate(rows)]
    place = np.arange(n)
    x, y = place % _COLUMNS + 0.5, place // _COLUMNS * _ROW
    colours = [palette.INK if a == b else palette.BAD for a, b in zip(guessed, true, strict=True)]
    said = [as_is(names[guess]) for guess in guessed]
    traces = [labels(x.tolist(), (y + 1.17).tolist(), said, size=11, color=colours)]
    chosen = int(arrays["chosen"][0])
    if chosen < n:
        traces.append(_frame(chosen % _COLUMNS, chosen // _COLUMNS * _ROW, 1, 1))
    traces.append(
        points(x, y + 0.5, colour=palette.faded(palette.INK, 0), size=40, symbol="square", hover="text",
               text=[as_is(names[c]) for c in true], customdata=place.tolist())
    )  # fmt: skip
    x_axis, y_axis = equal_axes((-0.1, _COLUMNS + 0.1, _ROW * len(rows), -0.1), hidden=True)
    return figure(traces, x_axis, y_axis, images=strips)


def _frame(left: float, top: float, width: float, height: float) -> Trace:
    """A rectangle's outline in the colour of what is chosen, where y runs downwards."""
    x = [left, left + width, left + width, left, left]
    y = [top, top, top + height, top + height, top]
    return line(x, y, colour=palette.TEST, width=3)


def _beside(images: Array) -> Array:
    """Pictures (n, channels, height, width) as one, (channels, height, n · width)."""
    return np.concatenate(list(images), axis=2)


def picture(image: Array) -> dict[str, Any]:
    """A raster of a grey or coloured picture, uint8 (channels, height, width)."""
    shown = displayed(np.asarray(image)[None])[0]
    return raster(shown, "grey" if shown.ndim == 2 else "rgb")


def filters(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The first layer's weights: blue negative, red positive; in colours where the pictures are."""
    W = np.asarray(arrays["filters"])  # (n, channels, h, w)
    colours = _diverging(W[:, 0]) if W.shape[1] == 1 else displayed(W)  # (n, h, w, 3)
    opaque = np.concatenate([colours, np.full_like(colours[..., :1], 255)], axis=-1)
    columns, gap = _FEW if len(W) <= 3 * _FEW else _MANY, max(1, W.shape[-1] // 6)
    sheet = np.stack([atlas(opaque[..., k], columns, gap, fill=0) for k in range(4)], axis=-1)
    height, width = sheet.shape[:2]
    x, y = equal_axes((0, width, 0, height), hidden=True)
    more = int(arrays["channels"][0]) - len(W)
    notes = [footnote({"template": N_("+{more} more"), "values": {"more": more}})] if more > 0 else []
    return figure(x=x, y=y, images=[placed_image(raster(sheet, "rgb"), (0, width, 0, height))], annotations=notes)


def _diverging(values: Array) -> Array:
    """The colours of uint8 values whose 0 is 128, with a further axis of red, green and blue."""
    anchors = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in palette.RAMPS["diverging"]]
    places = np.linspace(0, 255, len(anchors))
    return np.stack([np.interp(values, places, channel) for channel in zip(*anchors, strict=True)], -1).astype(np.uint8)


def _glowing(image: Array, glow: Array) -> Array:
    """A picture, uint8 (channels, height, width), under a glow of 0 to 1, (h, w): in colours (3, height, width)."""
    _, height, width = image.shape
    for side in (width, height):  # along its columns, then along its rows
        places = (np.arange(side) + 0.5) / side * glow.shape[1] - 0.5
        glow = np.stack([np.interp(places, np.arange(len(row)), row) for row in glow]).T
    share = _STRONGEST * glow  # (height, width)
    found: Array = ((1 - share) * image + share * _GLOW[:, None, None]).astype(np.uint8)
    return found


def where_it_looks(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Test pictures; over each glows what speaks for the class it is taken for."""
    fixed, names = context.statics["data"], class_names(context)
    maps, guessed = arrays["maps"], arrays["guessed"].tolist()
    n, half = len(maps), -(-len(maps) // 2)
    images, texts, colours, places = [], [], [], []
    for i in range(n):
        left, top = 1.1 * (i % half), _ROW * (i // half)
        extent = (left, left + 1, top + 1, top)
        images.append(placed_image(picture(_glowing(fixed["images"][i], np.asarray(maps[i]) / 255)), extent))
        places.append((left + 0.5, top + 1.17))
        texts.append(as_is(names[guessed[i]]))
        colours.append(palette.INK if guessed[i] == int(fixed["true"][i]) else palette.BAD)
    x, y = zip(*places, strict=True)
    x_axis, y_axis = equal_axes((-0.1, 1.1 * half, 2 * _ROW, -0.1), hidden=True)
    return figure([labels(list(x), list(y), texts, size=11, color=colours)], x_axis, y_axis, images=images)


def last_hidden(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Test pictures on the two main directions of the last hidden layer, in the colour of their class."""
    places, true = np.asarray(arrays["places"]), context.statics["data"]["mapped"]
    names = class_names(context)
    wrong = arrays["guessed"] != true
    shown = {"colour": true.astype(np.uint8), "scale": "classes", "customdata": list(range(len(true)))}
    size, symbol = np.where(wrong, 10, 7).tolist(), np.where(wrong, "x", "circle").tolist()
    text = [as_is(f"{names[t]} → {names[g]}") for t, g in zip(true, arrays["guessed"], strict=True)]
    trace = points(*places.T, size=size, hover="text", text=text, opacity=0.85, **shown)
    trace["marker"]["symbol"] = symbol
    x, y = (hidden_axis(-1.75, 1.75, zoom=True) for _ in range(2))
    share = {
        "template": N_("the plane holds {percent} % of the variance; crosses are misclassified"),
        "values": {"percent": round(100 * float(arrays["share"][0]))},
    }
    return figure([trace], x, y, annotations=[footnote(share)], margin={"b": 28})


def confusion(arrays: Mapping[str, Any], context: Context) -> Figure:
    """True classes against predicted ones, counted on test data."""
    return confusion_matrix(arrays["counts"], class_names(context))


def mistakes(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Misclassified test pictures, the most confident first; under each its true class → the predicted one."""
    wrong, seen = arrays["wrong"].tolist()
    names = class_names(context)
    pairs = zip(arrays["true"], arrays["guessed"], strict=True)
    chart = labelled_images(arrays["images"], [as_is(f"{names[true]} → {names[guess]}") for true, guess in pairs])
    title = {
        "template": N_("{wrong} of {seen} test images are misclassified"),
        "values": {"wrong": wrong, "seen": seen},
    }
    chart["layout"] |= {"annotations": [heading(title)], "margin": {"t": 32}}
    return chart


def class_names(context: Context) -> list[str]:
    """Names of the classes that the network tells apart."""
    return text_lines(context.statics["data"]["classes"])


# Probes


def changed(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The changed picture; what covering each place does to the class it was taken for; all classes then and now."""
    image, cover = np.asarray(arrays["image"]), np.asarray(arrays["covered"])
    height, width = image.shape[1:]
    right = width * 1.1
    images = [
        placed_image(picture(image), (0, width, height, 0)),
        placed_image(picture(_glowing(arrays["original"], np.nan_to_num(cover))), (right, right + width, height, 0)),
    ]
    names = class_names(context)
    of = {"template": N_("how much covering a place lowers “{name}”"), "values": {"name": names[int(arrays["of"][0])]}}
    texts = [
        placed_text(N_("the changed picture"), width / 2, height * 1.02, yanchor="top", colour=palette.INK),
        placed_text(of, right + width / 2, height * 1.02, yanchor="top", colour=palette.INK),
    ]
    traces = [_frame(*arrays["patch"].tolist())] if len(arrays["patch"]) else []
    traces += [
        _probabilities(arrays["before"], name=N_("before"), opacity=0.4),
        _probabilities(arrays["probability"], int(arrays["true"][0]), name=N_("after")),
    ]
    return _in_pixels(traces, (-0.5, right + width + 0.5, height * 1.12, -0.5), context, images, texts)


def inside(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The picture with the patch that a unit sees, the unit in its map, and what excites its channel most."""
    image, chosen = np.asarray(arrays["image"]), np.asarray(arrays["map"])
    height, width = image.shape[1:]
    rows, columns = chosen.shape
    middle, last = width * 1.1, width * 2.2
    y, x = np.divmod(np.arange(rows * columns), columns)
    cell = width / columns
    images = [
        placed_image(picture(image), (0, width, height, 0)),
        placed_image(
            raster(chosen, "diverging" if arrays["signed"][0] else "grey"), (middle, middle + width, height, 0)
        ),
    ]
    patches = arrays["patches"]  # (n, channels, height, width), n at most 9
    third = width / 3
    for i, patch in enumerate(patches):
        left, top = last + third * (i % 3), third * (i // 3)
        images.append(placed_image(picture(patch), (left, left + 0.94 * third, top + 0.94 * third, top)))
    row, column = arrays["unit"].tolist()
    traces = [
        _frame(*arrays["patch"].tolist()),
        _frame(middle + column * cell, row * cell, cell, cell),
        points(middle + (x + 0.5) * cell, (y + 0.5) * cell, colour=palette.faded(palette.INK, 0), size=12,
               symbol="square", customdata=list(range(rows * columns)), hover="none", webgl=True),
    ]  # fmt: skip
    name = str(text_lines(arrays["layer"])[0])
    layer = {"template": _layer(name), "values": {"n": _number(name)}}
    channel, channels = arrays["channel"].tolist()
    side = int(arrays["field"][0])
    field = {"template": N_("what the unit sees: {field} × {field} pixels"), "values": {"field": side}}
    which = {
        "template": N_("{layer}, map {channel} of {channels}"),
        "values": {"layer": layer, "channel": channel + 1, "channels": channels},
    }
    places = (width / 2, middle + width / 2, last + width / 2)
    said: list[Any] = [field, which, N_("what excites this map most")]
    under: dict[str, Any] = {"y": height * 1.02, "yanchor": "top", "colour": palette.INK}
    texts = [placed_text(text, x, **under) for x, text in zip(places, said, strict=True)]
    x_axis, y_axis = equal_axes((-0.5, last + width + 0.5, height * 1.12, -0.5), hidden=True)
    return figure(traces, x_axis, y_axis, images=images, annotations=texts)


def fooled(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The picture, the step, and the picture after the step; the classes before and after."""
    image, epsilon, names = np.asarray(arrays["image"]), int(arrays["epsilon"][0]), class_names(context)
    height, width = image.shape[1:]
    images = [
        placed_image(source, (left, left + width, height, 0))
        for left, source in (
            (0.0, picture(image)),
            (1.1 * width, picture(arrays["step"])),
            (2.2 * width, picture(arrays["changed"])),
        )
    ]
    before, after = (as_is(names[int(np.argmax(arrays[name]))]) for name in ("before", "probability"))
    if epsilon:
        step: Any = {"template": N_("ε = {levels}/255, ten times as strong"), "values": {"levels": epsilon}}
    else:
        step = N_("no step up to half of the grey scale does it")
    texts = [
        placed_text(text, left + width / 2, height * 1.02, yanchor="top", colour=palette.INK)
        for left, text in ((0.0, before), (1.1 * width, step), (2.2 * width, after))
    ]
    traces = [
        _probabilities(arrays["before"], name=N_("before"), opacity=0.4),
        _probabilities(arrays["probability"], int(arrays["true"][0]), name=N_("after")),
    ]
    return _in_pixels(traces, (-0.5, 3.2 * width + 0.5, height * 1.12, -0.5), context, images, texts)


def _in_pixels(
    traces: Sequence[Trace], extent: Sequence[float], context: Context, images: Any, texts: Sequence[dict[str, Any]]
) -> Figure:
    """Pictures whose axes count pixels, y downwards, beside the bars of the classes before and after."""
    x, y = equal_axes(extent, hidden=True)
    return figure(
        traces, x | {"domain": list(_MAPS)}, y, images=images, annotations=texts, barmode="overlay",
        **_class_axes(context),
    )  # fmt: skip
