"""The toy's training: a multilayer perceptron with dropout on noisy random batches."""

import os
import random
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from core.data.cache import tell
from core.events import Event, Pulse, Scalars, Snapshot, Step
from core.words import Refusal
from tests.toy.spec import Question, ToyConfig


class ToyState:
    def __init__(self, config: ToyConfig, data: tuple[torch.Tensor, torch.Tensor], device: str) -> None:
        self.config = config
        self.step = 0
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

    def turn(self, config: ToyConfig) -> None:
        self.config = config
        for group in self.optimiser.param_groups:
            group["lr"] = config.lr


def load(config: ToyConfig) -> tuple[torch.Tensor, torch.Tensor]:
    if config.trouble == "load":
        raise Refusal("", "There is no network; use the toy's own data.")
    while config.trouble == "slow load":
        time.sleep(0.01)
        tell("Fetching the plane", 0.5)
    numbers = np.random.default_rng(7)
    x = torch.from_numpy(numbers.uniform(-1, 1, (200, 2)).astype(np.float32))
    return x, (x[:, :1] - 2 * x[:, 1:]).sin()


def build(config: ToyConfig, data: tuple[torch.Tensor, torch.Tensor], device: str) -> ToyState:
    return ToyState(config, data, device)


def train(state: ToyState) -> Iterator[Event]:
    while True:
        config = state.config
        if state.step % config.every == 0:
            with torch.no_grad():
                loss = torch.nn.functional.mse_loss(state.model(state.x), state.y)
            yield Scalars(state.step, {"test/loss": loss.item()})
            while config.trouble == "evaluation" and state.step == 2 * config.every:
                time.sleep(0.01)
                yield Pulse()
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
        if state.step % 5 == 0:
            yield Scalars(state.step, {"train/loss": loss.item()})
        yield Step(state.step, epoch=state.step * config.batch / len(state.x))


def observe(state: ToyState, everything: bool = True) -> Iterator[Event]:
    weights = torch.cat([p.detach().flatten() for p in state.model.parameters()]).cpu().numpy()
    yield Snapshot(state.step, "weights", {"weights": weights})


def probe(state: ToyState, name: str, requests: Iterator[Question]) -> Iterator[Event]:
    """What the network says of the place (x, 0); how often it was asked in this session."""
    for asked, question in enumerate(requests, start=1):
        if question.how == "by error":
            raise RuntimeError("the toy does not know")
        if question.how == "by death":
            os._exit(3)
        if question.how == "no more":
            return
        if question.how == "slowly":
            time.sleep(0.2)
        while question.how == "never":
            time.sleep(0.01)
        with torch.no_grad():
            said = state.model(torch.tensor([[question.x, 0.0]])).numpy()
            if question.how == "twice":
                yield Snapshot(state.step, name, {"said": said[0], "asked": np.array([asked])})
            yield Snapshot(state.step, name, {"said": said[0], "asked": np.array([asked])})
