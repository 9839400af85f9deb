"""Figures of both networks' panels and probes, from their snapshots.

A network is drawn as a tower: its first convolution at the bottom, a row for each block, the linear layer on top.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core import palette
from core.algorithms.resnet.config import RESIDUAL, ResNetConfig
from core.events import Array
from core.experiment import Context
from core.figures import (
    Figure,
    Text,
    Trace,
    axis,
    bars,
    confusion_matrix,
    figure,
    footnote,
    heading,
    hidden_axis,
    line,
    misclassified_images,
    placed_image,
    placed_text,
    points,
    quantised,
    raster,
    segments,
    surface,
    text_lines,
)
from core.palette import BAD, INK, faded
from core.words import N_

COLOURS = {"residual": palette.CLASSES[0], "plain": palette.CLASSES[1]}
TITLES = {"residual": N_("Residual, {depth} layers"), "plain": N_("Plain, {depth} layers")}
NAMES = {"residual": N_("Residual"), "plain": N_("Plain")}

#: Powers of ten at both ends of the gradient's colours.
LOW, HIGH = -3, 3
_SCALE = "sequential"

#: A tower: where its middle and the text beside it stand, in shares of its half of the figure; half the width of the
#: blocks of each stage, of both ends, and how far out a shortcut runs.
_MIDDLE, _TEXT = 0.2, 0.44
_HALF, _END, _OUT = (0.09, 0.13, 0.17), 0.06, 0.045


def decades(norms: Any) -> Array:
    """Norms as bytes from 10^LOW to 10^HIGH on a logarithmic scale."""
    with np.errstate(divide="ignore"):
        return quantised(np.maximum(np.log10(np.asarray(norms, np.float64)), LOW - 1), LOW, HIGH)


# The hero


def towers(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A tower for each network, its blocks in the colours of their gradients; beside it loss and accuracy."""
    config = _config(context)
    traces: list[Trace] = [_colour_key()]
    annotations: list[dict[str, Any]] = []
    for i, name in enumerate(config.names):
        norms = arrays["gradient"][i]
        colours = [
            _ramp(level) if norm > 0 else faded(INK, 0.35)
            for level, norm in zip(decades(norms).tolist(), norms, strict=True)
        ]
        traces += _tower(config, name, i, colours, [f"{norm:.2g}" for norm in norms])
        annotations.append(_title(config, name, i))
        loss, accuracy, ratio = arrays["scores"][i].tolist()
        shown = [(f"{loss:.3g}" if loss < 1000 else f"{loss:,.0f}", N_("training loss"))]
        shown.append((f"{100 * accuracy:.1f} %" if accuracy >= 0 else "–", N_("test accuracy")))
        shown.append((_times(ratio) if ratio else "–", N_("first ÷ last")))
        annotations += _beside(config, i, shown)
    return _towers(config, traces, annotations, margin={"t": 36, "b": 64})


def _towers(
    config: ResNetConfig, traces: Sequence[Trace], annotations: Sequence[dict[str, Any]], **layout: Any
) -> Figure:
    x = hidden_axis(0, len(config.names))
    return figure(traces, x, hidden_axis(-0.8, 3 * config.n + 1.8), annotations=annotations, bargap=0, **layout)


def _tower(config: ResNetConfig, name: str, i: int, colours: list[str], texts: list[str]) -> list[Trace]:
    """The blocks of the ``i``-th tower as bars, wider where there are more channels, and its shortcuts."""
    rows = 3 * config.n + 2
    half = np.array([_END, *(half for half in _HALF for _ in range(config.n)), _END], np.float32)
    left = i + _MIDDLE - half
    blocks = bars(
        (2 * half).tolist(),
        list(range(rows)),
        colour=colours,
        horizontal=True,
        hover="text",
        base=left.tolist(),
        width=0.84,
        hovertext=texts,
        customdata=[-1, *range(rows - 2), -1],
    )
    if name != RESIDUAL:
        return [blocks]
    y, x = np.arange(1, rows - 1, dtype=np.float32), i + _MIDDLE + half[1:-1]
    path = np.stack([[x, x + _OUT, x + _OUT, x], [y - 0.5, y - 0.3, y + 0.3, y + 0.5]], axis=-1)  # (4, 3n, 2)
    return [segments(path.swapaxes(0, 1), colour=COLOURS[name], width=2.5 if config.n <= 6 else 1.5), blocks]


