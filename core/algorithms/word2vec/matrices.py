"""Figures of the engine that is written out: both matrices, and the pairs that its last step pulled and pushed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.algorithms.word2vec.views import _AS_IS, _BARE, _note, _words
from core.experiment import Context
from core.figures import packed, raster
from core.palette import RAMPS
from core.words import N_

#: What stands above each matrix; symbols, alike in every language.
_TITLES = (("E", "E ±{reach}"), ("O", "O ±{reach}"), ("dE", "∂L/∂E ±{reach}"), ("dO", "∂L/∂O ±{reach}"))
_GAP = 0.06


def matrices(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A row for each frequent word: its vector as a centre and as a neighbour, and the last step's gradient of both."""
    words = _words(arrays["words"])
    images, notes = [], []
    for i, (name, title) in enumerate(_TITLES):
        left = i * (1 + _GAP)
        images.append(
            {
                "source": raster(np.asarray(arrays[name], np.uint8), "diverging"),
                "xref": "x",
                "yref": "y",
                "x": left,
                "y": 0,
                "sizex": 1,
                "sizey": len(words),
                "sizing": "stretch",
                "layer": "below",
            }
        )
        reach = float(arrays[f"{name}_reach"][0])
        notes.append(
            {
                "text": title.format(reach=f"{reach:.2g}"),
                "x": left + 0.5,
                "y": -0.2,
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 11},
            }
        )
    return {
        "data": [],
        "layout": {
            "images": images,
            "annotations": notes,
            "xaxis": {**_BARE, "range": [0, 4 + 3 * _GAP]},
            "yaxis": {
                "range": [len(words), -0.08 * len(words)],
                "tickvals": [i + 0.5 for i in range(len(words))],
                "ticktext": [_AS_IS + word for word in words],
                "tickfont": {"size": 10},
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
        },
    }


def pairs(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A row for each pair: the centre, the true neighbour that it is pulled to, and the random words pushed away."""
    centre, targets = _words(arrays["centre"]), np.array(_words(arrays["targets"]), object)
    pull = np.asarray(arrays["pull"], np.float32)  # (n, 1 + k)
    targets = targets.reshape(pull.shape)
    ramp = RAMPS["diverging"]
    scale = [[i / (len(ramp) - 1), colour] for i, colour in enumerate(reversed(ramp))]
    k = pull.shape[1] - 1
    return {
        "data": [
            {
                "type": "heatmap",
                "x": list(range(1, k + 2)),
                "z": packed(np.ascontiguousarray(pull)),
                "text": targets.tolist(),
                "texttemplate": "%{text}",
                "textfont": {"color": "#202020"},
                "colorscale": scale,
                "zmin": -1,
                "zmax": 1,
                "xgap": 3,
                "ygap": 3,
                "showscale": False,
                "hovertemplate": "%{text} %{z:.3f}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {
                "side": "top",
                "tickvals": [1, *([2 + (k - 1) / 2] if k else [])],
                "ticktext": [N_("pulled"), *([N_("pushed away, drawn at random")] if k else [])],
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
            "yaxis": {
                "tickvals": list(range(len(centre))),
                "ticktext": [_AS_IS + word for word in centre],
                "autorange": "reversed",
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
            "annotations": [_note(N_("blue: together; red: apart; pale: knew already"), 1, 0, "right", "top")],
            "margin": {"t": 24, "b": 24},
        },
    }
