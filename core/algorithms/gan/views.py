"""Figures of the GAN's panels, from their snapshots. Blue is D and what is real, orange is G and what it generated."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.events import Array
from core.experiment import Context
from core.figures import (
    Figure,
    axis,
    bars,
    distribution,
    equal_axes,
    figure,
    image_grid,
    placed_image,
    placed_text,
    points,
    raster,
    segments,
)
from core.palette import CLASSES, GENERATED, INK, REAL
from core.words import N_

#: Arrows stand out from both clouds and from D's colours.
_ARROW = CLASSES[4]
#: Images in a row of the grid of samples, and from one latent to another.
_COLUMNS, _INTERPOLATED = 6, 9

_FILLED: dict[str, Any] = {"symbol": "circle", "colour": GENERATED, "outline": 1}
_RINGS: dict[str, Any] = {"symbol": "circle-open", "colour": REAL}


def samples(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Generated points over D's output with the directions in which G is pushed, among real ones; or a grid of
    generated images."""
    if "images" in arrays:
        return image_grid(arrays["images"], _COLUMNS)
    data = context.statics["data"]
    traces = [
        points(*_xy(data["real"]), name=N_("real"), outline=2, **_RINGS),
        segments(_arrows(np.asarray(arrays["arrows"], np.float32)), name=N_("where G is pushed"), colour=_ARROW),
        points(*_xy(arrays["made"]), name=N_("generated"), **_FILLED),
    ]
    image = placed_image(_tinted(arrays["surface"]), data["extent"])
    return figure(traces, *equal_axes(data["extent"]), images=[image], legend=True)


def _xy(places: Array) -> Array:
    return places.T.astype(np.float32)


def _arrows(ends: Array) -> Array:
    """Arrows (n, start and tip, 2) as lines through five points: the shaft and the two sides of the head."""
    start, tip = ends[:, 0], ends[:, 1]
    back = 0.3 * (start - tip)
    across = 0.5 * np.stack([-back[:, 1], back[:, 0]], axis=1)
    return np.stack([start, tip, tip + back + across, tip, tip + back - across], axis=1)  # (n, 5, 2)


def _tinted(surface: Array) -> dict[str, Any]:
    """D's output: the bluer the more real, the more orange the more generated, transparent where it cannot tell."""
    # Row 0 of the snapshot is the top already. 64 tints of each colour, paler towards the middle.
    index = (surface.astype(np.int32) * 127 // 255).astype(np.uint8)
    strength = np.abs(np.linspace(-1, 1, 128))
    colours = [f"{GENERATED if i < 64 else REAL}{round(8 + 112 * strength[i]):02x}" for i in range(128)]
    return raster(index, colours, smooth=True)


def latent(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A grid of the latent space as G bends it: where its lines crowd, G puts many samples."""
    data = context.statics["data"]
    grid = np.asarray(arrays["lines"], np.float32)  # (direction, line, point, 2)
    traces = [
        points(*_xy(data["real"][::2]), name=N_("real"), size=5, outline=1, **_RINGS),
        segments(grid[0], name=N_("z₁ constant"), colour=GENERATED, width=1.5),
        segments(grid[1], name=N_("z₂ constant"), colour=_ARROW, width=1.5),
    ]
    return figure(traces, *equal_axes(data["extent"]), legend=True)


def d_outputs(arrays: Mapping[str, Any], context: Context) -> Figure:
    """How often D gives each output, for real and for generated samples."""
    # The square root keeps what is rare visible beside the spike of a D that is sure.
    heights = np.sqrt(np.asarray(arrays["share"], np.float32))
    limits = arrays["range"].tolist()
    traces = [
        distribution(height, *limits, name=name, colour=colour, opacity=0.8)
        for height, name, colour in zip(heights, (N_("real"), N_("generated")), (REAL, GENERATED), strict=True)
    ]
    probable = getattr(context.config, "d_is_probability", True)
    x = axis(N_("D's probability of real") if probable else N_("D's output"), limits)
    return figure(traces, x, axis(N_("share"), (0, 1.02), names={0: "0", 0.5: "¼", 1: "1"}), legend=True)


def interpolation(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Images from one latent to another, an interpolation a row."""
    return image_grid(arrays["images"], _INTERPOLATED)


def nearest(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Generated images above, under each the training image that is nearest to it."""
    both = np.concatenate([arrays["made"], arrays["real"]])
    chart = image_grid(both, len(both) // 2, gap=2)
    captions = (N_("generated"), 1, "bottom"), (N_("nearest in the training data"), 0, "top")
    chart["layout"] |= {
        "annotations": [
            placed_text(text, 0, y, paper=True, xanchor="left", yanchor=anchor) for text, y, anchor in captions
        ],
        "margin": {"t": 30, "b": 34},
    }
    return chart


def classes(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Into which classes the samples fall, and how sure the classifier is of each class's."""
    from core.data.images import DIGITS, PUBLISHED

    data = getattr(context.config, "data", "")
    names = list(PUBLISHED[data].classes if data in PUBLISHED else DIGITS)
    traces = [
        bars(names, arrays["shares"], name=N_("share of the samples"), colour=GENERATED),
        bars(names, arrays["confident"], name=N_("certainty"), colour=CLASSES[4]),
    ]
    uniform = 1 / max(len(arrays["shares"]), 1)
    dashed = {"color": INK, "width": 1.5, "dash": "dash"}
    return figure(
        traces,
        axis(type="category", showgrid=False),
        axis(limits=(0, 1), tickformat=".0%"),
        # The one shape in any view so far: a line from edge to edge, whatever the categories.
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": uniform, "y1": uniform, "line": dashed}],
        barmode="group",
        legend=True,
    )
