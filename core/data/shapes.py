"""Shapes: pictures of 32×32 pixels in colour, drawn at random, with a circle, square, triangle, star, cross or ring.

Each shape is given by the signed distance of a pixel to its edge, negative inside, which is also how much of the pixel
it covers at the edge. Shapes of one size have the same area, and their places, angles and colours say nothing of which
they are: only the outline does. The colour is from one of six bands of hues, as independent of the shape as can be, so
that the same pictures serve to learn either.
"""

from typing import Literal

import numpy as np

from core.data.dataset import Parts, split
from core.events import Array
from core.words import N_

SHAPES = (N_("circle"), N_("square"), N_("triangle"), N_("star"), N_("cross"), N_("ring"))
COLOURS = (N_("red"), N_("yellow"), N_("green"), N_("cyan"), N_("blue"), N_("magenta"))

#: What of a picture is to be learned.
Target = Literal["shape", "colour"]

#: Height and width in pixels.
SIDE = 32

#: Radius of the circle of a shape's area, in pixels.
_SMALLEST, _LARGEST = 4.0, 7.5
#: Half a hue band's width, in degrees; the bands are 60 degrees apart.
_BAND = 18.0
#: Strokes behind the shape where the clutter is 1.
_STROKES = 12
#: Pictures drawn at a time.
_CHUNK = 500


def load(*, samples: int, noise: float, clutter: float, target: Target, test_share: float, seed: int) -> Parts:
    """(x_train, y_train, x_test, y_test): pictures uint8 (n, 3, 32, 32) and class numbers int64 (n,).

    Args:
        samples: pictures in both parts together; the classes are equally frequent, to within one.
        noise: standard deviation of what is added to each value of a pixel, where white is 1.
        clutter: 0 to 1, how many strokes of other colours lie behind the shape.
        target: what the class is; the pictures are the same for either.
        test_share: of the pictures for the test part, between 0 and 1; each class gives its share.
    """
    rng = np.random.default_rng([seed, 3])
    x, shape, colour = draw(samples, noise, clutter, rng)
    y = shape if target == "shape" else colour
    train, test = split(y, test_share, rng, stratified=True)
    return x[train], y[train], x[test], y[test]


