"""Figures of the agent's panels, from their snapshots."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.algorithms.dqn.worlds import ACTIONS
from core.events import Array
from core.experiment import Context
from core.figures import packed
from core.words import N_

_BARE = {"visible": False, "fixedrange": True}
_INK = "#808080"  # reads on dark and on light


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
        "annotations": [headed(said, 0.5)],
        "margin": {"t": 36},
    }
    if "png" not in arrays:
        layout["annotations"].append(
            {"text": N_("This environment draws no picture."), "x": 0.5, "y": 0.5, "showarrow": False}
        )
        return {"data": [], "layout": layout}
    layout["images"] = [_image(arrays["png"], 0.5, 1)]
    return {"data": [], "layout": layout}


def duel(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The person's world on the left, the agent's on the right, each with its steps and rewards above."""
    layout: dict[str, Any] = {
        "xaxis": {**_BARE, "range": [0, 1]},
        "yaxis": {**_BARE, "range": [0, 1]},
        "annotations": [],
        "images": [],
        "margin": {"t": 36},
    }
    stands = {
        "you": (N_("you: step {t}, return {returned}"), N_("you: over after {t} steps, return {returned}")),
        "agent": (N_("agent: step {t}, return {returned}"), N_("agent: over after {t} steps, return {returned}")),
    }
    for who, x in (("you", 0.25), ("agent", 0.75)):
        t, returned, over = (float(v) for v in arrays[f"{who}_about"])
        said = {"template": stands[who][over > 0], "values": {"t": int(t), "returned": f"{returned:g}"}}
        layout["annotations"].append(headed(said, x))
        if f"{who}_png" in arrays:
            layout["images"].append(_image(arrays[f"{who}_png"], x, 0.48))
    return {"data": [], "layout": layout}


def _image(file: Array, x: float, width: float) -> dict[str, Any]:
    """A PNG, centred at a share of the width."""
    return {
        "source": "data:image/png;base64," + base64.b64encode(np.ascontiguousarray(file).tobytes()).decode("ascii"),
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
            "marker": {"color": palette.CLASSES[a]},
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


def calibration(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A point for each step of the last evaluation: what it was thought to bring, and what it brought."""
    found = np.asarray(arrays["pairs"], np.float32).reshape(-1, 2)
    if not len(found):
        note = {"text": N_("Cut off too early to say what the steps brought."), "x": 0.5, "y": 0.5, "showarrow": False}
        bare = {**_BARE, "range": [0, 1]}
        return {"data": [], "layout": {"xaxis": bare, "yaxis": bare, "annotations": [note]}}
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


def headed(text: Any, x: float) -> dict[str, Any]:
    """A heading above the axes, centred at this share of the width."""
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": 1,
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
    }
