"""Play it yourself: the same episode for a person and for the agent."""

import json

import numpy as np
import pytest

from core.algorithms.dqn.requests import KEYS, Move
from core.algorithms.dqn.spec import experiment
from core.algorithms.dqn.views import duel
from core.experiment import Context
from tests.core.algorithms.dqn.training import advance, program, start
from tests.core.algorithms.trial import through_checkpoint


def played(state, name, moves):
    return [event.arrays for event in program.probe(state, name, iter(moves))]


def test_the_cart_waits_for_the_first_key_then_goes_on_as_pushed_last():
    answers = played(start({}), "play", [Move(), Move(), Move(direction="right"), Move(), Move(direction="left")])
    assert [int(a["you_about"][0]) for a in answers] == [0, 0, 1, 2, 3]
    assert [int(a["agent_about"][0]) for a in answers] == [0, 0, 1, 2, 3]
    assert np.array_equal(answers[0]["you_png"], answers[0]["agent_png"])  # the same beginning
    assert not np.array_equal(answers[-1]["you_png"], answers[0]["you_png"])
    assert answers[-1]["you_about"][1] == 3


def test_who_falls_first_waits_and_a_new_episode_comes_at_a_key():
    right = [Move(), *[Move(direction="right")] * 200]
    answers = played(start({}), "play", right)
    steps = [int(a["you_about"][0]) for a in answers]
    ended = next(i for i, a in enumerate(answers) if a["you_about"][2] and a["agent_about"][2])
    assert 8 <= max(steps[: ended + 1]) <= 11  # a pole that is only pushed to the right falls within eleven steps
    assert steps[ended + 1] == 0
    again = played(start({}), "play", [Move(), Move(direction="right"), Move(again=True)])
    assert [int(a["you_about"][0]) for a in again] == [0, 1, 0]


@pytest.mark.parametrize("settings", [{}, {"prioritised": True}, {"target": "none"}, {"method": "q_learning"}])
def test_an_inference_state_plays_as_the_whole_one_does(settings):
    world = {"environment": "FrozenLake-v1"} if "method" in settings else {}
    small = world | settings | {"learning_starts": 100, "train_every": 10}
    whole, again = advance(start(small), 300), start(small)
    tree = through_checkpoint(whole.state_dict())
    reduced = program.inference_state(tree)
    again.load_state_dict(through_checkpoint(reduced))
    moves = [Move(), *[Move(direction="right")] * 5]
    for mine, its in zip(played(again, "play", moves), played(whole, "play", moves), strict=True):
        assert all(np.array_equal(mine[key], its[key]) for key in its)
    if not whole.config.tabular:
        assert size(reduced) < 0.4 * size(tree)


def size(tree):
    """Bytes of all arrays in it."""
    if isinstance(tree, dict | list):
        return sum(size(value) for value in (tree.values() if isinstance(tree, dict) else tree))
    return getattr(tree, "nbytes", 0)


def test_a_step_on_the_grid_is_a_step_of_both_and_none_is_none():
    settings = {"environment": "CliffWalking-v1", "method": "q_learning", "lr": 0.5, "evaluate_episodes": 1}
    state = advance(start(settings), 6000)
    before = state.table.copy()
    answers = played(state, "walk", [Move(), Move(), Move(direction="up"), *[Move(direction="right")] * 11, Move()])
    answers += played(state, "walk", [Move(), Move(direction="right")])
    assert answers[1]["you_about"].tolist() == [0, 0, 0]
    assert answers[14]["you_about"].tolist() == [12, -12, 0]  # along the edge, above the goal
    assert answers[-1]["you_about"].tolist() == [1, -100, 0]  # into the cliff
    assert np.array_equal(state.table, before)


def test_the_agent_goes_its_own_way():
    """A blank table takes the first action, up; the person goes right, into the cliff."""
    state = start({"environment": "CliffWalking-v1", "method": "q_learning"})
    *_, last = played(state, "walk", [Move(), Move(direction="right")])
    assert last["you_about"].tolist() == [1, -100, 0] and last["agent_about"].tolist() == [1, -1, 0]


@pytest.mark.parametrize("environment", KEYS)
def test_every_environment_that_can_be_played_is_drawn_for_both(environment):
    method = "dqn" if environment.endswith(("Pole-v1", "Car-v0", "bot-v1")) else "q_learning"
    state = start({"environment": environment, "method": method})
    name = next(p.name for p in experiment.probes if environment in p.shown_if["environment"])
    (*_, last) = played(state, name, [Move(), *[Move(direction=d) for d in KEYS[environment]]])
    figure = duel(last, Context(state.config, {}, 0))
    json.dumps(figure, allow_nan=False)
    assert len(figure["layout"]["images"]) == len(figure["layout"]["annotations"]) == 2
