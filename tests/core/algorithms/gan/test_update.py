"""One update of the loop, against the formula written out: with all ways of steadying the game that could be forgotten.

The random numbers of the update are drawn a second time, from a copy of its generator, in the order of the algorithm:
noise for G, real samples, instance noise over real and over generated ones, places of the gradient penalty.
"""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core.algorithms.gan.train import GAN
from tests.core.algorithms.gan.training import start, update

RATE, BLUR, SMOOTHING, PENALTY, DECAY, N = 0.1, 0.3, 0.2, 7.0, 0.05, 6
TINY = {
    "g_layers": (4,), "d_layers": (5,), "batch_size": N, "g_optimizer": "sgd", "d_optimizer": "sgd", "g_lr": RATE,
    "d_lr": RATE, "instance_noise": BLUR, "spectral_norm": True, "ema": DECAY,
}  # fmt: skip
KINDS = {
    "smoothed": TINY | {"smoothing": SMOOTHING, "packing": 2},
    "squares": TINY | {"loss": "least_squares", "smoothing": SMOOTHING},
    "critic": TINY | {"loss": "wasserstein_gp", "penalty": PENALTY, "packing": 2},
}


class Weights(NamedTuple):
    """Two layers of a network, and a vector for each under spectral norm."""

    W: list[Tensor]
    b: list[Tensor]
    u: list[Tensor]


def weights(net) -> Weights:
    kept = {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}
    ends = (("weight", "original"), ("bias",), ("u",))
    return Weights(*([kept[name] for name in kept if name.rsplit(".", 1)[1] in end] for end in ends))


def leaf(weights: Weights) -> Weights:
    return Weights(*([one.clone().requires_grad_() for one in part] for part in weights[:2]), weights.u)


def unit(x: Tensor) -> Tensor:
    return x / x.norm()


def iterated(weights: Weights) -> Weights:
    """One power iteration: v = Wᵀu, u = Wv, each of length 1."""
    u = [unit(W @ unit(W.T @ u)) for W, u in zip(weights.W, weights.u, strict=True)]
    return weights._replace(u=u)


def g_of(z: Tensor, w: Weights) -> Tensor:
    return torch.relu(z @ w.W[0].T + w.b[0]) @ w.W[1].T + w.b[1]


def d_of(x: Tensor, w: Weights) -> Tensor:
    normed = []
    for W, u in zip(w.W, w.u, strict=True):
        v = unit(W.detach().T @ u)
        normed.append(W / (u @ W @ v))
    hidden = x @ normed[0].T + w.b[0]
    return (torch.where(hidden > 0, hidden, 0.2 * hidden) @ normed[1].T + w.b[1])[:, 0]


def in_packs(x: Tensor, m: int) -> Tensor:
    return torch.stack([torch.cat([x[m * i + j] for j in range(m)]) for i in range(len(x) // m)])


def rng_copy(state: GAN) -> torch.Generator:
    rng = torch.Generator()
    rng.set_state(state.rng.get_state())
    return rng


def expected(w: Weights, loss: Tensor) -> Weights:
    gradients = torch.autograd.grad(loss, [*w.W, *w.b])
    after = [(p - RATE * g).detach() for p, g in zip([*w.W, *w.b], gradients, strict=True)]
    return Weights(after[:2], after[2:], w.u)


def assert_close(found: Weights, wanted: Weights) -> None:
    for mine, theirs in zip(found, wanted, strict=True):
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_of_d_is_the_formula_written_out(kind):
    state, m = start(KINDS[kind]), KINDS[kind].get("packing", 1)
    rng, G, D = rng_copy(state), weights(state.G), weights(state.D)
    z = torch.randn(N, 2, generator=rng)
    rows = torch.randint(8, (N,), generator=rng)
    angle = rows * torch.pi / 4
    x = torch.stack([2 * angle.cos(), 2 * angle.sin()], dim=1) + 0.02 * torch.randn(N, 2, generator=rng)
    x, made = (in_packs(one + BLUR * torch.randn(N, 2, generator=rng), m) for one in (x, g_of(z, G)))
    w = leaf(iterated(D))
    real, fake = d_of(x, w), d_of(made, w)
    if kind == "critic":
        epsilon = torch.rand(N // m, generator=rng)[:, None]
        between = (epsilon * x + (1 - epsilon) * made).requires_grad_()
        (gradient,) = torch.autograd.grad(d_of(between, w).sum(), between, create_graph=True)
        loss = fake.mean() - real.mean() + PENALTY * ((gradient.norm(dim=1) - 1) ** 2).mean()
    elif kind == "squares":
        loss = 0.5 * F.mse_loss(real, torch.full_like(real, 1 - SMOOTHING)) + 0.5 * F.mse_loss(fake, 0 * fake)
    else:
        labels = torch.full_like(real, 1 - SMOOTHING)
        loss = F.binary_cross_entropy_with_logits(real, labels) + F.binary_cross_entropy_with_logits(fake, 0 * fake)
    update(state, "D")
    torch.testing.assert_close(state.loss, loss.detach())
    for found, wanted in zip(state.d_outputs, (real, fake), strict=True):
        torch.testing.assert_close(found[:, 0], wanted.detach())
    assert_close(weights(state.D), expected(w, loss))
    assert_close(weights(state.G), G)
    assert torch.equal(state.rng.get_state(), rng.get_state()), "nothing else is drawn"
    assert not torch.equal(weights(state.D).u[0], D.u[0]), "u went on"


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_of_g_is_the_formula_written_out(kind):
    state, m = start(KINDS[kind]), KINDS[kind].get("packing", 1)
    rng, G_ema, D = rng_copy(state), weights(state.G_ema), weights(state.D)
    w = leaf(weights(state.G))
    made = g_of(torch.randn(N, 2, generator=rng), w)
    fake = d_of(in_packs(made + BLUR * torch.randn(N, 2, generator=rng), m), D)
    if kind == "critic":
        loss = -fake.mean()
    elif kind == "squares":
        loss = 0.5 * F.mse_loss(fake, torch.ones_like(fake))
    else:
        loss = F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))
    update(state, "G")
    torch.testing.assert_close(state.loss, loss.detach())
    after = expected(w, loss)
    assert_close(weights(state.G), after)
    assert_close(weights(state.D), D)  # u, too, stays where D's own update left it
    assert torch.equal(state.rng.get_state(), rng.get_state())
    # The average after one update: β = min(0.05, 1/11).
    mean = [
        [DECAY * a + (1 - DECAY) * b for a, b in zip(*part, strict=True)] for part in zip(G_ema, after, strict=True)
    ]
    assert_close(weights(state.G_ema), Weights(*mean))
