"""Arrays as they travel in a figure, and the colours they are drawn in."""

import numpy as np
import pytest

from core import palette
from core.figures import as_is, atlas, packed, quantised, raster, text_lines
from tests.core.figures.plain import unpacked


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([0, 1], bool), "u1"),
        (np.array([-1, 300], np.int64), "i4"),
        (np.array([0.5, -2], np.float16), "f4"),
        (np.array([0.5, -2], ">f8"), "f8"),
        (np.arange(6, dtype=np.uint16).reshape(3, 2).T, "u2"),
    ],
    ids=["bool", "int64", "float16", "big-endian", "transposed"],
)
def test_packed_arrays_are_of_a_type_that_plotly_knows(values, dtype):
    message = packed(values)
    assert message["dtype"] == dtype and unpacked(message) == values.tolist()
    assert message.get("shape", "") == ("2, 3" if values.ndim == 2 else "")


def test_an_atlas_lays_maps_out_row_by_row():
    maps = np.array([[[1]], [[2]], [[3]]], np.uint8)
    assert atlas(maps, columns=2, gap=1, fill=9).tolist() == [[1, 9, 2], [9, 9, 9], [3, 9, 9]]
    colours = np.stack([maps, maps + 10, maps + 20], axis=-1)
    for channel, added in enumerate((0, 10, 20)):
        expected = [[1 + added, 9, 2 + added], [9, 9, 9], [3 + added, 9, 9]]
        assert atlas(colours, columns=2, gap=1, fill=9)[..., channel].tolist() == expected


def test_quantised_clips_and_puts_what_is_no_number_in_the_middle():
    assert quantised([-5, -1, 0, 1, 5, np.nan], -1, 1).tolist() == [0, 0, 128, 255, 255, 128]


def test_a_raster_takes_bytes_only():
    assert raster(np.zeros((1, 2), np.uint8), "grey", smooth=True) == {
        "raster": True,
        "shape": [1, 2],
        "bdata": "AAA=",
        "colours": ["#000000", "#ffffff"],
        "ramp": True,
        "smooth": True,
    }
    assert raster(np.zeros((1, 1, 3), np.uint8), "rgb")["colours"] == "rgb"
    assert raster(np.zeros((1, 1), np.uint8), ["#11223344"])["ramp"] is False
    with pytest.raises(ValueError):
        raster(np.zeros((1, 2), np.float32), "grey")


def test_lines_of_text_and_words_that_stay_as_they_are():
    assert text_lines(np.frombuffer("cat\n宝玉".encode(), np.uint8)) == ["cat", "宝玉"]
    assert text_lines(np.zeros(0, np.uint8)) == []
    assert as_is("loss") == "\u2060loss"


def test_colours_of_classes_and_scales():
    assert palette.class_colour(11) == palette.CLASSES[1]
    assert palette.faded("#3f90da", 0.5) == "rgba(63,144,218,0.5)"
    scale = palette.colour_scale("classes")
    assert scale[:3] == [[0, palette.CLASSES[0]], [0.1, palette.CLASSES[0]], [0.1, palette.CLASSES[1]]]
    assert palette.colour_scale("grey", reverse=True) == [[0, "#ffffff"], [1, "#000000"]]
