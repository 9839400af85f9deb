"""What the page claims of each preset, measured: the very settings of the preset, to its very end."""

import numpy as np
import pytest
import torch

from core.algorithms.dnn.spec import experiment
from core.experiment import Diverged
from tests.core.algorithms.dnn.training import run, start
from tests.core.algorithms.trial import Log

pytestmark = pytest.mark.claim

STEPS = {p.name: int(p.stop["steps"]) for p in experiment.presets}
TITLES = {p.name: p.title for p in experiment.presets}
SEEDS = (0, 1, 2)


def outcome(preset, name: str, steps: int = 0, **changed) -> Log:
    return run(start(preset(name, **changed)), steps or STEPS[name])


def diagnoses(log: Log) -> list[str]:
    return [note.diagnosis for note in log.notes]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_spiral_is_unrolled(preset, measured, seed):
    log = outcome(preset, "spiral", 6000, seed=seed)
    late = np.mean([score for step, score in log.curves["test/accuracy"] if step >= 5000])
    measured(f"{TITLES['spiral']}: test accuracy, seed {seed}", late, at_least=0.97)


def test_xor_needs_a_hidden_layer(preset, measured):
    for seed in SEEDS:
        without, with_one = (outcome(preset, name, seed=seed) for name in ("xor_linear", "xor_hidden"))
        title = f"{TITLES['xor_linear']}: test accuracy, seed {seed}"
        measured(title, without.last("test/accuracy"), at_most=0.65)
        title = f"{TITLES['xor_hidden']}: test accuracy, seed {seed}"
        measured(title, with_one.last("test/accuracy"), at_least=0.97)


def test_units_that_start_at_zero_stay_alike(preset, measured):
    log = outcome(preset, "zeros")
    title = TITLES["zeros"]
    first, second = (weights.detach() for weights in log.state.model.weights)
    measured(f"{title}: largest weight, so it did learn", first.abs().max().item(), at_least=0.1)
    apart = max(
        ((first - first[:1]).abs().max() / first.abs().max()).item(),
        ((second - second[:, :1]).abs().max() / second.abs().max()).item(),
    )
    measured(f"{title}: units apart, share of the largest weight", apart, at_most=1e-4)
    measured(f"{title}: test accuracy", log.last("test/accuracy"), at_most=0.8)
    measured(f"{title}: is it called a vanishing gradient?", "vanishing gradients" in diagnoses(log), exactly=False)
    drawn = outcome(preset, "zeros", init="xavier")
    measured(f"{title}, but Xavier: test accuracy", drawn.last("test/accuracy"), at_least=0.95)


def first_over_last(log: Log) -> float:
    """Median over the training of the first layer's gradient as a share of the last one's."""
    first, last = log.curves["gradient/layer_1"], log.curves["gradient/layer_10"]
    return float(np.median([a / b for (_, a), (_, b) in zip(first, last, strict=True) if b > 0]))


def test_nine_sigmoid_layers_starve_the_first_and_relu_with_kaiming_feeds_it(preset, measured):
    title, log = TITLES["starved"], outcome(preset, "starved", 1000)
    measured(f"{title}: first layer's gradient over the last's", first_over_last(log), at_most=1e-3)
    measured(f"{title}: test accuracy", log.last("test/accuracy"), at_most=0.7)
    measured(f"{title}: is the vanishing gradient named?", "vanishing gradients" in diagnoses(log), exactly=True)
    title, log = TITLES["fed"], outcome(preset, "fed", 1000)
    measured(f"{title}: first layer's gradient over the last's", first_over_last(log), at_least=1e-1)
    measured(f"{title}: test accuracy", log.last("test/accuracy"), at_least=0.97)
    measured(f"{title}: diagnoses", len(log.notes), exactly=0)


def gap(log: Log) -> float:
    """Training accuracy less test accuracy over the last ten evaluations."""
    train, test = (np.mean([v for _, v in log.curves[f"{part}/accuracy"][-10:]]) for part in ("train", "test"))
    return float(train - test)


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_is_learned_by_heart_and_l2_or_dropout_halve_the_gap(preset, measured, seed):
    plain = gap(outcome(preset, "overfit", 2000, seed=seed))
    measured(f"{TITLES['overfit']}: train less test accuracy, seed {seed}", plain, at_least=0.10)
    for name in ("overfit_l2", "overfit_dropout"):
        left = gap(outcome(preset, name, 2000, seed=seed)) / plain
        measured(f"{TITLES[name]}: share of that gap, seed {seed}", left, at_most=0.5)


def diverged_at(preset, name: str, **changed) -> float:
    """The step at which it diverges, infinite where it does not."""
    state = start(preset(name, **changed))
    try:
        run(state, STEPS[name])
    except Diverged:
        return state.step
    return np.inf


def test_a_rate_too_large_diverges_and_one_below_the_limit_does_not(preset, measured):
    title = TITLES["too_fast"]
    measured(f"{title}: step at which it diverges", diverged_at(preset, "too_fast"), at_most=STEPS["too_fast"])
    # Descent on a quadratic needs a rate below 2 over the largest eigenvalue of its Hessian, 2·XᵀX/n here.
    state = start(preset("too_fast"))
    x = torch.cat([state.x_train, torch.ones(len(state.x_train), 1)], dim=1)
    limit = 2 / torch.linalg.eigvalsh(2 * x.T @ x / len(x)).max().item()
    measured(f"{title}: the largest rate that works", limit, at_least=0.85, at_most=0.95)
    below = outcome(preset, "too_fast", 500, lr=0.95 * limit).last("test/rmse")
    measured(f"{title}: test error at 0.95 of that rate", below, at_most=0.1)
    above = diverged_at(preset, "too_fast", lr=1.05 * limit)
    measured(f"{title}: step at which 1.05 of it diverges", above, at_most=STEPS["too_fast"])


def test_curve_and_plane_come_down_to_the_noise(preset, measured):
    noise = 0.1
    curve, plane = outcome(preset, "curve", 4000), outcome(preset, "plane")
    measured(f"{TITLES['curve']}: test error over the noise", curve.last("test/rmse") / noise, at_most=1.4)
    measured(f"{TITLES['plane']}: test error over the noise", plane.last("test/rmse") / noise, at_most=1.2)


@pytest.mark.parametrize("seed", SEEDS)
def test_iris(preset, measured, seed):
    log = outcome(preset, "iris", seed=seed)
    measured(f"{TITLES['iris']}: test accuracy, seed {seed}", log.last("test/accuracy"), at_least=0.9)


def test_five_thousand_digits(preset, measured):
    log = outcome(preset, "mnist_5k")
    measured(f"{TITLES['mnist_5k']}: test accuracy", log.last("test/accuracy"), at_least=0.92)


@pytest.mark.long
def test_the_full_mnist_in_five_epochs(preset, measured):
    state = start(preset("mnist"))
    assert STEPS["mnist"] == 5 * -(-len(state.x_train) // state.config.batch_size)
    log = run(state, STEPS["mnist"])
    assert state.batches.epoch == 5.0
    # What the page and the command line show: the whole test part, the last time after the last step.
    assert log.curves["test/accuracy"][-1][0] == STEPS["mnist"]
    assert len(state.predictions) == 10_000
    title = TITLES["mnist"]
    measured(f"{title}: test accuracy", log.last("test/accuracy"), at_least=0.97)
    lowest = min(score for step, score in log.curves["test/accuracy"] if step >= 1000)
    measured(f"{title}: lowest test accuracy from step 1,000 on, so no saw", lowest, at_least=0.95)
    measured(f"{title}: train accuracy", log.last("train/accuracy"), at_least=0.98)
