"""Two networks and a game: G makes samples from noise, D tells which are real, each learns from the other's errors.

Nobody writes down what a good sample is. D learns to judge it; all that G gets is D's gradient, the direction in which
a sample would look more real. Where G makes the data's own distribution, the best D outputs one half everywhere, and
its loss is 2·ln 2.

- I. Goodfellow et al. Generative adversarial nets. NeurIPS 2014 (arXiv:1406.2661): the game, eq. 1; the optimal D,
  eq. 2; the non-saturating loss of G, end of section 3; its optimum, eq. 5.
- X. Mao et al. Least squares GAN. ICCV 2017 (arXiv:1611.04076): eq. 9 (a = 0, b = c = 1).
- J. H. Lim, J. C. Ye. Geometric GAN. 2017 (arXiv:1705.02894); T. Miyato et al. 2018, eqs. 16 and 17: the hinge.
- I. Gulrajani et al. Improved training of Wasserstein GANs. NeurIPS 2017 (arXiv:1704.00028): eq. 3, the penalty.
- A. Radford, L. Metz, S. Chintala. DCGAN. ICLR 2016 (arXiv:1511.06434): section 3, the networks for images.
- T. Miyato et al. Spectral normalization. ICLR 2018 (arXiv:1802.05957): algorithm 1.
- Z. Lin et al. PacGAN. NeurIPS 2018 (arXiv:1712.04086): section 3.1, m samples judged together.
- T. Salimans et al. Improved techniques for training GANs. NeurIPS 2016: section 3.4, one-sided label smoothing.
- C. K. Sønderby et al. Amortised MAP inference for image super-resolution. ICLR 2017: instance noise.
- Y. Yazıcı et al. The unusual effectiveness of averaging in GAN training. ICLR 2019: the average of G.

Differs from 2014: Adam instead of momentum, no dropout in D, D's output is a number whose sigmoid is the probability.
From the DCGAN: two levels instead of four, since a digit has 28×28 pixels; the batch norm after the projection is per
feature, not per channel; linear layers are drawn by Kaiming's rule, not from N(0, 0.02²).
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

NEGATIVE_SLOPE = 0.2

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(NEGATIVE_SLOPE),
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
}


# The losses. Each takes D's outputs l = D(x), of any shape; a probability is sigmoid(l).


def d_loss(kind: str, real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """What D minimises, without a gradient penalty; a scalar.

    Args:
        kind: ``minimax``, ``non_saturating``, ``least_squares``, ``hinge`` or ``wasserstein_gp``.
        real, fake: D's outputs for real and generated samples.
        smoothing: s, by which the label of real samples, 1, is lowered; for the first three kinds.
    """
    match kind:
        case "minimax" | "non_saturating":  # -log D(x) - log(1 - D(G(z))), eq. 1 of 2014
            loss = F.softplus(-real)
            if smoothing:  # (1 - s)·softplus(-l) + s·softplus(l), for softplus(l) = l + softplus(-l)
                loss = loss + smoothing * real
            return loss.mean() + F.softplus(fake).mean()
        case "least_squares":
            return 0.5 * (real - (1 - smoothing)).square().mean() + 0.5 * fake.square().mean()
        case "hinge":
            return torch.relu(1 - real).mean() + torch.relu(1 + fake).mean()
    return fake.mean() - real.mean()  # wasserstein_gp


def g_loss(kind: str, fake: Tensor) -> Tensor:
    """What G minimises, a scalar, from D's outputs for generated samples."""
    match kind:
        case "minimax":  # log(1 - D(G(z))): flat where D is sure
            return -F.softplus(fake).mean()
        case "non_saturating":  # -log D(G(z)): steep there
            return F.softplus(-fake).mean()
        case "least_squares":
            return 0.5 * (fake - 1).square().mean()
    return -fake.mean()  # hinge and wasserstein_gp


def gradient_penalty(D: nn.Module, real: Tensor, fake: Tensor, epsilon: Tensor) -> Tensor:
    """E (‖∇D(x̂)‖ - 1)² at x̂ = ε·real + (1 - ε)·fake, a scalar (Gulrajani et al., eq. 3, without λ).

    Args:
        real, fake: inputs of D, (n, …); epsilon: uniform in [0, 1), (n,).
    """
    epsilon = epsilon.view(-1, *[1] * (real.dim() - 1))  # (n, 1, …)
    x_hat = torch.lerp(fake, real, epsilon).requires_grad_()
    (gradient,) = torch.autograd.grad(D(x_hat).sum(), x_hat, create_graph=True)
    penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty


