"""What the page claims of each preset, measured: the very settings of the preset, to its very end."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from core.algorithms.resnet.probes import BlockEditor
from core.algorithms.resnet.spec import experiment
from tests.core.algorithms.resnet.training import run, start
from tests.core.algorithms.trial import Log

pytestmark = pytest.mark.claim

PRESETS = {p.name: p for p in experiment.presets}
STEPS = {name: int(p.stop["steps"]) for name, p in PRESETS.items()}
TITLES = {name: p.title for name, p in PRESETS.items()}
SEEDS = (0, 1, 2)
#: Twenty layers take a quarter of a minute: one seed of them in the suite, the others in `make experiments`.
SHORT = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in SEEDS[1:])]


@cache
def outcome(name: str, seed: int, **changed: Any) -> Log:
    """A preset's training to its end; made once for all claims."""
    return run(start({**PRESETS[name].settings, "seed": seed, **changed}), STEPS[name])


def diagnoses(log: Log) -> list[str]:
    return [note.diagnosis for note in log.notes]


def ratios_at_the_start(log: Log) -> tuple[float, float]:
    """The first block's gradient over the last one's before the first step: residual, plain."""
    return tuple(log.curves[f"{name}/gradient_ratio"][0][1] for name in ("residual", "plain"))  # type: ignore[return-value]


@pytest.mark.parametrize("seed", SHORT)
def test_twenty_layers(measured, seed):
    title, log = f"{TITLES['twenty']}, seed {seed}", outcome("twenty", seed)
    residual, plain = (log.last(f"{name}/loss") for name in ("residual", "plain"))
    measured(f"{title}: residual over plain training loss", residual / plain, at_most=2 / 3)
    measured(f"{title}: plain test accuracy", log.last("plain/accuracy"), at_least=0.88)
    measured(f"{title}: residual test accuracy", log.last("residual/accuracy"), at_least=0.9)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_fifty_six_layers(measured, seed):
    title, deep, shallow = f"{TITLES['fifty_six']}, seed {seed}", outcome("fifty_six", seed), outcome("twenty", seed)
    residual, plain = (deep.last(f"{name}/loss") for name in ("residual", "plain"))
    measured(f"{title}: plain loss over that of 20 layers", plain / shallow.last("plain/loss"), at_least=5)
    measured(f"{title}: plain loss over residual loss", plain / residual, at_least=5)
    of_shallow = residual / shallow.last("residual/loss")
    measured(f"{title}: residual loss over that of 20 layers", of_shallow, at_most=2)
    measured(f"{title}: residual test accuracy", deep.last("residual/accuracy"), at_least=0.9)
    measured(f"{title}: is degradation named?", "degradation" in diagnoses(deep), exactly=True)
    measured(f"{title}: are exploding gradients named?", "exploding gradients" in diagnoses(deep), exactly=True)
    ratio = float(np.median([one for step, one in deep.curves["plain/gradient_ratio"] if step >= 100]))
    measured(f"{title}: plain, first block's gradient over the last's from step 100", ratio, at_least=0.01, at_most=1)
    measured(f"{title}: are vanishing ones?", "vanishing gradients by block" in diagnoses(deep), exactly=False)


def accuracy_without(log: Log, name: str) -> tuple[float, np.ndarray]:
    """Accuracy of a network, and with each one of its blocks cut that keep their shape."""
    editor = BlockEditor(log.state)
    which = list(log.state.networks).index(name)
    kept = [i for i, block in enumerate(log.state.networks[name].blocks) if block.keeps_shape]
    return float(editor.whole[which]), np.array([editor.accuracy({i})[which] for i in kept])


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_a_deep_residual_network_can_do_without_a_block(measured, seed):
    whole, without = accuracy_without(outcome("fifty_six", seed), "residual")
    share = float(np.mean(without >= whole - 0.05))
    measured(f"{TITLES['fifty_six']}, seed {seed}: residual blocks whose cut costs ≤ 0.05", share, at_least=0.75)


@pytest.mark.parametrize("seed", SHORT)
def test_a_plain_network_cannot_do_without_a_block(measured, seed):
    _, without = accuracy_without(outcome("twenty", seed), "plain")
    share = float(np.mean(without <= 0.35))
    measured(f"{TITLES['twenty']}, seed {seed}: plain blocks whose cut leaves ≤ 0.35", share, at_least=0.75)


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_before_the_first_step(measured, seed):
    """They explode with batch norm and do not vanish; without it the signal explodes where there are shortcuts."""
    log = run(start({**PRESETS["fifty_six"].settings, "seed": seed}), 0)
    residual, plain = ratios_at_the_start(log)
    title = f"{TITLES['fifty_six']}, seed {seed}: first block's gradient over the last's"
    measured(f"{title}, plain", plain, at_least=100)
    measured(f"{title}, residual", residual, at_most=10)
    log = run(start({**PRESETS["no_norm"].settings, "seed": seed}), 0)
    _, plain = ratios_at_the_start(log)
    title = f"{TITLES['no_norm']}, seed {seed}"
    measured(f"{title}: first block's gradient over the last's, plain", plain, at_least=0.1, at_most=30)
    measured(f"{title}: residual network's first loss", log.last("residual/loss"), at_least=1000)
    measured(f"{title}: are exploding activations named?", "exploding activations" in diagnoses(log), exactly=True)
