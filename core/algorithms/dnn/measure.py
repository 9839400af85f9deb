"""What is measured on the way: losses and scores of both parts of the data, and the diagnoses they allow.

Everything follows the count of steps, never the clock, so that a seed gives one curve. The training part is measured
on a fixed sample of at most 500 rows, the test part always whole: one curve, one set of rows.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from core.algorithms.dnn.diagnoses import DIAGNOSES, Evaluation, Evidence
from core.algorithms.dnn.model import ACTIVATIONS, loss_of
from core.algorithms.dnn.state import SAMPLE, State
from core.events import Event, Note, Pulse, Scalars
from core.experiment import Diverged
from core.metrics import newly_diagnosed

#: Rows of a forward pass: between two of them a worker may look up.
CHUNK = 1000

#: Evaluations from one look for diagnoses to the next.
LOOK = 2

#: A derivative below this lets no gradient through: |z| > 4.6 of a sigmoid, |z| > 3 of a tanh, z < 0 of a ReLU.
FLAT_SLOPE = 0.01


def report(state: State) -> Iterator[Event]:
    """What is to be told after ``state.step`` updates: of the last update, and of the evaluations that are due."""
    values = dict(state.measured)
    when = (state.step, state.epoch_ended)
    if state.schedule.looks_at_training(*when):
        yield from evaluate_training(state, values)
    tested = state.schedule.looks_at_test(*when)
    if tested:
        yield from evaluate_test(state, values)
    yield Scalars(state.step, values)
    if tested and len(state.history) % LOOK == 1:
        for diagnosis, reasons in newly_diagnosed(DIAGNOSES, Evidence(state.history, values), state.active).items():
            yield Note(state.step, diagnosis, reasons)


def evaluate_training(state: State, values: dict[str, float]) -> Iterator[Event]:
    """Put loss, score and dead units of the training sample into ``values``. Uses no dropout.

    Raises:
        Diverged: the loss is no longer a number.
    """
    sums: list[Tensor] = []
    outputs = forward(state, state.x_train[:SAMPLE], sums)
    if len(state.x_train) > SAMPLE:
        yield Pulse()
    found = scores(state, "train", outputs, state.y_train[:SAMPLE])
    found |= {f"dead/layer_{i}": share for i, share in enumerate(dead_shares(state, sums), start=1)}
    values |= fetched(found)
    if not math.isfinite(values["train/loss"]):
        raise Diverged(f"the training loss is {values['train/loss']}")


def evaluate_test(state: State, values: dict[str, float]) -> Iterator[Event]:
    """Put loss and score of the whole test part into ``values``, which has the training's, and into the history."""
    chunks: list[Tensor] = []
    for start in range(0, len(state.x_test), CHUNK):
        chunks.append(forward(state, state.x_test[start : start + CHUNK]))
        if len(state.x_test) > CHUNK:
            yield Pulse()
    outputs = torch.cat(chunks)
    values |= fetched(scores(state, "test", outputs, state.y_test))
    if state.data.classes:
        state.predicted = outputs.argmax(dim=1).to(torch.uint8).cpu().numpy()
    if state.history and state.history[-1].step == state.step:
        state.history.pop()  # a training that is taken up again at this step looks anew
    ratio = gradient_ratio(state, values)
    state.history.append(Evaluation(state.step, state.epochs, values["train/loss"], values["test/loss"], ratio))


def gradient_ratio(state: State, values: Mapping[str, float]) -> float:
    """The first layer's gradient over the last one's; 1 where that says nothing of depth."""
    lengths = [length for name, length in values.items() if name.startswith("gradient/")]
    if len(lengths) < 2 or lengths[-1] == 0 or state.config.init == "zeros":
        return 1.0  # weights of zero let nothing back either, but it is not the layers that swallow it
    return lengths[0] / lengths[-1]


def scores(state: State, part: str, outputs: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Loss and accuracy, or loss and error in the data's own units, by metric name; still on the device."""
    values = {f"{part}/loss": loss_of(outputs, y, state.config.criterion)}
    if state.data.classes:
        values[f"{part}/accuracy"] = (outputs.argmax(dim=1) == y).float().mean()
    else:
        values[f"{part}/rmse"] = (outputs[:, 0] - y).square().mean().sqrt() * state.y_deviation
    return values


def fetched(values: Mapping[str, Tensor]) -> dict[str, float]:
    """Numbers of scalars, fetched from the device in one go."""
    return dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))


@torch.no_grad()
def forward(state: State, x: Tensor, sums: list[Tensor] | None = None) -> Tensor:
    """Outputs for rows of ``x_train`` or ``x_test`` as at a test: no dropout, batch norm by its running figures."""
    model, training = state.model, state.model.training
    if model.norms is None and not model.dropout:  # nothing to switch, and switching takes as long as a layer
        plain: Tensor = model(state.inputs(x), sums)
        return plain
    model.eval()
    try:
        outputs: Tensor = model(state.inputs(x), sums)
        return outputs
    finally:
        model.train(training)


@torch.no_grad()
def slopes(state: State, sums: Sequence[Tensor]) -> list[Tensor]:
    """Derivative of the activation at each hidden unit's sum, of the sums' shape."""
    _, derivative = ACTIVATIONS[state.config.activation]
    return [derivative(z) for z in sums]


@torch.no_grad()
def dead_shares(state: State, sums: Sequence[Tensor]) -> list[Tensor]:
    """Share of each hidden layer's units that let no gradient through for any of the rows the sums are of."""
    if not sums:
        return []
    slope = slopes(state, [torch.cat(list(sums), dim=1)])[0]  # of all layers at once
    dead = (slope.abs().amax(dim=0) < FLAT_SLOPE).float()
    return [layer.mean() for layer in torch.split(dead, [z.shape[1] for z in sums])]


class Update:
    """What an update does to each layer's weights: made after the backward pass, asked after the step."""

    @torch.no_grad()
    def __init__(self, weights: Sequence[Tensor]) -> None:
        self.weights = weights
        # Measured now: clipping will change them.
        self.gradients = torch._foreach_norm([W.grad for W in weights if W.grad is not None])
        self.before = [W.detach().clone() for W in weights]

    @torch.no_grad()
    def measured(self) -> dict[str, float]:
        """Length of each gradient, and of each step as a share of the weights it changed, by metric name.

        Weights that were all 0 have no such share.
        """
        steps = torch._foreach_norm(torch._foreach_sub(list(self.weights), self.before))
        lengths = torch.stack([*self.gradients, *steps, *torch._foreach_norm(self.before)]).tolist()
        n = len(self.weights)
        values = {f"gradient/layer_{i + 1}": lengths[i] for i in range(n)}
        for i in range(n):
            if lengths[2 * n + i] > 0:
                values[f"update_ratio/layer_{i + 1}"] = lengths[n + i] / lengths[2 * n + i]
        return values
