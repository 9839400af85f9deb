"""Figure of a word's nearest as the training went on: a line for each, the nearest on top."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.algorithms.word2vec.views import _AS_IS, _words
from core.experiment import Context
from core.figures import packed
from core.words import N_

_GONE = "rgba(128,128,128,0.45)"


def company(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Ranks against epochs; coloured are those that are among the nearest now, named at the end of their lines."""
    word, *words = _words(arrays["words"])
    rank, epoch = np.asarray(arrays["rank"], np.int8), np.asarray(arrays["epoch"], np.float32)
    epochs = float(getattr(context.config, "epochs", epoch[-1]))
    # A line is broken where the word was farther off.
    shown = np.where(rank >= 0, rank + 1.0, np.nan).astype(np.float32)
    traces, notes = [], []
    for i in np.argsort(rank[:, -1] >= 0, kind="stable").tolist():  # those of now are drawn over those that are gone
        place = int(rank[i, -1])
        colour = palette.CLASSES[place % len(palette.CLASSES)] if place >= 0 else _GONE
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": _AS_IS + words[i],
                "x": packed(epoch),
                "y": packed(shown[i]),
                "line": {"color": colour, "width": 2 if place >= 0 else 0.5},
                "marker": {"color": colour, "size": 4 if place >= 0 else 3},
                "hovertemplate": "%{fullData.name} %{y}<extra></extra>",
                "showlegend": False,
            }
        )
        if place >= 0:
            notes.append(
                {
                    "text": _AS_IS + words[i],
                    "x": float(epoch[-1]),
                    "y": place + 1,
                    "xanchor": "left",
                    "xshift": 6,
                    "showarrow": False,
                    "font": {"color": colour},
                }
            )
    notes.append(
        {
            "text": f"<b>{_AS_IS}{word}</b>",
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": 1,
            "xanchor": "left",
            "yanchor": "bottom",
            "showarrow": False,
        }
    )
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": N_("epoch")}, "range": [-0.02 * epochs, 1.02 * epochs], "zeroline": False},
            "yaxis": {
                "range": [float(rank.max()) + 1.6, 0.4],
                "dtick": 1,
                "zeroline": False,
                "fixedrange": True,
            },
            "annotations": notes,
            "margin": {"t": 24, "r": 90},
        },
    }
