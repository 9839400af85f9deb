"""Figures of the SGNS engine: both matrices, and the pairs that its last step pulled and pushed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.experiment import Context
from core.figures import (
    Figure,
    as_is,
    axis,
    figure,
    heat_map,
    hidden_axis,
    placed_image,
    placed_text,
    raster,
    text_lines,
)
from core.palette import INK, colour_scale
from core.words import N_

#: What stands above each matrix; symbols, alike in every language.
_TITLES = {
    "W_in": "W<sub>in</sub>",
    "W_out": "W<sub>out</sub>",
    "dW_in": "∂L/∂W<sub>in</sub>",
    "dW_out": "∂L/∂W<sub>out</sub>",
}
_GAP = 0.06


def matrices(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A row for each frequent word: its vector as a centre and as a neighbour, and the last step's gradient of both."""
    words = text_lines(arrays["words"])
    images, titles = [], []
    for i, (name, title) in enumerate(_TITLES.items()):
        left, limit = i * (1 + _GAP), float(arrays[f"{name}_reach"][0])
        images.append(placed_image(raster(arrays[name], "diverging"), (left, left + 1, len(words), 0)))
        titles.append(placed_text(f"{title} ±{limit:.2g}", left + 0.5, -0.2, yanchor="bottom", size=11))
    names = {i + 0.5: as_is(word) for i, word in enumerate(words)}
    y = axis(limits=(len(words), -0.08 * len(words)), names=names, tickfont={"size": 10}, grid=False, zoom=False)
    return figure(x=hidden_axis(0, 4 + 3 * _GAP), y=y, images=images, annotations=titles)


def pairs(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A row for each pair: the centre, the true neighbour that it is pulled to, and the random words pushed away."""
    pull = np.asarray(arrays["pull"], np.float32)  # (n, 1 + k)
    k = pull.shape[1] - 1
    cells = heat_map(
        pull,
        scale=colour_scale("diverging", reverse=True),
        limits=(-1, 1),
        gap=3,
        hover="%{text} %{z:.3f}",
        x=list(range(1, k + 2)),
        text=np.array(text_lines(arrays["targets"]), object).reshape(pull.shape).tolist(),
        texttemplate="%{text}",
        textfont={"color": "#202020"},
    )
    kinds = {1: N_("pulled")} | ({2 + (k - 1) / 2: N_("pushed away, drawn at random")} if k else {})
    words = [as_is(word) for word in text_lines(arrays["centre"])]
    key = N_("blue: together; red: apart; pale: learned already")
    return figure(
        [cells],
        axis(names=kinds, side="top", grid=False, zoom=False),
        axis(names=words, reverse=True, grid=False, zoom=False),
        annotations=[placed_text(key, 1, 0, paper=True, xanchor="right", yanchor="top", colour=INK)],
        margin={"t": 24, "b": 24},
    )
