"""The mathematics, against formulas written out and PyTorch's own parts."""

import copy
import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.algorithms.gan.model import (
    SpectralNorm,
    add_spectral_norm,
    d_loss,
    dcgan_discriminator,
    dcgan_generator,
    frozen_statistics,
    g_loss,
    gradient_penalty,
    initialise,
    mlp,
    pack,
    power_iteration,
    sample_latent,
)

REAL, FAKE = torch.tensor([2.0, -0.5, 0.3]).double(), torch.tensor([-1.0, 0.4, 1.7]).double()


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_d_at_its_optimum_against_a_g_that_equals_the_data_has_loss_two_ln_two():
    # The best D is p/(p + q) = 1/2, whose logit is 0, at every place, so any samples will do; and it is a
    # minimum: an output on either side, the same for both kinds since they are the same distribution, costs more.
    for kind in ("minimax", "non_saturating"):
        losses = {logit: d_loss(kind, *(2 * [torch.full((50,), logit).double()])).item() for logit in (0.0, 0.2, -0.2)}
        assert losses[0.0] == pytest.approx(2 * math.log(2), abs=1e-12)
        assert min(losses[0.2], losses[-0.2]) > losses[0.0]
    # And against unequal ones log p/q is better than any output near it: of ten samples seven lie at the first of two
    # places and three at the second; of ten generated ones two and eight.
    real, fake = torch.tensor([0] * 7 + [1] * 3), torch.tensor([0] * 2 + [1] * 8)
    best = torch.tensor([7 / 2, 3 / 8]).double().log().requires_grad_()
    for kind in ("minimax", "non_saturating"):
        loss = d_loss(kind, best[real], best[fake])
        assert torch.autograd.grad(loss, best)[0].abs().max() < 1e-12
        assert d_loss(kind, best[real] + 0.1, best[fake] + 0.1) > loss


def test_losses_are_those_of_the_papers():
    p, q = REAL.sigmoid(), FAKE.sigmoid()
    cross = -(p.log().mean() + (1 - q).log().mean())
    expected = {
        "minimax": (cross, (1 - q).log().mean()),
        "non_saturating": (cross, -q.log().mean()),
        "least_squares": (0.5 * ((REAL - 1) ** 2).mean() + 0.5 * (FAKE**2).mean(), 0.5 * ((FAKE - 1) ** 2).mean()),
        "wasserstein_gp": (FAKE.mean() - REAL.mean(), -FAKE.mean()),
    }
    hinge = sum(max(0.0, 1 - a) for a in REAL.tolist()) / 3 + sum(max(0.0, 1 + a) for a in FAKE.tolist()) / 3
    expected["hinge"] = (torch.tensor(hinge).double(), -FAKE.mean())
    for kind, (of_d, of_g) in expected.items():
        torch.testing.assert_close(d_loss(kind, REAL, FAKE), of_d)
        torch.testing.assert_close(g_loss(kind, FAKE), of_g)


def test_label_smoothing_is_binary_cross_entropy_against_a_lower_label():
    label = torch.full_like(REAL, 0.8)
    expected = F.binary_cross_entropy_with_logits(REAL, label) + F.binary_cross_entropy_with_logits(FAKE, 0 * FAKE)
    torch.testing.assert_close(d_loss("non_saturating", REAL, FAKE, 0.2), expected)
    squares = 0.5 * F.mse_loss(REAL, label) + 0.5 * F.mse_loss(FAKE, 0 * FAKE)
    torch.testing.assert_close(d_loss("least_squares", REAL, FAKE, 0.2), squares)


def test_penalty_of_a_critic_that_is_a_plane_is_known_by_hand():
    D = nn.Linear(2, 1)
    D.weight.data = torch.tensor([[3.0, 4.0]])  # a slope of length 5 everywhere: (5 - 1)² = 16
    real, fake = torch.randn(6, 2, generator=rng()), torch.randn(6, 2, generator=rng(1))
    penalty = gradient_penalty(D, real, fake, torch.rand(6, generator=rng(2)))
    assert penalty.item() == pytest.approx(16, rel=1e-5)
    penalty.backward()
    # d/dw (|w| - 1)² = 2 (|w| - 1) w/|w| = 8·(0.6, 0.8)
    assert D.weight.grad is not None
    torch.testing.assert_close(D.weight.grad, torch.tensor([[4.8, 6.4]]))


def test_penalty_is_taken_between_real_and_generated():
    class Square(nn.Module):
        def forward(self, x):
            return 0.5 * x.square().sum(dim=1, keepdim=True)  # its slope at x is x

    real, fake, share = torch.tensor([[2.0, 0.0]]), torch.tensor([[6.0, 0.0]]), torch.tensor([0.75])
    assert gradient_penalty(Square(), real, fake, share).item() == pytest.approx((0.75 * 2 + 0.25 * 6 - 1) ** 2)