def _title(config: ResNetConfig, name: str, i: int) -> dict[str, Any]:
    """The network's name over its tower, from the tower's left edge on: on a phone it is wider than the tower."""
    title = {"template": TITLES[name], "values": {"depth": config.depth}}
    return heading(title, _left(config, i), xanchor="left", colour=COLOURS[name])


def _left(config: ResNetConfig, i: int) -> float:
    """The left edge of the ``i``-th tower, as a share of the figure's width."""
    return (i + _MIDDLE - _HALF[-1]) / len(config.names)


def _beside(config: ResNetConfig, i: int, shown: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Numbers, large, each over what it is, from the top of the ``i``-th tower downwards."""
    annotations = []
    place: dict[str, Any] = {"paper": True, "xanchor": "left"}
    for k, (number, words) in enumerate(shown):
        x, y = (i + _TEXT) / len(config.names), 0.88 - 0.3 * k
        annotations.append(placed_text(f"<b>{number}</b>", x, y, yanchor="bottom", size=22, **place))
        annotations.append(placed_text(words, x, y, yanchor="top", colour=INK, **place))
    return annotations


def _colour_key() -> Trace:
    """No points, and the scale of the gradients' colours under the axes."""
    ticks = list(range(LOW, HIGH + 1))
    bar = {
        "orientation": "h",
        "y": -0.02,
        "yanchor": "top",
        "len": 0.7,
        "thickness": 10,
        "tickvals": ticks,
        "ticktext": [f"10<sup>{power}</sup>" for power in ticks],
        "title": {"text": N_("gradient of a block's weights"), "side": "top", "font": {"size": 13}},
    }
    nowhere = np.array([np.nan], np.float32)
    return points(nowhere, nowhere, colour=nowhere, scale=_SCALE, limits=(LOW, HIGH), colour_bar=bar, hover="skip")


def _ramp(level: int) -> str:
    """The colour of a byte on the scale of gradients, between its anchors."""
    anchors = palette.RAMPS[_SCALE]
    place = level / 255 * (len(anchors) - 1)
    i = min(int(place), len(anchors) - 2)
    ends = [[int(anchor[k : k + 2], 16) for k in (1, 3, 5)] for anchor in anchors[i : i + 2]]
    return "#" + "".join(f"{round(a + (b - a) * (place - i)):02x}" for a, b in zip(*ends, strict=True))


def _times(ratio: float) -> str:
    """A ratio to two digits, without an exponent where it can be."""
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"


# The other panels


def gradients(arrays: Mapping[str, Any], context: Context) -> Figure:
    """For each network gradient norms, a row a block and a column a step."""
    config = _config(context)
    spacing, norms = int(arrays["spacing"][0]), arrays["norms"]
    _, rows, columns = norms.shape
    extent = (-0.5 * spacing, (columns - 0.5) * spacing, -0.5, rows - 0.5)
    images, annotations, traces, axes = [], [], [_colour_key()], {}
    share = 1 / len(config.names)
    for i, name in enumerate(config.names):
        number = str(i + 1) if i else ""
        images.append(placed_image(raster(norms[i, ::-1], _SCALE), extent, f"x{number}", f"y{number}"))
        domain = [i * share + 0.03 * i, (i + 1) * share - 0.03 * (len(config.names) - 1 - i)]
        axes[f"xaxis{number}"] = axis(limits=extent[:2], grid=False, domain=domain, anchor=f"y{number}")
        ends = {0: N_("input"), rows - 1: N_("output")} if not i else {}
        axes[f"yaxis{number}"] = axis(limits=extent[2:], names=ends, grid=False, anchor=f"x{number}")
        nowhere = np.array([np.nan], np.float32)
        traces.append(points(nowhere, nowhere, colour=INK, xaxis=f"x{number}", yaxis=f"y{number}"))
        title = {"template": TITLES[name], "values": {"depth": config.depth}}
        annotations.append(heading(title, sum(domain) / 2, colour=COLOURS[name]))
    axes_of = {"x": axes.pop("xaxis"), "y": axes.pop("yaxis")}
    traces[0]["marker"]["colorbar"]["y"] = -0.16  # below the steps
    return figure(traces, **axes_of, images=images, annotations=annotations, margin={"t": 30, "b": 76}, **axes)


def branches(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Root mean squares of x and of F(x), which each block of the residual network adds up."""
    x, F_x = np.maximum(arrays["sizes"].astype(np.float64), 1e-9).T
    block = np.arange(1, len(x) + 1)
    traces = [
        line(block, x, name=N_("x, by the shortcut"), colour=INK, width=3, markers=5, hover="x+y"),
        line(block, F_x, name=N_("F(x), by the branch"), colour=COLOURS["residual"], width=3, markers=5, hover="x+y"),
    ]
    return figure(
        traces, axis(N_("block"), zeroline=False), _log_axis(N_("root mean square"), np.stack([x, F_x])), legend=True
    )


def spread(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Standard deviation of each block's output, a line a network."""
    traces, spreads = [], np.maximum(arrays["spread"].astype(np.float64), 1e-9)
    for name, found in zip(_config(context).names, spreads, strict=True):
        block = np.arange(1, len(found) + 1)
        traces.append(line(block, found, name=NAMES[name], colour=COLOURS[name], width=3, markers=5, hover="x+y"))
    return figure(traces, axis(N_("block"), zeroline=False), _log_axis(N_("standard deviation"), spreads), legend=True)


def confusion(arrays: Mapping[str, Any], context: Context) -> Figure:
    """True classes against predicted ones, counted on test data."""
    return confusion_matrix(arrays["counts"], text_lines(context.statics["classes"]["names"]))


def mistakes(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Misclassified test pictures; under each its true class → the predicted one."""
    return misclassified_images(arrays, text_lines(context.statics["classes"]["names"]))


# The probes


def block_editor(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The towers with their cut and moved blocks, accuracies before and after, and with each block cut in turn."""
    config = _config(context)
    cursor, held = arrays["at"].tolist()
    cut, moved = set(arrays["cut"].tolist()), set(arrays["moved"].tolist())
    annotations: list[dict[str, Any]] = []
    traces: list[Trace] = []
    for i, name in enumerate(config.names):
        colours = [faded(INK, 0.6)]
        for k in range(3 * config.n):
            colour = faded(INK, 0.08) if k in cut else palette.CLASSES[4] if k in moved else faded(COLOURS[name], 0.7)
            colours.append(colour)
        colours.append(faded(INK, 0.6))
        each = arrays["each"][i]
        texts = ["", *(f"{k + 1}: {100 * a:.1f} %" if a >= 0 else str(k + 1) for k, a in enumerate(each)), ""]
        traces += _tower(config, name, i, colours, texts)
        tried = np.flatnonzero(each >= 0)
        if len(tried):
            room = 1 - _TEXT - 0.04
            kept = bars(
                (room * each[tried]).tolist(),
                (tried + 1).tolist(),
                colour=faded(COLOURS[name], 0.45),
                horizontal=True,
                hover="text",
                base=[i + _TEXT] * len(tried),
                width=0.6,
                hovertext=[texts[k + 1] for k in tried],
            )
            uncut = i + _TEXT + room * arrays["accuracy"][0, i]
            height = [[[uncut, 0.5], [uncut, 3 * config.n + 0.5]]]
            traces += [kept, segments(np.array(height, np.float32), colour=INK, width=1.5)]
        whole, now = (100 * accuracy for accuracy in arrays["accuracy"][:, i].tolist())
        lines: list[tuple[Text, str]] = [
            ({"template": N_("accuracy {now} %"), "values": {"now": f"{now:.1f}"}}, BAD if whole - now > 5 else ""),
            ({"template": N_("uncut: {whole} %"), "values": {"whole": f"{whole:.1f}"}}, INK),
        ]
        lines += [(N_("bars: with one cut"), INK)] if len(tried) else []
        for k, (text, colour) in enumerate(lines):
            below: dict[str, Any] = {"paper": True, "xanchor": "left", "yanchor": "top", "yshift": -22 * k}
            annotations.append(placed_text(text, _left(config, i), 0, colour=colour, **below))
        annotations.append(_title(config, name, i))
    marks = [(cursor, "triangle-right", INK)] + (
        [(held, "triangle-right-open", palette.CLASSES[4])] if held >= 0 else []
    )
    for place, symbol, colour in marks:
        x = np.array([i + _MIDDLE - _HALF[-1] - 0.02 for i in range(len(config.names))], np.float32)
        y = np.full_like(x, place + 1)
        traces.append(points(x, y, colour=colour, symbol=symbol, size=14, outline=2, hover="skip"))
    return _towers(config, traces, annotations, barmode="overlay", margin={"t": 36, "b": 76})


#: Losses at both ends of a surface's height and colours, as powers of ten.
_FLOOR, _CEILING = -2.5, 1.5


def loss_surfaces(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The training loss over a plane through the weights of each network, by powers of ten; it can be rotated."""
    config = _config(context)
    done, reach, _ = arrays["about"].tolist()
    side = arrays["loss"].shape[-1]
    places = np.linspace(-reach, reach, side)
    with np.errstate(divide="ignore", invalid="ignore"):
        heights = np.log10(arrays["loss"].astype(np.float64)).clip(_FLOOR, _CEILING)  # NaN where not computed yet
    plain: dict[str, Any] = {
        "showspikes": False,
        "gridcolor": faded(INK, 0.25),
        "showbackground": False,
        "tickfont": {"size": 11},
    }
    flat = axis(limits=(-reach, reach), nticks=5, **plain) | {"title": {"text": ""}}
    powers: dict[float, str | dict[str, Any]] = {p: f"{10.0**p:g}" for p in (-2, -1, 0, 1)}
    z = axis(limits=(_FLOOR, _CEILING), names=powers, **plain) | {"title": {"text": ""}}
    view = {
        "camera": {"eye": {"x": 1.15, "y": 1.15, "z": 0.75}},
        "aspectmode": "manual",
        "aspectratio": {"x": 1, "y": 1, "z": 0.8},
        "dragmode": "turntable",
    }
    traces: list[Trace] = []
    annotations: list[dict[str, Any]] = []
    scenes: dict[str, Any] = {}
    share = 1 / len(config.names)
    for i, (name, height) in enumerate(zip(config.names, heights, strict=True)):
        scene = f"scene{i + 1 if i else ''}"
        middle = [0.0], [0.0], [float(height[side // 2, side // 2]) + 0.1]
        on_scale: dict[str, Any] = {"scale": _SCALE, "limits": (_FLOOR, _CEILING), "scene": scene}
        traces += [
            surface(places, places, height, **on_scale),
            points(*middle, colour=BAD, size=5, hover="skip", scene=scene),
        ]
        domain = {"x": [i * share, (i + 1) * share], "y": [0, 1]}
        scenes[scene] = {"xaxis": flat, "yaxis": flat, "zaxis": z, "domain": domain, **view}
        title = {"template": TITLES[name], "values": {"depth": config.depth}}
        annotations.append(heading(title, (i + 0.5) * share, colour=COLOURS[name]))
    if done < 1:
        growing = {"template": N_("{percent} % of the points computed"), "values": {"percent": round(100 * done)}}
        annotations.append(footnote(growing))
    return figure(traces, annotations=annotations, margin={"t": 32, "b": 32}, **scenes)


def _log_axis(title: str, values: Array) -> dict[str, Any]:
    """An axis by powers of ten; within two decades with ticks at 1, 2 and 5 times each."""
    low, high = int(np.floor(np.log10(values.min()))), int(np.ceil(np.log10(values.max())))
    if high - low > 2:
        ticks = {10.0**p: f"10<sup>{p}</sup>" for p in range(low, high + 1, -(-(high - low) // 5))}
    else:
        ticks = {m * 10.0**p: f"{m * 10.0**p:g}" for p in range(low, high + 1) for m in (1, 2, 5)}
    return axis(title, log=True, tickvals=list(ticks), ticktext=list(ticks.values()))


def _config(context: Context) -> ResNetConfig:
    assert isinstance(context.config, ResNetConfig)
    return context.config
