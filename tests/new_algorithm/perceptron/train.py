"""Training one unit by full-batch gradient descent."""

from collections.abc import Iterator

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from core.algorithms.perceptron.config import PerceptronConfig
from core.algorithms.perceptron.model import unit
from core.events import Array, Event
from core.training import Training, generator, seed_of


class Perceptron(Training):
    saved = ("model", "optimizer")


def load(config: PerceptronConfig) -> tuple[Array, Array]:
    """Points (n, 2) of float32 and their classes (n,), 0 or 1."""
    rng = np.random.default_rng(seed_of(config.seed, "data"))
    y = rng.integers(2, size=config.points)
    x = rng.normal(size=(config.points, 2)) + 4.0 * y[:, None]
    return x.astype(np.float32), y.astype(np.float32)


def build(config: PerceptronConfig, data: tuple[Array, Array], device: str) -> Perceptron:
    s = Perceptron(config, data, device)
    x, y = (torch.from_numpy(part).to(s.device) for part in data)
    s.x, s.y, s.x_test, s.y_test = x[10:], y[10:], x[:10], y[:10]
    s.model = unit(generator(config.seed, "weights")).to(s.device)
    s.optimizer = torch.optim.SGD(s.model.parameters(), lr=config.lr)
    return s


def train(s: Perceptron) -> Iterator[Event]:
    while True:
        s.optimizer.param_groups[0]["lr"] = s.config.lr
        loss = binary_cross_entropy_with_logits(s.model(s.x)[:, 0], s.y)
        s.optimizer.zero_grad()
        loss.backward()
        s.optimizer.step()
        yield s.next_step(loss)