@pytest.mark.parametrize("make", [partial(nn.Linear, 20, 30), partial(nn.Conv2d, 8, 5, kernel_size=4)])
def test_spectral_norm_divides_by_the_largest_singular_value(make):
    layer, twin = make(), make()
    nn.init.normal_(layer.weight, generator=rng())
    original = layer.weight.detach().clone()
    twin.weight.data = original.clone()
    D = nn.Sequential(layer)
    add_spectral_norm(D, rng(1))
    for _ in range(200):
        power_iteration(D)
    exact = torch.linalg.svdvals(original.flatten(1))[0]
    torch.testing.assert_close(layer.weight.detach(), original / exact, rtol=1e-4, atol=1e-5)
    nn.utils.parametrizations.spectral_norm(twin)
    for _ in range(200):
        theirs = twin.weight
    torch.testing.assert_close(layer.weight, theirs, rtol=1e-3, atol=1e-5)
    # σ is part of the gradient: of Σ c·W/σ(W), with u and v held.
    c = torch.randn(original.shape, generator=rng(2))
    mine, theirs = (
        torch.autograd.grad((c * one.weight).sum(), one.parametrizations.weight.original)[0] for one in (layer, twin)
    )
    torch.testing.assert_close(mine, theirs, rtol=1e-2, atol=1e-4)


def test_spectral_norm_begins_near_the_largest_singular_value_and_iterates_only_when_it_has_to():
    weight = torch.randn(30, 20, generator=rng())
    norm = SpectralNorm(weight, rng(1))
    sigma = (weight / norm(weight)).mean()
    assert 0.9 < sigma / torch.linalg.svdvals(weight)[0] <= 1 + 1e-5
    u = norm.u.clone()
    norm(weight)
    assert torch.equal(u, norm.u)
    norm.iterate(weight)
    assert not torch.equal(u, norm.u) and norm.u.norm().item() == pytest.approx(1, rel=1e-5)


def test_networks_have_the_shapes_of_the_paper():
    z = sample_latent(3, 10, "normal", rng())
    G = dcgan_generator(10, 4, "relu", batch_norm=True)
    D = dcgan_discriminator(2, 4, "leaky_relu", batch_norm=True)
    initialise(G, "relu", rng())
    initialise(D, "leaky_relu", rng())
    seen = []
    for layer in (*G, *D):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out.shape)))
    images = G(z)
    assert images.abs().max() <= 1
    assert D(pack(torch.cat([images, images]), 2)).shape == (3, 1)
    assert seen == [(3, 8 * 49), (3, 4, 14, 14), (3, 1, 28, 28), (3, 4, 14, 14), (3, 8, 7, 7), (3, 1)]
    kinds = [[type(layer) for layer in net if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)] for net in (G, D)]
    assert kinds == [[nn.BatchNorm1d, nn.BatchNorm2d], [nn.BatchNorm2d]]


@pytest.mark.parametrize(
    ("activation", "twin"),
    [("relu", nn.ReLU()), ("leaky_relu", nn.LeakyReLU(0.2)), ("tanh", nn.Tanh()), ("gelu", nn.GELU())],
)
def test_mlp_is_layers_batch_norms_and_activations(activation, twin):
    net = mlp((3, 5, 4, 2), activation, batch_norm=True)
    initialise(net, activation, rng())
    other = nn.Sequential(
        nn.Linear(3, 5), nn.BatchNorm1d(5), twin, nn.Linear(5, 4), nn.BatchNorm1d(4), twin, nn.Linear(4, 2)
    )
    other.load_state_dict(net.state_dict())
    x = torch.randn(7, 3, generator=rng())
    assert torch.equal(net(x), other(x))
    assert [type(layer) for layer in mlp((3, 5, 2), "relu", batch_norm=False)] == [nn.Linear, nn.ReLU, nn.Linear]


def test_frozen_statistics_go_by_the_batch_and_leave_the_network_as_it_is():
    net = nn.Sequential(*dcgan_generator(3, 2, "relu", batch_norm=True))
    twin = copy.deepcopy(net)
    x = torch.randn(7, 3, generator=rng())
    before = copy.deepcopy(net.state_dict())
    with frozen_statistics(net):
        found = net(x)
    assert torch.equal(found, twin(x))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert torch.equal(net.eval()(x), net(x)) and not torch.equal(net(x), found)
    net.train()(x)
    assert torch.equal(net[1].running_mean, twin[1].running_mean), "and it goes on to remember"


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2), ("leaky_relu", 2 / 1.04), ("tanh", 1), ("gelu", 2)])
def test_initial_weights_have_the_variances_of_the_papers(activation, gain):
    net = mlp((400, 500, 300), activation, batch_norm=False)
    initialise(net, activation, rng())
    first, last = net[0], net[2]
    assert first.weight.var().item() * 400 == pytest.approx(gain, rel=0.02), "Kaiming"
    assert last.weight.var().item() * (500 + 300) == pytest.approx(2, rel=0.02), "Glorot"
    images = dcgan_generator(10, 64, activation, batch_norm=False)
    initialise(images, activation, rng())
    assert images[3].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert all((layer.bias == 0).all() for layer in (first, last, images[0], images[3], images[5]))


def test_packing_lays_samples_side_by_side():
    x = torch.arange(8.0).view(4, 2)
    assert pack(x, 2).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    images = torch.arange(16.0).view(4, 1, 2, 2)
    assert torch.equal(pack(images, 2)[1, 0], images[2, 0]) and pack(images, 2).shape == (2, 2, 2, 2)


def test_noise_has_its_moments():
    z = sample_latent(20_000, 2, "normal", rng())
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02
    z = sample_latent(20_000, 2, "uniform", rng())
    assert -1 <= z.min() < -0.99 and 0.99 < z.max() < 1
