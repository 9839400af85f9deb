"""Figures of the GAN's panels, from their snapshots. Blue is D and what is real, orange is G and what it made."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.events import Array
from core.experiment import Context
from core.figures import atlas, packed, raster
from core.words import N_

REAL, MADE = palette.CLASSES[0], palette.CLASSES[1]
_INK = "#808080"  # reads on dark and on light
_BARE = {"visible": False, "fixedrange": True}
_PLAIN = {"showgrid": False, "zeroline": False}
#: Arrows stand out from both clouds and from D's colours.
_ARROW = "#832db6"
#: How many images stand side by side in the grid of samples, and on the way between two latents.
_ACROSS, _BETWEEN = 6, 9


def samples(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Generated points over D's answers with the way G is pushed, among real ones; or a grid of generated images."""
    if "images" in arrays:
        return _grid(np.asarray(arrays["images"]), _ACROSS)
    data = context.statics["data"]
    extent = [float(v) for v in data["extent"]]
    arrows = np.asarray(arrays["arrows"], np.float32)
    lines = _arrows(arrows[:, 0], arrows[:, 1])
    return {
        "data": [
            _points(np.asarray(data["real"]), N_("real"), "circle-open", REAL, 7, 2),
            {
                "type": "scatter",
                "mode": "lines",
                "name": N_("where G is pushed"),
                "x": packed(lines[:, 0]),
                "y": packed(lines[:, 1]),
                "line": {"width": 2, "color": _ARROW},
                "hoverinfo": "skip",
            },
            _points(np.asarray(arrays["made"]), N_("generated"), "circle", MADE, 7, 1),
        ],
        "layout": {
            "images": [_placed(_verdict(np.asarray(arrays["surface"])), extent)],
            "xaxis": {**_PLAIN, "range": extent[:2], "constrain": "domain"},
            "yaxis": {**_PLAIN, "range": extent[2:], "scaleanchor": "x", "constrain": "domain"},
            "showlegend": True,
        },
    }


def _arrows(start: Array, tip: Array) -> Array:
    """Arrows as one line with gaps, (n, 2): shaft and the two sides of each head."""
    back = 0.3 * (start - tip)
    across = 0.5 * np.stack([-back[:, 1], back[:, 0]], axis=1)
    gap = np.full_like(tip, np.nan)
    return np.stack([start, tip, tip + back + across, tip, tip + back - across, gap], axis=1).reshape(-1, 2)


def _verdict(surface: Array) -> dict[str, Any]:
    """D's answer as a tint: the bluer the more real, the more orange the more generated, bare where it cannot tell."""
    # Row 0 of the snapshot is the top already. 64 tints of each colour, paler towards the middle.
    index = (surface.astype(np.int32) * 127 // 255).astype(np.uint8)
    strength = np.abs(np.linspace(-1, 1, 128))
    colours = [f"{MADE if i < 64 else REAL}{round(8 + 112 * strength[i]):02x}" for i in range(128)]
    return raster(index, colours, smooth=True)


def _points(places: Array, name: str, symbol: str, colour: str, size: int, line: int) -> dict[str, Any]:
    marker: dict[str, Any] = {"symbol": symbol, "size": size, "color": colour}
    marker["line"] = {"width": line, "color": "#ffffff"} if symbol == "circle" else {"width": line}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": packed(places[:, 0].astype(np.float32)),
        "y": packed(places[:, 1].astype(np.float32)),
        "marker": marker,
        "hoverinfo": "x+y",
    }


