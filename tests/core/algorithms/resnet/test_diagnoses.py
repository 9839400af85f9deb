"""Diagnoses: each begins where it should, is logged once, and may begin again after it has ended."""

import re

from core.algorithms.resnet.diagnoses import CALLED, DIAGNOSES, Evaluation, Evidence
from core.algorithms.resnet.spec import experiment
from core.metrics import newly_diagnosed
from tests.core.algorithms.resnet.training import TINY, run, start


def logged(history) -> list[list[str]]:
    """What is logged at each evaluation."""
    active: set[str] = set()
    return [list(newly_diagnosed(DIAGNOSES, Evidence(history[: i + 1], 56), active)) for i in range(len(history))]


def test_degradation_is_a_training_loss_three_times_the_other_once_both_had_time():
    def losses(*pairs, step=50):
        return [Evaluation(i * step, residual, plain) for i, (residual, plain) in enumerate(pairs)]

    found = logged(losses((2.3, 9.0), (0.5, 2.0), (0.4, 1.1), (0.2, 0.7), (0.2, 0.5), (0.2, 0.3), (0.1, 0.4)))
    assert found == [[], [], [], ["degradation"], [], [], ["degradation"]]
    assert logged(losses(*[(0.01, 0.05)] * 5)) == [[]] * 5, "both have learned"
    assert logged(losses(*[(0.0, 2.0)] * 5)) == [[]] * 5, "the plain one trains alone"
    assert logged(losses(*[(2.0, 0.1)] * 5)) == [[]] * 5


def test_gradients_explode_from_a_hundred_and_vanish_from_a_hundredth():
    def ratios(*values):
        return [Evaluation(0, 1.0, 1.0, 1.0, ratio) for ratio in values]

    assert logged(ratios(90, 200, 200, 50, 40, 40, 10, 10, 10)) == [
        [], ["exploding gradients"], *[[]] * 7,
    ]  # fmt: skip
    assert logged(ratios(0.02, 0.001)) == [[], []]  # the median of 0.02 and 0.001 is above a hundredth
    assert logged(ratios(0.001)) == [["vanishing gradients by block"]]


def test_activations_explode_from_a_hundredfold():
    history = [Evaluation(0, 1.0, 1.0, residual_growth=growth) for growth in (50.0, 400.0, 400.0)]
    assert logged(history) == [[], ["exploding activations"], []]


def test_every_diagnosis_has_words_for_its_values():
    worst = Evaluation(200, 0.1, 2.0, 0.001, 1000.0, 5000.0, 1.0)
    found = newly_diagnosed(DIAGNOSES, Evidence([worst], 56), set())
    assert set(found) == set(experiment.diagnoses)
    for name, values in found.items():
        assert set(re.findall(r"{(\w+)}", experiment.diagnoses[name])) == set(values)
        assert "Try" in experiment.diagnoses[name]
    assert found["exploding gradients"] == {"network": CALLED["plain"], "times": "1,000"}
    assert found["vanishing gradients by block"] == {"network": CALLED["residual"], "times": "1,000"}


def test_a_training_that_goes_well_is_left_in_peace():
    assert run(start(TINY | {"width": 4, "networks": "residual"}), 50).notes == []


def test_what_explodes_at_the_start_is_named_at_once():
    settings = {"data": "digits", "stride": 1, "n": 12, "width": 4, "batch_norm": False}
    notes = run(start(settings | {"networks": "residual"}), 0).notes
    assert "exploding activations" in [note.diagnosis for note in notes]
    notes = run(start(settings | {"networks": "plain", "batch_norm": True}), 0).notes
    assert "exploding gradients" in [note.diagnosis for note in notes]
