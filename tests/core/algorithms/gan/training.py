"""Trainings of a GAN, driven by hand up to a step."""

from functools import cache, partial
from typing import Any

from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.train import GAN, load
from core.events import Step
from tests.core.algorithms import trial

program = trial.program("gan")
run = partial(trial.run, "gan")
snapshots = partial(trial.snapshots, "gan")


@cache
def judged_images(data: str) -> Any:
    """Images and the classifier that judges samples, which takes seconds to train: made once for all tests."""
    return load(GANConfig(data=data))  # type: ignore[arg-type]


def start(settings: dict[str, Any]) -> GAN:
    config = GANConfig(**settings)
    state: GAN = trial.start("gan", settings, None if config.two_dimensional else judged_images(config.data))
    return state


def update(state: GAN, part: str) -> Step:
    """One update of this part, whichever is next."""
    state.next_part = part
    step = next(program.train(state))
    assert isinstance(step, Step)
    return step