def latent(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A grid of the latent space as G bends it: where its lines crowd, G puts many samples."""
    data = context.statics["data"]
    extent = [float(v) for v in data["extent"]]
    lines = np.asarray(arrays["lines"], np.float32)  # (way, line, place, 2)
    gaps = np.full((*lines.shape[:2], 1, 2), np.nan, np.float32)
    ways = np.concatenate([lines, gaps], axis=2).reshape(2, -1, 2)
    return {
        "data": [
            _points(np.asarray(data["real"])[::2], N_("real"), "circle-open", REAL, 5, 1),
            *(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "x": packed(ways[i, :, 0]),
                    "y": packed(ways[i, :, 1]),
                    "line": {"width": 1.5, "color": colour},
                    "hoverinfo": "skip",
                }
                for i, (name, colour) in enumerate(((N_("z₁ held"), MADE), (N_("z₂ held"), _ARROW)))
            ),
        ],
        "layout": {
            "xaxis": {**_PLAIN, "range": extent[:2], "constrain": "domain"},
            "yaxis": {**_PLAIN, "range": extent[2:], "scaleanchor": "x", "constrain": "domain"},
            "showlegend": True,
        },
    }


def answers(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """How often D gives each answer, for real and for generated samples."""
    share = np.asarray(arrays["share"], np.float32)
    low, high = (float(v) for v in arrays["range"])
    edges = np.linspace(low, high, share.shape[1] + 1)
    middles = ((edges[1:] + edges[:-1]) / 2).astype(np.float32)
    x = np.concatenate([[low], middles, [high]]).astype(np.float32)
    probable = getattr(context.config, "probable", True)
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "fill": "toself",
                "name": name,
                "x": packed(x),
                # The square root keeps what is rare visible beside the spike of a D that is sure.
                "y": packed(np.concatenate([[0], np.sqrt(share[i]), [0]]).astype(np.float32)),
                "line": {"width": 2, "color": colour},
                "opacity": 0.8,
                "hoverinfo": "skip",
            }
            for i, (name, colour) in enumerate(((N_("real"), REAL), (N_("generated"), MADE)))
        ],
        "layout": {
            "xaxis": {
                "range": [low, high],
                "title": {"text": N_("D says: real, with probability") if probable else N_("D's answer")},
            },
            "yaxis": {
                "range": [0, 1.02],
                "tickvals": [0, 0.5, 1],
                "ticktext": ["0", "¼", "1"],
                "title": {"text": N_("share")},
            },
            "showlegend": True,
        },
    }


def between(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Images on the way from one latent to another, a way a row."""
    return _grid(np.asarray(arrays["images"]), _BETWEEN)


def nearest(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Generated images above, under each the training image that is nearest to it."""
    both = np.concatenate([np.asarray(arrays["made"]), np.asarray(arrays["real"])])
    figure = _grid(both, len(both) // 2, gap=2)
    figure["layout"]["annotations"] = [
        {
            "text": text,
            "x": 0,
            "y": y,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": anchor,
            "showarrow": False,
        }
        for text, y, anchor in ((N_("generated"), 1, "bottom"), (N_("nearest in the training data"), 0, "top"))
    ]
    figure["layout"]["margin"] = {"t": 30, "b": 34}
    return figure


def classes(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Into which classes the samples fall, and how sure the classifier is of each class's."""
    from core.data.images import DIGITS, PUBLISHED

    data = getattr(context.config, "data", "")
    names = list(PUBLISHED[data].classes if data in PUBLISHED else DIGITS)
    shares = np.asarray(arrays["shares"], np.float32)
    fair = 1 / max(len(shares), 1)
    return {
        "data": [
            {
                "type": "bar",
                "name": name,
                "x": names,
                "y": packed(np.asarray(arrays[key], np.float32)),
                "marker": {"color": colour},
            }
            for key, name, colour in (
                ("shares", N_("share of the samples"), MADE),
                ("confident", N_("certainty"), palette.CLASSES[4]),
            )
        ],
        "layout": {
            "barmode": "group",
            "xaxis": {"type": "category", "showgrid": False},
            "yaxis": {"range": [0, 1], "tickformat": ".0%"},
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": fair,
                    "y1": fair,
                    "line": {"color": _INK, "width": 1.5, "dash": "dash"},
                }
            ],
            "showlegend": True,
        },
    }


def _grid(images: Array, columns: int, gap: int = 1) -> dict[str, Any]:
    """Images side by side as one picture."""
    picture = atlas(images, columns, gap, fill=96)
    height, width = picture.shape
    return {
        "data": [],
        "layout": {
            "images": [_placed(raster(picture, "grey"), [0, width, 0, height])],
            "xaxis": {**_BARE, "range": [0, width], "constrain": "domain"},
            "yaxis": {**_BARE, "range": [0, height], "scaleanchor": "x", "constrain": "domain"},
        },
    }


def _placed(picture: dict[str, Any], extent: list[float]) -> dict[str, Any]:
    """A raster over (left, right, bottom, top) of the axes, under the traces."""
    left, right, bottom, top = extent
    return {
        "source": picture,
        "xref": "x",
        "yref": "y",
        "x": left,
        "y": top,
        "sizex": right - left,
        "sizey": abs(top - bottom),
        "sizing": "stretch",
        "layer": "below",
    }