def draw(n: int, noise: float, clutter: float, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Pictures uint8 (n, 3, 32, 32), their shapes and their colours as class numbers int64 (n,)."""
    number = np.arange(n)
    shape, colour = number % len(SHAPES), number // len(SHAPES) % len(COLOURS)
    pictures = np.empty((n, 3, SIDE, SIDE), np.uint8)
    for start in range(0, n, _CHUNK):
        rows = slice(start, start + _CHUNK)
        x = _painted(shape[rows], colour[rows], clutter, rng)
        if noise:
            x += rng.normal(0, noise, x.shape).astype(np.float32)
        pictures[rows] = np.rint(x.clip(0, 1) * 255)
    return pictures, shape, colour


def _painted(shape: Array, colour: Array, clutter: float, rng: np.random.Generator) -> Array:
    """Pictures (n, 3, 32, 32) of values 0 to 1: a dull background, strokes on it, the shape on top."""
    n = len(shape)
    x = np.empty((n, 3, SIDE, SIDE), np.float32)
    x[:] = _rgb(rng.uniform(0, 360, n), rng.uniform(0, 0.2, n), rng.uniform(0.1, 0.9, n))[:, :, None, None]
    for _ in range(round(_STROKES * clutter)):
        paint = _rgb(rng.uniform(0, 360, n), rng.uniform(0, 1, n), rng.uniform(0.2, 1, n))
        _cover(x, paint, _stroke(n, rng))
    size = rng.uniform(_SMALLEST, _LARGEST, n)
    room = SIDE / 2 - 1.5 - _REACH * size  # the same for all shapes: a place gives nothing away
    place = rng.uniform(-1, 1, (2, n)) * room
    u, v = _turned(place, rng.uniform(0, 2 * np.pi, n))
    hue = 60.0 * colour + rng.uniform(-_BAND, _BAND, n)
    paint = _rgb(hue, rng.uniform(0.7, 1, n), rng.uniform(0.65, 1, n))
    distance = np.empty((n, SIDE, SIDE), np.float32)
    for number, name in enumerate(SHAPES):
        of_it = shape == number
        distance[of_it] = _DISTANCES[name](u[of_it], v[of_it], size[of_it, None, None].astype(np.float32))
    _cover(x, paint, distance)
    return x


def _cover(x: Array, paint: Array, distance: Array) -> None:
    """Paint (n, 3) over pictures (n, 3, 32, 32), where the distance (n, 32, 32) to the edge is negative."""
    share = (0.5 - distance).clip(0, 1)[:, None]
    x += share * (paint[:, :, None, None] - x)


def _turned(place: Array, angle: Array) -> tuple[Array, Array]:
    """Coordinates (n, 32, 32) of the pixels' centres, in pixels, seen from a place (2, n) off the middle and turned."""
    x, y = place
    along = (np.arange(SIDE) - (SIDE - 1) / 2).astype(np.float32)
    right = along[None, None, :] - x[:, None, None].astype(np.float32)
    down = along[None, :, None] - y[:, None, None].astype(np.float32)
    cos, sin = (f(angle)[:, None, None].astype(np.float32) for f in (np.cos, np.sin))
    return cos * right + sin * down, cos * down - sin * right


def _stroke(n: int, rng: np.random.Generator) -> Array:
    """Distances to the edge of a short thick line somewhere in each picture."""
    place = rng.uniform(-SIDE / 2, SIDE / 2, (2, n))
    u, v = _turned(place, rng.uniform(0, 2 * np.pi, n))
    length, width = (rng.uniform(low, high, n)[:, None, None].astype(np.float32) for low, high in ((0, 5), (0.7, 2)))
    distance: Array = np.hypot(u - u.clip(-length, length), v) - width
    return distance


def _rgb(hue: Array, saturation: Array, value: Array) -> Array:
    """Colours (n, 3) of 0 to 1 from hues in degrees, saturations and values of 0 to 1 (A. R. Smith 1978)."""
    k = (np.array([5.0, 3.0, 1.0]) + hue[:, None] / 60) % 6
    share = np.minimum(k, 4 - k).clip(0, 1)
    colours: Array = (value[:, None] * (1 - saturation[:, None] * share)).astype(np.float32)
    return colours


# Signed distances. ``r`` is the radius of the circle of the same area; the factors are worked out from that.


def _circle(u: Array, v: Array, r: Array) -> Array:
    distance: Array = np.hypot(u, v) - r
    return distance


def _square(u: Array, v: Array, r: Array) -> Array:
    distance: Array = np.maximum(abs(u), abs(v)) - np.float32(np.sqrt(np.pi) / 2) * r
    return distance


def _triangle(u: Array, v: Array, r: Array) -> Array:
    """Within three lines; equilateral, area 3√3 times the square of the inscribed circle's radius."""
    distance: Array = np.max(_lines(u, v, 3), axis=0) - np.float32(np.sqrt(np.pi / (3 * np.sqrt(3)))) * r
    return distance


def _star(u: Array, v: Array, r: Array) -> Array:
    """The pentagram: within at least four of the five lines through its edges."""
    distance: Array = np.sort(_lines(u, v, 5), axis=0)[-2] - np.float32(_PENTAGRAM * np.cos(2 * np.pi / 5)) * r
    return distance


def _cross(u: Array, v: Array, r: Array) -> Array:
    """Two bars three times as long as wide, area 20/9 of the square of half their length."""
    a, b = abs(u), abs(v)
    half = np.float32(np.sqrt(np.pi * 9 / 20)) * r
    distance: Array = np.minimum(np.maximum(a - half, b - half / 3), np.maximum(a - half / 3, b - half))
    return distance


def _ring(u: Array, v: Array, r: Array) -> Array:
    """Between two circles, the inner one of :data:`_HOLE` of the outer one's radius."""
    outer = np.float32(1 / np.sqrt(1 - _HOLE**2)) * r
    distance: Array = abs(np.hypot(u, v) - outer * (1 + _HOLE) / 2) - outer * (1 - _HOLE) / 2
    return distance


def _lines(u: Array, v: Array, n: int) -> Array:
    """Distances (n, …) along the normals of n lines around the middle."""
    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([np.float32(np.cos(a)) * u + np.float32(np.sin(a)) * v for a in angle])


_HOLE = 0.55
#: Radius of the circle through the points of a pentagram of area π: it has ten triangles from the middle, between a
#: point at this radius and an inner corner at cos 72° / cos 36° of it, 36° apart.
_PENTAGRAM = np.sqrt(np.pi / (5 * np.sin(np.pi / 5) * np.cos(2 * np.pi / 5) / np.cos(np.pi / 5)))
#: How far from its middle a shape of r = 1 reaches: the star farthest.
_REACH = float(_PENTAGRAM)

_DISTANCES = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "ring": _ring,
}
