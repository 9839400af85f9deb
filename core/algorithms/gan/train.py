"""Training a GAN: D learns to tell real from generated, G learns to be taken for real, in turns.

A round is so many updates of D, then so many of G (Goodfellow et al. 2014, algorithm 1). Each update changes one
network alone. The papers and the mathematics stand in ``model.py``; here is how they are used.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from core import drawing
from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.measure import noted, report
from core.algorithms.gan.model import (
    Net,
    average,
    d_loss,
    dcgan_d,
    dcgan_g,
    g_loss,
    gradient_penalty,
    initialise,
    latent,
    mlp,
)
from core.algorithms.gan.observe import observe
from core.algorithms.gan.schedule import noted as is_noted
from core.algorithms.gan.schedule import told
from core.algorithms.gan.source import Gallery, Images, Plane, taught
from core.algorithms.gan.state import MEASURED, State
from core.data import images, mixtures
from core.data.mixtures import Mixture
from core.events import Event, Step
from core.experiment import Diverged

__all__ = ["build", "load", "observe", "train"]

#: What random numbers are drawn for.
WEIGHTS, DRAW, FIXED, JUDGE = 201, 202, 203, 204

#: Share of MNIST's embedded images that G and D never see; samples are compared with them.
HELD_OUT = 0.2
#: Which images those are, and the judge: the same in every run, so that the judge's numbers compare runs.
SPLIT = 0


def load(config: GANConfig) -> Mixture | Gallery:
    """The distribution of the settings; for images with the classifier that judges samples.

    Raises:
        Refusal: it would have to be fetched and cannot be.
    """
    if config.data == "drawing":
        return mixtures.drawn(drawing.points(config.drawing))
    if config.flat:
        return mixtures.load(config.data)
    embedded = config.data == "mnist_5k"
    data = images.mnist_5k(test_share=HELD_OUT, seed=SPLIT) if embedded else images.load(config.data)
    return Gallery(data, taught(data, mixed(SPLIT, JUDGE)))


def build(config: GANConfig, data: Mixture | Gallery, device: str) -> State:
    """Both networks, their optimisers and the noise at step 0."""
    source = Plane(data, device) if isinstance(data, Mixture) else Images(data, device, as_maps=config.convolutional)
    G, D = networks(config)
    weights = torch.Generator().manual_seed(mixed(config.seed, WEIGHTS))
    initialise(G, weights)
    initialise(D, weights)
    fixed = latent(
        MEASURED if config.flat else MEASURED // 2,
        config.latent,
        config.noise,
        torch.Generator().manual_seed(mixed(config.seed, FIXED)),
    )
    draw = torch.Generator(device).manual_seed(mixed(config.seed, DRAW))
    optimizers = optimizer_for(G.to(device), "G", config), optimizer_for(D.to(device), "D", config)
    return State(config, source, device, (G, D), optimizers, draw, fixed.to(device))


def networks(config: GANConfig) -> tuple[Net, Net]:
    """G and D of the settings, not yet initialised."""
    m = config.packing
    if config.convolutional:
        G = dcgan_g(config.latent, config.channels, config.g_activation, batch_norm=config.g_norm)
        D = dcgan_d(m, config.channels, config.d_activation, batch_norm=config.d_norm, spectral=config.spectral_norm)
        return G, D
    d = 2 if config.flat else 784
    squash = "" if config.flat else "tanh"
    G = mlp((config.latent, *config.g_layers, d), config.g_activation, batch_norm=config.g_norm, squash=squash)
    D = mlp((m * d, *config.d_layers, 1), config.d_activation, batch_norm=config.d_norm, spectral=config.spectral_norm)
    return G, D


def mixed(seed: int, purpose: int) -> int:
    """A seed that has nothing in common with those of other seeds and other purposes."""
    return int(np.random.SeedSequence([seed, purpose]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def optimizer_for(net: Net, part: str, config: GANConfig) -> torch.optim.Optimizer:
    """The optimiser of ``"D"`` or ``"G"``."""
    rule, lr = (config.d_optimizer, config.d_lr) if part == "D" else (config.g_optimizer, config.g_lr)
    if rule == "rmsprop":
        return torch.optim.RMSprop(net.parameters(), lr=lr)
    if rule == "sgd":
        return torch.optim.SGD(net.parameters(), lr=lr)
    return torch.optim.Adam(net.parameters(), lr=lr, fused=True)


def train(state: State) -> Iterator[Event]:
    """Update for update, from ``state.step`` on, of the network that is due, without an end of its own.

    Raises:
        Diverged: a loss is no longer a number.
    """
    on_cpu = state.device.type == "cpu"
    while True:
        if told(state.config, state.step):
            yield from report(state)

        part = state.due  # anew: whoever drives may have set another
        measured = is_noted(state.config, state.step + 1)
        loss = update_d(state, measured) if part == "D" else update_g(state, measured)
        if (on_cpu or measured) and not math.isfinite(loss.item()):  # elsewhere asking makes the device wait
            raise Diverged(f"the loss of {part} is {loss.item()}")
        state.advance()
        yield Step(state.step, part=part)


def update_d(state: State, measured: bool) -> Tensor:
    """One step of D, G left as it is; D's loss."""
    config, G, D = state.config, state.G, state.D
    G.mode, D.mode = "play", "learn"
    D.iterate()
    with torch.no_grad():  # G is not to learn from this
        made = G(state.noise())
    x, x_made = state.shown(state.real()), state.shown(made)
    if D.normalised:
        real, fake = D(x), D(x_made)  # real samples are normalised among themselves, generated ones too
    else:
        real, fake = D(torch.cat([x, x_made])).split(len(x))
    loss = d_loss(config.loss, real, fake, config.smoothing)
    if config.loss == "wasserstein_gp":
        share = torch.rand(len(x), generator=state.draw, device=state.device)
        loss = loss + config.penalty * gradient_penalty(D, x, x_made, share)
    descend(state, "D", D, loss)
    if measured:
        noted(state, "D", D, loss, real, fake)
    step(state, "D")
    return loss


def update_g(state: State, measured: bool) -> Tensor:
    """One step of G through a D that is left as it is; G's loss."""
    config, G, D = state.config, state.G, state.D
    G.mode, D.mode = "learn", "play"
    fake = D(state.shown(G(state.noise())))
    loss = g_loss(config.loss, fake)
    descend(state, "G", G, loss)
    if measured:
        noted(state, "G", G, loss, None, fake)
    step(state, "G")
    if config.ema:
        state.averaged += 1
        average(state.slow, G, config.ema, state.averaged)
    return loss


def descend(state: State, part: str, net: Net, loss: Tensor) -> None:
    """The gradient of a loss in one network's weights, and in no other's."""
    parameters = list(net.parameters())
    for p in parameters:
        p.grad = None
    loss.backward(inputs=parameters)  # type: ignore[no-untyped-call]


def step(state: State, part: str) -> None:
    """A step of one network's optimiser, at the rate that is in force."""
    config, optimizer = state.config, state.optimizers[part]
    rule, lr, beta1 = (
        (config.d_optimizer, config.d_lr, config.d_beta1)
        if part == "D"
        else (config.g_optimizer, config.g_lr, config.g_beta1)
    )
    for group in optimizer.param_groups:
        group["lr"] = lr
        if rule == "adam":
            group["betas"] = (beta1, 0.999)
    optimizer.step()
