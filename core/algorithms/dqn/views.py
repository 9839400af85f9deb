"""Figures of the agent's panels and probes, from their snapshots."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.data.environment_names import ACTIONS, DIMENSIONS
from core.experiment import Context
from core.figures import (
    Figure,
    Trace,
    axis,
    bars,
    empty_figure,
    figure,
    fitted_image,
    heading,
    heat_map,
    hidden_axis,
    histogram,
    labels,
    line,
    placed_image,
    placed_text,
    png,
    points,
    raster,
)
from core.palette import BAD, CLASSES, INK, TEST, TRAIN, class_colour
from core.words import N_

#: A hole and the goal of a grid: sign and colour.
_ENDS = {"H": ("✕", "#3d4451"), "G": ("★", "#2f8f5b")}
_ARROWS = {N_("left"): "←", N_("down"): "↓", N_("right"): "→", N_("up"): "↑"}

#: What stands above an episode: in play, terminated, or cut off.
_EPISODE = (
    N_("episode {episode}, step {t}, return so far {returned}"),
    N_("episode {episode} ended by itself after {t} steps, return {returned}"),
    N_("episode {episode} was cut off after {t} steps, return {returned}"),
)
#: The same of a probe, by who plays: in play, or over.
_PLAYER = {
    "you": (N_("you: step {t}, return {returned}"), N_("you: over after {t} steps, return {returned}")),
    "agent": (N_("agent: step {t}, return {returned}"), N_("agent: over after {t} steps, return {returned}")),
}


def rollout(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The environment's own image, with the episode's number, steps and rewards above it."""
    episode, t, returned, ended = arrays["about"].tolist()
    values = {"episode": int(episode), "t": int(t), "returned": f"{returned:g}"}
    return _screens([({"template": _EPISODE[int(ended)], "values": values}, arrays.get("png"), 0.5)], width=1)


