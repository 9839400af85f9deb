"""What is measured on the way: losses and scores of both parts of the data, and the diagnoses they allow.

Everything follows the count of steps, never the clock, so that a seed gives one curve. The training part is measured
on a fixed sample of at most 500 rows and, inside an epoch, the test part on one of 1,000: a measurement has to
stay a few percent of the work. At the first evaluation after an epoch's end all test rows count.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from core.algorithms.dnn.diagnose import Evaluation, diagnose
from core.algorithms.dnn.model import ACTIVATIONS, MLP, loss_of
from core.algorithms.dnn.state import State
from core.events import Event, Note, Pulse, Scalars
from core.experiment import Diverged

TRAIN_ROWS, TEST_ROWS, CHUNK = 500, 1000, 1000

#: Evaluations from one look for diagnoses to the next.
LOOK = 8

#: A derivative below this lets no gradient through: |z| > 4.6 of a sigmoid, |z| > 3 of a tanh, z < 0 of a ReLU.
FLAT_SLOPE = 0.01


def due(step: int, every: int = 1) -> bool:
    """Whether something is logged after ``step`` updates.

    Every step at first, then every 2nd, 4th, …: 64 times in each doubling of the steps. With ``every`` (a power of
    two) at no more than each such step, and at 0, 1, 4, 16, … before the first.
    """
    spacing = max(every, 1 << max(0, step.bit_length() - 7))
    return step % spacing == 0 or (step < every and step & (step - 1) == 0 and step.bit_length() % 2 == 1)


def evaluation_spacing(state: State) -> int:
    """Steps between two evaluations, a power of two, so that they cost about 4 % of the training.

    Reckoned, not timed: an evaluation is a forward pass (2 operations a weight and row), an update three of them.
    What calling them costs, some 20 million operations, is let pass: where it counts, both are quick.
    """
    weights = sum(p.numel() for p in state.model.parameters())
    rows = min(len(state.x_train), TRAIN_ROWS) + min(len(state.x_test), TEST_ROWS)
    evaluation = 2.0 * rows * weights
    update = 20e6 + 6.0 * min(state.config.batch_size, len(state.x_train)) * weights
    spacing = 1
    while spacing * update * 0.04 < evaluation * 0.75:
        spacing *= 2
    return spacing


def report(state: State) -> Iterator[Event]:
    """What is to be told after ``state.step`` updates: of the last update, and of an evaluation where one is due."""
    values = dict(state.measured)
    evaluated = due(state.step, evaluation_spacing(state))
    if evaluated:
        yield from evaluate(state, values)
    yield Scalars(state.step, values)
    if evaluated and len(state.history) % LOOK == 1:
        for diagnosis, reasons in diagnose(state.history, values, state.active).items():
            yield Note(state.step, diagnosis, reasons)


def evaluate(state: State, values: dict[str, float]) -> Iterator[Event]:
    """Put losses and scores of both parts into ``values``. Uses no dropout.

    Raises:
        Diverged: the loss of the training part is no longer a number.
    """
    new_epoch = not state.history or state.epochs > state.history[-1].epochs
    rows = len(state.x_test) if new_epoch else min(len(state.x_test), TEST_ROWS)
    for part, xs, ys in (
        ("train", state.x_train[:TRAIN_ROWS], state.y_train[:TRAIN_ROWS]),
        ("test", state.x_test[:rows], state.y_test[:rows]),
    ):
        outputs: list[Tensor] = []
        sums: list[Tensor] = []
        for start in range(0, len(xs), CHUNK):
            sums = []
            outputs.append(forward(state, xs[start : start + CHUNK], sums))
            if len(xs) > CHUNK:
                yield Pulse()
        guessed = torch.cat(outputs)
        values |= scores(state, part, guessed, ys)
        if part == "train":
            values |= {f"dead/layer_{i}": share for i, share in enumerate(dead_shares(state, sums), start=1)}
        elif state.data.classes:
            state.predicted = guessed.argmax(dim=1).to(torch.uint8).cpu().numpy()
    if not math.isfinite(values["train/loss"]):
        raise Diverged(f"the training loss is {values['train/loss']}")
    lengths = [length for name, length in values.items() if name.startswith("gradient/")]
    ratio = lengths[0] / lengths[-1] if len(lengths) > 1 and lengths[-1] > 0 else 1.0
    state.history.append(Evaluation(state.step, state.epochs, values["train/loss"], values["test/loss"], ratio))


def scores(state: State, part: str, guessed: Tensor, y: Tensor) -> dict[str, float]:
    """Loss and accuracy, or loss and error in the data's own units, by metric name."""
    values = {f"{part}/loss": float(loss_of(guessed, y, state.config.criterion))}
    if state.data.classes:
        values[f"{part}/accuracy"] = float((guessed.argmax(dim=1) == y).float().mean())
    else:
        values[f"{part}/rmse"] = float((guessed[:, 0] - y).square().mean().sqrt()) * state.y_deviation
    return values


@torch.no_grad()
def forward(state: State, x: Tensor, sums: list[Tensor] | None = None) -> Tensor:
    """Outputs for rows of ``x_train`` or ``x_test`` as at a test: no dropout, batch norm by its running figures."""
    model, training = state.model, state.model.training
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


def dead_shares(state: State, sums: Sequence[Tensor]) -> list[float]:
    """Share of each hidden layer's units that let no gradient through for any of the rows the sums are of."""
    if not sums:
        return []
    shares: list[float] = torch.stack(
        [(slope.abs().amax(dim=0) < FLAT_SLOPE).float().mean() for slope in slopes(state, sums)]
    ).tolist()
    return shares


@torch.no_grad()
def norms(tensors: Sequence[Tensor]) -> list[float]:
    """Euclidean length of each, fetched from the device in one go."""
    lengths: list[float] = torch.stack(list(torch._foreach_norm(list(tensors)))).tolist()
    return lengths


def gradient_norms(model: MLP) -> dict[str, float]:
    """Length of the gradient of each layer's weights, by metric name."""
    lengths = norms([W.grad if W.grad is not None else torch.zeros_like(W) for W in model.weights])
    return {f"gradient/layer_{i}": length for i, length in enumerate(lengths, start=1)}


def update_ratios(model: MLP, before: Sequence[Tensor]) -> dict[str, float]:
    """Length of each layer's last step as a share of the length of its weights, by metric name."""
    steps = norms([W.detach() - old for W, old in zip(model.weights, before, strict=True)])
    return {
        f"update_ratio/layer_{i}": step / max(length, 1e-12)
        for i, (step, length) in enumerate(zip(steps, norms(before), strict=True), start=1)
    }
