"""The loop: each update changes one network alone, it repeats itself, and goes on where it was left."""

import numpy as np
import pytest
import torch

from core.algorithms.gan import train as program
from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.measure import report
from core.algorithms.gan.model import d_loss, g_loss
from core.algorithms.gan.source import Findings, encoded, frechet, moments
from core.events import Snapshot, Step
from core.experiment import Diverged
from tests.core.algorithms.driven import Told, held, same, saved
from tests.core.algorithms.gan.training import gallery, run, start

SMALL = {"g_layers": (16, 16), "d_layers": (16, 16), "batch_size": 24}
EVERYTHING = SMALL | {
    "d_steps": 2, "packing": 2, "smoothing": 0.1, "instance_noise": 0.05, "spectral_norm": True, "g_norm": True,
    "ema": 0.99, "noise": "uniform",
}  # fmt: skip
NORMED = SMALL | {"d_norm": True, "g_norm": True, "packing": 2, "batch_size": 12}
CRITIC = SMALL | {"loss": "wasserstein_gp", "g_norm": True, "spectral_norm": True, "d_optimizer": "rmsprop"}
IMAGES = {"data": "mnist_5k", "latent": 8, "g_norm": True, "batch_size": 16, "d_norm": True, "packing": 2}
CONVOLUTIONS = IMAGES | {"architecture": "dcgan", "channels": 2, "d_norm": False, "spectral_norm": True}
FLAT = {"everything": EVERYTHING, "critic": CRITIC, "normed": NORMED}
KINDS = FLAT | {"images": IMAGES | SMALL, "convolutions": CONVOLUTIONS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_of_d_changes_d_only_and_one_of_g_changes_g_only(kind):
    state = start(KINDS[kind])
    training = program.train(state)
    for part in ("D", "G", "G", "D", "D", "G"):
        before = {name: held(getattr(state, name)) for name in ("D", "G")}
        average = held(state.slow)
        state.due = part
        made = next(event for event in training if isinstance(event, Step))
        assert made.part == part
        other = "G" if part == "D" else "D"
        assert same(held(getattr(state, other)), before[other]), f"a step of {part} changed {other}"
        assert not same(held(getattr(state, part)), before[part])
        assert same(held(state.slow), average) == (part == "D")


def test_turns_are_taken_as_the_settings_say():
    state = start(SMALL | {"d_steps": 3, "g_steps": 2})
    parts = []
    for event in program.train(state):
        if isinstance(event, Step):
            parts.append(event.part)
            if len(parts) == 12:
                break
    assert "".join(parts) == "DDDGG" * 2 + "DD"
    state.due = "G"  # a turn that is cut short is forgotten
    assert state.done == 0
    state.due = "G"
    assert state.due == "G"


@pytest.mark.parametrize("kind", [*FLAT, "convolutions"])
def test_n_steps_saved_loaded_and_n_more_are_2n_bit_for_bit(kind):
    whole_state = start(KINDS[kind])
    whole = run(whole_state, 64)
    half, first = start(KINDS[kind]), None
    first = Told(half)
    for event in program.train(half):
        first.hear(event)
        if isinstance(event, Step) and event.step == 32:
            break
    tree = saved(half.state_dict())
    run(half, 40)  # must not reach into what was saved
    torch.manual_seed(12345)
    resumed = start(KINDS[kind])
    resumed.load_state_dict(tree)
    rest = run(resumed, 64)
    for net in ("G", "D", "slow"):
        assert same(held(getattr(whole_state, net)), held(getattr(resumed, net)))
    for name, curve in whole.curves.items():
        assert curve == first.curves.get(name, []) + rest.curves[name], name
    assert whole_state.history == resumed.history


def test_the_same_seed_gives_the_same_curve_and_another_a_different_one():
    one, again, other = (run(start(EVERYTHING | {"seed": seed}), 40).curves for seed in (3, 3, 4))
    assert one == again
    assert one["D/loss"] != other["D/loss"]


@pytest.mark.parametrize("kind", FLAT)
def test_observing_changes_neither_weights_nor_curves_nor_any_generator(kind):
    quiet, watched = start(FLAT[kind]), start(FLAT[kind])
    torch.manual_seed(1)
    alone = run(quiet, 30)
    told = Told(watched)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    for event in program.train(watched):
        told.hear(event)
        assert all(isinstance(seen, Snapshot) for seen in program.observe(watched))
        if isinstance(event, Step) and event.step == 30:
            break
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(quiet.draw.get_state(), watched.draw.get_state())
    for net in ("G", "D", "slow"):
        assert same(held(getattr(quiet, net)), held(getattr(watched, net)))
    for name, curve in told.curves.items():
        assert curve == alone.curves[name][: len(curve)]


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_parameter(kind):
    # With batch norm behind it a bias has no say, and the gradient it gets is rounding. Nor has a critic's last bias:
    # only the difference of its answers counts.
    state = start(KINDS[kind] | {"g_norm": False, "d_norm": False, "packing": 1})
    run(state, 4)
    for net in (state.G, state.D):
        for name, p in net.named_parameters():
            if net is state.D and name == "layers.2.bias" and state.config.loss == "wasserstein_gp":
                continue
            assert p.grad is not None and p.grad.abs().max() > 0, name


@pytest.mark.parametrize("loss", ["minimax", "non_saturating", "least_squares", "hinge"])
def test_d_alone_tells_one_fixed_batch_apart(loss):
    state = start({"loss": loss, "seed": 1, "g_norm": False})
    x, made = state.real()[:16], state.samples(state.fixed[:16])
    optimizer = torch.optim.Adam(state.D.parameters(), 3e-3)
    for _ in range(1000):
        real, fake = state.D(torch.cat([x, made])).split(16)
        optimizer.zero_grad()
        d_loss(loss, real, fake).backward()
        optimizer.step()
    assert real.min() > fake.max()


def test_g_learns_a_single_point_from_d():
    """Both together overfit: where all that is real is one place, G goes there."""
    state = start({"seed": 0, "ema": 0.99, "g_layers": (32,), "d_layers": (32, 32), "loss": "wasserstein_gp"})
    state.source.skeleton = state.source.skeleton[:1]
    run(state, 2000)
    apart = (state.samples(state.fixed) - state.source.skeleton[0]).norm(dim=1)
    assert apart.median() < 0.25


def test_minimax_gradient_of_g_against_a_d_that_is_sure_is_at_most_a_tenth():
    """Both losses against the same D, which has learned to tell the samples of the first G, before G's first step."""
    for seed in (0, 1, 2):
        state = start({"loss": "minimax", "d_steps": 5, "seed": seed})
        for _ in range(800):
            program.update_d(state, False)
        lengths = {}
        for loss in ("minimax", "non_saturating"):
            fake = state.D(state.G(state.fixed))
            parameters = list(state.G.parameters())
            slopes = torch.autograd.grad(g_loss(loss, fake), parameters)
            lengths[loss] = torch.stack([s.norm() for s in slopes]).norm().item()
        assert lengths["minimax"] <= lengths["non_saturating"] / 10


def test_live_settings_act_at_once():
    state = start(SMALL)
    run(state, 4)
    state.turn(state.config.model_copy(update={"g_lr": 1e-6, "d_lr": 1e-5, "g_beta1": 0.1, "d_steps": 2}))
    run(state, 8)
    assert state.optimizers["G"].param_groups[0]["lr"] == 1e-6
    assert state.optimizers["D"].param_groups[0]["lr"] == 1e-5
    assert state.optimizers["G"].param_groups[0]["betas"][0] == 0.1


def test_an_average_that_begins_in_the_midst_begins_with_g_as_it_is():
    state = start(SMALL | {"ema": 0.0})
    run(state, 20)
    state.turn(state.config.model_copy(update={"ema": 0.999}))
    assert same(held(state.slow), held(state.G))


def test_a_rate_far_too_large_diverges():
    state = start(SMALL | {"d_lr": 1.0, "d_optimizer": "sgd", "loss": "wasserstein_gp", "penalty": 100.0})
    with pytest.raises(Diverged):
        run(state, 400)


def test_samples_are_measured_on_fixed_noise():
    state = start(SMALL)
    one = [event.values for event in report(state) if hasattr(event, "values")]
    again = [event.values for event in report(state) if hasattr(event, "values")]
    assert one == again and "modes/covered" in one[0]


def test_images_are_measured_and_compared_with_images_never_trained_on():
    state = start(IMAGES | SMALL)
    told = run(state, 32)
    assert {"images/score", "images/frechet", "images/confidence", "modes/covered"} <= set(told.curves)
    data = state.source.data
    assert len(data.x_train) == 4000 and len(data.x_test) == 1000
    with torch.no_grad():
        right = (state.source.classifier(torch.from_numpy(data.x_test).float() / 127.5 - 1).argmax(1).numpy()
                 == data.y_test).mean()  # fmt: skip
    assert right >= 0.85, "the judge of the samples reads digits it was not taught"
    x = state.real()
    assert x.shape == (24, 784) and x.min() >= -1 and x.max() <= 1


def test_samples_are_compared_with_test_images_and_training_images_stand_apart():
    state = start(IMAGES | SMALL)
    source, data = state.source, state.source.data
    with torch.no_grad():
        test, train = (source.classifier.features(encoded(torch.from_numpy(x))) for x in (data.x_test, data.x_train))
    own = source.mean, source.covariance
    assert frechet(*own, *moments(test)) < 1e-6
    assert frechet(*own, *moments(train)) > 0.5


def test_every_seed_has_the_same_judge_and_the_same_test_images():
    one, other = gallery("mnist_5k", 0), program.load(GANConfig(data="mnist_5k", seed=5))
    assert np.array_equal(one.data.x_test, other.data.x_test)
    assert same(held(one.classifier), held(other.classifier))


def test_noise_is_none_of_the_digits():
    """A classifier gives any picture to one of its classes; only of those that it is sure of does one count."""
    source = start(IMAGES | SMALL).source
    draw = torch.Generator().manual_seed(0)
    grey = 0.05 * torch.randn(1000, 784, generator=draw)
    for noise in (torch.rand(1000, 784, generator=draw) * 2 - 1, grey):
        found = Findings()
        list(source.measure(noise, found))
        assert found.values["modes/covered"] < 5


def test_real_digits_are_all_ten():
    state = start(IMAGES | SMALL)
    found = Findings()
    list(state.source.measure(state.source.sample(1000, torch.Generator().manual_seed(0)), found))
    assert found.values["modes/covered"] == 10


def test_a_rotation_that_leaves_the_histogram_as_it_is_has_moved_all_samples():
    state = start({"g_layers": (), "ema": 0.999})  # G(z) = Wz + b; its average stays where it is
    for angle in (0, np.pi / 4, np.pi / 4):
        turn = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float32)
        state.G.layers[0].weight.data = turn
        for _ in range(2):  # a resumed run looks once more at the step it goes on from
            list(report(state))
        state.step += 256
    still, turned, stopped = (one.moved for one in state.history)
    assert still == 0 and stopped == 0
    # A turn by an eighth sends all of the noise to the next cloud of the ring.
    assert turned > 0.99
    assert all(abs(one.near - 8) == 0 for one in state.history)


def test_the_nearest_training_image_of_a_training_image_is_itself():
    state = start(IMAGES | SMALL)
    found = Findings()
    images = torch.from_numpy(state.source.data.x_train[[5, 3, 999]]).float() / 127.5 - 1
    list(state.source._nearest(images, found))
    assert found.nearest.tolist() == [5, 3, 999]


def test_a_state_that_is_no_number_is_not_saved():
    state = start(SMALL)
    next(iter(state.G.parameters())).data.fill_(float("nan"))
    with pytest.raises(Diverged):
        state.state_dict()


def test_config_counts_updates():
    assert GANConfig(d_steps=3).updates("D") == 3 and GANConfig(g_steps=4).updates("G") == 4
