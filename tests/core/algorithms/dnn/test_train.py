"""The loop and what is measured of it; that it repeats itself, resumes and overfits is in the contract suite."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.algorithms.dnn.config import DNNConfig
from core.algorithms.dnn.metrics import dead_shares, forward, gradient_ratio
from core.algorithms.dnn.train import learning_rate
from core.experiment import Diverged
from core.settings import check
from core.words import Refusal
from tests.core.algorithms.dnn.cases import EVERYTHING
from tests.core.algorithms.dnn.training import program, run, snapshots, start
from tests.core.algorithms.trial import copies


def test_what_the_test_data_are_does_not_touch_the_training():
    plain, spoiled = start(EVERYTHING), start(EVERYTHING)
    spoiled.x_test = torch.full_like(spoiled.x_test, 1e3)
    spoiled.y_test = torch.zeros_like(spoiled.y_test)
    run(plain, 30)
    run(spoiled, 30)
    for a, b in zip(copies(plain.model), copies(spoiled.model), strict=True):
        assert np.array_equal(a, b)


def test_an_evaluation_uses_no_dropout_and_the_running_figures_of_batch_norm():
    state = start(EVERYTHING | {"dropout": 0.9})
    log = run(state, 20)
    state.model.eval()
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(state.model(state.x_test), state.y_test).item()
    assert log.last("test/loss") == pytest.approx(expected, rel=1e-5)
    assert log.last("test/accuracy") == pytest.approx(np.mean(state.predictions == state.data.y_test), abs=1e-6)


def test_inputs_are_standardised_by_the_training_part_alone():
    state = start({"data": "wine"})
    torch.testing.assert_close(state.x_train.mean(dim=0), torch.zeros(13), atol=1e-4, rtol=0)
    torch.testing.assert_close(state.x_train.std(dim=0, correction=0), torch.ones(13), atol=1e-4, rtol=0)
    expected = (state.data.x_test - state.data.x_train.mean(axis=0)) / state.data.x_train.std(axis=0)
    np.testing.assert_allclose(state.x_test.numpy(), expected, atol=1e-4)


def test_further_inputs_are_what_their_names_say():
    state = start({"data": "moons", "features": ("x", "square", "product", "sine")})
    x = (state.data.x_train - state.data.x_train.mean(axis=0)) / state.data.x_train.std(axis=0)
    expected = np.concatenate([x, x**2, x[:, :1] * x[:, 1:], np.sin(np.pi * x)], axis=1)
    np.testing.assert_allclose(state.x_train.numpy(), expected, atol=1e-4)
    run(state, 2)


def test_errors_of_regression_are_in_the_units_of_the_data():
    log = run(start({"data": "plane", "layers": ()}), 1)
    state = log.state
    with torch.no_grad():
        guessed = state.model(state.x_test)[:, 0].numpy() * state.y_std + state.y_mean
    assert log.last("test/rmse") == pytest.approx(np.sqrt(np.mean((guessed - state.data.y_test) ** 2)), rel=1e-4)


def test_a_dead_layer_is_measured_and_named():
    state = start({"activation": "relu", "layers": (8, 4)})
    pre_activations: list[torch.Tensor] = []
    forward(state, state.x_train, pre_activations)
    assert max(float(share) for share in dead_shares(state, pre_activations)) < 0.75
    with torch.no_grad():
        state.model.layers[0].bias[:6] = -100.0
    log = run(state, 1)
    assert log.last("dead/layer_1") >= 6 / 8
    assert log.notes[0].diagnosis == "dead units"
    assert log.notes[0].values == {"layer": 1, "percent": round(100 * log.curves["dead/layer_1"][0][1])}


def test_clipping_bounds_the_step_and_the_gradient_is_logged_as_it_was():
    free, clipped = ({"data": "moons", "optimizer": "sgd", "lr": 1.0, "clip": clip} for clip in (0.0, 0.01))
    a, b = start(free), start(clipped)
    before = [p.detach().clone() for p in b.model.parameters()]
    log_a, log_b = run(a, 1), run(b, 1)
    moved = torch.cat([(p - q).detach().flatten() for p, q in zip(b.model.parameters(), before, strict=True)])
    assert moved.norm().item() == pytest.approx(0.01, rel=1e-3)
    assert log_a.last("gradient/layer_1") == pytest.approx(log_b.last("gradient/layer_1"), rel=1e-5)
    assert log_b.last("gradient/layer_1") > 0.01


def test_the_step_is_logged_as_a_share_of_the_weights():
    state = start({"data": "moons", "layers": (5,), "optimizer": "sgd", "lr": 0.1})
    before = [W.detach().clone() for W in state.model.weights]
    log = run(state, 1)
    for i, (W, old) in enumerate(zip(state.model.weights, before, strict=True), start=1):
        assert log.last(f"update_ratio/layer_{i}") == pytest.approx(((W - old).norm() / old.norm()).item(), rel=1e-4)
        assert log.last(f"gradient/layer_{i}") == pytest.approx(((W - old).norm() / 0.1).item(), rel=1e-4)


def test_live_settings_act_at_the_next_step():
    state = start({"data": "moons", "optimizer": "momentum", "lr": 0.1})
    training = program.train(state)
    next(training)
    state.apply_config(state.config.model_copy(update={"lr": 1e-6, "momentum": 0.5, "dropout": 0.3, "batch_size": 3}))
    next(training)
    assert state.optimizer.param_groups[0]["lr"] == 1e-6
    assert state.optimizer.param_groups[0]["momentum"] == 0.5
    assert state.model.dropout == 0.3
    assert state.batches.cursor == 32 + 3


def test_a_loss_that_is_no_number_ends_the_training():
    state = start({"data": "plane", "layers": (8,), "activation": "relu", "optimizer": "sgd", "lr": 100.0})
    with pytest.raises(Diverged):
        run(state, 2000)


def test_a_weight_that_is_no_number_is_neither_saved_nor_fatal_to_the_pictures():
    for data, layers in (("spiral", (8, 8)), ("plane", ()), ("curve", (4,))):
        for bad in (float("nan"), float("inf"), 1e38):
            state = run(start({"data": data, "layers": layers}), 3).state
            with torch.no_grad():
                state.model.weights[0][:] = bad
            for panel, arrays in snapshots(state).items():
                assert all(np.isfinite(a).all() for a in arrays.values() if panel == "activations"), panel
            if bad != 1e38:
                with pytest.raises(Diverged):
                    state.state_dict()


def test_divergence_is_noticed_at_the_very_next_step():
    state = run(start({}), 1000).state
    assert not state.should_log(1001)
    with torch.no_grad():
        state.model.weights[0][:] = float("nan")
    with pytest.raises(Diverged):
        for _ in program.train(state):
            pass
    assert state.step == 1000


def test_a_step_from_zero_weights_is_no_share_of_anything():
    log = run(start({"init": "zeros", "layers": (8,), "activation": "sigmoid"}), 3)
    assert min(step for step, _ in log.curves["update_ratio/layer_1"]) > 1
    assert max(ratio for _, ratio in log.curves["update_ratio/layer_2"]) < 1e3


def test_the_whole_test_part_counts_each_time_and_at_the_end_of_a_long_epoch():
    state = start({"data": "digits", "layers": (64,), "batch_size": 8, "activation": "relu"})
    steps = -(-len(state.x_train) // 8)
    assert state.log_schedule.epoch_ends
    log = run(state, steps)
    assert log.curves["test/accuracy"][-1][0] == log.curves["train/accuracy"][-1][0] == steps
    state.model.eval()
    with torch.no_grad():
        right = (state.model(state.x_test).argmax(dim=1) == state.y_test).float().mean().item()
    assert log.last("test/accuracy") == pytest.approx(right, abs=1e-6)
    assert f"gradient/layer_{2}" in log.curves
    assert log.curves["gradient/layer_2"][-1][0] == steps


def test_the_first_update_has_the_first_rate_of_its_schedule():
    states = [
        start({"optimizer": "sgd", "lr": 1.0, "schedule": s, "schedule_steps": 100}) for s in ("constant", "warmup")
    ]
    before = states[0].model.weights[0].detach().clone()
    full, hundredth = (run(state, 1).state.model.weights[0].detach() - before for state in states)
    torch.testing.assert_close(hundredth, full / 100, rtol=1e-3, atol=1e-6)


def test_l2_of_adamw_is_decay_alone_and_no_part_of_the_gradient():
    states = [start({"optimizer": "adamw", "lr": 0.1, "l2": l2}) for l2 in (0.0, 0.5)]
    before = states[0].model.weights[0].detach().clone()
    log = [run(state, 1) for state in states]
    plain, decayed = (state.model.weights[0].detach() for state in states)
    torch.testing.assert_close(decayed, plain - 0.1 * 0.5 * before, rtol=1e-4, atol=1e-5)
    assert log[0].last("gradient/layer_1") == log[1].last("gradient/layer_1")


def test_weights_that_start_at_zero_are_not_said_to_vanish():
    faded = {"gradient/layer_1": 1e-9, "gradient/layer_2": 1.0}
    assert gradient_ratio(start({}), faded) == pytest.approx(1e-9)
    assert gradient_ratio(start({"init": "zeros"}), faded) == 1.0


def test_learning_rates_of_the_schedules():
    def at(schedule, step):
        return learning_rate(DNNConfig(lr=0.1, schedule=schedule, schedule_steps=100), step)

    assert at("constant", 999) == 0.1
    assert [at("warmup", s) for s in (0, 49, 99, 500)] == pytest.approx([0.001, 0.05, 0.1, 0.1])
    assert [at("step", s) for s in (99, 100, 200)] == pytest.approx([0.1, 0.05, 0.025])
    assert [at("exponential", s) for s in (0, 50, 100)] == pytest.approx([0.1, 0.1 / 10**0.5, 0.01])
    assert [at("cosine", s) for s in (0, 50, 100, 999)] == pytest.approx([0.1, 0.05, 0.0, 0.0], abs=1e-12)
    assert at("step", 10**7) > 0
    assert at("exponential", 10**7) >= 0


def drawn(name: str) -> st.SearchStrategy[Any]:
    """Values for a setting, most of them allowed."""
    schema = DNNConfig.model_json_schema()["properties"][name]
    if "enum" in schema:
        return st.sampled_from([v for v in schema["enum"] if v not in ("mnist", "fashion_mnist", "mnist_5k")])
    if schema["type"] == "boolean":
        return st.booleans()
    if schema["type"] == "integer":
        return st.integers(schema["minimum"] - 1, min(schema["maximum"], 400))
    return st.floats(schema["minimum"], schema["maximum"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.data())
def test_any_settings_are_refused_or_train(data):
    names = [name for name in DNNConfig.model_fields if name not in ("seed", "layers", "features")]
    chosen = data.draw(st.lists(st.sampled_from(names), max_size=6, unique=True))
    values = {name: data.draw(drawn(name), label=name) for name in chosen}
    values["layers"] = data.draw(st.lists(st.integers(1, 24), max_size=5).map(tuple), label="layers")
    kinds = st.lists(st.sampled_from(["x", "square", "product", "sine"]), max_size=2).map(tuple)
    values["features"] = data.draw(st.just(("x",)) | kinds, label="features")
    try:
        check(DNNConfig, values)
    except Refusal as refusal:
        assert str(refusal)
        return
    state = start(values)
    snapshots(state)
    try:
        run(state, 3)
    except Diverged:
        return
    assert "boundary" in snapshots(state)
