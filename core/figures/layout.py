"""The layout of a figure: axes, text and images around and under the traces.

Text stays English here; each browser translates it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core import palette
from core.figures.traces import Text, Trace

Figure = dict[str, Any]


def figure(
    traces: Iterable[Trace] = (),
    x: dict[str, Any] | None = None,
    y: dict[str, Any] | None = None,
    *,
    annotations: Sequence[dict[str, Any]] = (),
    images: Sequence[dict[str, Any]] = (),
    legend: bool | dict[str, Any] = False,
    **layout: Any,
) -> Figure:
    """A Plotly figure.

    Args:
        x, y: the axes, each made by a function of this module.
        legend: whether there is one, or Plotly's ``legend`` of one that is not placed like all others.
        **layout: further parts of Plotly's layout: ``xaxis2=axis(...)``, ``margin={"t": 24}``, ``barmode="group"``.
    """
    parts: dict[str, Any] = {"xaxis": x, "yaxis": y, "annotations": list(annotations), "images": list(images)}
    parts |= {"showlegend": bool(legend), "legend": legend if isinstance(legend, dict) else None}
    return {"data": list(traces), "layout": {name: part for name, part in parts.items() if part} | layout}


def axis(
    title: Text = "",
    limits: Sequence[float] | None = None,
    *,
    names: Sequence[Text] | Mapping[float, Text] | None = None,
    grid: bool = True,
    zoom: bool = True,
    log: bool = False,
    reverse: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """An axis.

    Args:
        limits: values at its two ends, the larger first where it runs downwards; Plotly chooses where there are none.
        names: ticks with names instead of numbers: at 0, 1, 2, …, or at the keys of a mapping.
        grid: lines at the ticks and at 0.
        zoom: whether a person may zoom along it.
        reverse: downwards or to the left, where there are no ``limits``.
        **more: Plotly's own attributes: ``nticks=4``, ``tickformat=".0%"``, ``domain=[0, 0.5]``.
    """
    made: dict[str, Any] = {"title": {"text": title}} if title else {}
    if limits is not None:
        made["range"] = [float(end) for end in limits]
    if names is not None:
        places = names if isinstance(names, Mapping) else dict(enumerate(names))
        made |= {"tickvals": list(places), "ticktext": list(places.values())}
    if not grid:
        made |= {"showgrid": False, "zeroline": False}
    if not zoom:
        made["fixedrange"] = True
    if log:
        made["type"] = "log"
    if reverse:
        made["autorange"] = "reversed"
    return made | more


def hidden_axis(low: float, high: float, *, zoom: bool = False, **more: Any) -> dict[str, Any]:
    """An axis that only gives coordinates: no line, no ticks, no grid."""
    return {"visible": False, **axis(limits=(low, high), zoom=zoom), **more}


def equal_axes(extent: Sequence[float], *, hidden: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """x and y axis of the same scale, so that a circle is round.

    Args:
        extent: left, right, bottom, top.
        hidden: as for :func:`hidden_axis`; else ticks without a grid.
    """
    left, right, bottom, top = extent
    x, y = (
        hidden_axis(*ends, constrain="domain") if hidden else axis(limits=ends, grid=False, constrain="domain")
        for ends in ((left, right), (bottom, top))
    )
    return x, y | {"scaleanchor": "x"}


def placed_text(
    text: Text,
    x: float,
    y: float,
    *,
    paper: bool = False,
    xanchor: str = "",
    yanchor: str = "",
    colour: str = "",
    size: float = 0,
    **more: Any,
) -> dict[str, Any]:
    """Text at (x, y) of the axes, or with ``paper`` at shares of the drawing area's width and height.

    Args:
        xanchor, yanchor: which part of the text stands there: ``"left"``, ``"center"``, ``"right"``; ``"top"``,
            ``"middle"``, ``"bottom"``. Where empty, a text at coordinates is centred on them, and one on paper keeps
            within the area.
        size: in pixels; that of the page where 0.
    """
    made: dict[str, Any] = {"text": text, "x": x, "y": y, "showarrow": False}
    if paper:
        made |= {"xref": "paper", "yref": "paper"}
    anchors = {"xanchor": xanchor, "yanchor": yanchor}
    font = {"color": colour, "size": size}
    made |= {name: anchor for name, anchor in anchors.items() if anchor}
    if colour or size:
        made["font"] = {name: value for name, value in font.items() if value}
    return made | more


def heading(text: Text, x: float = 0.5, *, xanchor: str = "center", **font: Any) -> dict[str, Any]:
    """Text above the axes at a share of the width. It needs a top margin of about 30 pixels.

    Args:
        xanchor: which part of the text stands there: ``"left"``, ``"center"`` or ``"right"``.
        **font: ``colour`` and ``size``, as for :func:`placed_text`.
    """
    return placed_text(text, x, 1, paper=True, xanchor=xanchor, yanchor="bottom", **font)


def footnote(text: Text, x: float = 0.5) -> dict[str, Any]:
    """Muted text below the axes, centred at a share of the width."""
    return placed_text(text, x, 0, paper=True, xanchor="center", yanchor="top", colour=palette.INK)


def empty_figure(text: Text) -> Figure:
    """No more than a sentence, where there is nothing to draw."""
    sentence = placed_text(text, 0.5, 0.5, paper=True, xanchor="center", yanchor="middle", colour=palette.INK)
    return figure(x=hidden_axis(0, 1), y=hidden_axis(0, 1), annotations=[sentence])


def placed_image(source: Any, extent: Sequence[float], xaxis: str = "x", yaxis: str = "y") -> dict[str, Any]:
    """An image under the traces, stretched over (left, right, bottom, top) of the axes.

    Args:
        source: a :func:`~core.figures.arrays.raster`, a :func:`~core.figures.arrays.png`, or a
            :func:`~core.figures.arrays.static_array` that holds the bytes of a PNG.
    """
    left, right, bottom, top = (float(end) for end in extent)
    return {
        "source": source,
        "xref": xaxis,
        "yref": yaxis,
        "x": left,
        "y": top,
        "sizex": right - left,
        "sizey": abs(top - bottom),
        "sizing": "stretch",
        "layer": "below",
    }


def fitted_image(source: Any, x: float = 0.5, width: float = 1) -> dict[str, Any]:
    """An image of its own proportions, as large as ``width`` (a share of the drawing area's) and the height allow,
    centred at a share ``x`` of the width."""
    return {
        "source": source,
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": 0.5,
        "xanchor": "center",
        "yanchor": "middle",
        "sizex": width,
        "sizey": 1,
        "sizing": "contain",
        "layer": "below",
    }
