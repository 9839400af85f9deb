"""Each kind of setting gets the control that suits it."""

from typing import Any

import pytest
from pydantic import BaseModel

from core.experiment import Config, Setting, Stop
from core.field_kinds import DRAWING
from core.registry import experiments
from pages.parts import fields
from tests.pages.toy import ToyConfig

CONTROLS = fields.controls(ToyConfig)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("data", "choice"),
        ("noise", "number"),
        ("inputs", "choices"),
        ("layers", "wholes"),
        ("norm", "switch"),
        ("batch", "whole"),
        ("name", "text"),
        ("seed", "whole"),
    ],
)
def test_kind_follows_from_the_type(name: str, kind: str) -> None:
    assert CONTROLS[name].kind == kind


def test_bounds_reach_the_control() -> None:
    assert (CONTROLS["noise"].low, CONTROLS["noise"].high, CONTROLS["noise"].step) == (0, 1, 0.05)
    layers = CONTROLS["layers"]
    assert (layers.low, layers.high, layers.fewest, layers.most) == (1, 512, 0, 4)
    assert CONTROLS["inputs"].options == ("x", "square", "sine")
    assert CONTROLS["inputs"].fewest == 1
    assert CONTROLS["momentum"].high is not None and CONTROLS["momentum"].high < 1


def test_a_logarithmic_slider_stops_at_1_2_5() -> None:
    batch = CONTROLS["batch"].stops()
    assert batch == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    rate = CONTROLS["lr"].stops()
    assert rate is not None
    assert {0.001, 0.002, 0.005, 0.01, 10.0} <= set(rate)
    assert rate == sorted(set(rate)) and 0 < rate[0] <= 1e-5 and rate[-1] == 10


def test_a_setting_shows_where_it_has_an_effect() -> None:
    assert CONTROLS["momentum"].visible({"rule": "momentum"})
    assert not CONTROLS["momentum"].visible({"rule": "sgd"})


def test_groups_keep_their_order() -> None:
    assert list(fields.groups(ToyConfig)) == ["Run", "Data", "Model", "Training"]


def test_a_seed_is_typed_and_a_share_slides() -> None:
    assert not CONTROLS["seed"].slides()
    assert CONTROLS["noise"].slides()


def test_a_type_without_a_control_is_an_error() -> None:
    class Odd(BaseModel):
        odd: dict[str, int] = {}

    with pytest.raises(TypeError, match="no control"):
        fields.controls(Odd)


@pytest.mark.parametrize("model", [Stop, *(e.config for e in experiments().values())])
def test_every_setting_of_every_experiment_has_a_control(model: Any) -> None:
    for control in fields.controls(model).values():
        stops = control.stops()
        assert stops is None or len(stops) >= 3, control.name
        assert control.title and control.help and control.group, control.name


def test_a_text_may_be_drawn_and_nothing_else_may() -> None:
    class Drawn(Config):
        shape: str = Setting("", "Shape", "What to learn.", group="Data", kind=DRAWING)

    class Odd(Config):
        shape: int = Setting(0, "Shape", "What to learn.", group="Data", kind=DRAWING)

    assert fields.controls(Drawn)["shape"].kind is DRAWING
    with pytest.raises(TypeError, match="a setting of the kind 'drawing' is a str"):
        fields.controls(Odd)
