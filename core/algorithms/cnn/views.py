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
    heat_map,
    hidden_axis,
    labels,
    line,
    misclassified_images,
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
#: Where the bars of the classes begin, as a share of the width; of their names no more letters are shown than these,
#: and a letter takes this share.
_BARS, _LETTERS, _LETTER = 0.8, 9, 0.02
#: Pictures in a row, the height of a row with its labels, and letters of a label.
_COLUMNS, _ROW, _LABEL = 8, 1.4, 8
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
        x | {"domain": [0, _before_bars(context)]},
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
    names = class_names(context, _LETTERS)
    return {
        "xaxis2": axis(N_("probability"), (0, 1), domain=[_BARS, 1], anchor="y2", tickvals=[0, 1], zoom=False),
        "yaxis2": axis(names=names, reverse=True, domain=[0, 1], anchor="x2", zoom=False, grid=False),
    }


def _before_bars(context: Context) -> float:
    """Where the maps end, as a share of the width: before the names of the classes."""
    longest = max(sum(2 if ord(c) > 0x2E7F else 1 for c in name) for name in class_names(context, _LETTERS))
    return _BARS - _LETTER * (min(longest, 2 * _LETTERS) + 1)


def pictures(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The first test pictures, each to be clicked; under it what it is taken for."""
    fixed, names = context.statics["data"], class_names(context, _LABEL)
    guessed, true, n = arrays["guessed"].tolist(), fixed["true"].tolist(), len(fixed["true"])
    columns = min(_COLUMNS, n)
    rows = [fixed["images"][start : start + columns] for start in range(0, n, columns)]
    strips = [placed_image(picture(_beside(row)), (0, len(row), _ROW * i + 1, _ROW * i)) for i, row in enumerate(rows)]
    y, x = np.divmod(np.arange(n), columns)
    traces = [_guesses(x + 0.5, _ROW * y + 1.17, guessed, true, names)]
    chosen = int(arrays["chosen"][0])
    if chosen < n:
        traces.append(_frame(chosen % columns, chosen // columns * _ROW, 1, 1))
    named = [names[c] for c in true] + [""] * (len(rows) * columns - n)
    traces.append(
        _cells(len(rows), columns, (0.5, 0.5 * _ROW), (1, _ROW), n, hover="text",
               text=[named[start : start + columns] for start in range(0, n, columns)])
    )  # fmt: skip
    x_axis, y_axis = equal_axes((-0.1, columns + 0.1, _ROW * len(rows), -0.1), hidden=True)
    return figure(traces, x_axis, y_axis, images=strips)


def _guesses(x: Array, y: Array, guessed: list[int], true: list[int], names: list[str]) -> Trace:
    """At each place what a picture is taken for, red where that is wrong."""
    colours = [palette.INK if a == b else palette.BAD for a, b in zip(guessed, true, strict=True)]
    return labels(x.tolist(), y.tolist(), [names[guess] for guess in guessed], size=11, color=colours)


def _cells(
    rows: int, columns: int, first: tuple[float, float], apart: tuple[float, float], n: int, **more: Any
) -> Trace:
    """Cells that are not seen, to be clicked, the first ``n`` with their numbers, row by row.

    Args:
        first, apart: x and y of the middle of the first one, and from one to the next.
    """
    numbers = [[i if i < n else None for i in range(start, start + columns)] for start in range(0, n, columns)]
    clear = palette.faded(palette.INK, 0)
    at: dict[str, Any] = dict(zip(("x0", "y0", "dx", "dy"), (*first, *apart), strict=True))
    return heat_map(
        np.zeros((rows, columns), np.uint8), scale=[[0, clear], [1, clear]], limits=(0, 1), gap=0,
        customdata=numbers, **at, **more,
    )  # fmt: skip


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
    fixed, n = context.statics["data"], len(arrays["maps"])
    columns = -(-n // 2)
    row, column = np.divmod(np.arange(n), columns)
    left, top = 1.1 * column, _ROW * row
    images = [
        placed_image(picture(_glowing(image, np.asarray(glow) / 255)), (x, x + 1, y + 1, y))
        for image, glow, x, y in zip(fixed["images"][:n], arrays["maps"], left, top, strict=True)
    ]
    names = class_names(context, _LABEL)
    under = _guesses(left + 0.5, top + 1.17, arrays["guessed"].tolist(), fixed["true"][:n].tolist(), names)
    x_axis, y_axis = equal_axes((-0.1, 1.1 * columns, 2 * _ROW, -0.1), hidden=True)
    return figure([under], x_axis, y_axis, images=images)


def last_hidden(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Test pictures on the two main directions of the last hidden layer, in the colour of their class."""
    places, true = np.asarray(arrays["places"]), context.statics["data"]["mapped"]
    names = class_names(context)
    wrong = arrays["guessed"] != true
    shown = {"colour": true.astype(np.uint8), "scale": "classes", "customdata": list(range(len(true)))}
    size, symbol = np.where(wrong, 10, 7).tolist(), np.where(wrong, "x", "circle").tolist()
    text = [f"{names[t]} → {names[g]}" for t, g in zip(true, arrays["guessed"], strict=True)]
    trace = points(*places.T, size=size, hover="text", text=text, opacity=0.85, **shown)
    trace["marker"]["symbol"] = symbol
    x, y = (hidden_axis(-1.75, 1.75, zoom=True) for _ in range(2))
    share = {
        "template": N_("{percent} % of the variance; crosses: misclassified"),
        "values": {"percent": round(100 * float(arrays["share"][0]))},
    }
    return figure([trace], x, y, annotations=[footnote(share)], margin={"b": 28})


def confusion(arrays: Mapping[str, Any], context: Context) -> Figure:
    """True classes against predicted ones, counted on test data."""
    return confusion_matrix(arrays["counts"], class_names(context))


def mistakes(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Misclassified test pictures, the most confident first; under each its true class → the predicted one."""
    return misclassified_images(arrays, class_names(context))


def class_names(context: Context, most: int = 0) -> list[str]:
    """Names of the classes that the network tells apart, cut to ``most`` letters where that is not 0. The browser
    translates those of our own shapes, and never what a person has named."""
    names = text_lines(context.statics["data"]["classes"])
    names = [f"{name[: most - 1]}…" if 0 < most < len(name) else name for name in names]
    return names if getattr(context.config, "data", "") == "shapes" else [as_is(name) for name in names]


# Probes. Their pictures stand side by side, two lines of text under each, and their axes count pixels.

#: From one picture to the next, as a share of its width.
_NEXT = 1.1


def changed(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The changed picture; what covering each place does to the class it was taken for; all classes then and now."""
    cover = np.nan_to_num(np.asarray(arrays["covered"]))
    name = class_names(context, _LETTERS)[int(arrays["of"][0])]
    under = [
        N_("the changed<br>picture"),
        {"template": N_("covering a place<br>lowers “{name}”"), "values": {"name": name}},
    ]
    sources = [picture(arrays["image"]), picture(_glowing(np.asarray(arrays["original"]), cover))]
    traces = [_frame(*arrays["patch"].tolist())] if len(arrays["patch"]) else []
    return _compared(arrays, context, sources, under, traces)


def fooled(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The picture, the step, and the picture after the step; the classes before and after."""
    names, epsilon = class_names(context, _LETTERS), int(arrays["epsilon"][0])
    before, after = (
        {"template": template, "values": {"name": names[int(np.argmax(arrays[which]))]}}
        for template, which in ((N_("before<br>{name}"), "before"), (N_("after<br>{name}"), "probability"))
    )
    step: Any = {"template": N_("white +, black −<br>ε = {levels}/255"), "values": {"levels": epsilon}}
    if not epsilon:
        step = N_("no step up to<br>128/255 does it")
    return _compared(arrays, context, [picture(arrays[name]) for name in ("image", "step", "changed")],
                     [before, step, after])  # fmt: skip


def inside(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The picture with the patch that a unit sees, the unit in its map, and what excites its map most."""
    height, width = np.asarray(arrays["image"]).shape[1:]
    chosen, patches = np.asarray(arrays["map"]), arrays["patches"]  # patches: (n, channels, height, width), n at most 9
    rows, columns = chosen.shape
    middle, last, third = _NEXT * width, 2 * _NEXT * width, width / 3
    shown = raster(chosen, "diverging" if arrays["signed"][0] else "grey")
    images = _side_by_side([picture(arrays["image"]), shown], height, width)
    for i, patch in enumerate(patches):
        left, top = last + third * (i % 3), third * (i // 3)
        images.append(placed_image(picture(patch), (left, left + 0.94 * third, top + 0.94 * third, top)))
    row, column = arrays["unit"].tolist()
    wide, high = width / columns, height / rows
    traces = [
        _frame(*arrays["patch"].tolist()),
        _frame(middle + column * wide, row * high, wide, high),
        _cells(rows, columns, (middle + wide / 2, high / 2), (wide, high), rows * columns, hover="none"),
    ]
    name = text_lines(arrays["layer"])[0]
    layer = {"template": _layer(name), "values": {"n": _number(name)}}
    channel, channels = arrays["channel"].tolist()
    under = [
        {"template": N_("this unit sees<br>{field} × {field} pixels"), "values": {"field": int(arrays["field"][0])}},
        {
            "template": N_("{layer},<br>map {channel} of {channels}"),
            "values": {"layer": layer, "channel": channel + 1, "channels": channels},
        },
        N_("what excites<br>this map most"),
    ]
    x, y = equal_axes(_extent(3, height, width), hidden=True)
    return figure(traces, x, y, images=images, annotations=_captions(under, height, width))


def _compared(
    arrays: Mapping[str, Any], context: Context, sources: list[Any], under: list[Any], traces: Sequence[Trace] = ()
) -> Figure:
    """Pictures with texts under them, beside bars of the classes before and after."""
    height, width = np.asarray(arrays["image"]).shape[1:]
    bars_of_both = [
        _probabilities(arrays["before"], name=N_("before"), opacity=0.4),
        _probabilities(arrays["probability"], int(arrays["true"][0]), name=N_("after")),
    ]
    x, y = equal_axes(_extent(len(sources), height, width), hidden=True)
    return figure(
        [*traces, *bars_of_both], x | {"domain": [0, _before_bars(context)]}, y,
        images=_side_by_side(sources, height, width), annotations=_captions(under, height, width), barmode="overlay",
        **_class_axes(context),
    )  # fmt: skip


def _extent(n: int, height: int, width: int) -> tuple[float, float, float, float]:
    return -0.5, (_NEXT * (n - 1) + 1) * width + 0.5, height * 1.2, -0.5


def _side_by_side(sources: Sequence[Any], height: int, width: int) -> list[dict[str, Any]]:
    lefts = [_NEXT * width * i for i in range(len(sources))]
    return [placed_image(source, (x, x + width, height, 0)) for source, x in zip(sources, lefts, strict=True)]


def _captions(texts: Sequence[Any], height: int, width: int) -> list[dict[str, Any]]:
    """What stands under each picture, small enough for a phone."""
    at: dict[str, Any] = {"y": height * 1.02, "yanchor": "top", "colour": palette.INK, "size": 14}
    return [placed_text(text, width * (_NEXT * i + 0.5), **at) for i, text in enumerate(texts)]
