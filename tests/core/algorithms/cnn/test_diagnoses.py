"""Diagnoses: each begins where it should, is logged once, and may begin again after it has ended."""

import re

import numpy as np
import pytest

from core.algorithms.cnn.diagnoses import DIAGNOSES, Evaluation, Evidence
from core.algorithms.cnn.metrics import rarest
from core.algorithms.cnn.spec import experiment
from core.classification import Evaluated
from core.metrics import newly_diagnosed
from tests.core.algorithms.cnn.training import SMALL, run, start

CLASSES = ("cat", "dog", "bird")


def logged(history, metrics=None) -> list[list[str]]:
    """What is logged at each evaluation."""
    active: set[str] = set()
    metrics = metrics or [{}] * len(history)
    return [
        list(newly_diagnosed(DIAGNOSES, Evidence(history[: i + 1], metrics[i], CLASSES), active))
        for i in range(len(history))
    ]


def test_dead_channels_begin_at_a_half_and_end_below_a_quarter():
    shares = [0.4, 0.6, 0.3, 0.9, 0.2, 0.5]
    values = [{"dead/layer_1": 0.0, "dead/layer_2": share} for share in shares]
    history = [Evaluation(i, 1.0, 1.0) for i in range(6)]
    assert logged(history, values) == [[], ["dead channels"], [], [], [], ["dead channels"]]
    found = newly_diagnosed(DIAGNOSES, Evidence(history[:1], values[1], CLASSES), set())
    assert found == {"dead channels": {"layer": 2, "percent": 60}}


def test_a_class_is_missed_after_three_evaluations_in_a_row_once_the_training_has_settled():
    def shares(*found, step=200):
        return [Evaluation(i * step, 1.0, 1.0, share, 2) for i, share in enumerate(found)]

    name = "class never predicted"
    assert logged(shares(0, 0, 0, 0, 0)) == [[], [], [], [name], []]
    assert logged(shares(0, 0, 0.5, 0, 0)) == [[]] * 5
    assert logged(shares(0, 0, 0, 0, step=20)) == [[]] * 4
    assert logged(shares(0, 0, 0, 0, 0.2, 0, 0, 0)) == [[], [], [], [name], [], [], [], [name]]
    found = newly_diagnosed(DIAGNOSES, Evidence(shares(0, 0, 0, 0), {}, CLASSES), set())
    assert found == {name: {"name": "bird"}}


def test_of_a_few_pictures_no_class_is_missed():
    y = np.repeat([0, 1], (4, 5))
    sure = np.eye(2, dtype=np.float32)
    assert rarest(Evaluated(0.0, 0.0, sure[np.ones(9, int)]), y) == (5 / 5 + 4 / 5, 1)  # class 0 has four pictures
    assert rarest(Evaluated(0.0, 0.0, sure[np.zeros(9, int)]), y) == (0.0, 1)
    assert rarest(Evaluated(0.0, 0.0, sure[np.ones(4, int)]), y[:4])[0] == np.inf


def test_over_fitting_is_a_rise_of_the_test_loss_that_training_does_not_share():
    rising = [(1.0, 1.0), (0.5, 0.6), (0.3, 0.65), (0.2, 0.9), (0.1, 1.2)]
    history = [Evaluation(i * 10, train, test) for i, (train, test) in enumerate(rising)]
    assert logged(history) == [[], [], [], ["over-fitting"], []]


def test_every_diagnosis_has_words_for_its_values():
    history = [Evaluation(i * 100, 1.0 / (i + 1), 1.0 + (i > 2), 0.0, 1) for i in range(5)]
    found = newly_diagnosed(DIAGNOSES, Evidence(history, {"dead/layer_3": 1.0}, CLASSES), set())
    assert set(found) == set(experiment.diagnoses)
    for name, values in found.items():
        assert set(re.findall(r"{(\w+)}", experiment.diagnoses[name])) == set(values)
        assert "Try" in experiment.diagnoses[name]


@pytest.mark.parametrize(
    ("settings", "diagnosis"),
    [
        ({"train_size": 30, "lr": 0.01, "dense": (64,), "batch_size": 30}, "over-fitting"),
        ({"optimizer": "sgd", "lr": 1e-5}, "class never predicted"),
        ({"lr": 0.3}, "dead channels"),
    ],
)
def test_trainings_that_go_wrong_are_named(settings, diagnosis):
    log = run(start(SMALL | settings), 300)
    assert diagnosis in [note.diagnosis for note in log.notes]


def test_a_training_that_goes_well_is_left_in_peace():
    assert run(start(SMALL | {"train_size": 0, "lr": 0.005}), 300).notes == []
