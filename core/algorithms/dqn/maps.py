"""Figures of what the agent knows of its world: the value of states, and what it remembers of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.algorithms.dqn.views import action_names, headed
from core.algorithms.dqn.worlds import DIMENSIONS
from core.events import Array
from core.experiment import Context
from core.figures import packed, raster
from core.words import N_

_BARE = {"visible": False, "fixedrange": True}
_LETTERS = {"H": "#3d4451", "G": "#2f8f5b", "S": "#b9ac70"}
_ARROWS = {N_("left"): "←", N_("down"): "↓", N_("right"): "→", N_("up"): "↑"}


def state_map(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What each state is worth and which action is best there: over two numbers, on the grid, or as bars."""
    world = context.statics.get("world", {})
    if "q" not in arrays:
        return _plane(arrays, context)
    if "grid" in world:
        return _cells(arrays, world, context)
    return _bars(arrays, context)


def _plane(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    extent = [float(v) for v in arrays["extent"]]
    low, high = (float(v) for v in arrays["range"])
    x, y = (int(v) for v in arrays["axes"])
    action = np.asarray(arrays["action"], np.uint8)
    names = action_names(context, int(context.statics["world"]["actions"][0]))
    colours = [palette.CLASSES[a % len(palette.CLASSES)] for a in range(max(len(names), 1))]
    at = np.asarray(arrays["at"], np.float32)
    dots = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [float(at[0])],
            "y": [float(at[1])],
            "xaxis": axis,
            "marker": {"size": 12, "color": "#ffffff", "line": {"width": 3, "color": "#000000"}},
            "showlegend": False,
            "hoverinfo": "skip",
        }
        for axis in ("x", "x2")
    ]
    key = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": [None],
            "y": [None],
            "marker": {"color": colours[a], "symbol": "square", "size": 10},
        }
        for a, name in enumerate(names[:6])
    ]
    across = {"range": extent[:2], "showgrid": False, "zeroline": False, "nticks": 4}
    return {
        "data": [*dots, *key],
        "layout": {
            "images": [
                _placed(raster(np.asarray(arrays["value"], np.uint8), "sequential", smooth=True), extent, "x"),
                _placed(raster(action, colours), extent, "x2"),
            ],
            "xaxis": {**across, "domain": [0, 0.48], "title": {"text": dimension(context, x)}},
            "xaxis2": {**across, "domain": [0.52, 1], "title": {"text": dimension(context, x)}, "anchor": "y"},
            "yaxis": {
                "range": extent[2:],
                "showgrid": False,
                "zeroline": False,
                "nticks": 5,
                "title": {"text": dimension(context, y)},
            },
            "annotations": [
                headed(
                    {"template": N_("value {low} to {high}"), "values": {"low": f"{low:.3g}", "high": f"{high:.3g}"}},
                    0.24,
                ),
                headed(N_("best action"), 0.76),
            ],
            "margin": {"t": 32},
            "showlegend": True,
        },
    }


