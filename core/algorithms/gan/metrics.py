"""What is measured while a GAN trains: the last updates themselves, and how good generated samples are.

Everything follows the count of steps, never the clock, so that a seed gives one curve. Samples are made of noise that
stays the same, so that what moves is G.
"""

from collections.abc import Generator, Iterator

import numpy as np
import torch
from torch import Tensor

from core.algorithms.gan.diagnoses import DIAGNOSES, WINDOW, Evaluation, Evidence
from core.algorithms.gan.train import GAN
from core.data.mixtures import covered
from core.events import Array, Event, Pulse, Scalars, Snapshot
from core.sample_quality import CHUNK, Judgement
from core.samplers import to_bytes

#: Updates between two evaluations of generated samples, once there were so many.
EVALUATE = 256


def log_metrics(s: GAN) -> Iterator[Event]:
    """The last updates of D and G, and an evaluation of samples where one is due."""
    judgement = None
    if should_evaluate(s):
        samples = yield from generate_fixed(s)
        judgement = yield from s.judge.evaluate(samples)
        # Where G circles its average stands still: which mode the noise is sent to is measured on G as it is.
        current = yield from generate_fixed(s, averaged=False)
        append_evaluation(s, judgement, s.judge.nearest_mode(current))
    if values := s.recorded | (judgement.metrics if judgement else {}):
        yield Scalars(s.step, values)
    if judgement is None:
        return
    if len(judgement.confidence):
        shares, confidence = judgement.shares.astype(np.float32), judgement.confidence.astype(np.float32)
        yield Snapshot(s.step, "classes", {"shares": shares, "confident": confidence})
        made = to_bytes(samples[: len(judgement.nearest)])
        yield Snapshot(s.step, "nearest", {"made": made, "real": judgement.nearest})
    yield from s.diagnose(DIAGNOSES, Evidence(s.history, s.config.loss, s.config.smoothing))


def should_evaluate(s: GAN) -> bool:
    """Whether generated samples are evaluated after ``s.step`` updates: at 0, 16, 32, … and at each 256."""
    every = max(EVALUATE, s.steps_between_logs(s.step))
    return s.step % every == 0 or (16 <= s.step < every and s.step & (s.step - 1) == 0)


def append_evaluation(s: GAN, judgement: Judgement, modes: Array) -> None:
    """Append an evaluation to the history; ``modes`` are those that G sends the fixed noise to."""
    moved = 0.0 if s.modes is None else float(np.mean(modes != s.modes))
    n_modes = len(judgement.shares)
    near = covered(np.bincount(modes, minlength=n_modes) / len(modes))
    probable = s.config.d_is_probability and "D/real" in s.recorded
    real, fake = (s.recorded[f"D/{kind}"] if probable else 0.5 for kind in ("real", "fake"))
    s.history.append(Evaluation(s.step, int(judgement.metrics["modes/covered"]), near, n_modes, moved, real, fake))
    del s.history[:-WINDOW]  # all that a diagnosis needs
    s.modes = modes


@torch.no_grad()
def generate(s: GAN, z: Tensor, *, averaged: bool = True) -> Tensor:
    """Samples of noise z as at a test: by the average of G where there is one, or by G as it is."""
    net = s.G_ema if averaged and s.config.ema else s.G
    net.eval()
    samples: Tensor = net(z)
    s.G.train()  # the average never is
    return samples


def generate_fixed(s: GAN, *, averaged: bool = True) -> Generator[Event, None, Tensor]:
    """Samples of all the fixed noise, a few at a time, as this generator's value."""
    chunks: list[Tensor] = []
    for z in torch.split(s.fixed_z, CHUNK):
        chunks.append(generate(s, z, averaged=averaged))
        yield Pulse()
    return torch.cat(chunks)
