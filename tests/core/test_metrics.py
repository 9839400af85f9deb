"""The mechanism of the diagnoses and those that algorithms share: each begins, lasts and ends where it should."""

import string
from typing import NamedTuple

import pytest

from core.metrics import (
    CLASSIFICATION,
    ERRORS,
    GRADIENT_PANEL,
    LAYERS,
    LOSS_PANEL,
    UPDATE_RATIO_PANEL,
    Values,
    accuracy_panel,
    dead_units,
    diagnosis,
    newly_diagnosed,
    over_fitting,
    rmse_panel,
    sentences,
    stalled,
    vanishing_gradients,
)


@diagnosis("hot", "Hot: {degrees} degrees. Try shade.", begin=30.0, end=25.0)
def hot(degrees: float, threshold: float) -> Values | None:
    return {"degrees": degrees} if degrees > threshold else None


@diagnosis("scorching", "Scorching: {degrees} degrees. Try the cellar.", begin=40.0)
def scorching(degrees: float, threshold: float) -> Values | None:
    return {"degrees": degrees} if degrees > threshold else None


@diagnosis("stuffy", "Stuffy: {degrees} degrees. Try a window.", begin=20.0, unless=("hot",))
def stuffy(degrees: float, threshold: float) -> Values | None:
    return {"degrees": degrees} if degrees > threshold else None


def test_a_diagnosis_begins_at_one_threshold_and_lasts_to_the_other():
    active: set[str] = set()
    found = [list(newly_diagnosed((hot,), t, active)) for t in (26.0, 31.0, 26.0, 31.0, 25.0, 26.0, 31.0)]
    assert found == [[], ["hot"], [], [], [], [], ["hot"]]


def test_without_an_end_of_its_own_it_ends_where_it_begins():
    active: set[str] = set()
    found = [list(newly_diagnosed((scorching,), t, active)) for t in (41.0, 40.0, 41.0)]
    assert found == [["scorching"], [], ["scorching"]]


def test_several_begin_together_in_their_order_and_only_what_begins_is_returned():
    active: set[str] = set()
    assert newly_diagnosed((scorching, hot), 31.0, active) == {"hot": {"degrees": 31.0}}
    assert active == {"hot"}
    assert list(newly_diagnosed((scorching, hot), 41.0, active)) == ["scorching"]
    assert active == {"hot", "scorching"}
    assert list(newly_diagnosed((scorching, hot), 41.0, set())) == ["scorching", "hot"]
    assert newly_diagnosed((scorching, hot), 20.0, active) == {} and active == set()


def test_what_is_ruled_out_does_not_begin_and_ends_where_it_held():
    active: set[str] = set()
    assert list(newly_diagnosed((hot, stuffy), 31.0, active)) == ["hot"]
    assert list(newly_diagnosed((hot, stuffy), 24.0, active)) == ["stuffy"], "it is no longer hot"
    assert list(newly_diagnosed((hot, stuffy), 31.0, active)) == ["hot"]
    assert active == {"hot"}


def test_a_diagnosis_that_is_no_longer_declared_is_forgotten():
    active = {"removed"}
    assert newly_diagnosed((hot,), 31.0, active) == {"hot": {"degrees": 31.0}}
    assert active == {"hot"}


def test_the_sentences_are_those_declared():
    assert sentences((hot, scorching)) == {"hot": hot.sentence, "scorching": scorching.sentence}


class Evaluation(NamedTuple):
    step: int
    train_loss: float = 1.0
    held_out_loss: float = 1.0
    gradient_ratio: float = 1.0


class Evidence(NamedTuple):
    history: list[Evaluation] = [Evaluation(0)]  # noqa: RUF012 - never changed
    metrics: dict[str, float] = {}  # noqa: RUF012


def losses(*pairs: tuple[float, float], every: int = 10) -> Evidence:
    return Evidence([Evaluation(every * i, *pair) for i, pair in enumerate(pairs)])


@pytest.mark.parametrize(("share", "begins", "lasts"), [(0.75, True, True), (0.74, False, True), (0.49, False, False)])
def test_units_are_dead_by_the_worst_layer(share, begins, lasts):
    evidence = Evidence(metrics={"dead/layer_1": 0.1, "dead/layer_2": share, "train/loss": 9.0})
    for threshold, holds in ((dead_units.begin, begins), (dead_units.end, lasts)):
        values = dead_units.find(evidence, threshold)
        assert values == ({"layer": 2, "percent": round(100 * share)} if holds else None)


