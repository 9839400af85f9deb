"""What the page claims of each preset, measured over three seeds: the preset's own settings, to its very end."""

from statistics import median

import pytest

from core.algorithms.gan.spec import experiment
from tests.core.algorithms.gan.training import Told, run, start

pytestmark = pytest.mark.claim

STEPS = {p.name: int(p.stop["steps"]) for p in experiment.presets}
SEEDS = (0, 1, 2)


def outcome(preset, name: str, **changed) -> Told:
    return run(start(preset(name, **changed)), STEPS[name] // 32 * 32)


@pytest.mark.long
def test_a_balanced_game_covers_the_ring(preset):
    for seed in SEEDS:
        told = outcome(preset, "balanced", seed=seed)
        assert told.curves["modes/covered"][-1][1] >= 7
        assert told.last("modes/quality") >= 0.90
        assert "mode collapse" not in told.state.active


def test_a_g_that_runs_ahead_is_named_soon(preset):
    told = run(start(preset("eager")), 2304)
    assert told.last("modes/covered") <= 4 and "mode collapse" in told.state.active


@pytest.mark.long
def test_a_g_that_runs_ahead_loses_modes_and_it_is_named(preset):
    trained = [outcome(preset, "eager", seed=seed) for seed in SEEDS]
    assert median(told.last("modes/covered") for told in trained) <= 4
    for told in trained:
        assert "mode collapse" in {note.diagnosis for note in told.notes}


@pytest.mark.long
def test_with_one_step_each_the_same_game_loses_none(preset):
    told = outcome(preset, "eager", g_steps=1)
    assert told.last("modes/covered") > 4


@pytest.mark.long
def test_packing_covers_no_fewer_where_modes_are_lost(preset):
    alone, together = (
        median(outcome(preset, name, seed=seed).last("modes/covered") for seed in SEEDS) for name in ("eager", "packed")
    )
    assert preset("packed") == preset("eager", packing=2)
    assert together >= alone


@pytest.mark.long
def test_the_minimax_loss_learns_nothing_of_a_d_that_is_too_good(preset):
    for seed in SEEDS:
        assert outcome(preset, "saturated", seed=seed).last("modes/covered") <= 1


@pytest.mark.long
def test_a_good_critic_covers_all(preset):
    for seed in SEEDS:
        assert outcome(preset, "wasserstein", seed=seed).last("modes/covered") == 8


@pytest.mark.long
@pytest.mark.parametrize("name", ["digits", "convolutions"])
def test_all_ten_digits_occur(preset, name):
    assert outcome(preset, name).last("modes/covered") == 10
