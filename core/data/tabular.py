"""Tables of numbers: drawn by a formula in two dimensions, or measured by someone and shipped with scikit-learn.

The makers are numpy and the tables are read from scikit-learn's own files without importing it: the import alone
would take longer than a run has to show its first picture.
"""

import gzip
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.dataset import Dataset, split
from core.events import Array


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a data set without loading it.

    Attributes:
        classes: names of the classes; empty where a value is predicted.
        features: number of columns.
        rows: how many there are; 0 where as many are drawn as the settings say.
    """

    classes: tuple[str, ...]
    features: int
    rows: int = 0


def moons(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Two half circles, one into the other."""
    y = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x[y == 1] = np.array([1.0, 0.5]) - x[y == 1]
    return (x - np.array([0.5, 0.25])) / 1.5, y


def circles(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """A circle around another."""
    y = np.arange(n) % 2
    angle, radius = rng.uniform(0, 2 * np.pi, n), np.where(y == 0, 0.9, 0.4)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y


def spiral(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Three arms that wind once around the middle."""
    y = np.arange(n) % 3
    along = rng.uniform(0.06, 1, n)
    angle = 2 * np.pi * (along * 1.05 + y / 3)
    return np.stack([along * np.sin(angle), along * np.cos(angle)], axis=1), y


def xor(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Opposite quarters of a square belong together; a thin cross between them is left empty."""
    quarter = np.arange(n) % 4
    side = np.stack([np.where(quarter % 2 == 0, 1, -1), np.where(quarter // 2 == 0, 1, -1)], axis=1)
    return side * rng.uniform(0.06, 1, (n, 2)), (side[:, 0] != side[:, 1]).astype(np.int64)


def gaussians(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Three round clouds."""
    y = np.arange(n) % 3
    angle = 2 * np.pi * y / 3 + np.pi / 2
    middle = 0.6 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return middle + rng.normal(0, 0.14, (n, 2)), y


def checkerboard(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Four by four fields of two colours."""
    x = rng.uniform(-1, 1, (n, 2))
    field = np.minimum((x + 1) * 2, 3.999).astype(np.int64)
    return x, field.sum(axis=1) % 2


def curve(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """y = sin(4x) + x/2, a wave on a slope."""
    x = rng.uniform(-1.5, 1.5, (n, 1))
    return x, np.sin(4 * x[:, 0]) + 0.5 * x[:, 0]


def plane(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """y = x₁ + x₂/2, a tilted plane."""
    x = rng.uniform(-1, 1, (n, 2))
    return x, x[:, 0] + 0.5 * x[:, 1]


_TWO, _THREE = ("0", "1"), ("0", "1", "2")
_MAKERS: dict[str, Callable[[int, np.random.Generator], tuple[Array, Array]]] = {
    "moons": moons,
    "circles": circles,
    "spiral": spiral,
    "xor": xor,
    "gaussians": gaussians,
    "checkerboard": checkerboard,
    "curve": curve,
    "plane": plane,
}
_FILES = {
    "iris": "iris.csv",
    "wine": "wine_data.csv",
    "breast_cancer": "breast_cancer.csv",
    "digits": "digits.csv.gz",
}
TABLES: dict[str, Table] = {
    "moons": Table(_TWO, 2),
    "circles": Table(_TWO, 2),
    "spiral": Table(_THREE, 2),
    "xor": Table(_TWO, 2),
    "gaussians": Table(_THREE, 2),
    "checkerboard": Table(_TWO, 2),
    "curve": Table((), 1),
    "plane": Table((), 2),
    "iris": Table(("setosa", "versicolor", "virginica"), 4, 150),
    "wine": Table(("class 0", "class 1", "class 2"), 13, 178),
    "breast_cancer": Table(("malignant", "benign"), 30, 569),
    "digits": Table(tuple("0123456789"), 64, 1797),
}


def load(name: str, *, samples: int, noise: float, test_share: float, seed: int) -> Dataset:
    """The table called ``name``, split.

    Args:
        name: one of :data:`TABLES`.
        samples: rows to draw, where they are drawn.
        noise: standard deviation of what is added where rows are drawn: to the place of a point of a class, to the
            value where one is predicted.
        test_share: of the rows for the test part, between 0 and 1; each class gives its share.
        seed: of the drawing and of the split.
    """
    table = TABLES[name]
    rng = np.random.default_rng([seed, 1])
    if name in _MAKERS:
        x, y = _MAKERS[name](samples, rng)
        if table.classes:
            x = x + rng.normal(0, noise, x.shape)
        else:
            y = y + rng.normal(0, noise, y.shape)
    else:
        x, y = _read(_FILES[name])
    y = y.astype(np.int64 if table.classes else np.float32)
    x = x.astype(np.float32)
    train, test = split(y, test_share, rng, stratified=bool(table.classes))
    return Dataset(
        name=name,
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        features=tuple(f"x{i + 1}" for i in range(table.features)),
        classes=table.classes,
        image=(8, 8) if name == "digits" else None,
    )


def _read(file: str) -> tuple[Array, Array]:
    """Columns and class numbers of one of scikit-learn's files; the last column holds the class."""
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("scikit-learn", name="sklearn")
    path = Path(found.origin).parent / "datasets" / "data" / file
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode("ascii")
    # All but the digits open with a line of counts and names.
    lines = text.split() if file.startswith("digits") else text.split("\n", 1)[1].split()
    rows = np.array([line.split(",") for line in lines], dtype=np.float64)
    return rows[:, :-1], rows[:, -1].astype(np.int64)
