"""The settings that image classifiers share, and how a config of an algorithm takes them."""

from typing import Any

import numpy as np
import pytest

from core import fields
from core.data import pictures
from core.experiment import Config
from core.fields import MODEL
from core.image_config import ImageConfig
from core.settings import check, with_setting
from core.words import Refusal
from pages.parts.fields import controls, groups

LIVE = {"shift": 8, "rotate": 45.0, "flip": True, "pixel_noise": 1.0}


class OwnConfig(ImageConfig):
    layers: fields.Widths = fields.hidden_layers((8,), max_length=2)
    lr: float = fields.learning_rate(0.1)
    batch_norm: bool = MODEL.setting(False).described("Batch norm", "Normalise.")


def test_the_settings_of_an_algorithm_follow_these_in_the_sidebar() -> None:
    assert list(groups(OwnConfig)) == ["Run", "Data", "Augmentation", "Model", "Training"]
    assert next(iter(OwnConfig.model_fields)) == "seed"
    assert [c.name for c in groups(OwnConfig)["Augmentation"]] == list(LIVE)


@pytest.mark.parametrize(
    ("data", "shape", "classes"),
    [
        ("mnist_5k", (1, 28, 28), 10),
        ("digits", (1, 8, 8), 10),
        ("shapes", (3, 32, 32), 6),
        ("mnist", (1, 28, 28), 10),
        ("fashion_mnist", (1, 28, 28), 10),
        ("cifar10", (3, 32, 32), 10),
    ],
)
def test_the_shape_of_a_picture_and_the_classes_are_known_without_the_data(
    data: str, shape: tuple[int, int, int], classes: int
) -> None:
    config = check(ImageConfig, {"data": data})
    assert (config.image_shape, config.n_classes, len(set(config.classes))) == (shape, classes, classes)


def test_the_classes_follow_the_settings(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(ImageConfig, {"data": "shapes"}).classes[0] == "circle"
    assert check(ImageConfig, {"data": "shapes", "target": "colour"}).classes[0] == "red"
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    x = np.random.default_rng(0).integers(0, 256, (15, 3, 32, 32), np.uint8)
    name = pictures.keep({"cup": list(x[:5]), "plate": list(x[5:10]), "spoon": list(x[10:])})
    config = check(ImageConfig, {"data": "pictures", "pictures": name})
    assert (config.image_shape, config.classes, config.n_classes) == ((3, 32, 32), ("cup", "plate", "spoon"), 3)
    pictures.release(name)
    with pytest.raises(Refusal, match="not kept on this machine"):
        assert config.n_classes


def test_augmentation_is_live_and_the_data_are_not() -> None:
    for name, value in LIVE.items():
        assert getattr(with_setting(OwnConfig(), name, value), name) == value
        assert not getattr(OwnConfig(), name)
    for name in set(ImageConfig.model_fields) - set(LIVE):
        with pytest.raises(Refusal, match="cannot change while a run trains"):
            with_setting(OwnConfig(), name, getattr(OwnConfig(), name))


@pytest.mark.parametrize(
    ("name", "beyond"),
    [
        ("samples", 59),
        ("samples", 20_001),
        ("noise", 0.6),
        ("clutter", 1.1),
        ("train_size", 60_001),
        ("train_size", -1),
        ("shift", 9),
        ("rotate", 46.0),
        ("pixel_noise", 1.1),
        ("target", "size"),
        ("data", "iris"),
    ],
)
def test_what_is_beyond_its_bounds_is_refused(name: str, beyond: Any) -> None:
    title = ImageConfig.model_fields[name].title
    with pytest.raises(Refusal, match=rf"^{title} must be ") as refused:
        check(ImageConfig, {name: beyond})
    assert refused.value.field == name


def test_a_setting_is_shown_where_it_has_an_effect() -> None:
    def shown(**values: Any) -> set[str]:
        config = ImageConfig().model_dump() | values
        return {name for name, control in controls(ImageConfig).items() if control.visible(config)}

    always = {"seed", "data", "train_size", *LIVE}
    assert shown() == always | {"test_share"} == shown(data="digits")
    assert shown(data="shapes") == always | {"test_share", "samples", "noise", "clutter", "target"}
    assert shown(data="pictures") == always | {"pictures"}
    for fetched in fields.FETCHED:
        assert shown(data=fetched) == always


def test_own_pictures_without_any_are_refused_by_field() -> None:
    with pytest.raises(Refusal) as refused:
        check(OwnConfig, {"data": "pictures"})
    assert refused.value.field == "pictures"
    assert str(refused.value) == "Your pictures: add at least two classes of five pictures each first."
    assert issubclass(OwnConfig, Config)
