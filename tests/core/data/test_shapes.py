"""Shapes: what a picture shows is what its class says, and nothing but the outline gives the shape away."""

import time

import numpy as np
import pytest

from core.data import shapes
from core.data.shapes import COLOURS, SHAPES, SIDE


def load(**more) -> list[np.ndarray]:
    settings = {"samples": 720, "noise": 0.0, "clutter": 0.0, "target": "shape", "test_share": 0.25, "seed": 0}
    return shapes.load(**(settings | more))


def drawn(n: int = 600, seed: int = 0, noise: float = 0.0, clutter: float = 0.0) -> tuple[np.ndarray, ...]:
    return shapes.draw(n, noise, clutter, np.random.default_rng(seed))


def covered(x: np.ndarray) -> np.ndarray:
    """How much of each pixel (n, 32, 32) is the shape's: by its saturation, which the background lacks."""
    values = x.astype(np.float64)
    return (values.max(axis=1) - values.min(axis=1)) > 0.35 * values.max(axis=1)


def middles(mask: np.ndarray) -> np.ndarray:
    """Centre of mass (n, 2) of each mask: row, column."""
    at = np.stack(np.mgrid[:SIDE, :SIDE])
    return (mask[:, None] * at).sum(axis=(2, 3)) / mask.sum(axis=(1, 2))[:, None]


def test_classes_are_equally_frequent_in_both_parts():
    for target, names in (("shape", SHAPES), ("colour", COLOURS)):
        x, y, x_test, y_test = load(target=target)
        assert x.shape == (540, 3, 32, 32) and x_test.shape == (180, 3, 32, 32) and x.dtype == np.uint8
        assert np.bincount(y).tolist() == [90] * len(names) and np.bincount(y_test).tolist() == [30] * len(names)
        assert y.dtype == np.int64


def test_the_same_seed_draws_the_same_and_another_something_else():
    for one, same, other in zip(load(), load(), load(seed=1), strict=True):
        np.testing.assert_array_equal(one, same)
        assert one.shape == other.shape and not np.array_equal(one, other)


def test_no_picture_is_in_both_parts():
    x, _, x_test, _ = load()
    pictures = {one.tobytes() for one in x}
    assert len(pictures) == len(x) and not pictures & {one.tobytes() for one in x_test}


def test_the_target_changes_the_classes_and_no_picture():
    def sorted_pictures(parts: list[np.ndarray]) -> list[bytes]:
        return sorted(one.tobytes() for one in np.concatenate([parts[0], parts[2]]))

    assert sorted_pictures(load()) == sorted_pictures(load(target="colour"))


def test_a_shape_has_the_hue_of_its_colour():
    x, _, colour = drawn()
    mask = covered(x)
    for picture, of_shape, number in zip(x, mask, colour, strict=True):
        red, green, blue = (np.median(channel[of_shape]) for channel in picture)
        high, low = max(red, green, blue), min(red, green, blue)
        # The hue in degrees, as every text on colour has it.
        if high == red:
            hue = 60 * (green - blue) / (high - low) % 360
        elif high == green:
            hue = 60 * (blue - red) / (high - low) + 120
        else:
            hue = 60 * (red - green) / (high - low) + 240
        assert round(hue / 60) % 6 == number, (hue, COLOURS[number])


def test_shapes_of_one_size_have_one_area_and_stay_inside():
    x, shape, _ = drawn(1200)
    mask = covered(x)
    areas = [mask[shape == number].sum(axis=(1, 2)).mean() for number in range(len(SHAPES))]
    assert max(areas) < 1.12 * min(areas)
    rim = np.concatenate([mask[:, 0], mask[:, -1], mask[:, :, 0], mask[:, :, -1]], axis=1)
    assert rim.sum() == 0


def test_shapes_are_what_they_are_called():
    """Each by a property of its own, as far as one measures a mask: the hole, the roundness, the reach."""
    x, shape, _ = drawn(1200)
    mask, middle = covered(x), middles(covered(x))
    rows = np.rint(middle).astype(int)
    at_middle = mask[np.arange(len(mask)), rows[:, 0], rows[:, 1]]
    for number, name in enumerate(SHAPES):
        assert at_middle[shape == number].mean() == (0 if name == "ring" else 1), name
    far = np.hypot(*(np.stack(np.mgrid[:SIDE, :SIDE])[None] - middle[:, :, None, None]).transpose(1, 0, 2, 3))
    radius = np.sqrt(mask.sum(axis=(1, 2)) / np.pi)
    reach = (far * mask).max(axis=(1, 2)) / radius
    # How far the farthest point is, where a circle of the same area has 1.
    expected = {"circle": 1, "square": 1.253, "triangle": 1.555, "star": 1.673, "cross": 1.253, "ring": 1.197}
    for number, name in enumerate(SHAPES):
        assert reach[shape == number].mean() == pytest.approx(expected[name], abs=0.12), name
    # A cross is hollow between its arms, a square is not: how much of the circle of 0.8 of its radius is covered.
    near = far < 0.8 * radius[:, None, None]
    filled = (mask & near).sum(axis=(1, 2)) / near.sum(axis=(1, 2))
    assert filled[shape == SHAPES.index("square")].min() > 0.97
    assert filled[shape == SHAPES.index("cross")].mean() < 0.93


def test_the_mean_picture_of_a_class_tells_a_shape_from_no_other():
    x, y, x_test, y_test = load(samples=3000)
    means = np.stack([x[y == c].reshape(-1, 3 * SIDE * SIDE).mean(axis=0) for c in range(6)])
    flat = x_test.reshape(len(x_test), 1, -1).astype(np.float32)
    nearest = ((flat - means[None].astype(np.float32)) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == y_test).mean() < 0.25, "chance is 0.17"


def test_noise_and_clutter_are_added_and_zero_is_none():
    plain, shape, colour = drawn(60)
    noisy, *same = drawn(60, noise=0.2)
    assert np.array_equal(shape, same[0]) and np.array_equal(colour, same[1])
    # Without noise a background is one colour.
    assert all((picture[:, 0, 0] == picture[:, -1, -1]).all() for picture in plain)
    corner = noisy[:, :, :4, :4].astype(float) - noisy[:, :, :4, :4].mean(axis=(2, 3), keepdims=True)
    assert 0.1 * 255 < corner.std() < 0.25 * 255
    rims = [
        np.mean([len(np.unique(picture[:, 0].T, axis=0)) > 1 for picture in drawn(60, clutter=clutter)[0]])
        for clutter in (0.0, 0.25, 1.0)
    ]
    assert rims[0] == 0 < rims[1] < rims[2]


def test_an_edge_is_smooth():
    x, shape, _ = drawn(60)
    circle = x[shape == 0][0].astype(int)
    assert len(np.unique(circle.reshape(3, -1).T, axis=0)) > 10, "background, shape, and shares of both at the edge"


def test_five_thousand_take_a_few_seconds_at_most():
    start = time.process_time()
    drawn(5000, clutter=1.0, noise=0.1)
    assert time.process_time() - start < 8
