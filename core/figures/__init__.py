"""Builders of Plotly figures as plain JSON, shared by the views of all algorithms.

``arrays`` packs numbers and images, ``traces`` makes traces, ``layout`` axes, text and images, ``charts`` whole figures
that several algorithms show. Colours come from :mod:`core.palette`. No Plotly is needed here: the browser has it.
"""

from core.figures.arrays import as_is, atlas, packed, png, quantised, raster, static_array, text_array, text_lines
from core.figures.charts import confusion_matrix, image_grid, labelled_images, misclassified_images
from core.figures.layout import (
    Figure,
    axis,
    empty_figure,
    equal_axes,
    figure,
    fitted_image,
    footnote,
    heading,
    hidden_axis,
    placed_image,
    placed_text,
)
from core.figures.traces import (
    Text,
    Trace,
    bars,
    broken_line,
    distribution,
    heat_map,
    histogram,
    labels,
    line,
    points,
    segments,
    surface,
)

__all__ = [
    "Figure",
    "Text",
    "Trace",
    "as_is",
    "atlas",
    "axis",
    "bars",
    "broken_line",
    "confusion_matrix",
    "distribution",
    "empty_figure",
    "equal_axes",
    "figure",
    "fitted_image",
    "footnote",
    "heading",
    "heat_map",
    "hidden_axis",
    "histogram",
    "image_grid",
    "labelled_images",
    "labels",
    "line",
    "misclassified_images",
    "packed",
    "placed_image",
    "placed_text",
    "png",
    "points",
    "quantised",
    "raster",
    "segments",
    "static_array",
    "surface",
    "text_array",
    "text_lines",
]
