"""What a person may ask for, and the sentence where it cannot be had."""

import pytest

from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.diagnose import LOOK, Evaluation, diagnose
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


def history(**changed):
    plain = {"covered": 8, "near": 8, "modes": 8, "moved": 0.0, "real": 0.6, "fake": 0.4}
    return [Evaluation(step=2000 + 256 * i, **(plain | changed)) for i in range(LOOK)]


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, set()),
        ({"covered": 3, "near": 3}, {"mode collapse"}),
        ({"covered": 0, "near": 8}, set()),  # it hits nothing, and crowds nowhere
        ({"covered": 1, "near": 8, "moved": 0.6}, {"oscillation"}),
        ({"real": 0.99, "fake": 0.01}, {"D too strong"}),
        ({"real": 0.99, "fake": 0.5}, set()),
        ({"moved": 0.5}, {"oscillation"}),
    ],
)
def test_diagnoses(changed, names):
    active: set[str] = set()
    assert set(diagnose(history(**changed), active)) == names == active
    assert diagnose(history(**changed), active) == {}, "told once"
    assert diagnose(history(), active) == {} and not active, "and over"
    assert names <= set(experiment.diagnoses)
    assert diagnose(history(**changed)[1:], set()) == {}, "too few looks"


def test_a_collapse_is_over_when_samples_are_near_more_modes_again():
    active: set[str] = set()
    assert "mode collapse" in diagnose(history(covered=3, near=3), active)
    for near, holds in ((5, True), (8, False)):  # one mode more may be chance
        diagnose(history(covered=3, near=near), active)
        assert ("mode collapse" in active) == holds


def test_under_label_smoothing_a_d_can_be_too_strong_and_what_is_on_is_no_remedy():
    surest = {"real": 0.88, "fake": 0.01}  # D is asked to call real samples 0.9
    assert diagnose(history(**surest), set()) == {}
    said = diagnose(history(**surest), set(), smoothing=0.1)["D too strong"]
    assert "non-saturating" not in str(said["remedy"])
    said = diagnose(history(**surest), set(), loss="minimax", smoothing=0.1)["D too strong"]
    assert "non-saturating" in str(said["remedy"])
