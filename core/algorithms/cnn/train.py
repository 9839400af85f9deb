"""Training a convolutional network: forward, loss, backward, step.

The networks and their papers are in ``model.py``; :func:`train` is the loop. Pictures stay bytes until a batch of them
is used: made numbers from 0 to 1, moved or turned by the augmentation, scrambled where that is chosen, standardised.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.algorithms.cnn.config import CNNConfig
from core.algorithms.cnn.diagnoses import Evaluation
from core.algorithms.cnn.model import Dropout, Network, make_network
from core.augmentation import augment, moved
from core.classification import Evaluated
from core.data import image_data
from core.data.image_data import ImageData
from core.events import Array, Event
from core.log_schedule import TRAIN_SAMPLE, LogSchedule
from core.training import EpochBatches, History, Training, UpdateStatistics, generator, set_learning_rate

#: Test pictures that are moved.
MOVED = 1000
#: Of the permutation that scrambles the pixels: the same for every run.
SCRAMBLE_SEED = 1


class CNN(Training):
    """The network between two updates.

    Attributes:
        model, optimizer: as ``build`` makes them. dropout_rng, augmentation_rng: draw masks and movements.
        x_train, x_test: pictures, uint8 (n, channels, height, width). x_moved: the first test pictures, each moved.
        y_train, y_test: class numbers, (n,) of int64.
        places: for each pixel the one that is moved to it, (height · width,); ``None`` where they stay.
        batches: the order of this epoch and the place in it.
        history: every evaluation. probabilities: of the test pictures in the last one, float32 (n, classes).
    """

    saved = ("model", "optimizer", "dropout_rng", "augmentation_rng", "batches", "history", "probabilities")

    model: Network
    optimizer: torch.optim.Optimizer
    dropout: Dropout
    batches: EpochBatches
    statistics: UpdateStatistics
    log_schedule: LogSchedule

    def __init__(self, config: CNNConfig, data: ImageData, device: str) -> None:
        super().__init__(config, data, device)
        self.x_train, self.x_test = (torch.from_numpy(x).to(self.device) for x in (data.x_train, data.x_test))
        self.y_train, self.y_test = (torch.from_numpy(y).to(self.device) for y in (data.y_train, data.y_test))
        self.mean, self.deviation = (a.to(self.device) for a in scale_of(data.x_train))
        self.places = scramble(*config.image_shape[1:]).to(self.device) if config.scrambled else None
        self.dropout_rng = generator(config.seed, "dropout", device)
        self.augmentation_rng = generator(config.seed, "augmentation", device)
        self.x_moved = moved_pictures(self.x_test[:MOVED], config, generator(config.seed, "moved"))
        self.history = History(Evaluation)
        self.probabilities: Array | None = None

    def seen(self, x: Tensor) -> Tensor:
        """Pictures (n, channels, height, width) with their pixels where the network gets them."""
        return x if self.places is None else x.flatten(2)[..., self.places].view_as(x)

    def inputs(self, x: Tensor) -> Tensor:
        """Pictures, uint8 or with pixels from 0 to 1, as the network takes them: standardised by the training part."""
        return self.seen((as_numbers(x) - self.mean) / self.deviation)

    def should_log(self, step: int) -> bool:
        return self.log_schedule.should_log(step, self.batches.epoch_ended)

    def apply_config(self, config: CNNConfig) -> None:
        super().apply_config(config)
        self.log_schedule = make_log_schedule(self)
        group = self.optimizer.param_groups[0]
        group["weight_decay"] = config.weight_decay
        if config.optimizer in ("momentum", "nesterov"):
            for each in self.optimizer.param_groups:
                each["momentum"] = config.momentum

    @property
    def evaluated(self) -> Evaluated | None:
        """The test pictures in the last evaluation, as far as a checkpoint keeps it: without its loss."""
        if self.probabilities is None:
            return None
        right = self.probabilities.argmax(axis=1) == self.data.y_test
        return Evaluated(math.nan, float(right.mean()), self.probabilities)

    def load_weights(self, tree: Mapping[str, Any]) -> None:
        """The weights of another run; with a new head only its convolutions."""
        if self.config.new_head:
            head = {f"head.{name}": value for name, value in self.model.head.state_dict().items()}
            theirs = {name: value for name, value in tree["model"].items() if not name.startswith("head.")}
            tree = {**tree, "model": theirs | head}
        super().load_weights(tree)


def load(config: CNNConfig) -> ImageData:
    """The data set of the settings: the chosen classes, and of each no more training pictures than wanted.

    Raises:
        Refusal: it would have to be fetched and cannot be.
    """
    data = image_data.load(config)
    if config.subset != "all":
        half = len(data.classes) // 2
        data = of_classes(data, range(half) if config.subset == "first" else range(half, len(data.classes)))
    if config.per_class:
        rows = np.sort(
            np.concatenate([np.flatnonzero(data.y_train == c)[: config.per_class] for c in range(len(data.classes))])
        )
        data = replace(data, x_train=data.x_train[rows], y_train=data.y_train[rows])
    return data


def of_classes(data: ImageData, classes: range) -> ImageData:
    """The pictures of some classes, which are numbered anew from 0."""
    train, test = (np.isin(y, classes) for y in (data.y_train, data.y_test))
    return replace(
        data,
        x_train=data.x_train[train],
        y_train=data.y_train[train] - classes.start,
        x_test=data.x_test[test],
        y_test=data.y_test[test] - classes.start,
        classes=data.classes[classes.start : classes.stop],
    )


def as_numbers(x: Tensor) -> Tensor:
    """Pictures with pixels from 0 to 1."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


