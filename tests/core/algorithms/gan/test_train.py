"""The loop: each update changes one network alone, as often as the settings say, at the settings in force."""

import copy

import pytest
import torch

from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.metrics import generate
from core.algorithms.gan.model import d_loss, g_loss
from core.events import Scalars, Step
from core.experiment import Diverged
from tests.core.algorithms.gan.cases import CRITIC, EVERYTHING, KINDS, PLAIN, SMALL
from tests.core.algorithms.gan.training import program, run, start, update
from tests.core.algorithms.trial import copies, same, through_checkpoint


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_of_d_changes_d_only_and_one_of_g_changes_g_only(kind):
    state = start(KINDS[kind])
    training = program.train(state)
    for part in ("D", "G", "G", "D", "D", "G"):
        before = {name: copies(getattr(state, name)) for name in ("D", "G", "G_ema")}
        state.next_part = part
        assert next(training) == Step(state.step, part=part)
        other = "G" if part == "D" else "D"
        assert same(copies(getattr(state, other)), before[other]), f"an update of {part} changed {other}"
        assert not same(copies(getattr(state, part)), before[part])
        assert same(copies(state.G_ema), before["G_ema"]) == (part == "D")


def test_batch_norm_of_d_goes_by_samples_of_one_kind():
    state = start(SMALL | {"d_norm": True})
    D, batches = copy.deepcopy(state.D), []
    state.D.register_forward_pre_hook(lambda _, inputs: batches.append(inputs[0].detach()))
    update(state, "D")
    real, fake = batches
    assert torch.cdist(real, state.real_data.skeleton).min(dim=1).values.max() < 0.2
    assert torch.cdist(fake, state.real_data.skeleton).min(dim=1).values.max() > 0.2
    for found, x in zip(state.d_outputs, (real, fake), strict=True):
        torch.testing.assert_close(found, D(x))


def test_either_network_begins_with_the_variance_of_its_own_activation():
    wide = {"latent": 512, "g_layers": (256,), "d_layers": (1024,), "packing": 16, "batch_size": 16}
    for activation, gain in (("tanh", 1.0), ("relu", 2.0)):
        other = "relu" if activation == "tanh" else "tanh"
        G = start(wide | {"g_activation": activation, "d_activation": other}).G
        D = start(wide | {"d_activation": activation, "g_activation": other}).D
        for layer in (G[0], D[0]):
            assert layer.weight.var().item() * layer.in_features == pytest.approx(gain, rel=0.1)


