"""Whole figures that several algorithms show."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core import palette
from core.events import Array
from core.figures.arrays import as_is, atlas, raster
from core.figures.layout import Figure, axis, equal_axes, figure, heading, hidden_axis, placed_image
from core.figures.traces import heat_map, labels
from core.words import N_

#: Height of a row of images and of their labels, where an image is 1 high, and where the labels stand in it.
_ROW, _LABEL = 1.35, 1.16


def confusion_matrix(counts: Array, classes: Sequence[str]) -> Figure:
    """True classes down, predicted ones across; the colour is the share of the true class.

    Args:
        counts: (n, n) whole numbers.
        classes: n names.
    """
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = heat_map(
        share,
        scale=[[0, palette.faded(palette.TRAIN, 0.03)], [1, palette.TRAIN]],
        limits=(0, 1),
        text=[[str(n) if n else "" for n in row] for row in counts.tolist()],
        texttemplate="%{text}",
    )
    across = axis(N_("predicted class"), names=classes, grid=False)
    return figure([cells], across, axis(N_("true class"), names=classes, grid=False, reverse=True))


def image_grid(images: Array, columns: int, gap: int = 1) -> Figure:
    """Images side by side as one raster.

    Args:
        images: uint8 (n, height, width), 0 black, or (n, height, width, 3) in colour.
        gap: pixels between them.
    """
    grid = atlas(images, columns, gap, fill=96)
    height, width = grid.shape[:2]
    extent = (0, width, 0, height)
    x, y = equal_axes(extent, hidden=True)
    return figure(x=x, y=y, images=[placed_image(_picture(grid), extent)])


def labelled_images(images: Array, texts: Sequence[str], columns: int = 8) -> Figure:
    """Images in rows, under each its text.

    Args:
        images: uint8 (n, height, width), 0 black, or (n, height, width, 3) in colour; n may be 0.
        texts: n of them.
    """
    rows = [images[start : start + columns] for start in range(0, len(images), columns)]
    strips = [
        placed_image(_picture(np.concatenate(row, axis=1)), (0, len(row), _ROW * i + 1, _ROW * i))
        for i, row in enumerate(rows)
    ]
    number = np.arange(len(images))
    under = labels((number % columns + 0.5).tolist(), (number // columns * _ROW + _LABEL).tolist(), texts)
    x, y = hidden_axis(0, columns), hidden_axis(max(len(rows), 3) * _ROW, -0.1)
    return figure([under] if len(images) else [], x, y, images=strips)


def misclassified_images(arrays: Mapping[str, Any], classes: Sequence[str]) -> Figure:
    """Test images that were put into a wrong class; under each its true class → the predicted one.

    Args:
        arrays: as :func:`core.classification.mistakes` returns them.
        classes: names of all classes.
    """
    wrong, seen = arrays["wrong"].tolist()
    pairs = zip(arrays["true"], arrays["guessed"], strict=True)
    chart = labelled_images(arrays["images"], [as_is(f"{classes[true]} → {classes[guess]}") for true, guess in pairs])
    title = {
        "template": N_("{wrong} of {seen} test images are misclassified"),
        "values": {"wrong": wrong, "seen": seen},
    }
    chart["layout"] |= {"annotations": [heading(title)], "margin": {"t": 32}}
    return chart


def _picture(image: Array) -> dict[str, Any]:
    """The raster of a grey image (height, width) or of one in colour (height, width, 3)."""
    return raster(image, "rgb" if image.ndim == 3 else "grey")
