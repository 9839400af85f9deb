"""What the page claims of each preset, measured: the very settings of the preset, to its very end."""

import numpy as np
import pytest
import torch

from core.algorithms.dnn.spec import experiment
from core.experiment import Diverged
from tests.core.algorithms.dnn.training import Told, run, start

pytestmark = pytest.mark.claim

STEPS = {p.name: int(p.stop["steps"]) for p in experiment.presets}


def outcome(preset, name: str, steps: int = 0, **changed) -> Told:
    return run(start(preset(name, **changed)), steps or STEPS[name])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_spiral_is_unrolled(preset, seed):
    told = outcome(preset, "spiral", 6000, seed=seed)
    assert np.mean([score for step, score in told.curves["test/accuracy"] if step >= 5000]) >= 0.97


def test_xor_needs_a_hidden_layer(preset):
    for seed in (0, 1, 2):
        assert outcome(preset, "xor_linear", seed=seed).last("test/accuracy") <= 0.65
        assert outcome(preset, "xor_hidden", seed=seed).last("test/accuracy") >= 0.97


def test_units_that_start_at_zero_stay_alike(preset):
    told = outcome(preset, "zeros")
    first, second = told.state.model.weights
    assert first.abs().max() > 0.1  # they did learn
    assert torch.allclose(first, first[:1].expand_as(first), atol=1e-4 * float(first.detach().abs().max()))
    assert torch.allclose(second, second[:, :1].expand_as(second), atol=1e-4 * float(second.detach().abs().max()))
    assert told.last("test/accuracy") < 0.8
    assert "vanishing gradients" not in [note.diagnosis for note in told.notes]
    drawn = outcome(preset, "zeros", init="xavier")
    assert drawn.last("test/accuracy") >= 0.95


def first_over_last(told: Told) -> float:
    """Median over the training of the first layer's gradient as a share of the last one's."""
    first, last = told.curves["gradient/layer_1"], told.curves["gradient/layer_10"]
    return float(np.median([a / b for (_, a), (_, b) in zip(first, last, strict=True) if b > 0]))


def test_nine_sigmoid_layers_starve_the_first_and_relu_with_kaiming_feeds_it(preset):
    starved, fed = outcome(preset, "starved", 1000), outcome(preset, "fed", 1000)
    assert first_over_last(starved) <= 1e-3
    assert starved.last("test/accuracy") < 0.7
    assert "vanishing gradients" in [note.diagnosis for note in starved.notes]
    assert first_over_last(fed) >= 1e-1
    assert fed.last("test/accuracy") >= 0.97
    assert fed.notes == []


def gap(told: Told) -> float:
    """Training accuracy less test accuracy over the last ten evaluations."""
    train, test = (np.mean([v for _, v in told.curves[f"{part}/accuracy"][-10:]]) for part in ("train", "test"))
    return float(train - test)


def test_noise_is_learned_by_heart_and_l2_or_dropout_halve_the_gap(preset):
    plain, l2, dropout = (
        [gap(outcome(preset, name, 2000, seed=seed)) for seed in (0, 1, 2)]
        for name in ("overfit", "overfit_l2", "overfit_dropout")
    )
    assert min(plain) >= 0.10
    for with_nothing, with_l2, with_dropout in zip(plain, l2, dropout, strict=True):
        assert with_l2 <= with_nothing / 2
        assert with_dropout <= with_nothing / 2


def test_a_rate_too_large_diverges_and_one_below_the_limit_does_not(preset):
    with pytest.raises(Diverged):
        outcome(preset, "too_fast")
    # Descent on a quadratic needs a rate below 2 over the largest eigenvalue of its Hessian, 2·XᵀX/n here.
    state = start(preset("too_fast"))
    x = torch.cat([state.x_train, torch.ones(len(state.x_train), 1)], dim=1)
    limit = 2 / torch.linalg.eigvalsh(2 * x.T @ x / len(x)).max().item()
    assert limit == pytest.approx(0.9, abs=0.05)
    assert outcome(preset, "too_fast", 500, lr=0.95 * limit).last("test/rmse") < 0.1
    with pytest.raises(Diverged):
        outcome(preset, "too_fast", lr=1.05 * limit)


def test_curve_and_plane_come_down_to_the_noise(preset):
    noise = 0.1
    assert outcome(preset, "curve", 4000).last("test/rmse") < 1.4 * noise
    assert outcome(preset, "plane").last("test/rmse") < 1.2 * noise


def test_iris(preset):
    for seed in (0, 1, 2):
        assert outcome(preset, "iris", seed=seed).last("test/accuracy") >= 0.9


def test_five_thousand_digits(preset):
    assert outcome(preset, "mnist_5k").last("test/accuracy") >= 0.92


def test_the_full_mnist_in_five_epochs(preset, fetched):
    state = start(preset("mnist"))
    assert STEPS["mnist"] == 5 * -(-len(state.x_train) // state.config.batch_size)
    told = run(state, STEPS["mnist"])
    assert state.epoch == 5.0
    # What the page and the command line show: the whole test part, the last time after the last step.
    assert told.curves["test/accuracy"][-1][0] == STEPS["mnist"]
    assert told.last("test/accuracy") >= 0.97
    assert all(score >= 0.95 for step, score in told.curves["test/accuracy"] if step >= 1000)  # no saw
    assert len(state.predicted) == 10_000
    assert told.last("train/accuracy") >= 0.98
