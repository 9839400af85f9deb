"""The loop and what is measured of it; that it repeats itself, resumes and overfits is in the contract suite."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.algorithms.cnn.config import CNNConfig
from core.algorithms.cnn.metrics import dead_shares, logits
from core.algorithms.cnn.train import MOVED, learning_rate, load, scramble
from core.experiment import Diverged
from core.words import Refusal
from tests.core.algorithms.cnn.cases import EVERYTHING
from tests.core.algorithms.cnn.training import SMALL, program, run, start
from tests.core.algorithms.trial import copies


def test_one_update_is_the_formula_written_out():
    """SGD with momentum, decay and label smoothing on one batch, by autograd over plain functions."""
    chosen = {"optimizer": "momentum", "lr": 0.1, "momentum": 0.8, "weight_decay": 0.01, "label_smoothing": 0.2}
    state = start(SMALL | chosen | {"scrambled": True, "blocks": (3,), "dense": (5,)})
    w = {name: p.detach().clone().requires_grad_() for name, p in state.model.named_parameters()}
    order, places = state.batches.order.clone(), state.places
    velocity = {name: torch.zeros_like(p) for name, p in w.items()}
    x_all = state.data.x_train.astype(np.float32) / 255
    mean, deviation = x_all.mean(), x_all.std()
    for step in range(3):
        rows = order[16 * step : 16 * step + 16]
        x = torch.from_numpy((x_all[rows] - mean) / deviation)
        x = x.reshape(16, 64)[:, places].view(16, 1, 8, 8)
        z = F.max_pool2d(
            torch.relu(F.conv2d(x, w["features.convolution1.weight"], w["features.convolution1.bias"], padding=1)), 2
        )
        z = torch.relu(z.flatten(1) @ w["head.dense1.weight"].T + w["head.dense1.bias"])
        z = z @ w["head.output.weight"].T + w["head.output.bias"]
        wanted = 0.8 * F.one_hot(torch.from_numpy(state.data.y_train[rows]), 10) + 0.2 / 10
        loss = -(wanted * z.log_softmax(dim=1)).sum(dim=1).mean()
        gradients = dict(zip(w, torch.autograd.grad(loss, list(w.values())), strict=True))
        with torch.no_grad():
            for name, p in w.items():
                decay = 0.01 if name.endswith("weight") else 0.0
                velocity[name] = 0.8 * velocity[name] + gradients[name] + decay * p
                p -= 0.1 * velocity[name]
    run(state, 3)
    for name, p in state.model.named_parameters():
        torch.testing.assert_close(p.detach(), w[name].detach(), rtol=1e-4, atol=1e-5)


def test_what_the_test_data_are_does_not_touch_the_training():
    plain, spoiled = start(EVERYTHING), start(EVERYTHING)
    spoiled.x_test, spoiled.x_moved = torch.full_like(spoiled.x_test, 255), torch.zeros_like(spoiled.x_moved)
    spoiled.y_test = torch.zeros_like(spoiled.y_test)
    run(plain, 20)
    run(spoiled, 20)
    for a, b in zip(copies(plain.model), copies(spoiled.model), strict=True):
        assert np.array_equal(a, b)


def test_no_picture_is_trained_on_and_tested():
    for settings in ({}, {"subset": "second", "per_class": 4}):
        data = load(CNNConfig(**SMALL | {"train_size": 0} | settings))
        trained = {x.tobytes() for x in data.x_train}
        found = sum(x.tobytes() in trained for x in data.x_test)
        assert found == 0 and len(data.x_test) > 100


def test_an_evaluation_uses_no_dropout_no_augmentation_and_the_averages_of_batch_norm():
    state = start(EVERYTHING | {"dropout": 0.9})
    log = run(state, 20)
    state.model.eval()
    x = (state.x_test.float() / 255 - state.mean) / state.deviation
    x = x.flatten(2)[..., state.places].view_as(x)
    with torch.no_grad():
        z = state.model(x)
        log_loss = F.cross_entropy(z, state.y_test).item()
    step, loss = log.curves["test/loss"][-1]
    assert step == 16  # the state has gone on since
    state = start(EVERYTHING | {"dropout": 0.9})
    log = run(state, 16)
    state.model.eval()
    with torch.no_grad():
        z = state.model(x)
    assert log.last("test/loss") == pytest.approx(F.cross_entropy(z, state.y_test).item(), rel=1e-4)
    assert log.last("test/accuracy") == pytest.approx((z.argmax(1) == state.y_test).float().mean().item(), abs=1e-6)
    assert loss == pytest.approx(log.last("test/loss")) and log_loss != loss


def test_the_training_part_is_measured_on_its_own_pictures():
    state = start(SMALL)
    log = run(state, 4)
    found = logits(state, state.x_train)
    assert log.last("train/loss") == pytest.approx(F.cross_entropy(found, state.y_train).item(), rel=1e-4)


def test_pixels_are_standardised_by_the_training_part_alone():
    state = start(SMALL | {"data": "shapes", "samples": 120, "train_size": 60})
    x = state.inputs(state.x_train)
    torch.testing.assert_close(x.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(x.std(dim=(0, 2, 3), correction=0), torch.ones(3), atol=1e-3, rtol=0)


def test_scrambling_is_one_permutation_for_every_run_and_picture():
    one, other = start(SMALL | {"scrambled": True}), start(SMALL | {"scrambled": True, "seed": 5})
    assert torch.equal(one.places, other.places) and not torch.equal(one.places, torch.arange(64))
    assert sorted(scramble(28, 28).tolist()) == list(range(784))
    x = one.x_train[:3]
    assert torch.equal(one.seen(x).flatten(1).sort().values, x.flatten(1).sort().values)


def test_a_perceptron_does_not_mind_scrambled_pixels():
    """Its curve is that of the pictures as they are, when the columns of its first layer are permuted likewise."""
    settings = SMALL | {"network": "mlp", "test_shift": 0}
    plain, scrambled = start(settings), start(settings | {"scrambled": True})
    with torch.no_grad():
        first = scrambled.model.head.dense1.weight
        first.copy_(plain.model.head.dense1.weight[:, scrambled.places])
    a, b = run(plain, 40), run(scrambled, 40)
    for name in ("train/loss", "test/loss", "test/accuracy"):
        np.testing.assert_allclose(a.curves[name], b.curves[name], rtol=2e-3, err_msg=name)
    torch.testing.assert_close(plain.model.head.dense1.weight[:, scrambled.places], first, rtol=1e-2, atol=1e-3)


def test_a_network_of_convolutions_does_mind():
    a, b = (run(start(SMALL | {"scrambled": scrambled}), 20) for scrambled in (False, True))
    assert abs(a.last("train/loss") - b.last("train/loss")) > 0.01


def test_moved_pictures_are_test_pictures_moved():
    state = start(SMALL | {"test_shift": 2})
    assert 0 < len(state.x_moved) <= MOVED and len(state.x_moved) == len(state.x_test[:MOVED])
    shifts = set()
    for moved, x in zip(state.x_moved[:40, 0], state.x_test[:40, 0], strict=True):
        found = []
        for down in range(-2, 3):
            for right in range(-2, 3):
                wide = F.pad(x, (4, 4, 4, 4))
                if torch.equal(wide[4 - down : 12 - down, 4 - right : 12 - right], moved):
                    found.append((down, right))
        assert found
        shifts.add(found[0])
    assert len(shifts) > 10
    assert torch.equal(start(SMALL | {"test_shift": 2}).x_moved, state.x_moved)


def test_a_subset_is_numbered_anew_and_per_class_takes_so_many_of_each():
    state = start(SMALL | {"subset": "second", "per_class": 3, "train_size": 0})
    assert state.data.classes == tuple("56789") and state.config.outputs == 5
    assert torch.bincount(state.y_train).tolist() == [3] * 5
    whole = load(CNNConfig(**SMALL | {"train_size": 0}))
    by_picture = {x.tobytes(): int(y) for x, y in zip(whole.x_test, whole.y_test, strict=True)}
    assert len(state.y_test) == (whole.y_test >= 5).sum()
    for x, y in zip(state.data.x_test, state.data.y_test, strict=True):
        assert by_picture[x.tobytes()] == y + 5


def test_weights_of_another_run_come_without_its_head_where_a_new_one_is_wanted():
    source = run(start(SMALL | {"subset": "first"}), 5).state
    target = start(SMALL | {"subset": "second", "new_head": True, "frozen": True, "per_class": 5, "seed": 3})
    head = [p.clone() for p in target.model.head.parameters()]
    target.load_weights(source.state_dict())
    for a, b in zip(source.model.features.parameters(), target.model.features.parameters(), strict=True):
        assert torch.equal(a, b)
    assert all(torch.equal(a, b) for a, b in zip(head, target.model.head.parameters(), strict=True))
    kept = copies(target.model.features)
    run(target, 10)
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies(target.model.features), strict=True))
    assert not torch.equal(head[0], next(target.model.head.parameters()))


def test_weights_that_do_not_fit_are_refused_by_layer_and_nothing_changes():
    source, target = start(SMALL | {"blocks": (4, 8)}), start(SMALL)
    before = copies(target.model)
    with pytest.raises(Refusal, match=r"model\.features\.convolution2\.weight is 8 × 4 × 3 × 3 there") as refused:
        target.load_weights(source.state_dict())
    assert refused.value.field == "start_from"
    assert all(np.array_equal(a, b) for a, b in zip(before, copies(target.model), strict=True))


def test_live_settings_act_at_the_next_step():
    state = start(SMALL | {"optimizer": "momentum", "lr": 0.1})
    training = program.train(state)
    next(training)
    changed = {"lr": 1e-6, "momentum": 0.5, "dropout": 0.3, "batch_size": 3, "weight_decay": 0.7, "picture": 4}
    state.apply_config(state.config.model_copy(update=changed))
    next(training)
    groups = state.optimizer.param_groups
    assert [g["lr"] for g in groups] == [1e-6] * 2 and [g["momentum"] for g in groups] == [0.5] * 2
    assert [g["weight_decay"] for g in groups] == [0.7, 0.0]
    assert state.dropout.p == 0.3
    assert state.batches.cursor == 16 + 3


def test_augmentation_varies_training_pictures_alone():
    state = start(SMALL | {"pixel_noise": 1.0, "lr": 1e-6})
    before = state.augmentation_rng.get_state()
    run(state, 0)  # an evaluation
    assert torch.equal(before, state.augmentation_rng.get_state())
    run(state, 1)
    assert not torch.equal(before, state.augmentation_rng.get_state())


def test_a_dead_channel_is_measured_and_named():
    state = start(SMALL)
    assert max(dead_shares(state).values()) < 0.5
    with torch.no_grad():
        state.model.features.convolution2.bias[:4] = -100.0
    assert list(dead_shares(state)) == ["layer_1", "layer_2"] and dead_shares(state)["layer_2"] >= 4 / 6
    assert list(dead_shares(start(SMALL | {"network": "mlp"}))) == ["layer_1"]
    log = run(state, 1)
    assert log.last("dead/layer_2") >= 4 / 6
    assert [note.diagnosis for note in log.notes] == ["dead channels"]
    assert log.notes[0].values == {"layer": 2, "percent": round(100 * log.curves["dead/layer_2"][0][1])}


def test_gradient_and_step_are_logged_by_layer_and_only_of_what_is_trained():
    state = start(SMALL | {"optimizer": "sgd", "lr": 0.1})
    before = [W.detach().clone() for W in state.model.weights]
    log = run(state, 1)
    for i, (W, old) in enumerate(zip(state.model.weights, before, strict=True), start=1):
        assert log.last(f"update_ratio/layer_{i}") == pytest.approx(((W - old).norm() / old.norm()).item(), rel=1e-3)
        assert log.last(f"gradient/layer_{i}") == pytest.approx(((W - old).norm() / 0.1).item(), rel=1e-3)
    frozen = run(start(SMALL | {"frozen": True}), 1)
    assert {name for name in frozen.curves if name.startswith("gradient/")} == {"gradient/layer_3", "gradient/layer_4"}


def test_a_loss_that_is_no_number_ends_the_training_at_that_step():
    state = run(start(SMALL), 3).state
    with torch.no_grad():
        state.model.features.convolution1.weight[0] = float("nan")
    with pytest.raises(Diverged):
        run(state, 10)
    assert state.step == 3
    with pytest.raises(Diverged):
        state.state_dict()


def test_learning_rates_of_the_schedules():
    def at(schedule, step):
        return learning_rate(CNNConfig(lr=0.1, schedule=schedule, schedule_steps=100), step)

    assert at("constant", 999) == 0.1
    assert [at("warmup", s) for s in (0, 49, 99, 500)] == pytest.approx([0.001, 0.05, 0.1, 0.1])
    assert [at("step", s) for s in (99, 100, 200)] == pytest.approx([0.1, 0.05, 0.025])
    assert [at("exponential", s) for s in (0, 50, 100)] == pytest.approx([0.1, 0.1 / 10**0.5, 0.01])
    assert [at("cosine", s) for s in (0, 50, 100, 999)] == pytest.approx([0.1, 0.05, 0.0, 0.0], abs=1e-12)
    state = start(SMALL | {"schedule": "step", "schedule_steps": 2, "optimizer": "sgd", "lr": 0.1})
    rates = [run(state, step).state.optimizer.param_groups[0]["lr"] for step in (1, 2, 3, 4, 5)]
    assert rates == [0.1, 0.1, 0.05, 0.05, 0.025]


def test_the_first_update_has_the_first_rate_of_its_schedule():
    states = [start(SMALL | {"optimizer": "sgd", "lr": 1.0, "schedule": s, "schedule_steps": 100})
              for s in ("constant", "warmup")]  # fmt: skip
    before = states[0].model.weights[0].detach().clone()
    full, hundredth = (run(state, 1).state.model.weights[0].detach() - before for state in states)
    torch.testing.assert_close(hundredth, full / 100, rtol=1e-2, atol=1e-6)
