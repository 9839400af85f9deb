"""What is measured on the way: losses, gradients and answers of the updates themselves, and how good samples are.

Everything follows the count of steps, never the clock, so that a seed gives one curve. Samples are made of noise that
stays the same, so that what moves is G.
"""

from collections.abc import Generator, Iterator

import numpy as np
import torch
from torch import Tensor

from core.algorithms.gan.diagnoses import DIAGNOSES, WINDOW, Evaluation, Evidence
from core.algorithms.gan.model import Net
from core.algorithms.gan.schedule import evaluated
from core.algorithms.gan.source import CHUNK, Findings
from core.algorithms.gan.state import State
from core.data.mixtures import covered as covered_modes
from core.events import Array, Event, Note, Pulse, Scalars, Snapshot
from core.metrics import newly_diagnosed


def report(state: State) -> Iterator[Event]:
    """What is to be told after ``state.step`` updates: of the last updates, and of samples where that is due."""
    values = dict(state.measured)
    found = Findings()
    if evaluated(state.config, state.step):
        made = yield from generated(state)
        yield from state.source.measure(made, found)
        where = yield from modes_of_g(state)
        remember(state, found, where)
    values |= found.values
    if values:
        yield Scalars(state.step, values)
    if len(found.confident):
        shares = {"shares": found.shares.astype(np.float32), "confident": found.confident.astype(np.float32)}
        yield Snapshot(state.step, "classes", shares)
        yield Snapshot(state.step, "nearest", nearest_arrays(state, found))
    if found.values:
        evidence = Evidence(state.history, state.config.loss, state.config.smoothing)
        for diagnosis, reasons in newly_diagnosed(DIAGNOSES, evidence, state.active).items():
            yield Note(state.step, diagnosis, reasons)


def generated(state: State) -> Generator[Event, None, Tensor]:
    """Samples of all the fixed noise, a few at a time, as this generator's value."""
    made: list[Tensor] = []
    for z in torch.split(state.fixed, len(state.fixed) if state.config.flat else CHUNK):
        made.append(state.samples(z))
        if not state.config.flat:
            yield Pulse()
    return torch.cat(made)


def modes_of_g(state: State) -> Generator[Event, None, Array]:
    """The mode that G as it is sends each of the fixed noise to, as this generator's value.

    What circles in G stands still in its average, so this is not asked of the samples shown.
    """
    found: list[Array] = []
    for z in torch.split(state.fixed, len(state.fixed) if state.config.flat else CHUNK):
        found.append(state.source.nearest_mode(state.samples(z, live=True)))
        if not state.config.flat:
            yield Pulse()
    return np.concatenate(found)


def remember(state: State, found: Findings, where: Array) -> None:
    """Put an evaluation into the history; one that is made again at a resumed step takes its own place."""
    history = state.history
    if history and history[-1].step == state.step:
        history.pop()
        state.before = state.since
    moved = float(np.mean(where != state.before)) if len(state.before) else 0.0
    state.since, state.before = state.before, where
    near = covered_modes(np.bincount(where, minlength=len(found.shares)) / len(where))
    probable = state.config.probable and "D/real" in state.measured
    real, fake = (state.measured[f"D/{kind}"] if probable else 0.5 for kind in ("real", "fake"))
    covered = int(found.values["modes/covered"])
    history.append(Evaluation(state.step, covered, near, len(found.shares), moved, real, fake))
    del history[: -2 * WINDOW]


def nearest_arrays(state: State, found: Findings) -> dict[str, np.ndarray]:
    """The first samples as bytes, and the training image that is nearest to each."""
    made = state.samples(state.fixed[: len(found.nearest)]).flatten(1)
    real = state.source.rows[torch.from_numpy(found.nearest).to(made.device)]  # type: ignore[attr-defined]
    return {"made": pixels(made), "real": real.cpu().numpy().reshape(-1, 28, 28)}


def pixels(made: Tensor) -> np.ndarray:
    """Images in -1 … 1 as bytes (n, 28, 28)."""
    bright: np.ndarray = ((made + 1) * 127.5).clamp(0, 255).round().to(torch.uint8).cpu().numpy().reshape(-1, 28, 28)
    return bright


@torch.no_grad()
def noted(state: State, part: str, net: Net, loss: Tensor, real: Tensor | None, fake: Tensor) -> None:
    """Keep what an update found: its loss, the length of its gradient, for D its mean answers.

    Args:
        net: with the gradient of the update; real, fake: D's answers.
    """
    lengths = torch._foreach_norm([p.grad for p in net.parameters() if p.grad is not None])
    found = [loss.detach(), torch.stack(lengths).norm()]
    names = [f"{part}/loss", f"{part}/gradient"]
    if real is not None:
        squash = torch.sigmoid if state.config.probable else torch.nn.Identity()
        found += [squash(real).mean(), squash(fake).mean()]
        names += ["D/real", "D/fake"]
    state.measured |= dict(zip(names, torch.stack(found).tolist(), strict=True))
