"""The loop: it learns, repeats itself, goes on where it was left, and never looks at the test data."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.algorithms.dnn import train as program
from core.algorithms.dnn.config import DNNConfig, rate
from core.algorithms.dnn.measure import dead_shares, forward, gradient_ratio
from core.algorithms.dnn.model import ACTIVATIONS
from core.events import Snapshot, Step
from core.experiment import Diverged
from tests.core.algorithms.dnn.training import run, start
from tests.core.algorithms.driven import Told, held, saved

EVERYTHING = {
    "layers": (9, 6),
    "batch_norm": True,
    "dropout": 0.2,
    "l1": 1e-4,
    "l2": 1e-3,
    "clip": 1.0,
    "schedule": "cosine",
    "schedule_steps": 80,
    "features": ("x", "product", "sine"),
    "samples": 100,
    "batch_size": 13,
}


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"])
def test_n_steps_saved_loaded_and_n_more_are_2n_bit_for_bit(optimizer):
    settings_ = EVERYTHING | {"optimizer": optimizer, "lr": 0.01}
    whole_state = start(settings_)
    whole = run(whole_state, 50)
    half = start(settings_)
    first = Told(half)
    for event in program.train(half):  # left at once, as a worker does: step 25's measurements are still due
        first.hear(event)
        if isinstance(event, Step) and event.step == 25:
            break
    assert 0 < half.cursor < len(half.order)
    tree = saved(half.state_dict())
    run(half, 40)  # must not reach into what was saved
    torch.manual_seed(12345)
    resumed = start(settings_)
    resumed.load_state_dict(tree)
    rest = run(resumed, 50)
    for a, b in zip(held(whole_state.model), held(resumed.model), strict=True):
        assert np.array_equal(a, b)
    for name, curve in whole.curves.items():
        assert curve == first.curves.get(name, []) + rest.curves[name], name
    assert whole_state.history == resumed.history
    assert np.array_equal(whole_state.predicted, resumed.predicted)


def test_the_same_seed_gives_the_same_curve_and_another_a_different_one():
    one, same, other = (run(start(EVERYTHING | {"seed": seed}), 30).curves for seed in (3, 3, 4))
    assert one == same
    assert one["train/loss"] != other["train/loss"]


def test_observing_changes_neither_weights_nor_curves_nor_any_generator():
    quiet, watched = start(EVERYTHING), start(EVERYTHING)
    torch.manual_seed(1)
    alone = run(quiet, 30)
    told = Told(watched)
    torch.manual_seed(1)
    generator, drawn = torch.get_rng_state(), np.random.get_state()[1].copy()
    for event in program.train(watched):
        told.hear(event)
        before = saved(watched.state_dict())
        assert all(isinstance(seen, Snapshot) for seen in program.observe(watched))
        after = saved(watched.state_dict())
        assert torch.equal(before["masks"], after["masks"])
        assert torch.equal(before["shuffle"], after["shuffle"])
        assert watched.model.training
        if isinstance(event, Step) and event.step == 30:
            break
    assert torch.equal(generator, torch.get_rng_state())
    assert np.array_equal(drawn, np.random.get_state()[1])
    for a, b in zip(held(quiet.model), held(watched.model), strict=True):
        assert np.array_equal(a, b)
    for name, curve in told.curves.items():
        assert curve == alone.curves[name][: len(curve)]


def test_an_epoch_shows_every_row_once_and_then_shuffles_anew():
    state = start({"samples": 100, "test_share": 0.3, "batch_size": 16, "data": "moons"})
    n = len(state.x_train)
    state.x_train = torch.arange(n, dtype=torch.float32)[:, None].repeat(1, 2)
    epochs = []
    for _ in range(2):
        rows = [state.batch()[0][:, 0] for _ in range(-(-n // 16))]
        epochs.append(torch.cat(rows))
        assert sorted(epochs[-1].tolist()) == list(range(n))
    assert not torch.equal(*epochs)
    assert state.epoch == 2.0


def test_what_the_test_data_are_does_not_touch_the_training():
    plain, spoiled = start(EVERYTHING), start(EVERYTHING)
    spoiled.x_test = torch.full_like(spoiled.x_test, 1e3)
    spoiled.y_test = torch.zeros_like(spoiled.y_test)
    run(plain, 30)
    run(spoiled, 30)
    for a, b in zip(held(plain.model), held(spoiled.model), strict=True):
        assert np.array_equal(a, b)


def test_an_evaluation_uses_no_dropout_and_the_running_figures_of_batch_norm():
    state = start(EVERYTHING | {"dropout": 0.9})
    told = run(state, 20)
    state.model.eval()
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(state.model(state.x_test), state.y_test).item()
    assert told.last("test/loss") == pytest.approx(expected, rel=1e-5)
    assert told.last("test/accuracy") == pytest.approx(np.mean(state.predicted == state.data.y_test), abs=1e-6)


FITS = [
    {"activation": a, "optimizer": o, "init": "kaiming" if a == "relu" else "xavier"}
    for a, o in zip(
        ACTIVATIONS, ["adam", "momentum", "nesterov", "rmsprop", "adamw", "adam", "adam", "adam"], strict=True
    )
    if a != "identity"
] + [{"optimizer": "sgd", "lr": 0.5}, {"batch_norm": True}, {"loss": "squared"}]


@pytest.mark.parametrize("changed", FITS, ids=lambda c: "-".join(str(v) for v in c.values()))
def test_one_batch_of_classes_can_be_learned_by_heart(changed):
    lr = {"momentum": 0.1, "nesterov": 0.1, "rmsprop": 0.005}.get(changed.get("optimizer", ""), 0.02)
    state = start({"data": "gaussians", "noise": 0.1, "layers": (32, 32), "lr": lr, "batch_size": 4096, **changed})
    keep = torch.arange(12)
    state.x_train, state.y_train, state.order = state.x_train[keep], state.y_train[keep], keep
    assert run(state, 600).last("train/loss") < 0.02


@pytest.mark.parametrize(("data", "loss"), [("curve", "squared"), ("plane", "absolute"), ("plane", "huber")])
def test_one_batch_of_values_can_be_learned_by_heart(data, loss):
    how = {"layers": (64, 64), "activation": "relu", "init": "kaiming", "lr": 0.01, "schedule": "cosine"}
    state = start({"data": data, "loss": loss, "batch_size": 4096, **how})
    keep = torch.arange(8)
    state.x_train, state.y_train, state.order = state.x_train[keep], state.y_train[keep], keep
    assert run(state, 1000).last("train/loss") < 0.01


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
    told = run(start({"data": "plane", "layers": ()}), 1)
    state = told.state
    with torch.no_grad():
        guessed = state.model(state.x_test)[:, 0].numpy() * state.y_deviation + state.y_mean
    assert told.last("test/rmse") == pytest.approx(np.sqrt(np.mean((guessed - state.data.y_test) ** 2)), rel=1e-4)


def test_a_dead_layer_is_measured_and_named():
    state = start({"activation": "relu", "layers": (8, 4)})
    sums: list[torch.Tensor] = []
    forward(state, state.x_train, sums)
    assert max(float(share) for share in dead_shares(state, sums)) < 0.75
    with torch.no_grad():
        state.model.layers[0].bias[:6] = -100.0
    told = run(state, 1)
    assert told.last("dead/layer_1") >= 6 / 8
    assert told.notes[0].diagnosis == "dead units"
    assert told.notes[0].values == {"layer": 1, "percent": round(100 * told.curves["dead/layer_1"][0][1])}


def test_clipping_bounds_the_step_and_the_gradient_is_told_as_it_was():
    free, clipped = ({"data": "moons", "optimizer": "sgd", "lr": 1.0, "clip": clip} for clip in (0.0, 0.01))
    a, b = start(free), start(clipped)
    before = [p.detach().clone() for p in b.model.parameters()]
    told_a, told_b = run(a, 1), run(b, 1)
    moved = torch.cat([(p - q).detach().flatten() for p, q in zip(b.model.parameters(), before, strict=True)])
    assert moved.norm().item() == pytest.approx(0.01, rel=1e-3)
    assert told_a.last("gradient/layer_1") == told_b.last("gradient/layer_1") > 0.01


def test_the_step_is_told_as_a_share_of_the_weights():
    state = start({"data": "moons", "layers": (5,), "optimizer": "sgd", "lr": 0.1})
    before = [W.detach().clone() for W in state.model.weights]
    told = run(state, 1)
    for i, (W, old) in enumerate(zip(state.model.weights, before, strict=True), start=1):
        assert told.last(f"update_ratio/layer_{i}") == pytest.approx(((W - old).norm() / old.norm()).item(), rel=1e-4)
        assert told.last(f"gradient/layer_{i}") == pytest.approx(((W - old).norm() / 0.1).item(), rel=1e-4)


def test_live_settings_act_at_the_next_step():
    state = start({"data": "moons", "optimizer": "momentum", "lr": 0.1})
    training = program.train(state)
    while not isinstance(next(training), Step):
        pass
    state.turn(state.config.model_copy(update={"lr": 1e-6, "momentum": 0.5, "dropout": 0.3, "batch_size": 3}))
    while not isinstance(next(training), Step):
        pass
    assert state.optimizer.param_groups[0]["lr"] == 1e-6
    assert state.optimizer.param_groups[0]["momentum"] == 0.5
    assert state.model.dropout == 0.3
    assert state.cursor == 32 + 3


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
            seen = {event.panel: event.arrays for event in program.observe(state)}
            for panel, arrays in seen.items():
                assert all(np.isfinite(a).all() for a in arrays.values() if panel == "activations"), panel
            if bad != 1e38:
                with pytest.raises(Diverged):
                    state.state_dict()


def test_divergence_is_noticed_at_the_very_next_step():
    state = run(start({}), 1000).state
    assert not state.schedule.told(1001, False)
    with torch.no_grad():
        state.model.weights[0][:] = float("nan")
    with pytest.raises(Diverged):
        for _ in program.train(state):
            pass
    assert state.step == 1000


def test_a_state_that_is_taken_up_twice_has_one_history():
    state = run(start({}), 20).state
    before = len(state.history)
    for _ in range(3):
        next(iter(program.train(state)))
    assert len(state.history) == before
    assert [e.step for e in state.history] == sorted({e.step for e in state.history})


def test_loading_takes_copies():
    one, other = run(start({}), 5).state, start({})
    other.load_state_dict(one.state_dict())
    held = [slot["exp_avg"].clone() for slot in one.optimizer.state.values()]
    run(other, 10)
    for slot, old in zip(one.optimizer.state.values(), held, strict=True):
        assert torch.equal(slot["exp_avg"], old)


def test_streams_of_neighbouring_seeds_and_purposes_have_nothing_in_common():
    purposes = (program.WEIGHTS, program.SHUFFLE, program.MASKS)
    seeds = [program.generator(seed, purpose).initial_seed() for seed in range(20) for purpose in purposes]
    assert len({seed % 2**32 for seed in seeds}) == len(seeds)
    state = start({"seed": 7})
    assert state.shuffle.initial_seed() == program.generator(7, program.SHUFFLE).initial_seed()
    assert state.model.generator.initial_seed() == program.generator(7, program.MASKS).initial_seed()


def test_a_step_from_zero_weights_is_no_share_of_anything():
    told = run(start({"init": "zeros", "layers": (8,), "activation": "sigmoid"}), 3)
    assert min(step for step, _ in told.curves["update_ratio/layer_1"]) > 1
    assert max(ratio for _, ratio in told.curves["update_ratio/layer_2"]) < 1e3


def test_the_whole_test_part_counts_each_time_and_at_the_end_of_a_long_epoch(monkeypatch):
    state = start({"data": "digits", "layers": (64,), "batch_size": 8, "activation": "relu"})
    steps = -(-len(state.x_train) // 8)
    assert state.schedule.epoch_ends
    told = run(state, steps)
    assert told.curves["test/accuracy"][-1][0] == told.curves["train/accuracy"][-1][0] == steps
    state.model.eval()
    with torch.no_grad():
        right = (state.model(state.x_test).argmax(dim=1) == state.y_test).float().mean().item()
    assert told.last("test/accuracy") == pytest.approx(right, abs=1e-6)
    assert f"gradient/layer_{2}" in told.curves
    assert told.curves["gradient/layer_2"][-1][0] == steps


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
    told = [run(state, 1) for state in states]
    plain, decayed = (state.model.weights[0].detach() for state in states)
    torch.testing.assert_close(decayed, plain - 0.1 * 0.5 * before, rtol=1e-4, atol=1e-5)
    assert told[0].last("gradient/layer_1") == told[1].last("gradient/layer_1")


def test_weights_that_start_at_zero_are_not_said_to_vanish():
    faded = {"gradient/layer_1": 1e-9, "gradient/layer_2": 1.0}
    assert gradient_ratio(start({}), faded) == pytest.approx(1e-9)
    assert gradient_ratio(start({"init": "zeros"}), faded) == 1.0


def test_learning_rates_of_the_schedules():
    def at(schedule, step):
        return rate(DNNConfig(lr=0.1, schedule=schedule, schedule_steps=100), step)

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
        config = DNNConfig(**values)
    except ValidationError as refused:
        assert refused.errors()
        return
    state = start(config)
    list(program.observe(state))
    try:
        run(state, 3)
    except Diverged:
        return
    for seen in program.observe(state):
        assert isinstance(seen, Snapshot)
