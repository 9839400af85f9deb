"""Two networks and a game: G makes samples of noise, D says which are real, and each learns from the other's mistakes.

Nobody writes down what a good sample is. D is that judgement, learned on the way; G only ever sees D's gradient, which
tells it in which direction a sample would look more real. Where G makes the data's own distribution, the best D can do
is to say one half everywhere, and its loss is 2·ln 2.

- I. Goodfellow et al. Generative adversarial nets. NeurIPS 2014 (arXiv:1406.2661): the game, eq. 1; the optimal D,
  eq. 2; the non-saturating loss of G, end of section 3; its optimum, eq. 5.
- X. Mao et al. Least squares GAN. ICCV 2017 (arXiv:1611.04076): eq. 9 (a = 0, b = c = 1).
- J. H. Lim, J. C. Ye. Geometric GAN. 2017 (arXiv:1705.02894); T. Miyato et al. 2018, eqs. 16 and 17: the hinge.
- I. Gulrajani et al. Improved training of Wasserstein GANs. NeurIPS 2017 (arXiv:1704.00028): eq. 3, the penalty.
- A. Radford, L. Metz, S. Chintala. DCGAN. ICLR 2016 (arXiv:1511.06434): section 3, the networks for images.
- T. Miyato et al. Spectral normalization. ICLR 2018 (arXiv:1802.05957): algorithm 1.
- Z. Lin et al. PacGAN. NeurIPS 2018 (arXiv:1712.04086): section 3.1, m samples judged together.
- T. Salimans et al. Improved techniques for training GANs. NeurIPS 2016: section 3.4, one-sided label smoothing.

Differs from 2014: Adam instead of momentum, no dropout in D, D answers with a number whose sigmoid is its probability,
and the DCGAN has two levels instead of four, since a digit has 28×28 pixels.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAK = 0.2

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, LEAK),
    "tanh": torch.tanh,
    "elu": F.elu,
    "silu": F.silu,
    "gelu": F.gelu,
}


# The losses. Each takes D's raw answers l = D(x), any shape; a probability is sigmoid(l).


def d_loss(kind: str, real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """What D makes small, without a gradient penalty; a scalar.

    Args:
        kind: ``minimax``, ``non_saturating``, ``least_squares``, ``hinge`` or ``wasserstein_gp``.
        real, fake: D's answers for real and generated samples.
        smoothing: s, with which real samples are to be called 1 - s; for the first three kinds.
    """
    match kind:
        case "minimax" | "non_saturating":  # -log D(x) - log(1 - D(G(z))), eq. 1 of 2014
            on_real = F.softplus(-real)
            if smoothing:
                on_real = (
                    on_real + smoothing * real
                )  # (1-s)·softplus(-l) + s·softplus(l), for softplus(l) = l + softplus(-l)
            return on_real.mean() + F.softplus(fake).mean()
        case "least_squares":
            return 0.5 * (real - (1 - smoothing)).square().mean() + 0.5 * fake.square().mean()
        case "hinge":
            return torch.relu(1 - real).mean() + torch.relu(1 + fake).mean()
    return fake.mean() - real.mean()


def g_loss(kind: str, fake: Tensor) -> Tensor:
    """What G makes small, a scalar, from D's answers for generated samples."""
    match kind:
        case "minimax":  # log(1 - D(G(z))): flat where D is sure
            return -F.softplus(fake).mean()
        case "non_saturating":  # -log D(G(z)): steep there
            return F.softplus(-fake).mean()
        case "least_squares":
            return 0.5 * (fake - 1).square().mean()
    return -fake.mean()


