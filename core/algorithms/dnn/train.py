"""Training a multilayer perceptron: forward, loss, backward, step.

Examples go forward, the loss compares, its gradient goes backward through every layer, and the optimiser takes a
step down. The papers and the mathematics are in ``model.py``; :func:`train` is the loop.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from core.algorithms.dnn.config import SPLIT, DNNConfig
from core.algorithms.dnn.diagnoses import Evaluation
from core.algorithms.dnn.model import MLP, add_penalty_gradients, initialise, loss_function
from core.data import images, tabular
from core.data.dataset import Dataset, scale_of
from core.events import Array, Event
from core.log_schedule import TRAIN_SAMPLE, LogSchedule
from core.training import EpochBatches, History, Training, UpdateStatistics, generator, set_learning_rate


class DNN(Training):
    """The perceptron between two updates.

    Attributes:
        model, optimizer: as ``build`` makes them. dropout_rng: draws the dropout masks.
        x_train, x_test: (n, inputs), standardised; images stay bytes, a quarter of the memory, until they are used.
        y_train, y_test: (n,) class numbers of int64, or standardised values.
        batches: the order of this epoch and the place in it.
        grad_norm: norm of the last update's whole gradient, where it was clipped.
        history: every evaluation. predictions: class numbers (uint8) of the test rows in the last one.
    """

    saved = ("model", "optimizer", "dropout_rng", "batches", "history", "predictions")

    model: MLP
    optimizer: torch.optim.Optimizer
    dropout_rng: torch.Generator
    batches: EpochBatches
    statistics: UpdateStatistics
    log_schedule: LogSchedule

    def __init__(self, config: DNNConfig, data: Dataset, device: str) -> None:
        super().__init__(config, data, device)
        self.x_mean, self.x_std = (torch.from_numpy(a).to(self.device) for a in scale_of(data.x_train))
        self.y_mean, self.y_std = 0.0, 1.0
        if not data.classes:
            self.y_mean, self.y_std = float(data.y_train.mean()), float(data.y_train.std()) or 1.0
        self.x_train, self.y_train = self._tensors(data.x_train, data.y_train)
        self.x_test, self.y_test = self._tensors(data.x_test, data.y_test)
        self.grad_norm = 0.0
        self.history = History(Evaluation)
        self.predictions: Array | None = None

    def _tensors(self, x: Array, y: Array) -> tuple[Tensor, Tensor]:
        inputs = torch.from_numpy(np.ascontiguousarray(x)).to(self.device)
        targets = torch.from_numpy(y if self.data.classes else (y - self.y_mean) / self.y_std)
        return inputs if inputs.dtype == torch.uint8 else self.encode(inputs), targets.to(self.device)

    def encode(self, x: Tensor) -> Tensor:
        """Rows in the data's own units -> standardised by the training part, with the chosen features."""
        x = (x.float() - self.x_mean) / self.x_std
        features = {
            "x": lambda: x,
            "square": lambda: x**2,
            "product": lambda: x[:, :1] * x[:, 1:],
            "sine": lambda: torch.sin(torch.pi * x),
        }
        return torch.cat([features[name]() for name in self.config.features], dim=1)

    def inputs(self, x: Tensor) -> Tensor:
        """Rows of ``x_train`` or ``x_test`` as the network takes them."""
        return self.encode(x) if x.dtype == torch.uint8 else x

    def should_log(self, step: int) -> bool:
        return self.log_schedule.should_log(step, self.batches.epoch_ended)

    def apply_config(self, config: DNNConfig) -> None:
        super().apply_config(config)
        self.log_schedule = make_log_schedule(self)
        if config.optimizer in ("momentum", "nesterov"):
            self.optimizer.param_groups[0]["momentum"] = config.momentum
        if config.optimizer == "adamw":
            self.optimizer.param_groups[0]["weight_decay"] = config.l2


