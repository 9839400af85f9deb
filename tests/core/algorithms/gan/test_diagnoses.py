"""The diagnoses of the game: each begins where it should, is logged once, and ends."""

import pytest

from core.algorithms.gan.diagnoses import DIAGNOSES, WINDOW, Evaluation, Evidence
from core.algorithms.gan.spec import experiment
from core.metrics import newly_diagnosed


def diagnose(history, active, **settings):
    return newly_diagnosed(DIAGNOSES, Evidence(history, **settings), active)


def history(**changed):
    plain = {"covered": 8, "near": 8, "modes": 8, "moved": 0.0, "real": 0.6, "fake": 0.4}
    return [Evaluation(step=2000 + 256 * i, **(plain | changed)) for i in range(WINDOW)]


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
    assert diagnose(history(**changed), active) == {}, "logged once"
    assert diagnose(history(), active) == {} and not active, "and ended"
    assert names <= set(experiment.diagnoses)
    assert diagnose(history(**changed)[1:], set()) == {}, "too few evaluations"


def test_a_collapse_ends_when_samples_are_near_more_modes_again():
    active: set[str] = set()
    assert "mode collapse" in diagnose(history(covered=3, near=3), active)
    for near, holds in ((5, True), (8, False)):  # one mode more may be chance
        diagnose(history(covered=3, near=near), active)
        assert ("mode collapse" in active) == holds


def test_under_label_smoothing_a_d_can_be_too_strong_and_what_is_on_is_no_remedy():
    surest = {"real": 0.88, "fake": 0.01}  # D's target for real samples is 0.9
    assert diagnose(history(**surest), set()) == {}
    found = diagnose(history(**surest), set(), smoothing=0.1)["D too strong"]
    assert "non-saturating" not in str(found["remedy"])
    found = diagnose(history(**surest), set(), loss="minimax", smoothing=0.1)["D too strong"]
    assert "non-saturating" in str(found["remedy"])
