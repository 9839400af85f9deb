"""Training a multilayer perceptron: one loop of look, guess, compare, go back, step.

Examples go forward, the loss compares, its gradient goes backward through every layer, and the optimiser takes a
step down. The papers and the mathematics stand in ``model.py``; here is how they are used.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch

from core.algorithms.dnn.config import SPLIT, DNNConfig, rate
from core.algorithms.dnn.measure import Update, report
from core.algorithms.dnn.model import MLP, initialise, loss_of, penalise
from core.algorithms.dnn.observe import observe
from core.algorithms.dnn.state import State
from core.data import images, tabular
from core.data.dataset import Dataset
from core.events import Event, Step
from core.experiment import Diverged

__all__ = ["build", "load", "observe", "train"]

#: What random numbers are drawn for; the data draw theirs from the same seed in :mod:`core.data`.
WEIGHTS, SHUFFLE, MASKS = 101, 102, 103


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


def build(config: DNNConfig, data: Dataset, device: str) -> State:
    """Network, optimiser and generators at step 0; each generator has a purpose of its own."""
    draw, shuffle = generator(config.seed, WEIGHTS), generator(config.seed, SHUFFLE)
    masks = generator(config.seed, MASKS, device)
    inputs = data.x_train.shape[1]
    if config.features != ("x",):
        inputs = sum({"x": 2, "square": 2, "product": 1, "sine": 2}[name] for name in config.features)
    widths = (inputs, *config.layers, max(len(data.classes), 1))
    model = MLP(widths, config.activation, batch_norm=config.batch_norm, generator=masks)
    initialise(model, config.init, config.init_scale, draw)
    model.to(device)
    return State(config, data, device, model, optimizer_for(model, config), shuffle)


def generator(seed: int, purpose: int, device: str = "cpu") -> torch.Generator:
    """A stream of random numbers that has nothing in common with those of other seeds and other purposes."""
    mixed = np.random.SeedSequence([seed, purpose]).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(mixed[0]))


def optimizer_for(model: MLP, config: DNNConfig) -> torch.optim.Optimizer:
    """The optimiser of the settings; AdamW decays weights by itself, biases never."""
    weights = model.weights
    matrices = {id(W) for W in weights}
    others = [p for p in model.parameters() if id(p) not in matrices]
    match config.optimizer:
        case "rmsprop":
            return torch.optim.RMSprop(model.parameters(), lr=config.lr)
        case "adam":
            return torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
        case "adamw":
            return torch.optim.AdamW(
                [{"params": weights, "weight_decay": config.l2}, {"params": others, "weight_decay": 0.0}],
                lr=config.lr,
                fused=True,
            )
    momentum = 0.0 if config.optimizer == "sgd" else config.momentum
    nesterov = config.optimizer == "nesterov"
    return torch.optim.SGD(model.parameters(), lr=config.lr, momentum=momentum, nesterov=nesterov)


def train(state: State) -> Iterator[Event]:
    """Update for update, from ``state.step`` on, without an end of its own.

    Raises:
        Diverged: the loss is no longer a number.
    """
    model, optimizer = state.model, state.optimizer
    parameters, weights = list(model.parameters()), model.weights
    on_cpu = state.device.type == "cpu"
    model.train()
    while True:
        if state.schedule.told(state.step, state.epoch_ended):
            yield from report(state)

        config = state.config  # anew: live settings may have been turned
        x, y = state.batch()
        told = state.schedule.told(state.step + 1, state.epoch_ended)
        if model.dropout != config.dropout:
            model.dropout = config.dropout
        loss = loss_of(model(x), y, config.criterion)
        if (on_cpu or told) and not math.isfinite(loss.item()):  # elsewhere asking makes the device wait
            raise Diverged(f"the loss is {loss.item()}")
        for p in parameters:
            p.grad = None  # what optimizer.zero_grad() does, a step's twentieth sooner
        loss.backward()  # type: ignore[no-untyped-call]
        if config.l1 or config.l2:
            penalise(model, config.l1, 0.0 if config.optimizer == "adamw" else config.l2)
        update = Update(weights) if told else None
        if config.clip:
            torch.nn.utils.clip_grad_norm_(parameters, config.clip)
        set_rates(optimizer, config, state.step)
        optimizer.step()
        state.step += 1
        state.measured = update.measured() if update else {}
        yield Step(state.step, state.epoch)


def set_rates(optimizer: torch.optim.Optimizer, config: DNNConfig, step: int) -> None:
    """Give the optimiser what is in force at this step: scheduled rate, momentum, decay."""
    lr = rate(config, step)
    for i, group in enumerate(optimizer.param_groups):
        group["lr"] = lr
        if config.optimizer in ("momentum", "nesterov"):
            group["momentum"] = config.momentum
        if config.optimizer == "adamw" and i == 0:
            group["weight_decay"] = config.l2
