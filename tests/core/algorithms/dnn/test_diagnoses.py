"""Diagnoses: each begins where it should, is logged once, and may begin again after it has ended."""

import re

import pytest

from core.algorithms.dnn.diagnoses import DIAGNOSES, Evaluation, Evidence
from core.algorithms.dnn.spec import experiment
from core.metrics import newly_diagnosed
from tests.core.algorithms.dnn.training import run, start


def diagnose(history, metrics, active):
    return newly_diagnosed(DIAGNOSES, Evidence(history, metrics), active)


def logged(history, metrics=None) -> list[list[str]]:
    """What is logged at each evaluation."""
    active: set[str] = set()
    return [list(diagnose(history[: i + 1], (metrics or [{}] * len(history))[i], active)) for i in range(len(history))]


def names_of(logged_at_each: list[list[str]]) -> list[str]:
    return [name for names in logged_at_each for name in names]


def losses(*pairs, step=10) -> list[Evaluation]:
    return [Evaluation(i * step, 0, train, test) for i, (train, test) in enumerate(pairs)]


def test_dead_units_begin_at_three_quarters_and_end_below_half():
    shares = [0.7, 0.8, 0.6, 0.9, 0.4, 0.8]
    values = [{"dead/layer_1": 0.0, "dead/layer_2": share} for share in shares]
    assert logged(losses(*[(1, 1)] * 6, step=1), values) == [[], ["dead units"], [], [], [], ["dead units"]]
    found = diagnose(losses((1, 1)), values[1], set())
    assert found == {"dead units": {"layer": 2, "percent": 80}}


def test_over_fitting_is_a_rise_of_the_test_loss_that_training_does_not_share():
    rising = [(1.0, 1.0), (0.5, 0.6), (0.3, 0.65), (0.2, 0.9), (0.1, 1.2), (0.3, 0.61), (0.1, 1.0)]
    assert logged(losses(*rising)) == [[], [], [], ["over-fitting"], [], [], ["over-fitting"]]
    both = [(1.0, 1.0), (0.5, 0.6), (1.5, 1.6), (3.0, 3.1)]
    assert logged(losses(*both)) == [[]] * 4
    tiny = [(1.0, 1.0), (0.001, 0.01), (0.0005, 0.1)]
    assert logged(losses(*tiny)) == [[]] * 3


def test_a_standstill_needs_half_of_the_training():
    flat = losses(*[(0.7, 0.7)] * 60)
    assert [i for i, names in enumerate(logged(flat)) if names] == [40]
    falling = losses(*[(0.7 * 0.98**i, 0.7) for i in range(60)])
    assert "stalled" not in names_of(logged(falling))
    learned = losses(*[(0.7, 0.7)] * 5, *[(0.1, 0.1)] * 60)
    assert "stalled" not in names_of(logged(learned))


def test_vanishing_gradients_are_a_median():
    def ratios(*found):
        return [Evaluation(i, 0, 1.0, 1.0, ratio) for i, ratio in enumerate(found)]

    assert logged(ratios(*[1e-6] * 20))[8] == ["vanishing gradients"]
    assert names_of(logged(ratios(*[1e-6] * 20))) == ["vanishing gradients"]
    assert names_of(logged(ratios(*[1e-6, 1.0, 1.0] * 9))) == []
    found = diagnose(ratios(*[4.3e-7] * 9), {}, set())
    assert found == {"vanishing gradients": {"times": "2,000,000"}}


def test_every_diagnosis_has_words_for_its_values():
    history = [Evaluation(i * 50, 0, 1.0, 1.0 + (i > 15), 1e-9) for i in range(20)]
    found = diagnose(history, {"dead/layer_3": 1.0}, set())
    assert set(found) == set(experiment.diagnoses)
    for name, values in found.items():
        assert set(re.findall(r"{(\w+)}", experiment.diagnoses[name])) == set(values)
        assert "Try" in experiment.diagnoses[name]


@pytest.mark.parametrize(
    ("settings", "diagnosis"),
    [
        ({"data": "xor", "layers": ()}, "stalled"),
        ({"data": "circles", "layers": (10,) * 9, "activation": "sigmoid"}, "vanishing gradients"),
        ({"data": "moons", "samples": 60, "noise": 0.4, "layers": (64, 64), "activation": "relu"}, "over-fitting"),
    ],
)
def test_trainings_that_go_wrong_are_named_at_the_same_step_each_time(settings, diagnosis):
    one, same = run(start(settings), 520).notes, run(start(settings), 520).notes
    assert diagnosis in [note.diagnosis for note in one]
    assert one == same


def test_a_training_that_goes_well_is_left_in_peace():
    assert run(start({}), 600).notes == []