def test_without_layers_no_units_are_dead():
    assert dead_units.find(Evidence(), dead_units.end) is None


@pytest.mark.parametrize(("ratio", "begins", "lasts"), [(1e-3, True, True), (2e-3, False, True), (2e-2, False, False)])
def test_gradients_vanish_by_the_median_of_nine(ratio, begins, lasts):
    found = [1.0] * 4 + [ratio] * 5
    for threshold, holds in ((vanishing_gradients.begin, begins), (vanishing_gradients.end, lasts)):
        history = [Evaluation(i, gradient_ratio=one) for i, one in enumerate(found)]
        assert (vanishing_gradients.find(Evidence(history), threshold) is not None) == holds
        assert vanishing_gradients.find(Evidence(history[1:]), threshold) is None, "eight are too few"


def test_a_gradient_of_zero_has_a_number_for_its_sentence():
    history = [Evaluation(i, gradient_ratio=0.0) for i in range(9)]
    assert vanishing_gradients.find(Evidence(history), 1e-3) == {"times": "1,000,000,000,000"}


def test_a_training_stalls_after_400_steps_and_ends_by_halving_its_loss():
    def at(*train: float) -> Evidence:
        return losses(*((loss, 1.0) for loss in train), every=100)

    active: set[str] = set()
    assert list(newly_diagnosed((stalled,), at(1, 1, 1, 1), active)) == [], "300 steps"
    assert list(newly_diagnosed((stalled,), at(1, 1, 1, 1, 0.98), active)) == [], "it has moved by 2 %"
    assert newly_diagnosed((stalled,), at(1, 1, 1, 1, 1), active) == {"stalled": {"loss": "1"}}
    assert list(newly_diagnosed((stalled,), at(1, 1, 1, 1, 0.6), active)) == [] and active, "not yet learned"
    assert list(newly_diagnosed((stalled,), at(1, 1, 1, 1, 0.5), active)) == [] and not active


def test_over_fitting_is_a_rise_that_training_does_not_share():
    found = over_fitting()
    active: set[str] = set()
    rising = [(1.0, 1.0), (0.5, 0.6), (0.3, 0.65), (0.2, 0.9), (0.3, 0.64), (0.3, 0.61), (0.1, 0.76), (0.1, 0.81)]
    begun = [newly_diagnosed((found,), losses(*rising[: i + 1]), active) for i in range(len(rising))]
    assert [i for i, names in enumerate(begun) if names] == [3, 7], "0.76 is not a quarter above 0.6 by enough"
    assert begun[3] == {"over-fitting": {"test": "0.9", "lowest": "0.6"}}


@pytest.mark.parametrize(
    "last", [(1.5, 1.6), (0.1, 0.74), (0.1, 0.62)], ids=["as in training", "no quarter", "back at its lowest"]
)
def test_other_rises_are_no_over_fitting(last):
    found = over_fitting()
    assert found.find(losses((1.0, 1.0), (0.5, 0.6), last), found.begin) is None


def test_a_rise_that_is_tiny_beside_the_first_loss_does_not_begin_over_fitting():
    found = over_fitting()
    evidence = losses((1.0, 1.0), (0.001, 0.01), (0.0005, 0.1))
    assert found.find(evidence, found.begin) is None
    assert found.find(evidence, found.end) is not None, "but it does not end one"


def test_over_fitting_may_have_words_of_its_own():
    found = over_fitting("From {lowest} to {now}.", now="now")
    values = found.find(losses((1.0, 1.0), (0.5, 0.5), (0.1, 0.9)), found.begin)
    assert values is not None and found.sentence.format(**values) == "From 0.5 to 0.9."


@pytest.mark.parametrize(
    ("declared", "values"),
    [
        (dead_units, {"layer", "percent"}),
        (vanishing_gradients, {"times"}),
        (stalled, {"loss"}),
        (over_fitting(), {"test", "lowest"}),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_a_shared_sentence_names_its_values_and_what_to_try(declared, values):
    assert {name for _, name, _, _ in string.Formatter().parse(declared.sentence) if name} == values
    assert "Try" in declared.sentence


def test_every_shared_panel_draws_shared_metrics():
    known = {metric.name for metric in (*CLASSIFICATION, *ERRORS, *LAYERS)}
    for panel in (LOSS_PANEL, GRADIENT_PANEL, UPDATE_RATIO_PANEL, accuracy_panel(), rmse_panel()):
        assert set(panel.metrics) <= known, panel.name
    assert accuracy_panel({"data": ("a",)}).shown_if == {"data": ("a",)}