@pytest.mark.parametrize(("data", "spacing"), [("ring", 32), ("mnist_5k", 8)])
def test_metrics_are_logged_by_the_count_of_steps_and_of_images_more_often(data, spacing):
    state = start(SMALL | {"data": data})
    assert [state.should_log(step) for step in range(70)] == [step < 64 or step % 2 == 0 for step in range(70)]
    assert [step for step in range(8192, 8192 + 65) if state.should_log(step)] == [
        8192 + spacing * i for i in range(64 // spacing + 1)
    ]


def test_d_and_g_alternate_as_the_settings_say():
    state = start(SMALL | {"d_steps": 3, "g_steps": 2})
    training = program.train(state)
    assert "".join(next(training).part for _ in range(12)) == "DDDGG" * 2 + "DD"
    state.next_part = "G"  # D's updates are cut short, and forgotten
    assert "".join(next(training).part for _ in range(6)) == "GGDDDG"
    state.next_part = "G"  # as it would be
    assert "".join(next(training).part for _ in range(2)) == "GD"


def test_a_round_in_its_midst_is_resumed():
    state = start(SMALL | {"d_steps": 3, "g_steps": 2})
    run(state, 3)
    update(state, "D")  # though G is next
    resumed = start(SMALL | {"d_steps": 3, "g_steps": 2})
    resumed.load_state_dict(through_checkpoint(state.state_dict()))
    rest = ["".join(next(training).part for _ in range(5)) for training in map(program.train, (state, resumed))]
    assert rest == ["DDGGD"] * 2


def test_gradients_reach_all_of_a_critic_but_its_last_bias():
    """Only the difference of its outputs counts."""
    state = start(CRITIC | PLAIN)
    run(state, 2)
    for net in (state.G, state.D):
        for name, p in net.named_parameters():
            assert p.grad is not None and (p.grad.abs().max() > 1e-6) == (net is state.G or name != "4.bias"), name


@pytest.mark.parametrize("loss", ["minimax", "non_saturating", "least_squares", "hinge"])
def test_d_alone_tells_one_fixed_batch_apart(loss):
    state = start({"loss": loss, "seed": 1})
    x, fake = state.real_data.sample(16, state.rng), generate(state, state.fixed_z[:16])
    optimizer = torch.optim.Adam(state.D.parameters(), 3e-3)
    for _ in range(1000):
        d_real, d_fake = state.D(torch.cat([x, fake])).chunk(2)
        optimizer.zero_grad()
        d_loss(loss, d_real, d_fake).backward()
        optimizer.step()
    assert d_real.min() > d_fake.max()


def test_minimax_gradient_of_g_against_a_d_that_is_sure_is_at_most_a_tenth():
    """Both losses against the same D, which has learned to tell the samples of the first G, before G's first step."""
    for seed in (0, 1, 2):
        state = start({"loss": "minimax", "d_steps": 20, "seed": seed})
        training = program.train(state)
        for _ in range(800):
            state.next_part = "D"
            next(training)
        norms = {}
        for loss in ("minimax", "non_saturating"):
            gradients = torch.autograd.grad(g_loss(loss, state.D(state.G(state.fixed_z))), list(state.G.parameters()))
            norms[loss] = torch.stack([g.norm() for g in gradients]).norm().item()
        assert norms["minimax"] <= norms["non_saturating"] / 10


def test_live_settings_act_at_once():
    state = start(SMALL)
    run(state, 4)
    changed = {"g_lr": 1e-6, "d_lr": 1e-5, "g_beta1": 0.1, "d_beta1": 0.2, "d_steps": 2}
    state.apply_config(state.config.model_copy(update=changed))
    training = program.train(state)
    assert "".join(next(training).part for _ in range(4)) == "DDGD"
    for optimizer, lr, beta1 in ((state.optimizer_g, 1e-6, 0.1), (state.optimizer_d, 1e-5, 0.2)):
        assert optimizer.param_groups[0]["lr"] == lr and optimizer.param_groups[0]["betas"] == (beta1, 0.999)


@pytest.mark.parametrize("rule", ["adam", "rmsprop", "sgd"])
def test_a_changed_rate_is_in_force_in_a_restored_training_as_well(rule):
    state = start(SMALL | {"d_optimizer": rule, "g_optimizer": rule})
    run(state, 3)
    state.apply_config(state.config.model_copy(update={"g_lr": 0.02, "d_lr": 0.03}))
    resumed = start(SMALL | {"d_optimizer": rule, "g_optimizer": rule, "g_lr": 0.02, "d_lr": 0.03})
    resumed.load_state_dict(through_checkpoint(state.state_dict()))
    run(state, 9)
    run(resumed, 9)
    assert same(through_checkpoint(state.state_dict()), through_checkpoint(resumed.state_dict()))


def test_an_average_that_begins_in_the_midst_begins_with_g_as_it_is():
    state = start(SMALL | {"ema": 0.0})
    run(state, 20)
    assert not same(copies(state.G_ema), copies(state.G)) and state.ema_updates == 0
    state.apply_config(state.config.model_copy(update={"ema": 0.999}))
    assert same(copies(state.G_ema), copies(state.G))
    run(state, 30)
    state.apply_config(state.config.model_copy(update={"ema": 0.99}))
    assert state.ema_updates == 5 and not same(copies(state.G_ema), copies(state.G)), "it goes on"


def test_a_rate_far_too_large_diverges():
    state = start(SMALL | {"d_lr": 1.0, "d_optimizer": "sgd", "loss": "wasserstein_gp", "penalty": 100.0})
    with pytest.raises(Diverged):
        run(state, 400)


def test_the_metrics_of_an_update_are_those_of_the_last_one_of_each_part():
    """At each step that is logged, whichever part was updated last; here the state knows them from before."""
    state = start(EVERYTHING)
    expected: dict[str, float] = {}
    for event in program.train(state):
        net = state.D if event.part == "D" else state.G
        gradient = torch.cat([p.grad.flatten() for p in net.parameters()]).norm().item()
        expected |= {f"{event.part}/loss": state.loss.item(), f"{event.part}/gradient": gradient}
        if event.part == "D":
            real, fake = (torch.sigmoid(found).mean().item() for found in state.d_outputs)
            expected |= {"D/real": real, "D/fake": fake}
        if state.should_log(event.step):
            logged = next(e for e in program.log_metrics(state) if isinstance(e, Scalars)).values
            assert {name: logged[name] for name in expected} == pytest.approx(expected, rel=1e-5), event.step
        if event.step == 300:
            break
    assert len(expected) == 6


def test_outputs_of_a_critic_are_no_probabilities():
    state = start(CRITIC)
    run(state, 64)
    assert state.recorded["D/real"] - state.recorded["D/fake"] == pytest.approx(
        float(state.d_outputs[0].mean() - state.d_outputs[1].mean()), abs=1e-6
    )


def test_a_weight_that_is_not_finite_is_not_saved():
    state = start(SMALL)
    next(iter(state.G.parameters())).data.fill_(float("nan"))
    with pytest.raises(Diverged):
        state.state_dict()


def test_config_counts_updates():
    assert GANConfig(d_steps=3).updates("D") == 3 and GANConfig(g_steps=4).updates("G") == 4


def test_an_average_begins_with_the_other_run_s_g_where_that_run_kept_none():
    without, kept = (start(SMALL | {"ema": ema}) for ema in (0.0, 0.9))
    for state in (without, kept):
        update(state, "D")
        update(state, "G")
    for one, expected in ((without, without.G), (kept, kept.G_ema)):
        began = start(SMALL | {"ema": 0.99})
        began.load_weights(through_checkpoint(one.state_dict()))
        assert same(copies(began.G_ema), copies(expected)) and began.ema_updates == 0
        assert same(copies(began.G), copies(one.G)) and not same(copies(began.G), copies(one.G_ema))