def gradient_penalty(D: nn.Module, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """E (‖∇D(x̂)‖ - 1)² at x̂ = share·real + (1 - share)·fake, a scalar (Gulrajani et al., eq. 3, without λ).

    Args:
        real, fake: what D takes, (n, …); share: uniform in [0, 1), (n,).
    """
    mixed = torch.lerp(fake, real, share.view(-1, *[1] * (real.dim() - 1))).requires_grad_()
    (slope,) = torch.autograd.grad(D(mixed).sum(), mixed, create_graph=True)
    penalty: Tensor = (slope.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty


def packed(x: Tensor, m: int) -> Tensor:
    """m samples side by side, for a D that judges them together: along the features, or an image's channels."""
    if m == 1:
        return x
    pack: Tensor = x.reshape(len(x) // m, m * x.shape[1], *x.shape[2:])  # (n/m, m·d, …)
    return pack


def latent(n: int, size: int, distribution: str, generator: torch.Generator) -> Tensor:
    """z (n, size): ``normal`` of deviation 1, or ``uniform`` in [-1, 1)."""
    device = generator.device
    if distribution == "normal":
        return torch.randn(n, size, generator=generator, device=device)
    return torch.rand(n, size, generator=generator, device=device) * 2 - 1


# The networks


class Layer(nn.Module):
    """A linear map or convolution; under spectral norm its matrix is divided by its largest singular value.

    Args:
        kind: ``linear``, ``conv`` (halves a picture) or ``up`` (doubles it).
        spectral: whether σ is held at 1, by one power iteration for each training step (Miyato et al., algorithm 1).
    """

    u: Tensor

    def __init__(self, kind: str, n_in: int, n_out: int, *, spectral: bool = False) -> None:
        super().__init__()
        shape = {"linear": (n_out, n_in), "conv": (n_out, n_in, 4, 4), "up": (n_in, n_out, 4, 4)}[kind]
        self.kind, self.spectral = kind, spectral
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(n_out))
        if spectral:
            self.register_buffer("u", torch.empty(n_out))

    def forward(self, x: Tensor) -> Tensor:
        W = self.weight / self.sigma() if self.spectral else self.weight
        match self.kind:
            case "linear":
                return F.linear(x, W, self.bias)
            case "conv":
                return F.conv2d(x, W, self.bias, stride=2, padding=1)
        return F.conv_transpose2d(x, W, self.bias, stride=2, padding=1)

    def matrix(self) -> Tensor:
        """The weight with a row for each output, (n_out, …); ``up`` keeps its inputs first."""
        W: Tensor = self.weight.transpose(0, 1) if self.kind == "up" else self.weight
        return W.flatten(1)

    def sigma(self) -> Tensor:
        """σ = uᵀWv, which is all the gradient sees; u and v are found beside it."""
        W = self.matrix()
        with torch.no_grad():
            v = F.normalize(W.T @ self.u, dim=0)
        return torch.dot(self.u, W @ v)

    @torch.no_grad()
    def iterate(self, times: int = 1) -> None:
        """Power iterations: u moves towards the first left singular vector."""
        W = self.matrix()
        for _ in range(times):
            self.u.copy_(F.normalize(W @ F.normalize(W.T @ self.u, dim=0), dim=0))


class Net(nn.Module):
    """Layers, the hidden ones followed by batch norm (if asked for) and the activation, the last one bare.

    Args:
        layers: first to last.
        activation: name in :data:`ACTIVATIONS`.
        norms: features of each hidden layer's batch norm, ``None`` for a layer without.
        shapes: what a layer's outputs are reshaped to (after the activation), by its number.
        squash: name of what the last layer goes through: ``tanh`` for a G of images, else nothing.

    Attributes:
        mode: what batch norm goes by: ``learn`` (the batch, remembered for later), ``play`` (the batch, leaving the
            network as it is: the other one learns) or ``test`` (what it remembers).
    """

    def __init__(
        self,
        layers: list[Layer],
        activation: str,
        norms: list[int | None],
        shapes: dict[int, tuple[int, ...]] | None = None,
        squash: str = "",
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.activation, self.squash, self.shapes = activation, squash, shapes or {}
        self.norms = nn.ModuleList(nn.Identity() if n is None else nn.BatchNorm1d(n) for n in norms)
        self.normalised = any(n is not None for n in norms)
        self.mode = "learn"

    def forward(self, x: Tensor) -> Tensor:
        act = ACTIVATIONS[self.activation]
        last = len(self.layers) - 1
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i < last:
                x = act(self._normed(i, x) if self.normalised else x)
            if i in self.shapes:
                x = x.reshape(-1, *self.shapes[i])  # flat to (n, channels, height, width), or back
        return torch.tanh(x) if self.squash == "tanh" else x

    def _normed(self, i: int, x: Tensor) -> Tensor:
        norm = self.norms[i]
        if not isinstance(norm, nn.BatchNorm1d):
            return x
        held = (None, None) if self.mode == "play" else (norm.running_mean, norm.running_var)
        return F.batch_norm(x, *held, norm.weight, norm.bias, self.mode != "test", 0.1, norm.eps)

    def iterate(self) -> None:
        """A power iteration of each layer under spectral norm."""
        for layer in self.layers:
            if isinstance(layer, Layer) and layer.spectral:
                layer.iterate()


def mlp(
    widths: tuple[int, ...], activation: str, *, batch_norm: bool = False, spectral: bool = False, squash: str = ""
) -> Net:
    """A multilayer perceptron, (n, widths[0]) to (n, widths[-1])."""
    layers = [Layer("linear", a, b, spectral=spectral) for a, b in pairwise(widths)]
    norms: list[int | None] = [b if batch_norm else None for b in widths[1:-1]]
    return Net(layers, activation, norms, squash=squash)


def dcgan_g(size: int, channels: int, activation: str, *, batch_norm: bool) -> Net:
    """z (n, size) to images (n, 1, 28, 28) in [-1, 1]: 7×7, doubled twice."""
    c = channels
    layers = [Layer("linear", size, 2 * c * 49), Layer("up", 2 * c, c), Layer("up", c, 1)]
    norms: list[int | None] = [2 * c * 49, c] if batch_norm else [None, None]
    return Net(layers, activation, norms, {0: (2 * c, 7, 7)}, "tanh")


def dcgan_d(images: int, channels: int, activation: str, *, batch_norm: bool, spectral: bool) -> Net:
    """Images (n, images, 28, 28) to an answer (n, 1): halved twice. The first layer has no batch norm (section 3)."""
    c = channels
    layers = [
        Layer("conv", images, c, spectral=spectral),
        Layer("conv", c, 2 * c, spectral=spectral),
        Layer("linear", 2 * c * 49, 1, spectral=spectral),
    ]
    return Net(layers, activation, [None, 2 * c if batch_norm else None], {1: (2 * c * 49,)})


@torch.no_grad()
def initialise(net: Net, generator: torch.Generator) -> None:
    """Draw the weights; biases become 0, batch norms the identity.

    Linear layers get Kaiming's variance (2/n_in, for leaky units 2/((1 + a²) n_in)), the last one Glorot's
    2/(n_in + n_out); convolutions the normal of deviation 0.02 of the DCGAN.

    Args:
        generator: of the CPU, so that a seed gives the same weights on every device.
    """
    gain = 2 / (1 + LEAK**2) if net.activation == "leaky_relu" else 2.0 if net.activation != "tanh" else 1.0
    for i, layer in enumerate(net.layers):
        W: Tensor = layer.weight  # type: ignore[assignment]
        if layer.kind == "linear":
            n_out, n_in = W.shape
            last = i == len(net.layers) - 1
            deviation = math.sqrt(2 / (n_in + n_out) if last else gain / n_in)
        else:
            deviation = 0.02
        W.copy_(torch.randn(W.shape, generator=generator) * deviation)
        layer.bias.zero_()  # type: ignore[operator]
        if isinstance(layer, Layer) and layer.spectral:
            layer.u.copy_(F.normalize(torch.randn(len(layer.u), generator=generator), dim=0))
            layer.iterate(10)


@torch.no_grad()
def average(slow: Net, fast: Net, decay: float, step: int) -> None:
    """slow ← β·slow + (1 - β)·fast, with β = min(decay, t/(t + 10)) after t updates, so that the start is forgotten.

    Running figures of batch norm are taken as they are.
    """
    beta = min(decay, step / (step + 10))
    torch._foreach_lerp_(list(slow.parameters()), list(fast.parameters()), 1 - beta)
    for a, b in zip(slow.buffers(), fast.buffers(), strict=True):
        a.copy_(b)
