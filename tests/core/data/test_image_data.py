"""The data sets of image classifiers: one layout, no picture in both parts, the right number of each class."""

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest

from core.data import image_data, images, pictures, shapes, tabular
from core.data.image_data import SETS, ImageData, displayed, load
from core.image_config import Data, ImageConfig
from core.words import Refusal


@pytest.fixture
def own(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A set of one's own: 12 cups and 30 plates."""
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    yield pictures.keep(
        {name: list(rng.integers(0, 256, (n, 3, 32, 32), np.uint8)) for name, n in (("cup", 12), ("plate", 30))}
    )


def config(data: str, **more: Any) -> ImageConfig:
    return ImageConfig.model_validate({"data": data, **more})


@pytest.mark.parametrize("name", ["mnist_5k", "digits", "shapes", "pictures"])
def test_a_set_has_the_layout_that_its_settings_say(name: str, own: str) -> None:
    settings = config(name, samples=240, pictures=own if name == "pictures" else "")
    data = load(settings)
    assert data.name == name and data.classes == settings.classes and settings.n_classes == len(data.classes)
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert x.dtype == np.uint8 and y.dtype == np.int64 and len(x) == len(y)
        assert x.shape[1:] == settings.image_shape
        assert set(y.tolist()) == set(range(settings.n_classes))
    assert data.x_train.max() > 200 and data.x_train.min() < 50, "the whole range of a byte"
    overlap = {one.tobytes() for one in data.x_train} & {one.tobytes() for one in data.x_test}
    assert not overlap
    assert not np.array_equal(np.sort(data.y_train), data.y_train), "in random order"


def test_every_set_is_described() -> None:
    assert set(SETS) == set(get_args(Data))


def test_the_pictures_are_those_of_their_source() -> None:
    data, rows = load(config("digits")), tabular.load("digits", samples=0, noise=0, test_share=0.2, seed=0)
    np.testing.assert_array_equal(data.x_train[:, 0].reshape(-1, 64), np.rint(rows.x_train * 255 / 16))
    np.testing.assert_array_equal(data.y_train, rows.y_train)
    data, rows = load(config("mnist_5k", seed=3)), images.mnist_5k(test_share=0.2, seed=3)
    np.testing.assert_array_equal(data.x_test[:, 0].reshape(-1, 784), rows.x_test)
    data = load(config("shapes", samples=120, noise=0.1, clutter=0.5, target="colour", seed=2))
    again = shapes.load(samples=120, noise=0.1, clutter=0.5, target="colour", test_share=0.2, seed=2)
    np.testing.assert_array_equal(data.x_train, again[0])
    assert data.classes == shapes.COLOURS


def test_a_tenth_of_each_class_of_ones_own_is_held_out(own: str) -> None:
    data = load(config("pictures", pictures=own))
    assert np.bincount(data.y_train).tolist() == [11, 27] and np.bincount(data.y_test).tolist() == [1, 3]
    kept = pictures.read(own)
    there = {one.tobytes() for one in kept["cup"]}
    assert {one.tobytes() for one in (*data.x_train[data.y_train == 0], *data.x_test[data.y_test == 0])} == there


@pytest.mark.parametrize("size", [1, 9, 10, 25, 500])
def test_fewer_training_pictures_are_as_many_of_each_class_and_part_of_more(size: int) -> None:
    whole, fewer = load(config("mnist_5k")), load(config("mnist_5k", train_size=size))
    counts = np.bincount(fewer.y_train, minlength=10)
    assert counts.sum() == size and counts.max() - counts.min() <= 1
    more = {one.tobytes() for one in load(config("mnist_5k", train_size=size + 7)).x_train}
    assert {one.tobytes() for one in fewer.x_train} <= more
    np.testing.assert_array_equal(fewer.x_test, whole.x_test)
    labels = {one.tobytes(): label for one, label in zip(whole.x_train, whole.y_train, strict=True)}
    assert [labels[one.tobytes()] for one in fewer.x_train] == fewer.y_train.tolist()


def test_a_small_class_gives_all_it_has() -> None:
    x, y = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1), np.array([0, 0, 1] + [2] * 9)
    data = image_data._reduced(ImageData("own", x, y, x, y, ("a", "b", "c")), 8)
    assert np.bincount(data.y_train).tolist() == [2, 1, 5]
    np.testing.assert_array_equal(data.x_train.ravel(), [0, 1, 2, 3, 4, 5, 6, 7])
    assert len(image_data._reduced(ImageData("own", x, y, x, y, ("a", "b", "c")), 60_000).x_train) == 12


def test_pictures_as_figures_take_them() -> None:
    x = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 5), np.uint8)
    assert displayed(x).shape == (2, 4, 5, 3) and displayed(x)[1, 2, 3].tolist() == x[1, :, 2, 3].tolist()
    np.testing.assert_array_equal(displayed(x[:, :1]), x[:, 0])


def test_settings_without_a_set_of_ones_own_are_refused() -> None:
    with pytest.raises(ValueError, match="add at least two classes"):
        config("pictures")
    with pytest.raises(Refusal, match="not kept on this machine") as refused:
        load(config("pictures", pictures="0" * 32))
    assert refused.value.field == "pictures"
