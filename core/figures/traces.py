"""Plotly traces: each function makes one, in plain JSON.

Coordinates are NumPy arrays of one dimension, which travel as base64 (floats as float32); lists, which travel as they
are; or a :func:`~core.figures.arrays.static_array`. A trace without a ``name`` has no entry in the legend. What a
builder has no argument for is passed on to Plotly as it is (``**more``): ``xaxis="x2"``, ``opacity=0.5``,
``customdata=[...]``.

``hover`` is what a pointer over the trace shows: ``"skip"`` for nothing, ``"x+y"``, ``"text"`` (with ``text=[...]``), a
template such as ``"%{x:.2f}"``, or, where empty, what Plotly shows by itself.

``webgl`` suits many points that change with each frame. A page has sixteen WebGL contexts and a plot takes three, so
that a few hundred points are better off as SVG.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core import palette
from core.events import Array
from core.figures.arrays import packed

Trace = dict[str, Any]
Values = Array | Sequence[Any] | dict[str, Any]
Scale = str | list[list[float | str]]
#: A string marked with ``N_``, or ``{"template": N_("..."), "values": {...}}``.
Text = str | dict[str, Any]


def points(
    x: Values,
    y: Values,
    z: Values | None = None,
    *,
    colour: str | Values,
    size: float | Values = 7,
    symbol: str = "circle",
    outline: float | None = None,
    outline_colour: str = "",
    opacity: float | Values | None = None,
    scale: Scale = "",
    limits: Sequence[float] | None = None,
    colour_bar: dict[str, Any] | None = None,
    name: Text = "",
    hover: str = "x+y",
    webgl: bool = False,
    **more: Any,
) -> Trace:
    """Markers at (x, y), or in space where there is a ``z``.

    Args:
        colour: one colour for all, a list of colours, or numbers that ``scale`` gives colours to.
        size: diameter in pixels, of all or of each.
        outline: width in pixels. An open symbol's outline has its own colour, a filled one's is white unless
            ``outline_colour`` says otherwise.
        scale: of numbers: a name that :func:`core.palette.colour_scale` knows, or a Plotly ``colorscale``.
        limits: the numbers at the two ends of ``scale``; not needed for ``"classes"``.
        colour_bar: Plotly's ``colorbar``, where the scale is drawn beside the axes.
    """
    marker: Trace = {"symbol": symbol, "size": _value(size), "color": _value(colour)}
    if scale:
        marker["colorscale"] = palette.colour_scale(scale) if isinstance(scale, str) else scale
        low, high = (-0.5, len(palette.CLASSES) - 0.5) if limits is None else limits
        marker |= {"cmin": low, "cmax": high}
    if opacity is not None:
        marker["opacity"] = _value(opacity)
    if outline is not None:
        line_colour = outline_colour or ("" if "open" in symbol else "#ffffff")
        marker["line"] = {"width": outline} | ({"color": line_colour} if line_colour else {})
    if colour_bar is not None:
        marker["colorbar"] = colour_bar
    return _scatter(x, y, z, name, hover, webgl, {"mode": "markers", "marker": marker, **more})


def line(
    x: Values,
    y: Values,
    *,
    colour: str,
    width: float = 2,
    dash: str = "",
    markers: float = 0,
    name: Text = "",
    hover: str = "skip",
    webgl: bool = False,
    **more: Any,
) -> Trace:
    """A line through (x, y), broken where a coordinate is not a number.

    Args:
        width: in pixels.
        dash: ``"dash"`` or ``"dot"``; solid where empty.
        markers: diameter in pixels of a marker at each point; none where 0.
    """
    drawn: Trace = {"mode": "lines", "line": {"width": width, "color": colour} | ({"dash": dash} if dash else {})}
    if markers:
        drawn |= {"mode": "lines+markers", "marker": {"size": markers, "color": colour}}
    return _scatter(x, y, None, name, hover, webgl, drawn | more)


def segments(places: Array, *, colour: str, **more: Any) -> Trace:
    """Many separate lines as one trace.

    Args:
        places: (n, k, 2): n lines through k points each; k = 2 for the edges of a graph.
        colour, **more: as for :func:`line`.
    """
    x, y = broken_line(places)
    return line(x, y, colour=colour, **more)


def broken_line(places: Array) -> Array:
    """Many separate lines as one with gaps, for :func:`line`: their x and y, float32 (2, n · (k + 1)).

    Args:
        places: (n, k, 2), as for :func:`segments`.
    """
    gaps = np.full((len(places), 1, 2), np.nan)
    return np.ascontiguousarray(np.concatenate([places, gaps], axis=1).reshape(-1, 2).T, np.float32)


def distribution(
    heights: Array, low: float, high: float, *, base: float = 0, colour: str, width: float = 2, **more: Any
) -> Trace:
    """A filled outline over bins of equal width between ``low`` and ``high``, standing on y = ``base``.

    Args:
        heights: (bins,), in units of the y axis above ``base``.
        **more: as for :func:`line`.
    """
    x = np.concatenate([[low], _middles(low, high, len(heights)), [high]])
    y = np.concatenate([[base], base + np.asarray(heights, np.float32), [base]])
    return line(x, y, colour=colour, width=width, fill="toself", **more)


def bars(
    x: Values,
    y: Values,
    *,
    colour: str | list[str],
    name: Text = "",
    horizontal: bool = False,
    hover: str = "",
    **more: Any,
) -> Trace:
    """Bars of height ``y`` at ``x``; with ``horizontal`` of length ``x`` at ``y``. Names in a list make a category
    axis, and are translated."""
    trace: Trace = {"type": "bar", "x": _value(x), "y": _value(y), "marker": {"color": colour}}
    return trace | ({"orientation": "h"} if horizontal else {}) | _named(name) | _shown(hover) | more


def histogram(counts: Array, low: float, high: float, *, colour: str, **more: Any) -> Trace:
    """A bar for each of the bins of equal width between ``low`` and ``high``; bars of width 0.4 at ``low`` where both
    ends are the same value. ``**more`` as for :func:`bars`."""
    single = high - low < 1e-6
    span = 1e-6 if single else high - low
    width = 0.4 if single else span / len(counts)
    return bars(_middles(low, low + span, len(counts)), counts, colour=colour, width=width, **more)


def heat_map(
    z: Array, *, scale: Scale, limits: Sequence[float] | None = None, gap: float = 1, hover: str = "skip", **more: Any
) -> Trace:
    """Cells (rows, columns) coloured by value, at x = 0, 1, … and y = 0, 1, …

    Args:
        z: NaN leaves a cell empty.
        scale: a name that :func:`core.palette.colour_scale` knows, or a Plotly ``colorscale``.
        limits: the values at its two ends; the smallest and largest of ``z`` where there are none.
        gap: pixels between cells.
    """
    trace: Trace = {
        "type": "heatmap",
        "z": _value(z),
        "colorscale": palette.colour_scale(scale) if isinstance(scale, str) else scale,
        "xgap": gap,
        "ygap": gap,
        "showscale": False,
    }
    if limits is not None:
        trace |= {"zmin": limits[0], "zmax": limits[1]}
    return trace | _shown(hover) | more


def surface(
    x: Array, y: Array, z: Array, *, scale: str, limits: Sequence[float], scene: str = "scene", **more: Any
) -> Trace:
    """A surface in space, coloured by height.

    Args:
        x, y: places of the columns and of the rows of ``z``.
        z: heights (rows, columns); the surface goes straight over what is NaN.
        scale: a name that :func:`core.palette.colour_scale` knows. limits: the heights at its two ends.
    """
    trace: Trace = {"type": "surface", "x": _value(x), "y": _value(y), "z": _value(z), "scene": scene}
    trace |= {"colorscale": palette.colour_scale(scale), "cmin": limits[0], "cmax": limits[1]}
    return trace | {"showscale": False, "connectgaps": True} | _shown("skip") | more


def labels(x: Values, y: Values, text: Sequence[str], **font: Any) -> Trace:
    """Text centred at (x, y); ``font`` is Plotly's ``textfont`` (``size``, ``color``; one for all or a list)."""
    drawn = {"mode": "text", "text": text} | ({"textfont": font} if font else {})
    return _scatter(x, y, None, "", "skip", False, drawn)


def _scatter(x: Values, y: Values, z: Values | None, name: Text, hover: str, webgl: bool, drawn: Trace) -> Trace:
    trace: Trace = {"type": "scattergl" if webgl else "scatter", "x": _value(x), "y": _value(y)}
    if z is not None:
        trace |= {"type": "scatter3d", "z": _value(z)}
    return trace | _named(name) | _shown(hover) | drawn


def _named(name: Text) -> Trace:
    return {"name": name} if name else {"showlegend": False}


def _shown(hover: str) -> Trace:
    if "%{" in hover:
        return {"hovertemplate": f"{hover}<extra></extra>"}
    return {"hoverinfo": hover} if hover else {}


def _middles(low: float, high: float, bins: int) -> Array:
    edges = np.linspace(low, high, bins + 1)
    middles: Array = (edges[1:] + edges[:-1]) / 2
    return middles


def _value(value: Any) -> Any:
    """An array packed, its floats as float32; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    return packed(value.astype(np.float32) if value.dtype == np.float64 else value)