def scale_of(x: Array) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel of the training part, (channels, 1, 1) each, of pixels from 0 to 1."""
    levels = np.arange(256) / 255
    counts = np.stack([np.bincount(x[:, c].reshape(-1), minlength=256) for c in range(x.shape[1])])
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ levels
    deviation = np.sqrt(np.maximum((share * (levels - mean[:, None]) ** 2).sum(axis=1), 1e-6))
    return tuple(torch.from_numpy(a.astype(np.float32)).view(-1, 1, 1) for a in (mean, deviation))  # type: ignore[return-value]


def scramble(height: int, width: int) -> Tensor:
    """The permutation of all pixels of a picture."""
    return torch.randperm(height * width, generator=generator(SCRAMBLE_SEED, "scramble"))


def moved_pictures(x: Tensor, config: CNNConfig, rng: torch.Generator) -> Tensor:
    """Test pictures, each moved at random by up to ``config.test_shift`` pixels each way."""
    if config.test_shift == 0:
        return x[:0]
    most = config.test_shift
    right, down = torch.randint(-most, most + 1, (2, len(x)), generator=rng).to(x.device)
    return moved(x, right, down)


def build(config: CNNConfig, data: ImageData, device: str) -> CNN:
    """Network and optimiser at step 0."""
    s = CNN(config, data, device)
    s.dropout = Dropout(s.dropout_rng)
    model = make_network(config, generator(config.seed, "weights"), s.dropout)
    # Pooling along the channels of a place takes a third of the time that it takes along the rows of a map.
    s.model = model.to(s.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    s.optimizer = make_optimizer(s.model, config)
    # Batch norm cannot normalise a batch of a single picture.
    min_batch = 2 if config.normalised else 1
    s.batches = EpochBatches(len(s.x_train), generator(config.seed, "shuffle"), min_batch)
    s.log_schedule = make_log_schedule(s)
    s.statistics = UpdateStatistics(s.optimizer, s.model.weights, lambda: s.should_log(s.step + 1))
    return s


def make_log_schedule(s: CNN) -> LogSchedule:
    """When metrics are logged, by the sizes of network, batches and data."""
    n, multiplications = len(s.x_train), sum(layer.multiplications for layer in s.config.layers())
    tested = len(s.x_test) + len(s.x_moved)
    return LogSchedule.of(multiplications, s.config.batch_size, n, min(n, TRAIN_SAMPLE), tested)


def make_optimizer(model: Network, config: CNNConfig) -> torch.optim.Optimizer:
    """The optimiser of the settings; the decay is of weights alone, never of biases or batch norms."""
    weights = model.weights
    others = [p for p in model.parameters() if p.requires_grad and all(p is not W for W in weights)]
    groups = [{"params": weights, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    match config.optimizer:
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=config.lr)
        case "adam":
            return torch.optim.Adam(groups, lr=config.lr, fused=True)
        case "adamw":
            return torch.optim.AdamW(groups, lr=config.lr, fused=True)
    momentum = 0.0 if config.optimizer == "sgd" else config.momentum
    return torch.optim.SGD(groups, lr=config.lr, momentum=momentum, nesterov=config.optimizer == "nesterov")


def train(s: CNN) -> Iterator[Event]:
    """Train the network of ``s``. A generator: yields after every update, from ``s.step`` on, without end.

    Raises:
        Diverged: the loss is not finite.
    """
    model, optimizer = s.model, s.optimizer
    model.train()
    while True:
        config = s.config  # live settings may have changed
        rows = s.batches.next(config.batch_size).to(s.device)
        x = augment(as_numbers(s.x_train[rows]), config, s.augmentation_rng)
        s.dropout.p = config.dropout
        loss = F.cross_entropy(model(s.inputs(x)), s.y_train[rows], label_smoothing=config.label_smoothing)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        set_learning_rate(optimizer, learning_rate(config, s.step))
        optimizer.step()
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield s.next_step(loss, epoch=s.batches.epoch)


def learning_rate(config: CNNConfig, step: int) -> float:
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
