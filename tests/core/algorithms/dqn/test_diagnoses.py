"""The diagnoses: each is named where it holds, once, and nowhere else."""

from dataclasses import replace

from core.algorithms.dqn.diagnoses import DIAGNOSES, Evaluation, Evidence
from core.algorithms.dqn.spec import experiment
from core.metrics import newly_diagnosed


def history(returns: list[float], errors: list[float] | None = None) -> list[Evaluation]:
    """An evaluation each 100 steps; a standard error of 1 each where none are given."""
    return [
        Evaluation(100 * i, *one) for i, one in enumerate(zip(returns, errors or [1.0] * len(returns), strict=True))
    ]


FINE = Evidence(
    largest_q=90.0,
    largest_reward=1.0,
    gamma=0.99,
    longest=500,
    epsilon=0.04,
    tabular=False,
    episodes=100,
    lowest=9.0,
    highest=500.0,
    history=history([9.0, 200.0, 500.0]),
)


def named(evidence: Evidence, active: set[str] | None = None) -> list[str]:
    found = newly_diagnosed(DIAGNOSES, evidence, set() if active is None else active)
    for name, values in found.items():
        assert experiment.diagnoses[name].format(**values)
    return list(found)


def test_where_all_is_well_nothing_is_diagnosed():
    assert named(FINE) == []


def test_values_that_cannot_be_earned_diverge():
    assert named(replace(FINE, largest_q=1e4)) == ["Q diverges"]
    assert named(replace(FINE, largest_q=400.0)) == []
    assert named(replace(FINE, gamma=1.0, largest_q=2400.0)) == []  # 500 steps of 1, and what is too much of it
    assert named(replace(FINE, gamma=1.0, largest_q=2600.0)) == ["Q diverges"]


def test_returns_that_never_differ_mean_no_exploration_once_epsilon_is_down():
    alike = replace(FINE, lowest=-200.0, highest=-200.0)
    assert named(alike) == ["never explores"]
    assert named(replace(alike, epsilon=0.5)) == []
    assert named(replace(alike, episodes=5)) == []


def test_half_of_the_gain_lost_is_forgetting_and_is_logged_once_until_it_has_come_back():
    def after(
        *evaluations: float, first: float = 9.0, best: float = 500.0, errors: list[float] | None = None
    ) -> Evidence:
        return replace(FINE, history=history([first, best, best, best, *evaluations], errors))

    active: set[str] = set()
    # The mean of the last three against the best mean of three, 500: half of what was gained is (9 + 500) / 2 = 254.5.
    assert named(after(0.0), active) == [], "one alone may be chance"
    assert named(after(132.0, 132.0), active) == [], "their mean is 254.7"
    assert named(after(131.0, 131.0), active) == ["forgets"], "and here 254"
    assert named(after(131.0, 131.0, 400.0), active) == [], "logged already"
    assert named(after(131.0, 131.0, 480.0, 480.0, 480.0), active) == [], "it has come back"
    assert named(after(131.0, 131.0, 480.0, 480.0, 480.0, 0.0, 0.0), active) == ["forgets"]
    # Where returns are below zero, half is half of what was gained.
    assert named(after(-174.0, -174.0, first=-200.0, best=-100.0)) == []
    assert named(after(-176.0, -176.0, first=-200.0, best=-100.0)) == ["forgets"]
    lost = history([100.0, 50.0, 40.0, 30.0, 20.0])
    assert named(replace(FINE, history=lost)) == []  # nothing had been gained
    assert named(replace(after(0.0, 0.0), tabular=True)) == ["wavers"]
    # From 500 to 100 is a fall of 400. Each of the three behind either mean may be off by d: their difference is off by
    # sqrt(6 d²) / 3, and three times that is 400 at d = 163.3.
    fall = 150.0, 150.0, 0.0
    assert named(after(*fall, errors=[9e9, *[163.0] * 6])) == ["forgets"], "the first is of neither mean"
    assert named(after(*fall, errors=[0.0, *[164.0] * 6])) == []
