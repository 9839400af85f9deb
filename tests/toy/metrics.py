"""What is measured of the toy: the loss of the last batch, and of all rows."""

import time
from collections.abc import Iterator

import torch

from core.events import Event, Pulse, Scalars
from tests.toy.train import ToyState


def log_metrics(state: ToyState) -> Iterator[Event]:
    if state.step and state.step % 5 == 0:
        yield Scalars(state.step, {"train/loss": state.loss})
    if state.step % state.config.every == 0:
        with torch.no_grad():
            loss = torch.nn.functional.mse_loss(state.model(state.x), state.y)
        yield Scalars(state.step, {"test/loss": loss.item()})
        while state.config.trouble == "evaluation" and state.step == 2 * state.config.every:
            time.sleep(0.01)
            yield Pulse()
