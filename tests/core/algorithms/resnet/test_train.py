"""The loop and what is measured of it; that it repeats itself, resumes and overfits is in the contract suite."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.algorithms.resnet.metrics import SAMPLE, current_gradients, initial, recent_sizes, sizes
from core.algorithms.resnet.train import HISTORY, RECENT, GradientHistory
from core.experiment import Diverged
from tests.core.algorithms.resnet.training import TINY, program, run, snapshots, start
from tests.core.algorithms.trial import copies


def weights(net) -> list[np.ndarray]:
    return copies(net)


def test_each_network_trains_beside_the_other_as_it_does_alone():
    """Bit for bit: the same weights to begin with, the same batches, and nothing leaks from one to the other."""
    settings = TINY | {"shift": 1, "drop": 0.5, "shortcut": "B"}
    both = run(start(settings), 12).state
    for name in ("residual", "plain"):
        alone = run(start(settings | {"networks": name}), 12).state
        for a, b in zip(weights(both.networks[name]), weights(alone.networks[name]), strict=True):
            assert np.array_equal(a, b), name


def test_what_the_test_data_are_does_not_touch_the_training():
    plain, spoiled = start(TINY), start(TINY)
    spoiled.x_test = torch.full_like(spoiled.x_test, 255)
    spoiled.y_test = torch.zeros_like(spoiled.y_test)
    run(plain, 30)
    run(spoiled, 30)
    for a, b in zip(weights(plain.networks), weights(spoiled.networks), strict=True):
        assert np.array_equal(a, b)


def test_the_accuracy_is_that_of_the_whole_test_part_by_running_statistics():
    log = run(start(TINY | {"drop": 0.6}), 50)
    s = log.state
    for name, net in s.networks.items():
        net.eval()
        x = (s.x_test.float() / 255 - s.mean) / s.deviation
        with torch.no_grad():
            right = (net(x).argmax(dim=1) == s.y_test).float().mean().item()
        assert log.curves[f"{name}/accuracy"][-1] == (50, pytest.approx(right, abs=1e-6))
        assert s.accuracy[name] == pytest.approx(right, abs=1e-6)
    guesses = log.snapshots["confusion"].arrays["counts"]
    assert guesses.sum() == len(s.y_test)
    assert np.trace(guesses) / guesses.sum() == pytest.approx(s.accuracy["residual"], abs=1e-6)


def test_the_training_loss_is_a_mean_over_the_last_batches():
    s = start(TINY)
    losses = []
    for event in program.train(s):
        losses.append(s.loss.item())
        if event.step == RECENT + 10:
            break
    log = run(start(TINY), RECENT + 10)
    both = [a + b for (_, a), (_, b) in zip(log.curves["residual/loss"], log.curves["plain/loss"], strict=True)]
    steps = [step for step, _ in log.curves["plain/loss"]]
    for step, mean in zip(steps[1:], both[1:], strict=True):
        assert mean == pytest.approx(np.mean(losses[max(step - RECENT, 0) : step]), rel=1e-5)


def test_before_the_first_step_loss_and_gradients_are_those_of_the_first_pictures():
    s = start(TINY)
    before = weights(s.networks)
    losses, norms = initial(s)
    for (name, net), row in zip(s.networks.items(), norms, strict=True):
        net = copy.deepcopy(net).train()
        loss = F.cross_entropy(net(s.inputs(s.x_train[:SAMPLE])), s.y_train[:SAMPLE])
        loss.backward()
        assert losses[name] == pytest.approx(loss.item(), rel=1e-5)
        assert row[0] == pytest.approx(net.conv.weight.grad.norm().item(), rel=1e-4)
        assert row[-1] == pytest.approx(net.linear.weight.grad.norm().item(), rel=1e-4)
        block = torch.cat([net.blocks[1].conv1.weight.grad.flatten(), net.blocks[1].conv2.weight.grad.flatten()])
        assert row[2] == pytest.approx(block.norm().item(), rel=1e-4)
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(s.networks), strict=True))


def test_gradients_are_those_of_the_last_step():
    s = start(TINY | {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0})
    before = copy.deepcopy(s.networks)
    log = run(s, 1)
    for i, (name, net) in enumerate(s.networks.items()):
        moved = [
            np.concatenate([((p - q) / 0.1).detach().numpy().ravel() for p, q in zip(part, old, strict=True)])
            for part, old in zip(net.weights, before[name].weights, strict=True)
        ]
        expected = [np.linalg.norm(part) for part in moved]
        np.testing.assert_allclose(current_gradients(s)[i], expected, rtol=1e-3)
        assert log.last(f"{name}/gradient_ratio") == pytest.approx(expected[1] / expected[-2], rel=1e-3)


def test_a_skipped_block_has_no_gradient_and_no_ratio_comes_of_it():
    s = start(TINY | {"drop": 0.9, "networks": "residual"})
    log = run(s, 20)
    assert len(log.curves["residual/gradient_ratio"]) < len(log.curves["residual/loss"])
    assert all(ratio > 0 for _, ratio in log.curves["residual/gradient_ratio"])


def test_the_gradient_history_is_bounded_and_even():
    history = GradientHistory()
    for step in range(2000):
        history.append(step, np.full((2, 5), step, np.float32))
    steps = [int(row[0, 0]) for row in history.rows]
    assert len(steps) <= HISTORY
    assert steps == [i * history.spacing for i in range(len(steps))]
    assert steps[-1] > 2000 - 2 * history.spacing
    again = GradientHistory()
    again.load_state_dict(history.state_dict())
    assert again.spacing == history.spacing and np.array_equal(again.rows, history.rows)


def test_the_gradient_history_misses_no_column_that_is_logged():
    s = run(start(TINY | {"networks": "plain"}), 150).state
    assert s.gradient_history.spacing == 4
    assert len(s.gradient_history.rows) == 1 + 148 // 4


def test_pictures_are_standardised_by_the_training_part_alone():
    s = start({"data": "shapes", "samples": 100, "n": 1, "width": 2})
    found = s.inputs(s.x_train)
    torch.testing.assert_close(found.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.std(dim=(0, 2, 3), correction=0), torch.ones(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(s.inputs(s.x_test), s.inputs(s.x_test.float() / 255))


def test_live_settings_act_at_the_next_step():
    s = start(TINY)
    training = program.train(s)
    next(training)
    changed = {"lr": 1e-6, "momentum": 0.3, "weight_decay": 0.2, "batch_size": 5}
    s.apply_config(s.config.model_copy(update=changed))
    next(training)
    group = s.optimizer.param_groups[0]
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (1e-6, 0.3, 0.2)
    assert s.batches.cursor == 16 + 5


def test_an_evaluation_takes_a_small_share_of_the_time_and_never_waits_for_the_end():
    s = start(TINY)
    assert len(s.x_test) == 359
    assert s.steps_to_evaluation == 200  # 359 / (3 · 16) steps' worth, at most 6 % of 200
    assert [step for step in range(401) if s.should_evaluate(step)] == [0, 50, 100, 200, 400]
    assert all(s.should_log(step) for step in (0, 50, 100, 200, 400))


def test_a_large_test_part_is_evaluated_at_the_end_of_an_epoch():
    """As of MNIST, where one evaluation takes as long as fifty steps."""
    s = start(TINY | {"batch_size": 64})
    s.x_train, s.x_test = (torch.zeros(n, 1, 1, 1, dtype=torch.uint8) for n in (60_000, 10_000))
    s.batches.order = torch.arange(60_000)
    due = []
    for step in range(1, 2001):
        s.batches.next(64)
        if s.should_evaluate(step):
            due.append(step)
    assert due == [938, 1600, 1876] and not start(TINY | {"batch_size": 64}).should_evaluate(1)
    assert 3 * 10_000 / (3 * 64) <= 0.1 * 2000


def test_a_loss_that_is_no_number_ends_the_training():
    with pytest.raises(Diverged):
        run(start(TINY | {"n": 6, "batch_norm": False, "networks": "residual", "lr": 1.0}), 50)


def test_sizes_are_measured_seldom_and_never_taken_from_another_time():
    s, measured = start(TINY), []
    training = program.train(s)
    for _ in range(70):
        recent_sizes(s)
        if s.step == s.sizes[0]:
            measured.append(s.step)
        next(training)
    assert measured == [0, 1, 2, 4, 8, 16, 32, 64]
    s.step = 40  # as where it is loaded from a checkpoint
    assert recent_sizes(s) is s.sizes[1] and s.sizes[0] == 40


def test_a_picture_measures_no_sizes():
    s = run(start(TINY), 40).state
    assert s.sizes[0] == 32
    snapshots(s)
    assert s.sizes[0] == 32


def test_sizes_and_snapshots_leave_networks_in_training():
    s = run(start(TINY), 3).state
    sizes(s)
    snapshots(s)
    assert all(net.training for net in s.networks.values())
