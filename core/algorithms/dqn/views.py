"""Figures of the agent's panels, from their snapshots."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.events import Array
from core.experiment import Context
from core.figures import packed, raster
from core.words import N_

_BARE = {"visible": False, "fixedrange": True}
_INK = "#808080"  # reads on dark and on light
_LETTERS = {"H": "#3d4451", "G": "#2f8f5b", "S": "#b9ac70"}

#: What the actions of known environments do, in order.
ACTIONS: dict[str, tuple[str, ...]] = {
    "CartPole-v1": (N_("push left"), N_("push right")),
    "MountainCar-v0": (N_("drive left"), N_("coast"), N_("drive right")),
    "Acrobot-v1": (N_("swing left"), N_("let go"), N_("swing right")),
    "FrozenLake-v1": (N_("left"), N_("down"), N_("right"), N_("up")),
    "CliffWalking-v1": (N_("up"), N_("right"), N_("down"), N_("left")),
    "two_state": (N_("stay"), N_("move")),
}

#: What the numbers of known observations are, in order.
DIMENSIONS: dict[str, tuple[str, ...]] = {
    "CartPole-v1": (N_("place of the cart"), N_("speed of the cart"), N_("angle of the pole"), N_("speed of the pole")),
    "MountainCar-v0": (N_("place of the car"), N_("speed of the car")),
    "Acrobot-v1": (
        N_("cosine of angle 1"),
        N_("sine of angle 1"),
        N_("cosine of angle 2"),
        N_("sine of angle 2"),
        N_("speed of angle 1"),
        N_("speed of angle 2"),
    ),
}
_ARROWS = {N_("left"): "←", N_("down"): "↓", N_("right"): "→", N_("up"): "↑"}


def rollout(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The environment's own picture, with the episode's number, steps and rewards above it."""
    episode, t, returned, over = (float(v) for v in arrays["about"])
    ends = (
        N_("episode {episode}, step {t}, return so far {returned}"),
        N_("episode {episode} ended by itself after {t} steps, return {returned}"),
        N_("episode {episode} was cut off after {t} steps, return {returned}"),
    )
    said = {"template": ends[int(over)], "values": {"episode": int(episode), "t": int(t), "returned": f"{returned:g}"}}
    layout: dict[str, Any] = {
        "xaxis": {**_BARE, "range": [0, 1]},
        "yaxis": {**_BARE, "range": [0, 1]},
        "annotations": [_above(said)],
        "margin": {"t": 36},
    }
    if "png" not in arrays:
        layout["annotations"].append(
            {"text": N_("This environment draws no picture."), "x": 0.5, "y": 0.5, "showarrow": False}
        )
        return {"data": [], "layout": layout}
    file = np.ascontiguousarray(arrays["png"]).tobytes()
    width, height = (int.from_bytes(file[i : i + 4], "big") for i in (16, 20))
    layout["images"] = [
        {
            "source": "data:image/png;base64," + base64.b64encode(file).decode("ascii"),
            "xref": "paper",
            "yref": "paper",
            "x": 0.5,
            "y": 0.5,
            "xanchor": "center",
            "yanchor": "middle",
            "sizex": 1,
            "sizey": 1,
            "sizing": "contain",
            "layer": "below",
        }
    ]
    layout["meta"] = {"width": width, "height": height}
    return {"data": [], "layout": layout}