def pack(x: Tensor, m: int) -> Tensor:
    """m samples side by side, for a D that judges them together: along the features, or an image's channels."""
    if m == 1:
        return x
    packs: Tensor = x.reshape(len(x) // m, m * x.shape[1], *x.shape[2:])  # (n/m, m·d, …)
    return packs


def sample_latent(n: int, latent: int, distribution: str, generator: torch.Generator) -> Tensor:
    """z (n, latent): ``normal`` of deviation 1, or ``uniform`` in [-1, 1)."""
    device = generator.device
    if distribution == "normal":
        return torch.randn(n, latent, generator=generator, device=device)
    return torch.rand(n, latent, generator=generator, device=device) * 2 - 1


# The networks


def mlp(widths: tuple[int, ...], activation: str, *, batch_norm: bool) -> nn.Sequential:
    """A multilayer perceptron, (n, widths[0]) to (n, widths[-1]); nothing follows the last layer."""
    *hidden, last = [nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths)]
    net = nn.Sequential()
    for layer in hidden:
        net.append(layer)
        if batch_norm:
            net.append(nn.BatchNorm1d(layer.out_features))
        net.append(ACTIVATIONS[activation]())
    return net.append(last)


def dcgan_generator(latent: int, channels: int, activation: str, *, batch_norm: bool) -> nn.Sequential:
    """z (n, latent) to images (n, 1, 28, 28) in [-1, 1]: 7×7, doubled twice."""
    c = channels
    return nn.Sequential(
        nn.Linear(latent, 2 * c * 7 * 7),
        *([nn.BatchNorm1d(2 * c * 7 * 7)] if batch_norm else []),
        ACTIVATIONS[activation](),
        nn.Unflatten(1, (2 * c, 7, 7)),  # (n, 2c, 7, 7)
        nn.ConvTranspose2d(2 * c, c, 4, stride=2, padding=1),  # (n, c, 14, 14)
        *([nn.BatchNorm2d(c)] if batch_norm else []),
        ACTIVATIONS[activation](),
        nn.ConvTranspose2d(c, 1, 4, stride=2, padding=1),  # (n, 1, 28, 28)
        nn.Tanh(),
    )


def dcgan_discriminator(in_channels: int, channels: int, activation: str, *, batch_norm: bool) -> nn.Sequential:
    """Images (n, in_channels, 28, 28) to outputs (n, 1): halved twice; no batch norm in the first layer (section 3)."""
    c = channels
    return nn.Sequential(
        nn.Conv2d(in_channels, c, 4, stride=2, padding=1),  # (n, c, 14, 14)
        ACTIVATIONS[activation](),
        nn.Conv2d(c, 2 * c, 4, stride=2, padding=1),  # (n, 2c, 7, 7)
        *([nn.BatchNorm2d(2 * c)] if batch_norm else []),
        ACTIVATIONS[activation](),
        nn.Flatten(),  # (n, 2c·7·7)
        nn.Linear(2 * c * 7 * 7, 1),
    )


@torch.no_grad()
def initialise(net: nn.Sequential, activation: str, generator: torch.Generator) -> None:
    """Draw the weights; biases become 0.

    Linear layers get Kaiming's variance (2/n_in, for leaky units 2/((1 + a²) n_in)), the last one Glorot's
    2/(n_in + n_out); convolutions the normal of deviation 0.02 of the DCGAN.

    Args:
        generator: of the CPU, so that a seed gives the same weights on every device.
    """
    gain = {"leaky_relu": 2 / (1 + NEGATIVE_SLOPE**2), "tanh": 1.0}.get(activation, 2.0)
    layers = [layer for layer in net if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
    for layer in layers:
        if not isinstance(layer, nn.Linear):
            deviation = 0.02
        elif layer is layers[-1]:
            deviation = math.sqrt(2 / (layer.in_features + layer.out_features))
        else:
            deviation = math.sqrt(gain / layer.in_features)
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * deviation)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


# What steadies the game


class SpectralNorm(nn.Module):
    """Divides a weight by its largest singular value σ, so that D cannot be steep (Miyato et al., algorithm 1).

    Unlike PyTorch's own it makes a power iteration for each update of D (:func:`power_iteration`) instead of one for
    each forward pass: neither the gradient penalty nor an update of G changes σ.
    """

    u: Tensor

    def __init__(self, weight: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        self.register_buffer("u", F.normalize(torch.randn(len(weight), generator=generator), dim=0))
        for _ in range(10):
            self.iterate(weight)

    def forward(self, weight: Tensor) -> Tensor:
        W = weight.flatten(1)  # (outputs, …)
        with torch.no_grad():
            v = F.normalize(W.T @ self.u, dim=0)
        return weight / torch.dot(self.u, W @ v)  # σ = uᵀWv, and u and v are no part of the gradient

    @torch.no_grad()
    def iterate(self, weight: Tensor) -> None:
        """Move u towards the first left singular vector."""
        W = weight.flatten(1)
        self.u.copy_(F.normalize(W @ F.normalize(W.T @ self.u, dim=0), dim=0))


def add_spectral_norm(D: nn.Sequential, generator: torch.Generator) -> None:
    """Put every matrix of D under spectral norm."""
    for layer in D:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight, generator))


def power_iteration(D: nn.Sequential) -> None:
    """One power iteration of each layer under spectral norm."""
    for module in D.modules():
        if isinstance(module, parametrize.ParametrizationList):
            module[0].iterate(module.original)  # type: ignore[operator]


@contextmanager
def frozen_statistics(net: nn.Sequential) -> Iterator[None]:
    """Batch norm uses the batch's statistics and leaves its running ones as they are.

    So the other network's update does not change this one.
    """
    norms = [layer for layer in net if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
