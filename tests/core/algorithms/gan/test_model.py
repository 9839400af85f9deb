"""The mathematics, against formulas written out and PyTorch's own parts."""

import copy
import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.algorithms.gan.model import (
    Layer,
    average,
    d_loss,
    dcgan_d,
    dcgan_g,
    g_loss,
    gradient_penalty,
    initialise,
    latent,
    mlp,
    packed,
)
from core.algorithms.gan.source import frechet, score

REAL, FAKE = torch.tensor([2.0, -0.5, 0.3]).double(), torch.tensor([-1.0, 0.4, 1.7]).double()


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_d_at_its_optimum_against_a_g_that_equals_the_data_has_loss_two_ln_two():
    # The best D answers p/(p + q) = 1/2, whose logit is 0, at every place, so any samples will do; and it is a
    # minimum: an answer on either side, the same for both kinds since they are the same distribution, costs more.
    for kind in ("minimax", "non_saturating"):
        answers = {logit: d_loss(kind, *(2 * [torch.full((50,), logit).double()])).item() for logit in (0.0, 0.2, -0.2)}
        assert answers[0.0] == pytest.approx(2 * math.log(2), abs=1e-12)
        assert min(answers[0.2], answers[-0.2]) > answers[0.0]
    # And against unequal ones log p/q is better than any answer near it: of ten samples seven lie at the first of two
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
    real, fake = torch.randn(6, 2, generator=draw()), torch.randn(6, 2, generator=draw(1))
    penalty = gradient_penalty(D, real, fake, torch.rand(6, generator=draw(2)))
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


@pytest.mark.parametrize(("kind", "shape"), [("linear", (20, 30)), ("conv", (8, 5)), ("up", (6, 4))])
def test_spectral_norm_divides_by_the_largest_singular_value(kind, shape):
    layer = Layer(kind, shape[0], shape[1], spectral=True)
    nn.init.normal_(layer.weight, generator=draw())
    layer.u.copy_(F.normalize(torch.randn(len(layer.u), generator=draw(1)), dim=0))
    layer.iterate(200)
    by_output = layer.weight.detach().transpose(0, 1) if kind == "up" else layer.weight.detach()
    exact = torch.linalg.svdvals(by_output.flatten(1))[0]
    torch.testing.assert_close(layer.sigma().detach(), exact, rtol=1e-4, atol=0)
    makers = {"linear": nn.Linear, "conv": partial(nn.Conv2d, kernel_size=4)}
    makers["up"] = partial(nn.ConvTranspose2d, kernel_size=4)
    twin = nn.utils.parametrizations.spectral_norm(makers[kind](*shape))
    twin.parametrizations.weight.original.data = layer.weight.detach().clone()
    for _ in range(200):
        W = twin.weight
    torch.testing.assert_close(layer.weight / layer.sigma(), W, rtol=1e-3, atol=1e-5)


def test_networks_have_the_shapes_of_the_paper():
    z = latent(3, 10, "normal", draw())
    G = dcgan_g(10, 4, "relu", batch_norm=True)
    D = dcgan_d(2, 4, "leaky_relu", batch_norm=True, spectral=True)
    initialise(G, draw())
    initialise(D, draw())
    seen = []
    for layer in G.layers:
        layer.register_forward_hook(lambda _m, _i, out: seen.append(tuple(out.shape)))
    images = G(z)
    assert seen == [(3, 8 * 49), (3, 4, 14, 14), (3, 1, 28, 28)]
    assert images.abs().max() <= 1
    assert D(packed(torch.cat([images, images]), 2)).shape == (3, 1)


def test_mlp_is_pytorchs_own():
    net = mlp((3, 5, 4, 2), "leaky_relu", batch_norm=True)
    initialise(net, draw())
    twin = nn.Sequential(
        nn.Linear(3, 5), nn.BatchNorm1d(5), nn.LeakyReLU(0.2), nn.Linear(5, 4), nn.BatchNorm1d(4), nn.LeakyReLU(0.2),
        nn.Linear(4, 2),
    )  # fmt: skip
    for layer, other in zip(net.layers, [twin[0], twin[3], twin[6]], strict=True):
        other.load_state_dict(layer.state_dict())
    x = torch.randn(7, 3, generator=draw())
    torch.testing.assert_close(net(x), twin(x))
    net.mode = "test"
    torch.testing.assert_close(net(x), twin.eval()(x))
    held = [b.clone() for b in net.buffers()]
    net.mode = "play"
    torch.testing.assert_close(net(x), twin.train()(x))
    assert all(torch.equal(a, b) for a, b in zip(held, net.buffers(), strict=True))


def test_packing_lays_samples_side_by_side():
    x = torch.arange(8.0).view(4, 2)
    assert packed(x, 2).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    images = torch.arange(16.0).view(4, 1, 2, 2)
    assert torch.equal(packed(images, 2)[1, 0], images[2, 0]) and packed(images, 2).shape == (2, 2, 2, 2)


def test_average_of_weights_by_hand():
    fast = mlp((1, 1), "relu")
    initialise(fast, draw())
    slow = copy.deepcopy(fast)
    slow.layers[0].weight.data.fill_(1.0)
    fast.layers[0].weight.data.fill_(3.0)
    average(slow, fast, 0.9, 1000)
    assert slow.layers[0].weight.item() == pytest.approx(0.9 * 1 + 0.1 * 3)
    average(slow, fast, 0.9, 10)  # early: β = 10/20
    assert slow.layers[0].weight.item() == pytest.approx(0.5 * 1.2 + 0.5 * 3)


def test_noise_has_its_moments():
    z = latent(20_000, 2, "normal", draw())
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02
    z = latent(20_000, 2, "uniform", draw())
    assert -1 <= z.min() < -0.99 and 0.99 < z.max() < 1


def test_frechet_distance_of_known_gaussians():
    # Commuting covariances: Tr(C₁ + C₂ - 2 (C₁C₂)^½) is the sum of (√a - √b)².
    a, b = np.array([4.0, 1.0]), np.array([1.0, 9.0])
    assert frechet(np.zeros(2), np.diag(a), np.array([3.0, 4.0]), np.diag(b)) == pytest.approx(25 + 1 + 4)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    C = turn @ np.diag(a) @ turn.T
    assert frechet(np.zeros(2), C, np.zeros(2), C) == pytest.approx(0, abs=1e-9)


def test_score_goes_from_one_to_the_number_of_classes():
    assert score(torch.eye(5).repeat(3, 1)).item() == pytest.approx(5, rel=1e-6)
    assert score(torch.eye(5)[:1].repeat(9, 1)).item() == pytest.approx(1, rel=1e-6)
    assert score(torch.full((9, 5), 0.2)).item() == pytest.approx(1, rel=1e-6)
