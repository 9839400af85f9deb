"""The data sets that image classifiers learn from, all in one layout: pictures as bytes, (n, channels, height, width).

Grey ones have one channel, those in colour have red, green and blue. What the settings say of augmentation is done in
training (:mod:`core.augmentation`); here they only choose the set, its split, and how much of it is used.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.data import cifar10, images, pictures, shapes, tabular
from core.data.dataset import Dataset, Parts
from core.events import Array

if TYPE_CHECKING:
    from core.image_config import ImageConfig


@dataclass(frozen=True, slots=True)
class ImageData:
    """Pictures in classes, split once and for all.

    Attributes:
        name: what the settings call the set.
        x_train, x_test: uint8 (n, channels, height, width), 0 black.
        y_train, y_test: class numbers, int64 (n,).
        classes: their names.
    """

    name: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """What is known of a data set without loading it.

    Attributes:
        shape: channels, height and width of a picture.
        classes: names of the classes; empty where the settings say what they are.
    """

    shape: tuple[int, int, int]
    classes: tuple[str, ...] = ()


_SHAPES, _GREY, _COLOUR = (3, shapes.SIDE, shapes.SIDE), (1, 28, 28), (3, 32, 32)
SETS = {
    "mnist_5k": ImageSet(_GREY, images.DIGITS),
    "digits": ImageSet((1, 8, 8), images.DIGITS),
    "shapes": ImageSet(_SHAPES),
    "mnist": ImageSet(_GREY, images.DIGITS),
    "fashion_mnist": ImageSet(_GREY, images.CLOTHES),
    "cifar10": ImageSet(_COLOUR, cifar10.CLASSES),
    "pictures": ImageSet(_COLOUR),
}


def class_names(config: "ImageConfig") -> tuple[str, ...]:
    """Names of the classes, found without loading the pictures.

    Raises:
        Refusal: a person's own pictures are not kept on this machine.
    """
    match config.data:
        case "shapes":
            return shapes.SHAPES if config.target == "shape" else shapes.COLOURS
        case "pictures":
            return pictures.summary(config.pictures).classes
    return SETS[config.data].classes


def load(config: "ImageConfig") -> ImageData:
    """The data set of the settings. No picture is in both parts, and each part is in random order.

    Raises:
        Refusal: it would have to be downloaded and cannot be, or a person's own pictures are not on this machine.
    """
    if config.data in ("mnist_5k", "mnist", "fashion_mnist", "digits"):
        parts = _rows_as_pictures(_rows(config), SETS[config.data].shape)
    elif config.data == "shapes":
        parts = shapes.load(
            samples=config.samples,
            noise=config.noise,
            clutter=config.clutter,
            target=config.target,
            test_share=config.test_share,
            seed=config.seed,
        )
    elif config.data == "cifar10":
        parts = cifar10.load()
    else:
        parts = pictures.load(config.pictures, config.seed)
    data = ImageData(config.data, *parts, class_names(config))
    return _reduced(data, config.train_size) if config.train_size else data


def displayed(x: Array) -> Array:
    """Pictures (n, channels, height, width) as figures take them: (n, height, width) grey, (n, height, width, 3) in
    colour."""
    return x[:, 0] if x.shape[1] == 1 else np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def _rows(config: "ImageConfig") -> Dataset:
    if config.data == "mnist_5k":
        return images.mnist_5k(test_share=config.test_share, seed=config.seed)
    if config.data == "digits":
        return tabular.load("digits", samples=0, noise=0, test_share=config.test_share, seed=config.seed)
    return images.load(config.data)


def _rows_as_pictures(data: Dataset, shape: tuple[int, int, int]) -> Parts:
    x_train, x_test = data.x_train, data.x_test
    if x_train.dtype != np.uint8:  # Digits: 16 is the most ink
        x_train, x_test = (np.rint(x * (255 / 16)).astype(np.uint8) for x in (x_train, x_test))
    return x_train.reshape(-1, *shape), data.y_train, x_test.reshape(-1, *shape), data.y_test


def _reduced(data: ImageData, size: int) -> ImageData:
    """The same with ``size`` training pictures, as many of each class as of the others, to within one, where it has so
    many. Fewer are always a part of more."""
    rank = np.empty(len(data.y_train), np.int64)  # which picture of its class it is
    for c in range(len(data.classes)):
        of_it = np.flatnonzero(data.y_train == c)
        rank[of_it] = np.arange(len(of_it))
    rows = np.sort(np.lexsort((data.y_train, rank))[:size])
    return replace(data, x_train=data.x_train[rows], y_train=data.y_train[rows])
