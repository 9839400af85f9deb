"""CIFAR-10: 60,000 photographs in colour of ten kinds of things, 32×32 pixels, downloaded on demand.

A. Krizhevsky 2009, "Learning multiple layers of features from tiny images". Its publisher offers a *binary version*
beside the pickled one: a row is a byte for the class, then the red, green and blue values, row by row. That is what is
read here, member by member, each of exactly the size it has to have.
"""

import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.cache import READING, Source, archive, report_progress
from core.data.dataset import Parts
from core.events import Array
from core.words import N_, Refusal

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_SHAPE = (3, 32, 32)
_ROW = 1 + 3 * 32 * 32


@dataclass(frozen=True, slots=True)
class Published:
    """The archive.

    Attributes:
        digest: ``algorithm:hex`` of the archive as it is published, compressed.
        urls: addresses that offer it.
        rows: pictures in each of its members.
    """

    digest: str
    urls: tuple[str, ...]
    rows: int = 10_000


PUBLISHED = Published(
    "md5:c32a1d4ab5d03f1284b67883e8d87530", ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",)
)
_FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"{_FOLDER}/data_batch_{i}.bin" for i in range(1, 6))
TEST = (f"{_FOLDER}/test_batch.bin",)


def load(published: Published = PUBLISHED) -> Parts:
    """(x_train, y_train, x_test, y_test) by the publisher's split, which is in random order: 50,000 and 10,000
    pictures uint8 (n, 3, 32, 32) and class numbers int64 (n,).

    Raises:
        Refusal: it is neither in the cache folder nor can it be downloaded, or it does not hold what it should.
    """
    source = Source("cifar-10/cifar-10-binary.tar.gz", published.digest, published.urls)
    path = archive(source, field="data", instead=N_("MNIST, 5,000 images"))
    try:
        with tarfile.open(path, "r:gz") as tar:
            rows = _members(tar, published.rows)
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError):
        raise _damaged(path) from None
    train, test = (np.concatenate([rows.pop(name) for name in names]) for names in (TRAIN, TEST))
    if max(train[:, 0].max(), test[:, 0].max()) >= len(CLASSES):
        raise _damaged(path)
    return *_apart(train), *_apart(test)


def _apart(rows: Array) -> tuple[Array, Array]:
    """Pictures and class numbers of rows (n, 1 + 3072)."""
    return rows[:, 1:].reshape(-1, *_SHAPE), rows[:, 0].astype(np.int64)


def _members(tar: tarfile.TarFile, rows: int) -> dict[str, Array]:
    """The members by name, each (rows, 1 + 3072) bytes, in one pass over the archive.

    Raises:
        ValueError: one is missing, is no file, or has another size.
    """
    found: dict[str, Array] = {}
    for member in tar:
        if member.name not in TRAIN + TEST:
            continue
        file = tar.extractfile(member) if member.isreg() and member.size == rows * _ROW else None
        if file is None:
            raise ValueError(member.name)
        found[member.name] = np.frombuffer(file.read(), np.uint8).reshape(rows, _ROW)
        report_progress(READING, len(found) / len(TRAIN + TEST))
    if len(found) < len(TRAIN + TEST):
        raise ValueError("a member is missing")
    return found


def _damaged(path: Path) -> Refusal:
    return Refusal(
        "data",
        N_("{file} does not hold what its publisher describes. Choose {instead}."),
        file=path.name,
        instead=N_("MNIST, 5,000 images"),
    )
