"""Figures that several algorithms share."""

import base64

import numpy as np
import pytest

from core.figures import confusion_matrix, image_grid, labelled_images
from tests.core.figures.plain import unpacked, valid


def pixels(image):
    """The indices of a raster."""
    source = image["source"]
    return np.frombuffer(base64.b64decode(source["bdata"]), np.uint8).reshape(source["shape"])


def test_a_confusion_matrix_shows_counts_over_shares_of_the_true_class():
    made = valid(confusion_matrix(np.array([[3, 1], [0, 0]]), ["cat", "dog"]))
    (cells,) = unpacked(made["data"])
    assert cells["z"] == [[0.75, 0.25], [0, 0]], "a class without examples has no share"
    assert cells["text"] == [["3", "1"], ["", ""]] and cells["texttemplate"] == "%{text}"
    assert (cells["zmin"], cells["zmax"]) == (0, 1)
    x, y = made["layout"]["xaxis"], made["layout"]["yaxis"]
    assert x["ticktext"] == y["ticktext"] == ["cat", "dog"]
    assert x["title"]["text"] == "predicted class" and y["title"]["text"] == "true class"
    assert y["autorange"] == "reversed", "rows are true classes, the first on top"


def test_an_image_grid_is_one_raster_on_axes_of_its_pixels():
    images = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    made = valid(image_grid(images, columns=2))
    (image,) = made["layout"]["images"]
    expected = [
        [0, 0, 96, 1, 1],
        [0, 0, 96, 1, 1],
        [96, 96, 96, 96, 96],
        [2, 2, 96, 96, 96],
        [2, 2, 96, 96, 96],
    ]
    assert pixels(image).tolist() == expected
    assert (image["x"], image["y"], image["sizex"], image["sizey"]) == (0, 5, 5, 5)
    assert made["layout"]["xaxis"]["range"] == [0, 5] and made["layout"]["yaxis"]["scaleanchor"] == "x"


def test_labelled_images_stand_in_rows_with_their_text_below():
    images = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    made = valid(labelled_images(images, ["a", "b", "c"], columns=2))
    first, second = made["layout"]["images"]
    assert pixels(first).tolist() == [[0, 0, 1, 1]] * 2 and pixels(second).tolist() == [[2, 2]] * 2
    assert (first["sizex"], second["sizex"]) == (2, 1) and (first["y"], second["y"]) == (0, 1.35)
    (text,) = made["data"]
    assert text["text"] == ["a", "b", "c"]
    assert (text["x"], text["y"]) == ([0.5, 1.5, 0.5], pytest.approx([1.16, 1.16, 2.51]))
    top, bottom = reversed(made["layout"]["yaxis"]["range"])
    assert top < 0 < 2.51 < bottom, "rows run downwards and all is in sight"


def test_without_images_there_is_neither_image_nor_label():
    made = valid(labelled_images(np.zeros((0, 8, 8), np.uint8), []))
    assert made["data"] == [] and "images" not in made["layout"]


def test_images_in_colour_are_rasters_of_their_own_colours():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 2, 2, 3), np.uint8)
    (grid,) = valid(image_grid(images, columns=2))["layout"]["images"]
    assert grid["source"]["colours"] == "rgb" and pixels(grid).shape == (5, 5, 3)
    assert (grid["sizex"], grid["sizey"]) == (5, 5)
    np.testing.assert_array_equal(pixels(grid)[:2, 3:], images[1])
    assert (pixels(grid)[2] == 96).all()
    first, second = valid(labelled_images(images, ["a", "b", "c"], columns=2))["layout"]["images"]
    np.testing.assert_array_equal(pixels(first), np.concatenate([images[0], images[1]], axis=1))
    np.testing.assert_array_equal(pixels(second), images[2])
    assert first["source"]["colours"] == "rgb" and (first["sizex"], first["y"]) == (2, 0)
    made = valid(labelled_images(images[:0], []))
    assert made["data"] == [] and "images" not in made["layout"]
