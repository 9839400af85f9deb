"""The diagnoses of graph networks: each begins where it should, is logged once, and ends."""

import pytest

from core.algorithms.gnn.diagnoses import DIAGNOSES, Evaluation, Evidence
from core.algorithms.gnn.spec import experiment
from core.metrics import newly_diagnosed


def diagnose(history, active, *, deep):
    return newly_diagnosed(DIAGNOSES, Evidence(history, deep), active)


def history(**changed):
    start = Evaluation(0, 1.6, 1.6, 0.2, 0.2, 0.2, 0.8)
    plain = start._replace(step=96, train_loss=0.5, held_out_loss=0.8, train_score=0.8)
    return [start, plain, plain._replace(step=104, **changed)]


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, set()),
        ({"distance": 0.1}, {"over-smoothing"}),
        ({"distance": 0.1, "train_score": 1.0}, set()),
        ({"train_loss": 1.59, "held_out_loss": 1.6}, {"stalled"}),
        ({"held_out_loss": 1.3}, {"over-fitting"}),
    ],
)
def test_diagnoses(changed, names):
    active: set[str] = set()
    assert set(diagnose(history(**changed), active, deep=True)) == names == active
    assert diagnose(history(**changed), active, deep=True) == {}, "logged once"
    assert diagnose(history(), active, deep=True) == {} and not active, "and ended"
    assert names <= set(experiment.diagnoses)
    assert "over-smoothing" not in diagnose(history(**changed), set(), deep=False)
