"""What the page claims of each preset, measured over three seeds: the preset's own settings, to its very end."""

from statistics import median

import pytest

from core.algorithms.gan.spec import experiment
from tests.core.algorithms.gan.training import Told, run, start

pytestmark = pytest.mark.claim

STEPS = {p.name: int(p.stop["steps"]) for p in experiment.presets}
TITLES = {p.name: p.title for p in experiment.presets}
SEEDS = (0, 1, 2)


def outcome(preset, name: str, **changed) -> Told:
    return run(start(preset(name, **changed)), STEPS[name] // 32 * 32)


def covered(told: Told) -> float:
    return told.last("modes/covered")


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_a_balanced_game_covers_the_ring(preset, measured, seed):
    told, title = outcome(preset, "balanced", seed=seed), TITLES["balanced"]
    measured(f"{title}: modes covered, seed {seed}", covered(told), at_least=7)
    measured(f"{title}: share of good samples, seed {seed}", told.last("modes/quality"), at_least=0.90)
    measured(f"{title}: is a collapse seen at its end?", "mode collapse" in told.state.active, exactly=False)


def test_a_g_that_runs_ahead_is_named_soon(preset, measured):
    told, title = run(start(preset("eager")), 2304), TITLES["eager"]
    measured(f"{title}: modes covered at step 2,304", covered(told), at_most=4)
    measured(f"{title}: is the collapse named by then?", "mode collapse" in told.state.active, exactly=True)


@pytest.mark.long
def test_a_g_that_runs_ahead_loses_modes_and_it_is_named(preset, measured):
    trained, title = [outcome(preset, "eager", seed=seed) for seed in SEEDS], TITLES["eager"]
    measured(f"{title}: modes covered, median of three", median(map(covered, trained)), at_most=4)
    named = sum("mode collapse" in {note.diagnosis for note in told.notes} for told in trained)
    measured(f"{title}: in how many of three is the collapse named?", named, exactly=3)


@pytest.mark.long
def test_with_one_step_each_the_same_game_loses_none(preset, measured):
    told = outcome(preset, "eager", g_steps=1)
    measured(f"{TITLES['eager']}, but one step each: modes covered", covered(told), at_least=5)


@pytest.mark.long
def test_packing_covers_no_fewer_where_modes_are_lost(preset, measured):
    alone, together = (
        median(covered(outcome(preset, name, seed=seed)) for seed in SEEDS) for name in ("eager", "packed")
    )
    assert preset("packed") == preset("eager", packing=2)
    measured(f"{TITLES['packed']}: modes covered, median of three", together, at_least=alone)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_the_minimax_loss_learns_nothing_of_a_d_that_is_too_good(preset, measured, seed):
    told = outcome(preset, "saturated", seed=seed)
    measured(f"{TITLES['saturated']}: modes covered, seed {seed}", covered(told), at_most=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_critic_covers_all(preset, measured, seed):
    told = outcome(preset, "wasserstein", seed=seed)
    measured(f"{TITLES['wasserstein']}: modes covered, seed {seed}", covered(told), exactly=8)


@pytest.mark.long
@pytest.mark.parametrize("name", ["digits", "convolutions"])
def test_all_ten_digits_occur(preset, measured, name):
    measured(f"{TITLES[name]}: digits that occur", covered(outcome(preset, name)), exactly=10)
