"""What is told on the way: returns of the training, the last update's loss and values, evaluations, diagnoses."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from core.algorithms.dqn.diagnoses import DIAGNOSES, Evidence
from core.algorithms.dqn.evaluate import Outcome, evaluate
from core.algorithms.dqn.model import QNetwork
from core.algorithms.dqn.schedule import epsilon, evaluated
from core.algorithms.dqn.state import State
from core.events import Event, Note, Scalars
from core.metrics import newly_diagnosed


def report(state: State) -> Iterator[Event]:
    """What is to be told after ``state.step`` steps."""
    values = {"explore/epsilon": epsilon(state.config, state.step)}
    values |= episodes(state)
    values |= last_update(state)
    judged = evaluated(state.step, state.config.evaluate_every)
    if judged:
        for told in evaluate(state):
            if isinstance(told, Outcome):
                values |= outcome(state, told)
            else:
                yield told
    yield Scalars(state.step, values)
    if state.reseeded:
        state.reseeded = False
        yield Note(state.step, "begun anew", {"step": state.step})
    if judged:
        for diagnosis, reasons in newly_diagnosed(DIAGNOSES, evidence(state), state.active).items():
            yield Note(state.step, diagnosis, reasons)


def episodes(state: State) -> dict[str, float]:
    """Mean return and length of the episodes that ended since the last telling, and the running mean of returns."""
    tally = state.tally
    if not tally.ended:
        return {}
    returns, lengths = zip(*tally.ended, strict=True)
    tally.ended = []
    return {
        "train/return": float(np.mean(returns)),
        "train/length": float(np.mean(lengths)),
        "recent/return": float(np.mean(tally.recent)),
    }


def last_update(state: State) -> dict[str, float]:
    """Loss, size of the error and values of the last update; empty before the first."""
    if state.delta is not None and state.targets is not None and state.loss is not None:
        y, delta = state.targets, state.delta
        values = {
            "train/loss": float(state.loss),
            "error/mean": float(delta.abs().mean()),
            "q/online": float((y - delta).mean()),
            "q/target": float(y.mean()),
        }
        if state.seen is not None and state.target is not state.online:
            values["q/copy"] = by_the_copy(state.target, *state.seen)
        return values
    if state.surprises:
        errors = state.errors
        return {"train/loss": float(0.5 * np.square(errors).mean()), "error/mean": float(np.abs(errors).mean())}
    return {}


@torch.no_grad()
def by_the_copy(target: QNetwork, observation: Tensor, action: Tensor) -> float:
    """Mean Q⁻(s, a) of a batch: observations (n, size) or numbers of states (n,), actions (n,)."""
    return float(target(observation).gather(1, action[:, None]).mean())


def outcome(state: State, told: Outcome) -> dict[str, float]:
    """Keep an evaluation, and its metrics."""
    if state.history and state.history[-1][0] == state.step:
        state.history.pop()  # a training that is taken up again at this step looks anew
    state.history.append((state.step, told.returned, told.doubt))
    state.pairs = told.pairs
    values = {"test/return": told.returned, "test/length": told.length}
    if math.isfinite(told.discounted):
        values |= {"value/estimate": told.estimate, "value/obtained": told.discounted}
    return values


def evidence(state: State) -> Evidence:
    """What the diagnoses go by."""
    tally = state.tally
    largest = float(np.abs(state.table).max()) if state.table is not None else 0.0
    if state.targets is not None and state.delta is not None:
        y = state.targets.abs().max()
        largest = float(max(y, (state.targets - state.delta).abs().max()))
    return Evidence(
        largest_q=largest,
        largest_reward=tally.largest,
        gamma=state.config.gamma,
        longest=tally.longest,
        epsilon=epsilon(state.config, state.step),
        episodes=tally.over,
        tabular=state.table is not None,
        lowest=tally.lowest,
        highest=tally.highest,
        evaluations=[returned for _, returned, _ in state.history],
        doubt=[doubt for *_, doubt in state.history],
    )
