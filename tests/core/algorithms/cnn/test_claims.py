"""What the page claims of each preset, measured: the very settings of the preset, to its very end."""

from functools import cache

import numpy as np
import pytest
import torch

from core.algorithms.cnn.metrics import logits
from core.algorithms.cnn.spec import experiment
from core.algorithms.cnn.train import moved_pictures
from core.training import generator
from tests.core.algorithms.cnn.training import run, start
from tests.core.algorithms.trial import Log

PRESETS = {p.name: p for p in experiment.presets}
STEPS = {name: int(p.stop["steps"]) for name, p in PRESETS.items()}
SEEDS = (0, 1, 2)

# Three trainings of a minute each, and more: none of them is cheap enough for the suite.
pytestmark = [pytest.mark.claim, pytest.mark.long]


@cache
def outcome(name: str, seed: int = 0, **changed) -> Log:
    """A preset to its end; several claims measure the same run."""
    state = start(dict(PRESETS[name].settings) | changed | {"seed": seed})
    return run(state, STEPS[name])


@torch.no_grad()
def accuracy(log: Log, shift: int = 0) -> float:
    """Of all test pictures, each moved at random by up to ``shift`` pixels each way."""
    s = log.state
    config = s.config.model_copy(update={"test_shift": shift})
    x = moved_pictures(s.x_test, config, generator(s.config.seed, "claims")) if shift else s.x_test
    guessed = torch.cat([logits(s, x[i : i + 500]).argmax(dim=1) for i in range(0, len(x), 500)])
    return (guessed == s.y_test).float().mean().item()


def title(name: str) -> str:
    return PRESETS[name].title


def mean(values) -> float:
    return float(np.mean(list(values)))


def gap(name: str, other: str, shift: int) -> float:
    """How much more of the test pictures the one reads than the other, in the mean over the seeds."""
    return mean(accuracy(outcome(name, seed), shift) - accuracy(outcome(other, seed), shift) for seed in SEEDS)


def test_digits_are_read(measured):
    for seed in SEEDS:
        found = accuracy(outcome("digits", seed))
        measured(f"{title('digits')}: test accuracy, seed {seed}", found, at_least=0.96)


def test_convolutions_read_more_than_a_perceptron_of_their_size(measured):
    for shift, least in ((0, 0.015), (2, 0.12)):
        found = gap("digits", "digits_mlp", shift)
        measured(f"{title('digits_mlp')}: the gap on digits moved by up to {shift}", found, at_least=least)


def test_and_more_the_further_the_digits_are_moved(measured):
    assert dict(PRESETS["far"].settings) == {"test_shift": 4}  # but for the test it is the first preset
    measured(f"{title('far')}: the gap on digits moved by up to 4", gap("digits", "digits_mlp", 4), at_least=0.1)


def test_global_average_pooling_does_best_on_moved_digits(measured):
    found = gap("average", "digits", 4)
    measured(f"{title('average')}: above dense layers, moved by up to 4", found, at_least=0.1)


def test_scrambled_pixels_cost_the_convolutions_alone(measured):
    found = gap("digits", "scrambled", 0)
    measured(f"{title('scrambled')}: what it costs the convolutions", found, at_least=0.01)
    found = gap("digits_mlp", "scrambled_mlp", 0)
    measured(f"{title('scrambled_mlp')}: what it costs", found, at_least=-0.01, at_most=0.01)


def test_moving_500_pictures_while_training_helps(measured):
    found = gap("few_shifted", "few", 0)
    measured(f"{title('few_shifted')}: above those that stay", found, at_least=0.02)


def test_strokes_learned_on_five_digits_serve_for_the_others(measured):
    seeds = range(5)
    for seed in seeds:
        measured(f"{title('half')}: test accuracy, seed {seed}", accuracy(outcome("half", seed)), at_least=0.96)
    for n in (1, 3, 5):
        above = []
        for seed in seeds:
            state = start(dict(PRESETS["transfer"].settings) | {"per_class": n, "seed": seed})
            state.load_weights(outcome("half", seed).state.state_dict())
            transferred = accuracy(run(state, STEPS["transfer"]))
            above.append(transferred - accuracy(outcome("scratch", seed, per_class=n)))
        measured(f"{title('transfer')}: {n} of each, above scratch", mean(above), at_least=0.01)


def test_lenet_5_reads_digits(measured):
    for seed in SEEDS:
        found = accuracy(outcome("lenet5", seed))
        measured(f"{title('lenet5')}: test accuracy, seed {seed}", found, at_least=0.94)


def test_shapes_are_told_apart(measured):
    for seed in SEEDS:
        found = accuracy(outcome("shapes", seed))
        measured(f"{title('shapes')}: test accuracy, seed {seed}", found, at_least=0.5)


def test_the_full_mnist_in_one_epoch(measured):
    for seed in SEEDS:
        log = outcome("mnist", seed)
        assert log.state.batches.epoch == 1.0 and len(log.state.x_test) == 10_000
        measured(f"{title('mnist')}: test accuracy after one epoch, seed {seed}", accuracy(log), at_least=0.98)
