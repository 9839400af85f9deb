"""What is measured of the unit."""

from collections.abc import Iterator

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from core.algorithms.perceptron.train import Perceptron
from core.events import Event, Scalars


@torch.no_grad()
def log_metrics(s: Perceptron) -> Iterator[Event]:
    loss = float(binary_cross_entropy_with_logits(s.model(s.x)[:, 0], s.y))
    right = float(((s.model(s.x_test)[:, 0] > 0) == (s.y_test > 0)).float().mean())
    return iter([Scalars(s.step, {"train/loss": loss, "test/accuracy": right})])
