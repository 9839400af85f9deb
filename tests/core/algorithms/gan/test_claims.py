"""What the page claims of each preset, measured over three seeds: the preset's own settings, to its very end."""

from statistics import median

import pytest
import torch

from core.algorithms.gan.model import g_loss
from core.algorithms.gan.spec import experiment
from core.algorithms.gan.train import GAN
from core.samplers import encode
from tests.core.algorithms.gan.test_metrics import judged
from tests.core.algorithms.gan.training import run, start
from tests.core.algorithms.trial import Log

pytestmark = pytest.mark.claim

STEPS = {p.name: int(p.stop["steps"]) for p in experiment.presets}
TITLES = {p.name: p.title for p in experiment.presets}
SEEDS = (0, 1, 2)


def outcome(preset, name: str, **changed) -> Log:
    return run(start(preset(name, **changed)), STEPS[name] // 32 * 32)


def covered(log: Log) -> float:
    return log.last("modes/covered")


def gradient_of_g(state: GAN, loss: str) -> float:
    """Length of the gradient of a loss in G's weights, against the D of the state."""
    gradients = torch.autograd.grad(g_loss(loss, state.D(state.G(state.fixed_z))), list(state.G.parameters()))
    return float(torch.stack([g.norm() for g in gradients]).norm())


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_a_balanced_game_covers_the_ring(preset, measured, seed):
    log, title = outcome(preset, "balanced", seed=seed), TITLES["balanced"]
    measured(f"{title}: modes covered, seed {seed}", covered(log), at_least=7)
    measured(f"{title}: share of good samples, seed {seed}", log.last("modes/quality"), at_least=0.90)
    measured(f"{title}: is a collapse seen at its end?", "mode collapse" in log.state.active, exactly=False)


@pytest.mark.long
def test_a_g_that_runs_ahead_is_named_soon(preset, measured):
    log, title = run(start(preset("eager")), 2304), TITLES["eager"]
    measured(f"{title}: modes covered at step 2,304", covered(log), at_most=4)
    measured(f"{title}: is the collapse named by then?", "mode collapse" in log.state.active, exactly=True)


@pytest.mark.long
def test_a_g_that_runs_ahead_settles_on_no_cloud_and_it_is_named(preset, measured):
    trained, title = [outcome(preset, "eager", seed=seed) for seed in SEEDS], TITLES["eager"]
    measured(f"{title}: modes covered, median of three", median(map(covered, trained)), at_most=4)
    good = max(log.last("modes/quality") for log in trained)
    measured(f"{title}: share of good samples, most of three", good, at_most=0.1)
    near = median(log.state.history[-1].near for log in trained)
    measured(f"{title}: modes that G crowds near, median of three", near, at_most=4)
    named = sum("mode collapse" in {note.diagnosis for note in log.notes} for log in trained)
    measured(f"{title}: in how many of three is the collapse named?", named, exactly=3)


@pytest.mark.long
def test_with_one_step_each_the_same_game_loses_none(preset, measured):
    log = outcome(preset, "eager", g_steps=1)
    measured(f"{TITLES['eager']}, but one step each: modes covered", covered(log), at_least=5)


@pytest.mark.long
def test_packing_covers_what_is_lost_without(preset, measured):
    assert preset("packed") == preset("eager", packing=2)
    together = median(covered(outcome(preset, "packed", seed=seed)) for seed in SEEDS)
    measured(f"{TITLES['packed']}: modes covered, median of three", together, at_least=7)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_the_minimax_loss_learns_nothing_of_a_d_that_is_too_good(preset, measured, seed):
    log, title = outcome(preset, "saturated", seed=seed), TITLES["saturated"]
    measured(f"{title}: modes covered, seed {seed}", covered(log), at_most=1)
    named = "D too strong" in {note.diagnosis for note in log.notes}
    measured(f"{title}: is D named too strong? seed {seed}", named, exactly=True)
    minimax, other = (gradient_of_g(log.state, loss) for loss in ("minimax", "non_saturating"))
    measured(f"{title}: G's gradient ÷ the non-saturating one's at its end, seed {seed}", minimax / other, at_most=0.1)


@pytest.mark.long
def test_the_non_saturating_loss_learns_of_a_d_as_good(preset, measured):
    trained = [outcome(preset, "saturated", loss="non_saturating", seed=seed) for seed in SEEDS]
    title = f"{TITLES['saturated']}, but non-saturating"
    measured(f"{title}: modes covered, median of three", median(map(covered, trained)), at_least=4)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_critic_covers_all(preset, measured, seed):
    log = outcome(preset, "wasserstein", seed=seed)
    measured(f"{TITLES['wasserstein']}: modes covered, seed {seed}", covered(log), exactly=8)


@pytest.mark.long
def test_all_ten_digits_occur_and_convolutions_come_nearer_to_real_ones(preset, measured):
    apart = {}
    for name in ("digits", "convolutions"):
        log = outcome(preset, name)
        measured(f"{TITLES[name]}: digits that occur", covered(log), exactly=10)
        apart[name] = log.last("images/frechet")
    title = f"{TITLES['convolutions']}: Fréchet distance ÷ that of {TITLES['digits'].lower()}"
    measured(title, apart["convolutions"] / apart["digits"], at_most=1)


def test_real_images_have_a_distance_too(measured):
    """Of so few samples the covariance is rough: no run can be expected to come below."""
    state = start({"data": "mnist_5k"})
    parts = [state.real_data.pixels[i::4] for i in range(4)] + list(state.real_data.pixels.split(1000))
    for i, part in enumerate(parts, start=1):
        distance = judged(state, encode(part)).metrics["images/frechet"]
        measured(f"1,000 real training images, part {i}: Fréchet distance", distance, at_least=1.5, at_most=2.5)
