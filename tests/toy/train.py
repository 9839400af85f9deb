"""The toy's training: a multilayer perceptron with dropout on noisy random batches."""

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from core.data.cache import report_progress
from core.events import Event, Step
from core.words import Refusal
from tests.toy.spec import ToyConfig


class ToyState:
    def __init__(self, config: ToyConfig, data: tuple[torch.Tensor, torch.Tensor], device: str) -> None:
        self.config = config
        self.step = self.end = 0
        self.loss = 0.0
        self.x, self.y = (part.to(device) for part in data)
        torch.manual_seed(config.seed)
        widths = (2, *config.layers, 1)
        layers: list[torch.nn.Module] = []
        for fan_in, fan_out in pairwise(widths):
            layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.Tanh()]
        self.model = torch.nn.Sequential(*layers[:-1]).to(device)
        kind = torch.optim.Adam if config.optimiser == "adam" else torch.optim.SGD
        self.optimiser = kind(self.model.parameters(), lr=config.lr)
        self.numbers = np.random.default_rng(config.seed)
        self.dice = random.Random(config.seed)
        self.order: list[int] = []

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "torch": torch.get_rng_state(),
            "numbers": self.numbers.bit_generator.state,
            "dice": self.dice.getstate(),
            "order": self.order,
        }

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        self.step = tree["step"]
        self.model.load_state_dict(tree["model"])
        self.optimiser.load_state_dict(tree["optimiser"])
        torch.set_rng_state(tree["torch"])
        self.numbers.bit_generator.state = tree["numbers"]
        self.dice.setstate(tree["dice"])
        self.order = tree["order"]

    def load_weights(self, tree: dict[str, Any]) -> None:
        self.model.load_state_dict(tree["model"])

    def should_log(self, step: int) -> bool:
        return step % 5 == 0 or step % self.config.every == 0

    def apply_config(self, config: ToyConfig) -> None:
        self.config = config
        for group in self.optimiser.param_groups:
            group["lr"] = config.lr


def load(config: ToyConfig) -> tuple[torch.Tensor, torch.Tensor]:
    if config.trouble == "load":
        raise Refusal("", "There is no network; use the toy's own data.")
    while config.trouble == "slow load":
        time.sleep(0.01)
        report_progress("Fetching the plane", 0.5)
    numbers = np.random.default_rng(7)
    x = torch.from_numpy(numbers.uniform(-1, 1, (200, 2)).astype(np.float32))
    return x, (x[:, :1] - 2 * x[:, 1:]).sin()


def build(config: ToyConfig, data: tuple[torch.Tensor, torch.Tensor], device: str) -> ToyState:
    return ToyState(config, data, device)


def train(state: ToyState) -> Iterator[Event]:
    while True:
        config = state.config
        if config.trouble == "train" and state.step == 30:
            raise RuntimeError("the toy broke")
        if config.trouble == "memory" and state.step == 30:
            raise MemoryError
        if config.trouble == "long operation" and state.step == 30:
            torch.ones(1).expand(10**13).sum()  # hours, in one call that no signal's handler interrupts
        if config.nap:
            time.sleep(config.nap)
        if not state.order:
            state.order = state.numbers.permutation(len(state.x)).tolist()
        batch, state.order = state.order[: config.batch], state.order[config.batch :]
        noise = state.dice.gauss(0, 0.01)
        guess = torch.nn.functional.dropout(state.model(state.x[batch]), config.dropout)
        loss = torch.nn.functional.mse_loss(guess, state.y[batch] + noise)
        state.optimiser.zero_grad()
        loss.backward()
        state.optimiser.step()
        state.step += 1
        state.loss = loss.item()
        yield Step(state.step, epoch=state.step * config.batch / len(state.x))