def values(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A line for each action: what it was thought to be worth at each step of the episode that is shown."""
    Q, t = np.asarray(arrays["q"], np.float32), np.asarray(arrays["t"])
    names = action_names(context, Q.shape[1])
    shown = Q.shape[1] if Q.shape[1] <= len(palette.CLASSES) else len(palette.CLASSES)
    lines = [
        {
            "type": "scatter",
            "mode": "lines+markers" if len(t) < 3 else "lines",
            "name": names[a],
            "x": packed(t.astype(np.int32)),
            "y": packed(Q[:, a]),
            "line": {"width": 3, "color": palette.CLASSES[a]},
            "hoverinfo": "x+y",
        }
        for a in range(shown)
    ]
    now = Q[-1, :shown]
    best = int(now.argmax())
    dot = {
        "type": "scatter",
        "mode": "markers",
        "x": [int(t[-1])],
        "y": [float(now[best])],
        "marker": {"size": 12, "color": palette.CLASSES[best]},
        "showlegend": False,
        "hoverinfo": "skip",
    }
    return {
        "data": [*lines, dot],
        "layout": {
            "xaxis": {
                "title": {"text": N_("step of the episode")},
                "range": [int(t[0]), max(int(t[-1]), int(t[0]) + 4)],
            },
            "yaxis": {"title": {"text": N_("Q")}},
            "showlegend": True,
        },
    }


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
                _headed(
                    {"template": N_("value {low} to {high}"), "values": {"low": f"{low:.3g}", "high": f"{high:.3g}"}},
                    0.24,
                ),
                _headed(N_("best action"), 0.76),
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
    span = max(float(V.max() - V.min()), 1e-9)
    for s, letter in enumerate(letters):
        known = Q[s].max() > Q[s].min()
        arrow = _ARROWS.get(names[int(Q[s].argmax())], str(int(Q[s].argmax()))) if known else "·"
        text.append({"H": "✕", "G": "★"}.get(letter) or f"{arrow}<br>{V[s]:.2f}")
        ink.append("#ffffff" if ended[s] or (V[s] - V.min()) / span < 0.6 else "#000000")
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


def errors(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """How large the surprises of the last update were, and in which direction."""
    counts, reach = np.asarray(arrays["counts"]), float(arrays["reach"][0])
    edges = np.linspace(-reach, reach, len(counts) + 1)
    return {
        "data": [
            {
                "type": "bar",
                "x": packed(((edges[1:] + edges[:-1]) / 2).astype(np.float32)),
                "y": packed(counts),
                "marker": {"color": palette.TRAIN},
                "width": 2 * reach / len(counts),
            }
        ],
        "layout": {
            "xaxis": {"range": [-reach, reach], "title": {"text": N_("error: what came, less what was thought")}},
            "yaxis": {"title": {"text": N_("steps")}, "rangemode": "tozero"},
            "bargap": 0,
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
        "xaxis": {"domain": [0, 0.3], "title": {"text": N_("age in steps")}, "nticks": 3, "range": [0, oldest]},
        "xaxis2": {"domain": [0.36, 0.6], "title": {"text": N_("reward")}, "nticks": 3, "anchor": "y"},
        "yaxis": {"title": {"text": N_("share")}, "tickformat": ".0%", "nticks": 4, "rangemode": "tozero"},
        "xaxis3": {"domain": [0.7, 1], "showgrid": False, "zeroline": False, "nticks": 3, "anchor": "y3"},
        "yaxis3": {"anchor": "x3", "showgrid": False, "zeroline": False, "nticks": 4},
        "annotations": [
            _headed(
                {
                    "template": N_("{size} of {capacity} steps held"),
                    "values": {"size": f"{size:,}", "capacity": f"{capacity:,}"},
                },
                0.3,
            ),
            _headed(N_("where they are from"), 0.85),
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


def calibration(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A point for each step of the last evaluation: what it was thought to bring, and what it brought."""
    found = np.asarray(arrays["pairs"], np.float32).reshape(-1, 2)
    if not len(found):
        return {"data": [], "layout": {"xaxis": _BARE, "yaxis": _BARE}}
    low, high = float(found.min()), float(found.max())
    rim = 0.05 * (high - low) + 1e-3
    span = [low - rim, high + rim]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "name": N_("exactly right"),
                "x": span,
                "y": span,
                "line": {"width": 2, "color": _INK, "dash": "dash"},
                "hoverinfo": "skip",
            },
            {
                "type": "scattergl",
                "mode": "markers",
                "name": N_("a step of the last evaluation"),
                "x": packed(found[:, 1]),
                "y": packed(found[:, 0]),
                "marker": {"size": 7, "color": palette.TEST, "opacity": 0.6},
                "hoverinfo": "x+y",
            },
        ],
        "layout": {
            "xaxis": {"title": {"text": N_("discounted return obtained")}, "range": span},
            "yaxis": {"title": {"text": N_("Q, what was thought")}, "range": span},
            "showlegend": True,
        },
    }


def action_names(context: Context, actions: int) -> list[str]:
    """What each action does, where the environment is known; else its number."""
    known = ACTIONS.get(str(getattr(context.config, "environment", "")), ())
    return list(known) if len(known) == actions else [str(a) for a in range(actions)]


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


def _above(text: Any) -> dict[str, Any]:
    return _headed(text, 0.5)


def _headed(text: Any, x: float) -> dict[str, Any]:
    return {"text": text, "xref": "paper", "yref": "paper", "x": x, "y": 1, "yanchor": "bottom", "showarrow": False}
