"""Training a residual and a plain network side by side: the same batches, the same initial weights, one step of both.

They share the batches and nothing else: no weight, gradient or statistic. The papers and the mathematics are in
``model.py``; :func:`train` is the loop.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.algorithms.resnet.config import RESIDUAL, ResNetConfig
from core.algorithms.resnet.diagnoses import Evaluation
from core.algorithms.resnet.model import ResNet, initialise, sample_gates
from core.augmentation import augment
from core.data import image_data
from core.data.dataset import scale_of
from core.data.image_data import ImageData
from core.events import Array, Event
from core.training import EpochBatches, History, Training, generator, log_spacing, set_learning_rate

#: The training loss that is logged is the mean over so many batches.
RECENT = 30
#: Largest spacing of logs at first.
MAX_LOG_SPACING = 8
#: Share of the training's time that evaluations of the test part may take.
EVALUATION_SHARE = 0.06
#: Steps from one evaluation to the next up to which it is cheap enough for some more of them at the beginning.
FREQUENT = 200
#: Steps of the gradient history that are kept: as many as :func:`log_spacing` has in each doubling of the steps.
HISTORY = 64


class ResNetTraining(Training):
    """Both networks between two steps.

    Attributes:
        networks: ``residual`` and ``plain``, or one of them; optimizer: of all their weights.
        x_train, x_test: uint8 (n, channels, height, width); y_train, y_test: class numbers (n,) of int64.
        batches: the order of this epoch and the place in it. augmentation_rng, gate_rng: draw what is done to the
            pictures, and which blocks stochastic depth skips.
        recent_losses: (networks, RECENT) losses of the last steps, in a ring.
        gradients: (networks, 3n + 2) norm of the last step's gradient in the first convolution, each block and the
            linear layer.
        gradient_history: the same at steps before.
        accuracy: of the test part in the last evaluation, by network. history: what the diagnoses are made from.
        sizes: the step at which those in each block were last measured for a picture, and what they were; never saved.
    """

    saved = (
        "networks",
        "optimizer",
        "batches",
        "augmentation_rng",
        "gate_rng",
        "recent_losses",
        "gradients",
        "gradient_history",
        "accuracy",
        "history",
    )

    config: ResNetConfig
    data: ImageData
    networks: nn.ModuleDict
    optimizer: torch.optim.Optimizer
    batches: EpochBatches
    augmentation_rng: torch.Generator
    gate_rng: torch.Generator
    recent_losses: Tensor
    gradients: Tensor

    def __init__(self, config: ResNetConfig, data: ImageData, device: str) -> None:
        super().__init__(config, data, device)
        self.x_train, self.y_train = (torch.from_numpy(a).to(self.device) for a in (data.x_train, data.y_train))
        self.x_test, self.y_test = (torch.from_numpy(a).to(self.device) for a in (data.x_test, data.y_test))
        # Of each channel, from the training part alone.
        scales = [scale_of(np.ascontiguousarray(data.x_train[:, c])) for c in range(data.x_train.shape[1])]
        scale = torch.from_numpy(np.array(scales) / 255).float().view(-1, 2).T.to(self.device)
        self.mean, self.deviation = scale.reshape(2, 1, -1, 1, 1)  # (1, channels, 1, 1) each
        self.gradient_history = GradientHistory()
        self.accuracy: dict[str, float] = {}
        self.history = History(Evaluation)
        self.sizes: tuple[int, dict[str, Array] | None] = (0, None)

    def inputs(self, x: Tensor) -> Tensor:
        """Pictures as the networks take them, from bytes or from 0 … 1."""
        x = x.float() / 255 if x.dtype == torch.uint8 else x
        standardised: Tensor = (x - self.mean) / self.deviation
        return standardised

    @property
    def nets(self) -> dict[str, ResNet]:
        """The networks by name."""
        return dict(self.networks.items())  # type: ignore[arg-type]

    @property
    def steps_to_evaluation(self) -> int:
        """Steps from one evaluation of the test part to the next: 25, 50, 100, …

        A step costs three times the forward pass of its batch, an evaluation that of the whole test part.
        """
        cost = len(self.x_test) / (3 * min(self.config.batch_size, len(self.x_train)))
        return 25 << max(0, math.ceil(math.log2(cost / EVALUATION_SHARE / 25)))

    def should_evaluate(self, step: int) -> bool:
        every = self.steps_to_evaluation
        if every <= FREQUENT:
            return step % every == 0 or step in (every // 4, every // 2)
        # It takes as long as many steps: not at the start, and at the ends of epochs that are long enough.
        at_end = self.batches.epoch_ended and 2 * len(self.x_train) >= every * self.config.batch_size
        return (step > 0 and step % every == 0) or at_end

    def should_log(self, step: int) -> bool:
        return step % log_spacing(step, MAX_LOG_SPACING) == 0 or self.should_evaluate(step)

    def apply_config(self, config: ResNetConfig) -> None:
        super().apply_config(config)
        for group in self.optimizer.param_groups:
            group["momentum"], group["weight_decay"] = config.momentum, config.weight_decay

    @torch.no_grad()
    def measure_gradients(self, *_: Any) -> None:
        """Before the optimiser's step: the gradient's norm in each part of the networks; 0 where it has none."""
        self.gradients = torch.stack([gradient_norms(net) for net in self.nets.values()])


class GradientHistory:
    """Gradient norms at steps 0, k, 2k, …; k doubles where there would be more than :data:`HISTORY` of them.

    Attributes:
        spacing: k. rows: (networks, 3n + 2) float32 each.
    """

    def __init__(self) -> None:
        self.spacing = 1
        self.rows: list[Array] = []

    def append(self, step: int, row: Array) -> None:
        if step != len(self.rows) * self.spacing:
            return
        if len(self.rows) == HISTORY:
            self.rows, self.spacing = self.rows[::2], 2 * self.spacing
        self.rows.append(row)

    def state_dict(self) -> dict[str, Any]:
        return {"spacing": self.spacing, "rows": np.array(self.rows, np.float32)}

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        self.spacing, self.rows = int(tree["spacing"]), list(np.asarray(tree["rows"], np.float32))


def gradient_norms(net: ResNet) -> Tensor:
    """Norm of the gradient of the weights in each part of a network, (3n + 2,)."""
    parts = net.weights
    none = torch.zeros((), device=parts[0][0].device)
    norms = torch._foreach_norm([none if W.grad is None else W.grad for part in parts for W in part])
    squares = torch.stack(list(norms)).square()
    first, *both, last = squares
    return torch.stack([first, *torch.stack(both).view(-1, 2).sum(dim=1), last]).sqrt()


def load(config: ResNetConfig) -> ImageData:
    """The pictures of the settings.

    Raises:
        Refusal: they would have to be fetched and cannot be, or there are too few.
    """
    return image_data.load(config)


def build(config: ResNetConfig, data: ImageData, device: str) -> ResNetTraining:
    """Networks and optimiser at step 0."""
    s = ResNetTraining(config, data, device)
    s.networks = nn.ModuleDict({name: make_network(config, data, name) for name in config.names}).to(s.device)
    s.optimizer = torch.optim.SGD(
        s.networks.parameters(), lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay
    )
    s.optimizer.register_step_pre_hook(s.measure_gradients)
    # Batch norm cannot normalise a batch of a single picture.
    s.batches = EpochBatches(len(s.x_train), generator(config.seed, "shuffle"), 2 if config.batch_norm else 1)
    s.augmentation_rng = generator(config.seed, "augmentation")
    s.gate_rng = generator(config.seed, "stochastic depth")
    s.recent_losses = torch.zeros(len(config.names), RECENT, device=s.device)
    s.gradients = torch.zeros(len(config.names), 3 * config.n + 2, device=s.device)
    return s


def make_network(config: ResNetConfig, data: ImageData, name: str) -> ResNet:
    """One of the networks, with the initial weights of the seed, which both have in common."""
    net = ResNet(
        data.x_train.shape[1],
        len(data.classes),
        n=config.n,
        width=config.width,
        stride=config.stride,
        residual=name == RESIDUAL,
        pre_activation=config.order == "pre",
        batch_norm=config.batch_norm,
        projection=config.shortcut == "B",
        drop=config.drop,
    )
    zero_gamma = config.zero_gamma and config.batch_norm and config.order == "post"
    initialise(net, generator(config.seed, "weights"), zero_gamma=zero_gamma)
    return net


def train(s: ResNetTraining) -> Iterator[Event]:
    """Train the networks of ``s``. A generator: yields after every step of all of them, from ``s.step`` on.

    Args:
        s: the state of this training: networks, optimiser, pictures and the order of their batches.

    Raises:
        Diverged: the loss of one of them is not finite.
    """
    s.networks.train()
    while True:
        config = s.config  # live settings may have changed
        rows = s.batches.next(config.batch_size).to(s.device)
        x = s.inputs(augment(s.x_train[rows].float() / 255, config, s.augmentation_rng))
        y = s.y_train[rows]
        s.optimizer.zero_grad()
        losses = []
        for net in s.nets.values():
            loss = F.cross_entropy(net(x, sample_gates(net, s.gate_rng)), y)
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        set_learning_rate(s.optimizer, learning_rate(config, s.step))
        s.optimizer.step()
        s.recent_losses[:, s.step % RECENT] = torch.stack(losses)
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield s.next_step(torch.stack(losses).sum(), epoch=s.batches.epoch)


def learning_rate(config: ResNetConfig, step: int) -> float:
    """Learning rate of the update after ``step`` updates: a tenth after each of ``lr_steps``."""
    return config.lr * 0.1 ** sum(step >= drop for drop in config.lr_steps)
