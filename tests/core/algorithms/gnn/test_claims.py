"""What the page claims of each preset, measured with the preset's own settings, to its very end."""

from functools import cache
from statistics import mean

import pytest

from core.algorithms.gnn.metrics import dirichlet_energy, evaluate
from core.algorithms.gnn.spec import experiment
from tests.core.algorithms.gnn.training import run, start
from tests.core.algorithms.trial import Log

pytestmark = pytest.mark.claim

PRESETS = {p.name: p for p in experiment.presets}
TEN, THREE = range(10), range(3)


@cache
def outcome(name: str, seed: int = 0) -> Log:
    return run(start(dict(PRESETS[name].settings) | {"seed": seed}), int(PRESETS[name].stop["steps"]))


def chosen(name: str, seeds: range = TEN, score: str = "chosen/accuracy") -> float:
    """Mean over the seeds of the test at the epoch that validation chose."""
    return mean(outcome(name, seed).last(score) for seed in seeds)


@pytest.mark.long
def test_two_labels_a_community_are_enough(measured):
    title = PRESETS["communities"].title
    measured(f"{title}: test accuracy, mean of 3 seeds", chosen("communities", THREE), at_least=0.90)


@pytest.mark.long
def test_without_edges_it_is_guessing(measured):
    title = PRESETS["control"].title
    measured(f"{title}: test accuracy, mean of 3 seeds", chosen("control", THREE), at_least=0.1, at_most=0.3)


@pytest.mark.long
def test_where_there_is_nothing_to_find_nothing_is_found(measured):
    title = PRESETS["nothing"].title
    log = [outcome("nothing", seed) for seed in THREE]
    for seed, one in enumerate(log):
        measured(f"{title}: chosen epoch, seed {seed}", one.last("chosen/accuracy"), at_least=0.20, at_most=0.30)
    measured(f"{title}: training accuracy", min(t.last("train/accuracy") for t in log), at_least=0.95)


def test_karate_with_one_label_a_group(measured):
    title = PRESETS["karate"].title
    measured(f"{title}: test accuracy, mean of 10 seeds", chosen("karate"), at_least=0.70)
    measured(f"{title}: at the last step", chosen("karate", TEN, "test/accuracy"), at_least=0.70)


def test_karate_without_edges(measured):
    title = PRESETS["karate_control"].title
    measured(f"{title}: test accuracy, mean of 10 seeds", chosen("karate_control"), at_most=13 / 34)


@pytest.mark.long
def test_cora(measured):
    measured(f"{PRESETS['cora'].title}: test accuracy, mean of 10 seeds", chosen("cora"), at_least=0.805)


@pytest.mark.long
def test_cora_without_edges(measured):
    measured(f"{PRESETS['cora_mlp'].title}: test accuracy, mean of 10 seeds", chosen("cora_mlp"), at_most=0.62)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_cora_with_attention(measured):
    measured(f"{PRESETS['cora_gat'].title}: test accuracy, mean of 10 seeds", chosen("cora_gat"), at_least=0.815)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_sixteen_layers_smooth_everything_away_and_a_remedy_wins_it_back(measured):
    seeds = THREE
    shallow, deep, cured = (chosen(name, seeds) for name in ("cora", "deep", "deep_jumping"))
    title = PRESETS["deep"].title
    measured(f"{title}: test accuracy lost against 2, mean of 3 seeds", shallow - deep, at_least=0.25)
    measured(f"{PRESETS['deep_jumping'].title}: won back", cured - deep, at_least=0.15)
    for seed in seeds:
        two, many = outcome("cora", seed).state, outcome("deep", seed).state
        fallen = energy(many, 0) / energy(many, -2)  # seeds 0 to 2: 52, 60, 9.6
        measured(f"{title}: energy of the features ÷ last layer but one, seed {seed}", fallen, at_least=5)
        measured(f"{title}: that energy, beside 2 layers'", energy(two, -2) / energy(many, -2), at_least=2)


def test_before_training_sixteen_layers_have_a_tenth_of_the_energy_of_two(measured):
    for seed in THREE:
        two, many = (start(dict(PRESETS[name].settings) | {"seed": seed}) for name in ("cora", "deep"))
        ratio = energy(two, -2) / energy(many, -2)
        measured(f"Depth 2 → 16, before training: Dirichlet energy falls by, seed {seed}", ratio, at_least=10)


def energy(state, layer: int) -> float:
    """Dirichlet energy of the features (0) or of a layer's output."""
    outputs = [state.task.x, *state.cached_at_step(evaluate).hidden]
    return dirichlet_energy(outputs[layer], state.task.edges)


@pytest.mark.long
def test_edges_that_were_taken_away_are_found(measured):
    measured(f"{PRESETS['links'].title}: area, mean of 3 seeds", chosen("links", THREE, "chosen/auc"), at_least=0.80)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_sums_tell_motifs_apart(measured):
    measured(f"{PRESETS['motifs'].title}: test accuracy", chosen("motifs", range(1)), at_least=0.85)


@pytest.mark.long
def test_means_do_not(measured):
    measured(f"{PRESETS['motifs_mean'].title}: test accuracy", chosen("motifs_mean", range(1)), at_most=0.45)