def _cells(arrays: Mapping[str, Any], world: Mapping[str, Any], context: Context) -> dict[str, Any]:
    rows, columns = (int(n) for n in world["grid"])
    letters = [chr(c) for c in world["letters"]]
    Q = np.asarray(arrays["q"], np.float32)[: rows * columns]
    V = Q.max(axis=1)
    ended = np.array([letter in "HG" for letter in letters])
    names = action_names(context, Q.shape[1])
    text, ink = [], []
    least = float(V[~ended].min())
    span = max(float(V[~ended].max()) - least, 1e-9)
    for s, letter in enumerate(letters):
        known = Q[s].max() > Q[s].min()
        arrow = _ARROWS.get(names[int(Q[s].argmax())], str(int(Q[s].argmax()))) if known else "·"
        text.append({"H": "✕", "G": "★"}.get(letter) or f"{arrow}<br>{V[s]:.2f}")
        ink.append("#ffffff" if ended[s] or (V[s] - least) / span < 0.6 else "#000000")
    x, y = np.tile(np.arange(columns), rows), np.repeat(np.arange(rows), columns)
    at = int(arrays["at"][0])
    shown = np.where(ended, np.nan, V).reshape(rows, columns).astype(np.float32)
    return {
        "data": [
            {
                "type": "heatmap",
                "z": packed(shown),
                "colorscale": [[i / 6, c] for i, c in enumerate(palette.RAMPS["sequential"])],
                "xgap": 2,
                "ygap": 2,
                "showscale": False,
                "hoverinfo": "skip",
            },
            {
                "type": "scatter",
                "mode": "text",
                "x": packed(x.astype(np.int32)),
                "y": packed(y.astype(np.int32)),
                "text": text,
                "textfont": {"color": [_LETTERS[t] if t in "HG" else c for t, c in zip(letters, ink, strict=True)]},
                "hoverinfo": "skip",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": [at % columns],
                "y": [at // columns],
                "marker": {"symbol": "circle-open", "size": 34, "color": palette.BAD, "line": {"width": 4}},
                "hoverinfo": "skip",
            },
        ],
        "layout": {
            "xaxis": {**_BARE, "range": [-0.5, columns - 0.5]},
            "yaxis": {**_BARE, "range": [rows - 0.5, -0.5]},
        },
    }


def _bars(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    Q = np.asarray(arrays["q"], np.float32)
    states, actions = Q.shape
    environment = str(getattr(context.config, "environment", ""))
    if environment == "over_estimation":
        Q, states = Q[:2], 2  # the end is never acted in
        places = [N_("A"), N_("B")]
    else:
        places = [str(s) for s in range(min(states, 40))]
    names = action_names(context, actions)
    return {
        "data": [
            {
                "type": "bar",
                "name": names[a],
                "x": places,
                "y": packed(Q[: len(places), a]),
                "marker": {"color": palette.CLASSES[a % len(palette.CLASSES)]},
            }
            for a in range(actions)
        ],
        "layout": {
            "xaxis": {"title": {"text": N_("state")}, "type": "category"},
            "yaxis": {"title": {"text": N_("Q")}},
            "showlegend": actions <= 6,
            "barmode": "group",
        },
    }


def memory(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What is remembered: how old, with which reward, and from where."""
    size, capacity, oldest = (int(n) for n in arrays["size"])
    low, high = (float(v) for v in arrays["range"])
    age, drawn = np.asarray(arrays["age"], np.float32), np.asarray(arrays["drawn"], np.float32)
    rewards = np.asarray(arrays["rewards"], np.float32)
    ages = (np.arange(len(age)) + 0.5) / len(age) * oldest
    paid = low + (np.arange(len(rewards)) + 0.5) / len(rewards) * max(high - low, 1e-6)
    seen = "cover" in arrays
    data: list[dict[str, Any]] = [
        _bar(ages, age / max(age.sum(), 1), N_("held"), palette.TRAIN, "x"),
        {
            "type": "scatter",
            "mode": "lines",
            "name": N_("drawn last"),
            "x": packed(ages.astype(np.float32)),
            "y": packed(drawn / max(drawn.sum(), 1)),
            "line": {"width": 3, "color": palette.TEST},
            "hoverinfo": "skip",
        },
        _bar(paid, rewards / max(rewards.sum(), 1), "", palette.TRAIN, "x2", high - low < 1e-6),
    ]
    layout: dict[str, Any] = {
        "xaxis": {"domain": [0, 0.27], "title": {"text": N_("age in steps")}, "nticks": 3, "range": [0, oldest]},
        "xaxis2": {"domain": [0.33, 0.54], "title": {"text": N_("reward")}, "nticks": 3, "anchor": "y"},
        "yaxis": {"title": {"text": N_("share")}, "tickformat": ".0%", "nticks": 4, "rangemode": "tozero"},
        "xaxis3": {"domain": [0.72, 1], "showgrid": False, "zeroline": False, "nticks": 3, "anchor": "y3"},
        "yaxis3": {"anchor": "x3", "showgrid": False, "zeroline": False, "nticks": 4},
        "annotations": [
            headed(
                {
                    "template": N_("{size} of {capacity} steps held"),
                    "values": {"size": f"{size:,}", "capacity": f"{capacity:,}"},
                },
                0.27,
            ),
            headed(N_("where from"), 0.86),
        ],
        "margin": {"t": 32},
        "bargap": 0,
        "showlegend": True,
    }
    if seen:
        extent = [float(v) for v in arrays["extent"]]
        x, y = (int(v) for v in arrays["axes"])
        layout["images"] = [_placed(raster(np.asarray(arrays["cover"], np.uint8), "sequential"), extent, "x3", "y3")]
        layout["xaxis3"] |= {"range": extent[:2], "title": {"text": dimension(context, x)}}
        layout["yaxis3"] |= {"range": extent[2:], "title": {"text": dimension(context, y)}}
        data.append(
            {"type": "scatter", "mode": "markers", "x": [], "y": [], "xaxis": "x3", "yaxis": "y3", "showlegend": False}
        )
        return {"data": data, "layout": layout}
    visits = np.asarray(arrays["visits"], np.float32)
    share = visits / max(visits.sum(), 1)
    world = context.statics.get("world", {})
    if "grid" in world:
        rows, columns = (int(n) for n in world["grid"])
        data.append(
            {
                "type": "heatmap",
                "z": packed(np.sqrt(share[: rows * columns]).reshape(rows, columns)),
                "xaxis": "x3",
                "yaxis": "y3",
                "colorscale": [[i / 6, c] for i, c in enumerate(palette.RAMPS["sequential"])],
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
                "hoverinfo": "skip",
            }
        )
        layout["xaxis3"]["visible"] = layout["yaxis3"]["visible"] = False
        layout["yaxis3"]["autorange"] = "reversed"
        return {"data": data, "layout": layout}
    data.append({**_bar(np.arange(len(share)), share, "", palette.TRAIN, "x3"), "yaxis": "y3"})
    layout["xaxis3"]["title"] = {"text": N_("state")}
    layout["yaxis3"]["rangemode"] = "tozero"
    return {"data": data, "layout": layout}


def dimension(context: Context, i: int) -> str | dict[str, Any]:
    """What a number of the observation is, where the environment is known; else its place in it."""
    known = DIMENSIONS.get(str(getattr(context.config, "environment", "")), ())
    return known[i] if i < len(known) else {"template": N_("number {i} of the observation"), "values": {"i": i}}


def _bar(x: Array, y: Array, name: str, colour: str, axis: str, single: bool = False) -> dict[str, Any]:
    bar: dict[str, Any] = {
        "type": "bar",
        "x": packed(np.asarray(x, np.float32)),
        "y": packed(np.asarray(y, np.float32)),
        "xaxis": axis,
        "marker": {"color": colour},
        "hoverinfo": "skip",
    }
    if single:
        bar["width"] = 0.4
    return bar | ({"name": name} if name else {"showlegend": False})


def _placed(picture: dict[str, Any], extent: list[float], x: str, y: str = "y") -> dict[str, Any]:
    """A raster over (left, right, bottom, top) of the axes, under the traces."""
    left, right, bottom, top = extent
    return {
        "source": picture,
        "xref": x,
        "yref": y,
        "x": left,
        "y": top,
        "sizex": right - left,
        "sizey": top - bottom,
        "sizing": "stretch",
        "layer": "below",
    }
