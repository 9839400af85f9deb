"""What a person may ask for, and the sentence where it cannot be had."""

import pytest

from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.spec import experiment
from core.drawing import text
from core.settings import check
from core.words import Refusal


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"loss": "wasserstein_gp", "d_norm": True}, "d_norm", "not under a gradient penalty"),
        ({"spectral_norm": True, "d_norm": True}, "spectral_norm", "not together with batch norm in D"),
        ({"packing": 3}, "packing", "3 does not divide the batch of 128"),
        ({"architecture": "dcgan"}, "architecture", "convolutions are for images"),
        ({"d_norm": True, "packing": 4, "batch_size": 4}, "batch_size", "at least 2 packs"),
        ({"data": "drawing"}, "drawing", "at least 10 points are needed; this one has 0"),
        ({"data": "drawing", "drawing": text([[0, 0]] * 9)}, "drawing", "this one has 9"),
        ({"d_lr": 0.0}, "d_lr", "must be a number between"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values, field, sentence):
    with pytest.raises(Refusal, match=sentence) as refused:
        check(GANConfig, values)
    assert refused.value.field == field


def test_a_drawing_of_ten_points_is_enough():
    check(GANConfig, {"data": "drawing", "drawing": text([[i / 10, -i / 10] for i in range(10)])})


def test_parts_are_d_and_g():
    assert experiment.parts == ("D", "G")