def load(config: DNNConfig) -> Dataset:
    """The data set of the settings, split into a training and a test part.

    Raises:
        Refusal: it would have to be fetched and cannot be.
    """
    if config.data in SPLIT:
        return images.load(config.data)
    if config.data == "mnist_5k":
        return images.mnist_5k(test_share=config.test_share, seed=config.seed)
    return tabular.load(
        config.data, samples=config.samples, noise=config.noise, test_share=config.test_share, seed=config.seed
    )


def build(config: DNNConfig, data: Dataset, device: str) -> DNN:
    """Network and optimiser at step 0."""
    s = DNN(config, data, device)
    n_inputs = s.inputs(s.x_train[:1]).shape[1]
    widths = (n_inputs, *config.layers, max(len(data.classes), 1))
    s.dropout_rng = generator(config.seed, "dropout", device)
    s.model = MLP(widths, config.activation, batch_norm=config.batch_norm, generator=s.dropout_rng)
    initialise(s.model, config.init, config.init_scale, generator(config.seed, "weights"))
    s.model.to(s.device)
    s.optimizer = make_optimizer(s.model, config)
    # Batch norm cannot normalise a batch of a single row.
    min_batch = 2 if config.batch_norm else 1
    s.batches = EpochBatches(len(s.x_train), generator(config.seed, "shuffle"), min_batch)
    s.log_schedule = make_log_schedule(s)
    s.statistics = UpdateStatistics(s.optimizer, s.model.weights, lambda: s.should_log(s.step + 1))
    return s


def make_log_schedule(s: DNN) -> LogSchedule:
    """When metrics are logged, by the sizes of network, batches and data."""
    n, parameters = len(s.x_train), sum(p.numel() for p in s.model.parameters())
    return LogSchedule.of(parameters, s.config.batch_size, n, min(n, TRAIN_SAMPLE), len(s.x_test))


def make_optimizer(model: MLP, config: DNNConfig) -> torch.optim.Optimizer:
    """The optimiser of the settings; AdamW decays weights by itself, biases never."""
    weights = model.weights
    others = [p for p in model.parameters() if all(p is not W for W in weights)]
    match config.optimizer:
        case "rmsprop":
            return torch.optim.RMSprop(model.parameters(), lr=config.lr)
        case "adam":
            return torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
        case "adamw":
            groups = [{"params": weights, "weight_decay": config.l2}, {"params": others, "weight_decay": 0.0}]
            return torch.optim.AdamW(groups, lr=config.lr, fused=True)
    momentum = 0.0 if config.optimizer == "sgd" else config.momentum
    nesterov = config.optimizer == "nesterov"
    return torch.optim.SGD(model.parameters(), lr=config.lr, momentum=momentum, nesterov=nesterov)


def train(s: DNN) -> Iterator[Event]:
    """Train the network of ``s``. A generator: yields after every update, from ``s.step`` on, without end.

    Args:
        s: the state of this training: network, optimiser, data and the order of its batches.

    Raises:
        Diverged: the loss is not finite.
    """
    model, optimizer = s.model, s.optimizer
    model.train()
    while True:
        config = s.config  # live settings may have changed
        rows = s.batches.next(config.batch_size).to(s.device)
        x, y = s.inputs(s.x_train[rows]), s.y_train[rows]
        model.dropout = config.dropout
        loss = loss_function(model(x), y, config.criterion)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        add_penalty_gradients(model, config.l1, 0.0 if config.optimizer == "adamw" else config.l2)
        if config.clip:
            s.grad_norm = float(clip_grad_norm_(model.parameters(), config.clip))  # kept for the log
        set_learning_rate(optimizer, learning_rate(config, s.step))
        optimizer.step()
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield s.next_step(loss, epoch=s.batches.epoch)


def learning_rate(config: DNNConfig, step: int) -> float:
    """Learning rate of the update after ``step`` updates."""
    done = step / config.schedule_steps
    match config.schedule:
        case "warmup":
            return config.lr * min((step + 1) / config.schedule_steps, 1.0)
        case "step":
            return config.lr * 0.5 ** min(math.floor(done), 60)
        case "exponential":
            return config.lr * 10 ** -min(done, 18.0)
        case "cosine":
            return config.lr * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return config.lr