def duel(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The person's environment on the left, the agent's on the right, each with its steps and rewards above."""
    screens = []
    for player, x in (("you", 0.25), ("agent", 0.75)):
        t, returned, ended = arrays[f"{player}_about"].tolist()
        values = {"t": int(t), "returned": f"{returned:g}"}
        title = {"template": _PLAYER[player][ended > 0], "values": values}
        screens.append((title, arrays.get(f"{player}_png"), x))
    return _screens(screens, width=0.48)


def _screens(screens: list[tuple[dict[str, Any], Any, float]], width: float) -> Figure:
    """Environments side by side: a title, a PNG or ``None``, and the place of the middle as a share of the width."""
    annotations = [heading(title, x) for title, _, x in screens]
    missing = N_("This environment draws no picture.")
    annotations += [placed_text(missing, x, 0.5) for _, image, x in screens if image is None]
    images = [fitted_image(png(image), x, width) for _, image, x in screens if image is not None]
    plane = hidden_axis(0, 1)
    return figure(x=plane, y=plane, annotations=annotations, images=images, margin={"t": 36})


def action_values(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A line for each action: its predicted value at each step of the episode that is shown."""
    Q, t = np.asarray(arrays["q"], np.float32), arrays["t"]
    names, shown = _action_names(context, Q.shape[1]), min(Q.shape[1], len(CLASSES))
    markers = 6 if len(t) < 3 else 0  # so short a line would not be seen
    traces = [
        line(t, Q[:, a], name=names[a], colour=CLASSES[a], width=3, markers=markers, hover="x+y") for a in range(shown)
    ]
    best = int(Q[-1, :shown].argmax())
    first, last = int(t[0]), int(t[-1])
    traces.append(points([last], [float(Q[-1, best])], colour=CLASSES[best], size=12, hover="skip"))
    span = max(last - first, 4)
    x = axis(N_("step of the episode"), (first - 0.03 * span, first + 1.03 * span))  # no point is cut by the edge
    return figure(traces, x, axis(N_("Q")), legend=True)


def td_errors(arrays: Mapping[str, Any], context: Context) -> Figure:
    """How large the errors of the last update were, and of which sign."""
    limit = float(arrays["reach"][0])
    errors = histogram(arrays["counts"], -limit, limit, colour=TRAIN)
    x = axis(N_("TD error: target − prediction"), (-limit, limit))
    return figure([errors], x, axis(N_("steps"), rangemode="tozero"), bargap=0)


def calibration(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A point for each step of the last evaluation: the expected return against the actual one."""
    pairs = np.asarray(arrays["pairs"], np.float32).reshape(-1, 2)  # (steps, expected and actual)
    if not len(pairs):
        return empty_figure(N_("Cut off too early to know the return of any step."))
    low, high = float(pairs.min()), float(pairs.max())
    rim = 0.05 * (high - low) + 1e-3
    limits = [low - rim, high + rim]
    expected, actual = pairs.T
    name = N_("a step of the last evaluation")
    traces = [
        line(limits, limits, name=N_("exactly right"), colour=INK, dash="dash"),
        points(actual, expected, name=name, colour=TEST, opacity=0.6, webgl=True),
    ]
    return figure(
        traces, axis(N_("actual discounted return"), limits), axis(N_("expected return Q"), limits), legend=True
    )


def state_map(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The value of each state and the best action there: over two numbers, on the grid, or as bars."""
    if "q" not in arrays:
        return _plane(arrays, context)
    if "grid" in context.statics.get("world", {}):
        return _cells(arrays, context)
    return _bars(arrays, context)


def _plane(arrays: Mapping[str, Any], context: Context) -> Figure:
    extent = arrays["extent"]
    x, y = (_dimension(context, i) for i in arrays["axes"].tolist())
    names = _action_names(context, int(context.statics["world"]["actions"][0]))
    colours = [class_colour(a) for a in range(max(len(names), 1))]
    here: dict[str, Any] = {"colour": "#ffffff", "size": 12, "outline": 3, "outline_colour": "#000000", "hover": "skip"}
    at = [[value] for value in arrays["at"].tolist()]
    dots = [points(*at, xaxis=xaxis, **here) for xaxis in ("x", "x2")]
    key = [
        points([None], [None], name=name, colour=colour, symbol="square", size=10)
        for name, colour in zip(names[:6], colours, strict=False)
    ]
    low, high = (f"{value:.3g}" for value in arrays["range"].tolist())
    return figure(
        [*dots, *key],
        axis(x, extent[:2], grid=False, nticks=4, domain=[0, 0.48]),
        axis(y, extent[2:], grid=False, nticks=5),
        xaxis2=axis(x, extent[:2], grid=False, nticks=4, domain=[0.52, 1], anchor="y"),
        images=[
            placed_image(raster(arrays["value"], "sequential", smooth=True), extent, "x"),
            placed_image(raster(arrays["action"], colours), extent, "x2"),
        ],
        annotations=[
            heading({"template": N_("value {low} to {high}"), "values": {"low": low, "high": high}}, 0.24),
            heading(N_("best action"), 0.76),
        ],
        margin={"t": 32},
        legend=True,
    )


def _cells(arrays: Mapping[str, Any], context: Context) -> Figure:
    world = context.statics["world"]
    rows, columns = world["grid"].tolist()
    letters = [chr(code) for code in world["letters"]]
    Q = np.asarray(arrays["q"], np.float32)[: rows * columns]
    V, best, known = Q.max(axis=1), Q.argmax(axis=1).tolist(), Q.max(axis=1) > Q.min(axis=1)
    V[[letter in _ENDS for letter in letters]] = np.nan
    share = (V - np.nanmin(V)) / max(float(np.nanmax(V) - np.nanmin(V)), 1e-9)
    names = _action_names(context, Q.shape[1])
    texts, colours = [], []
    for state, letter in enumerate(letters):
        arrow = _ARROWS.get(names[best[state]], str(best[state])) if known[state] else "·"
        ink = "#ffffff" if share[state] < 0.6 else "#000000"  # legible on the cell's own colour
        number = f"{V[state]:.2f}" if abs(V[state]) < 10 else f"{V[state]:.1f}"  # as wide as its cell at most
        text, colour = _ENDS.get(letter, (f"{arrow}<br>{number}", ink))
        texts.append(text)
        colours.append(colour)
    at = int(arrays["at"][0])
    x, y = np.tile(np.arange(columns), rows), np.repeat(np.arange(rows), columns)
    ring: dict[str, Any] = {"symbol": "circle-open", "size": 34, "outline": 4, "hover": "skip"}
    traces = [
        heat_map(V.reshape(rows, columns), scale="sequential", gap=2),
        labels(x, y, texts, color=colours),
        points([at % columns], [at // columns], colour=BAD, **ring),
    ]
    return figure(traces, hidden_axis(-0.5, columns - 0.5), hidden_axis(rows - 0.5, -0.5))


def _bars(arrays: Mapping[str, Any], context: Context) -> Figure:
    Q = np.asarray(arrays["q"], np.float32)
    states, actions = Q.shape
    trap = getattr(context.config, "environment", "") == "over_estimation"  # its end, the third state, has no actions
    places = [N_("A"), N_("B")] if trap else [str(state) for state in range(min(states, 40))]
    traces = [
        bars(places, Q[: len(places), a], name=name, colour=class_colour(a))
        for a, name in enumerate(_action_names(context, actions))
    ]
    x = axis(N_("state"), type="category")
    return figure(traces, x, axis(N_("Q")), barmode="group", legend=actions <= 6)


def replay_buffer(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Which steps the replay buffer holds: how old, with which reward, and from which states."""
    size, capacity, oldest = arrays["size"].tolist()
    age, drawn, rewards = (_shares(arrays[name]) for name in ("age", "drawn", "rewards"))
    drawn_at = (np.arange(len(drawn)) + 0.5) / len(drawn) * oldest
    held = {
        "template": N_("{size} of {capacity} steps held"),
        "values": {"size": f"{size:,}", "capacity": f"{capacity:,}"},
    }
    states, parts = _states(arrays, context)
    return figure(
        [
            histogram(age, 0, oldest, name=N_("held"), colour=TRAIN, hover="skip"),
            line(drawn_at, drawn, name=N_("drawn last"), colour=TEST, width=3),
            histogram(rewards, *arrays["range"].tolist(), colour=TRAIN, hover="skip", xaxis="x2"),
            states | {"xaxis": "x3", "yaxis": "y3"},
        ],
        axis(N_("age in steps"), (0, oldest), domain=[0, 0.27], nticks=3),
        axis(N_("share"), tickformat=".0%", nticks=4, rangemode="tozero"),
        xaxis2=axis(N_("reward"), domain=[0.33, 0.54], nticks=3, anchor="y"),
        xaxis3=parts.pop("x") | {"domain": [0.72, 1], "anchor": "y3"},
        yaxis3=parts.pop("y") | {"anchor": "x3"},
        annotations=[heading(held, 0.27), heading(N_("where from"), 0.86)],
        margin={"t": 32},
        bargap=0,
        legend=True,
        **parts,
    )


def _states(arrays: Mapping[str, Any], context: Context) -> tuple[Trace, dict[str, Any]]:
    """From which states the buffer's steps are: a trace, with its axes ``x`` and ``y`` and, over two numbers, the
    ``images``."""
    if "cover" in arrays:
        extent = arrays["extent"]
        x, y = (_dimension(context, i) for i in arrays["axes"].tolist())
        images = [placed_image(raster(arrays["cover"], "sequential"), extent, "x3", "y3")]
        across, upward = axis(x, extent[:2], grid=False, nticks=3), axis(y, extent[2:], grid=False, nticks=4)
        return points([], [], colour=TRAIN), {"x": across, "y": upward, "images": images}
    share = _shares(arrays["visits"])
    world = context.statics.get("world", {})
    if "grid" in world:
        rows, columns = world["grid"].tolist()
        cells = np.sqrt(share[: rows * columns]).reshape(rows, columns)
        hidden = {"x": axis(visible=False), "y": axis(reverse=True, visible=False)}
        return heat_map(cells, scale="sequential"), hidden
    visits = bars(np.arange(len(share)), share, colour=TRAIN, hover="skip")
    across = axis(N_("state"), grid=False, nticks=3)
    return visits, {"x": across, "y": axis(grid=False, nticks=4, rangemode="tozero")}


def _shares(counts: Any) -> Any:
    return np.asarray(counts, np.float32) / max(counts.sum(), 1)


def _action_names(context: Context, actions: int) -> list[str]:
    """What each action does, where the environment is known; else its number."""
    known = ACTIONS.get(str(getattr(context.config, "environment", "")), ())
    return list(known) if len(known) == actions else [str(a) for a in range(actions)]


def _dimension(context: Context, i: int) -> str | dict[str, Any]:
    """What a number of the observation is, where the environment is known; else its index."""
    known = DIMENSIONS.get(str(getattr(context.config, "environment", "")), ())
    return known[i] if i < len(known) else {"template": N_("number {i} of the observation"), "values": {"i": i}}
