"""Training a GAN: D learns to tell real from generated, G learns to be taken for real, in alternation.

A round is so many updates of D, then so many of G (Goodfellow et al. 2014, algorithm 1). Each update changes one
network alone. The papers and the mathematics are in ``model.py``; :func:`train` is the loop.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core import drawing
from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.diagnoses import Evaluation
from core.algorithms.gan.judge import ImageJudge, MixtureJudge, train_classifier
from core.algorithms.gan.model import (
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
    update_ema,
)
from core.algorithms.gan.source import Images, Plane
from core.data import images, mixtures
from core.data.dataset import Dataset
from core.data.mixtures import Mixture
from core.events import Array, Event
from core.training import History, Training, generator, log_spacing

#: Share of MNIST's embedded images that G and D never see; samples are compared with them.
TEST_SHARE = 0.2
#: Which images those are, and the classifier that judges samples: the same in every run, so that runs can be compared.
SPLIT_SEED = 0
#: Noise vectors that stay the same, for evaluations; images take longer than points.
N_FIXED_Z, N_FIXED_Z_IMAGES = 2000, 1000
#: Largest spacing of logs at first: points in the plane take a thousand updates a second, images less.
MAX_LOG_SPACING, MAX_LOG_SPACING_IMAGES = 32, 8


class GAN(Training):
    """Generator and discriminator between two updates.

    Attributes:
        G, D, optimizer_g, optimizer_d: as ``build`` makes them. G_ema: the running average of G.
        real_data: the source of real samples. judge: evaluates generated ones.
        rng: draws all random numbers of the training.
        fixed_z: noise that stays the same, (n, latent), for evaluations and snapshots.
        next_part: the part whose update is next, ``"D"`` or ``"G"``; set from outside where it is to be another.
        updates_in_round: updates that the part at work has had in this round, by part; empty where a part begins.
        ema_updates: updates of G since its average began.
        d_outputs: D's outputs (n/m, 1) for real and generated packs of m samples in its last update.
        recorded: loss, gradient norm and D's mean outputs of the last recorded update of each part, by metric name.
        history: the last evaluations. modes: at the last of them, the mode that G sent each of ``fixed_z`` to, uint8.
    """

    saved = (
        "G",
        "D",
        "G_ema",
        "optimizer_g",
        "optimizer_d",
        "rng",
        "next_part",
        "updates_in_round",
        "ema_updates",
        "recorded",
        "history",
        "modes",
    )

    config: GANConfig
    G: nn.Sequential
    D: nn.Sequential
    G_ema: nn.Sequential
    optimizer_g: torch.optim.Optimizer
    optimizer_d: torch.optim.Optimizer
    real_data: Plane | Images
    judge: MixtureJudge | ImageJudge
    rng: torch.Generator
    fixed_z: Tensor
    d_outputs: tuple[Tensor, Tensor]

    def __init__(self, config: GANConfig, data: object, device: str) -> None:
        super().__init__(config, data, device)
        self.next_part = "D"
        self.updates_in_round: dict[str, int] = {}
        self.ema_updates = 0
        self.recorded: dict[str, float] = {}
        self.history = History(Evaluation)
        self.modes: Array | None = None

    def log_spacing(self, step: int) -> int:
        """Steps between two logs of metrics around ``step``."""
        return log_spacing(step, MAX_LOG_SPACING if self.config.two_dimensional else MAX_LOG_SPACING_IMAGES)

    def should_log(self, step: int) -> bool:
        return step % self.log_spacing(step) == 0

    def should_record(self, step: int) -> bool:
        """Whether the update that leads to ``step`` is recorded: one of the last round before metrics are logged."""
        return -step % self.log_spacing(step) < self.config.d_steps + self.config.g_steps

    def advance(self, part: str) -> None:
        """Set which part is next after an update of ``part``: d_steps of D, then g_steps of G."""
        updates = self.updates_in_round.get(part, 0) + 1  # an update of the part that was not next begins its count
        if updates < self.config.updates(part):
            self.next_part, self.updates_in_round = part, {part: updates}
        else:
            self.next_part, self.updates_in_round = "G" if part == "D" else "D", {}

    @torch.no_grad()
    def record(self, part: str) -> None:
        """Keep loss, gradient norm and, of D, mean outputs of the update just made, where that is due."""
        if not self.should_record(self.step):
            return
        assert self.loss is not None
        net = self.D if part == "D" else self.G
        gradients = torch._foreach_norm([p.grad for p in net.parameters() if p.grad is not None])
        values = {f"{part}/loss": self.loss, f"{part}/gradient": torch.stack(gradients).norm()}
        if part == "D":
            real, fake = map(torch.sigmoid, self.d_outputs) if self.config.d_is_probability else self.d_outputs
            values |= {"D/real": real.mean(), "D/fake": fake.mean()}
        self.recorded |= dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))

    def load_weights(self, tree: Mapping[str, Any]) -> None:
        """As :meth:`Training.load_weights`; where the other run kept no average of G, one begins with its G."""
        kept = tree["ema_updates"] > 0 or not self.config.ema
        super().load_weights(tree if kept else {**tree, "G_ema": tree["G"]})

    def apply_config(self, config: GANConfig) -> None:
        if config.ema and not self.config.ema:  # an average that begins in the midst begins with what there is
            self.G_ema.load_state_dict(self.G.state_dict())
            self.ema_updates = 0
        super().apply_config(config)
        for optimizer, lr, beta1 in (
            (self.optimizer_d, config.d_lr, config.d_beta1),
            (self.optimizer_g, config.g_lr, config.g_beta1),
        ):
            for group in optimizer.param_groups:
                group["lr"] = lr
                if "betas" in group:
                    group["betas"] = (beta1, 0.999)


def load(config: GANConfig) -> Mixture | tuple[Dataset, nn.Sequential]:
    """The distribution of the settings; for images with the classifier that judges samples.

    Raises:
        Refusal: it would have to be fetched and cannot be.
    """
    if config.data == "drawing":
        return mixtures.drawn(drawing.points(config.drawing))
    if config.two_dimensional:
        return mixtures.load(config.data)
    embedded = config.data == "mnist_5k"
    data = images.mnist_5k(test_share=TEST_SHARE, seed=SPLIT_SEED) if embedded else images.load(config.data)
    return data, train_classifier(data, SPLIT_SEED)


def build(config: GANConfig, data: Mixture | tuple[Dataset, nn.Sequential], device: str) -> GAN:
    """Both networks, their optimisers and the noise at step 0."""
    s = GAN(config, data, device)
    if isinstance(data, Mixture):
        s.real_data, s.judge = Plane(data, device), MixtureJudge(data)
    else:
        dataset, classifier = data
        s.real_data = Images(dataset, device, convolutional=config.convolutional)
        s.judge = ImageJudge(dataset, classifier, device)
    s.G, s.D = make_networks(config)
    weights = generator(config.seed, "weights")
    initialise(s.G, config.g_activation, weights)
    initialise(s.D, config.d_activation, weights)
    if config.spectral_norm:
        add_spectral_norm(s.D, weights)
    s.G.to(s.device)
    s.D.to(s.device)
    s.G_ema = copy.deepcopy(s.G).eval().requires_grad_(False)
    s.optimizer_g = make_optimizer(s.G, config.g_optimizer, config.g_lr, config.g_beta1)
    s.optimizer_d = make_optimizer(s.D, config.d_optimizer, config.d_lr, config.d_beta1)
    s.rng = generator(config.seed, "training", device)
    n, fixed = N_FIXED_Z if config.two_dimensional else N_FIXED_Z_IMAGES, generator(config.seed, "fixed noise")
    s.fixed_z = sample_latent(n, config.latent, config.noise, fixed).to(s.device)
    return s


def make_networks(config: GANConfig) -> tuple[nn.Sequential, nn.Sequential]:
    """G and D of the settings, not yet initialised."""
    m = config.packing
    if config.convolutional:
        G = dcgan_generator(config.latent, config.channels, config.g_activation, batch_norm=config.g_norm)
        D = dcgan_discriminator(m, config.channels, config.d_activation, batch_norm=config.d_norm)
        return G, D
    d = 2 if config.two_dimensional else 784
    G = mlp((config.latent, *config.g_layers, d), config.g_activation, batch_norm=config.g_norm)
    D = mlp((m * d, *config.d_layers, 1), config.d_activation, batch_norm=config.d_norm)
    return G if config.two_dimensional else G.append(nn.Tanh()), D  # pixels lie in -1 … 1


def make_optimizer(net: nn.Sequential, rule: str, lr: float, beta1: float) -> torch.optim.Optimizer:
    """The optimiser of one network."""
    match rule:
        case "rmsprop":
            return torch.optim.RMSprop(net.parameters(), lr=lr)
        case "sgd":
            return torch.optim.SGD(net.parameters(), lr=lr)
    return torch.optim.Adam(net.parameters(), lr=lr, betas=(beta1, 0.999), fused=True)


def train(s: GAN) -> Iterator[Event]:
    """Train both networks of ``s``. A generator: yields after every update of either, from ``s.step`` on, without end.

    Args:
        s: the state of this training: networks, optimisers, real data, and which network is next.

    Raises:
        Diverged: a loss is not finite.
    """
    G, D, optimizer_g, optimizer_d = s.G, s.D, s.optimizer_g, s.optimizer_d
    while True:
        config = s.config  # live settings may have changed
        z = sample_latent(config.batch_size, config.latent, config.noise, s.rng)

        part = s.next_part  # d_steps updates of D, then g_steps of G; GAN.advance counts them
        if part == "D":  # ascend the gradient of D, that is descend d_loss (algorithm 1 of 2014)
            real = augment_and_pack(s, s.real_data.sample(config.batch_size, s.rng))
            with torch.no_grad(), frozen_statistics(G):
                fake = augment_and_pack(s, G(z))
            if config.spectral_norm:
                power_iteration(D)
            if config.d_norm:
                d_real, d_fake = D(real), D(fake)  # each batch norm goes by samples of one kind
            else:
                d_real, d_fake = D(torch.cat([real, fake])).chunk(2)
            loss = d_loss(config.loss, d_real, d_fake, config.smoothing)
            if config.loss == "wasserstein_gp":
                epsilon = torch.rand(len(real), generator=s.rng, device=s.device)
                loss = loss + config.penalty * gradient_penalty(D, real, fake, epsilon)
            optimizer_d.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer_d.step()
            s.d_outputs = d_real.detach(), d_fake.detach()

        else:  # then descend the gradient of G, through D
            with frozen_statistics(D):
                d_fake = D(augment_and_pack(s, G(z)))
            loss = g_loss(config.loss, d_fake)
            optimizer_g.zero_grad()
            loss.backward(inputs=list(G.parameters()))  # type: ignore[no-untyped-call]
            optimizer_g.step()
            if config.ema:
                s.ema_updates += 1
                update_ema(s.G_ema, G, config.ema, s.ema_updates)

        step = s.next_step(loss, part=part)
        s.record(part)
        s.advance(part)
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield step


def augment_and_pack(s: GAN, x: Tensor) -> Tensor:
    """Samples (n, …) as D takes them in training, (n/m, m·d, …): under instance noise, in packs of m."""
    if s.config.instance_noise:
        x = x + s.config.instance_noise * torch.randn(x.shape, generator=s.rng, device=x.device)
    return pack(x, s.config.packing)
