"""What is measured while both networks train: training losses, test accuracies, gradients from block to block.

Everything follows the count of steps, never the clock, so that a seed gives one curve. The training loss is that of the
batches themselves; the test part is evaluated whole, by the running statistics of batch norm.
"""

import copy
import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core import classification
from core.algorithms.resnet.diagnoses import DIAGNOSES, WINDOW, Evaluation, Evidence
from core.algorithms.resnet.model import ResNet, Sizes, batch_statistics
from core.algorithms.resnet.train import RECENT, ResNetTraining, gradient_norms
from core.events import Array, Event, Scalars, Snapshot

#: Training pictures that gradients at step 0 are measured on, and those that the sizes in each block are.
SAMPLE, SIZES_SAMPLE = 64, 32
#: Steps from one measurement of the sizes to the next, at most: each takes a fifth of a step.
SIZES_SPACING = 32


def log_metrics(s: ResNetTraining) -> Iterator[Event]:
    """Losses and gradients of the last steps, and an evaluation of the test part where one is due."""
    recent_sizes(s)  # here and not where a picture is taken, whose budget it would use up for a second
    gradients = current_gradients(s)
    s.gradient_history.append(s.step, gradients)
    losses = current_losses(s)
    ratios = {name: ratio(row) for name, row in zip(s.networks, gradients, strict=True)}
    values = {f"{name}/loss": loss for name, loss in losses.items()}
    values |= {f"{name}/gradient_ratio": found for name, found in ratios.items() if found is not None}
    evaluate = s.should_evaluate(s.step)
    if evaluate:
        for i, (name, net) in enumerate(s.nets.items()):
            evaluated = yield from classification.evaluate(predictor(s, net), s.x_test, s.y_test)
            values[f"{name}/accuracy"] = s.accuracy[name] = evaluated.accuracy
            if i == 0:  # the residual network, where there is one
                yield Snapshot(s.step, "confusion", classification.confusion(evaluated, s.data.y_test))
                mistakes = classification.mistakes(s.data.x_test, s.data.y_test, evaluated)
                yield Snapshot(s.step, "mistakes", mistakes)
    yield Scalars(s.step, values)
    if evaluate:
        s.history.append(evaluation(s, losses, ratios))
        del s.history[:-WINDOW]  # all that a diagnosis needs
        evidence = Evidence(s.history, s.config.depth)
        yield from s.diagnose(DIAGNOSES, evidence)


def evaluation(s: ResNetTraining, losses: Mapping[str, float], ratios: Mapping[str, float | None]) -> Evaluation:
    """What the diagnoses are made from, after this step."""
    found: dict[str, float] = {"residual_loss": 0.0, "plain_loss": 0.0}
    for name, rows in s.cached_at_step(sizes).items():
        spread = rows[:, 2]
        growth = float(spread.max() / spread[0]) if spread[0] > 0 else 1.0
        found |= {f"{name}_loss": losses[name], f"{name}_growth": growth if math.isfinite(growth) else 1.0}
        found |= {f"{name}_ratio": ratios[name] or 1.0}
    return Evaluation(s.step, **found)


def predictor(s: ResNetTraining, net: ResNet, gates: list[float] | None = None) -> Callable[[Tensor], Tensor]:
    """Logits of pictures as at a test: batch norm by its running statistics, no block skipped but by ``gates``."""

    @torch.no_grad()
    def predict(x: Tensor) -> Tensor:
        training = net.training
        net.eval()
        try:
            logits: Tensor = net(s.inputs(x), gates)
            return logits
        finally:
            net.train(training)

    return predict


def current_losses(s: ResNetTraining) -> dict[str, float]:
    """Mean training loss of the last steps by network; at step 0 that of the first pictures."""
    if s.step == 0:
        return s.cached_at_step(initial)[0]
    means = s.recent_losses[:, : min(s.step, RECENT)].mean(dim=1).tolist()
    return dict(zip(s.networks, means, strict=True))


def current_gradients(s: ResNetTraining) -> Array:
    """Gradient norms (networks, 3n + 2) of the last step; at step 0 those of the first pictures."""
    found = s.cached_at_step(initial)[1] if s.step == 0 else s.gradients
    norms: Array = found.cpu().numpy()
    return norms


def ratio(norms: Array) -> float | None:
    """The first block's gradient over the last block's; ``None`` where a block has none."""
    first, last = float(norms[1]), float(norms[-2])
    return first / last if first > 0 and last > 0 else None


def initial(s: ResNetTraining) -> tuple[dict[str, float], Tensor]:
    """Loss and gradient norms of every network on the first training pictures, before any step; changes neither."""
    x, y = s.inputs(s.x_train[:SAMPLE]), s.y_train[:SAMPLE]
    losses, norms = {}, []
    for name, net in s.nets.items():
        net = copy.deepcopy(net)
        with batch_statistics(net):
            loss = F.cross_entropy(net(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        losses[name] = loss.item()
        norms.append(gradient_norms(net))
    return losses, torch.stack(norms)


def recent_sizes(s: ResNetTraining) -> dict[str, Array]:
    """:func:`sizes` as measured at most :data:`SIZES_SPACING` steps ago, at the beginning less."""
    at, found = s.sizes
    if found is None or not at <= s.step < at + max(1, min(at, SIZES_SPACING)):
        found = s.cached_at_step(sizes)
        s.sizes = s.step, found
    return found


@torch.no_grad()
def sizes(s: ResNetTraining) -> dict[str, Array]:
    """By network (3n, 3): what shortcut and branch of each block add up, and the spread of its output."""
    x = s.inputs(s.x_train[:SIZES_SAMPLE])
    found = {}
    for name, net in s.nets.items():
        rows: list[Sizes] = []
        with batch_statistics(net):
            net(x, None, rows)
        found[name] = np.nan_to_num(torch.stack([torch.stack(row) for row in rows]).cpu().numpy(), posinf=3e38)
    return found
