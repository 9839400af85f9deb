"""What is measured while the perceptron trains: losses and scores of both parts of the data, and the diagnoses.

Everything follows the count of steps, never the clock, so that a seed gives one curve. The training part is measured
on a fixed sample of at most 500 rows, the test part always whole: one curve, one set of rows.
"""

import math
from collections.abc import Generator, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from core.algorithms.dnn.diagnoses import DIAGNOSES, Evaluation, Evidence
from core.algorithms.dnn.model import ACTIVATIONS, loss_function
from core.algorithms.dnn.train import DNN
from core.events import Event, Pulse, Scalars
from core.experiment import Diverged
from core.log_schedule import TRAIN_SAMPLE

#: Rows of a forward pass: between two of them the driver gets a Pulse.
CHUNK = 1000

#: Evaluations from one check for diagnoses to the next.
DIAGNOSE_EVERY = 2

#: A derivative below this lets no gradient through: |z| > 4.6 of a sigmoid, |z| > 3 of a tanh, z < 0 of a ReLU.
FLAT_SLOPE = 0.01


def log_metrics(s: DNN) -> Iterator[Event]:
    """Statistics of the last update, and the evaluations that are due after it."""
    names = [f"layer_{i}" for i in range(1, len(s.model.layers) + 1)]
    # Clipping divided the gradients by this.
    scale = max(1.0, (s.grad_norm + 1e-6) / s.config.clip) if s.config.clip else 1.0
    values = s.statistics.metrics(names, scale)
    when = (s.step, s.batches.epoch_ended)
    if s.log_schedule.should_evaluate_train(*when):
        values |= yield from evaluate_train(s)
    tested = s.log_schedule.should_evaluate_test(*when)
    if tested:
        values |= yield from evaluate_test(s)
        ratio = gradient_ratio(s, values)
        s.history.append(Evaluation(s.step, s.batches.epochs, values["train/loss"], values["test/loss"], ratio))
    yield Scalars(s.step, values)
    if tested and len(s.history) % DIAGNOSE_EVERY == 1:
        yield from s.diagnose(DIAGNOSES, Evidence(s.history, values))


def evaluate_train(s: DNN) -> Generator[Event, None, dict[str, float]]:
    """Loss, score and dead units of the training sample, as this generator's value. Uses no dropout.

    Raises:
        Diverged: the loss is not finite.
    """
    pre_activations: list[Tensor] = []
    outputs = forward(s, s.x_train[:TRAIN_SAMPLE], pre_activations)
    if len(s.x_train) > TRAIN_SAMPLE:
        yield Pulse()
    found = scores(s, "train", outputs, s.y_train[:TRAIN_SAMPLE])
    found |= {f"dead/layer_{i}": share for i, share in enumerate(dead_shares(s, pre_activations), start=1)}
    values = to_numbers(found)
    if not math.isfinite(values["train/loss"]):
        raise Diverged(f"the training loss is {values['train/loss']}")
    return values


def evaluate_test(s: DNN) -> Generator[Event, None, dict[str, float]]:
    """Loss and score of the whole test part, as this generator's value; keeps the predictions."""
    chunks: list[Tensor] = []
    for start in range(0, len(s.x_test), CHUNK):
        chunks.append(forward(s, s.x_test[start : start + CHUNK]))
        if len(s.x_test) > CHUNK:
            yield Pulse()
    outputs = torch.cat(chunks)
    if s.data.classes:
        s.predictions = outputs.argmax(dim=1).to(torch.uint8).cpu().numpy()
    return to_numbers(scores(s, "test", outputs, s.y_test))


def gradient_ratio(s: DNN, values: Mapping[str, float]) -> float:
    """The first layer's gradient over the last one's; 1 where that says nothing of depth."""
    norms = [norm for name, norm in values.items() if name.startswith("gradient/")]
    if len(norms) < 2 or norms[-1] == 0 or s.config.init == "zeros":
        return 1.0  # weights of zero let nothing back either, but it is not the layers that stop it
    return norms[0] / norms[-1]


def scores(s: DNN, split: str, outputs: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Loss and accuracy, or loss and error in the data's own units, by metric name; still on the device."""
    values = {f"{split}/loss": loss_function(outputs, y, s.config.criterion)}
    if s.data.classes:
        values[f"{split}/accuracy"] = (outputs.argmax(dim=1) == y).float().mean()
    else:
        values[f"{split}/rmse"] = (outputs[:, 0] - y).square().mean().sqrt() * s.y_std
    return values


def to_numbers(values: Mapping[str, Tensor]) -> dict[str, float]:
    """Scalars as numbers, copied from the device in one go."""
    return dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))


@torch.no_grad()
def forward(s: DNN, x: Tensor, pre_activations: list[Tensor] | None = None) -> Tensor:
    """Outputs for rows of ``x_train`` or ``x_test`` as at a test: no dropout, batch norm by its running statistics."""
    model, training = s.model, s.model.training
    model.eval()
    try:
        outputs: Tensor = model(s.inputs(x), pre_activations)
        return outputs
    finally:
        model.train(training)


@torch.no_grad()
def slopes(s: DNN, pre_activations: Sequence[Tensor]) -> list[Tensor]:
    """Derivative of the activation at each hidden pre-activation, of the same shape."""
    _, derivative = ACTIVATIONS[s.config.activation]
    return [derivative(z) for z in pre_activations]


@torch.no_grad()
def dead_shares(s: DNN, pre_activations: Sequence[Tensor]) -> list[Tensor]:
    """Share of each hidden layer's units that let no gradient through for any of the rows."""
    if not pre_activations:
        return []
    slope = slopes(s, [torch.cat(list(pre_activations), dim=1)])[0]  # of all layers at once
    dead = (slope.abs().amax(dim=0) < FLAT_SLOPE).float()
    return [layer.mean() for layer in torch.split(dead, [z.shape[1] for z in pre_activations])]
