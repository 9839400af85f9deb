"""What the loop does in one update and in one step, against the formulas written out with numpy."""

from typing import Any

import numpy as np
import pytest
import torch

from core.algorithms.dqn.train import train
from core.events import Step
from tests.core.algorithms.dqn.training import advance, start

EVERYTHING = {
    "layers": (16,),
    "learning_starts": 50,
    "train_every": 10_000,
    "batch_size": 16,
    "buffer": 500,
    "evaluate_every": 10_000,
    "epsilon_steps": 400,
    "double": True,
    "prioritised": True,
    "alpha": 0.7,
    "beta": 0.3,
    "n_step": 3,
    "target_every": 10_000,
    "clip": 0.05,
}


def recorded(settings: dict[str, Any], steps: int) -> tuple[Any, list[Any]]:
    """A training up to a step, and all transitions that its environment made."""
    state = start(settings)
    seen = []
    step = state.env.step
    state.env.step = lambda action: seen.append(step(action)) or seen[-1]
    advance(state, steps)
    return state, seen


def test_three_rewards_are_added_up_within_an_episode_and_discounted_by_their_number():
    state, seen = recorded(EVERYTHING, 120)
    gamma, expected = state.config.gamma, []
    ends = [i for i, step in enumerate(seen) if step.terminated or step.truncated]
    assert len(ends) >= 2
    for i, first in enumerate(seen):
        end = min([e for e in ends if e >= i], default=None)
        last = i + 2 if end is None else min(i + 2, end)
        if last >= len(seen):
            break  # still waiting
        R = sum(gamma**k * seen[i + k].reward for k in range(last - i + 1))
        expected.append((first.observation, first.action, R, seen[last].next_observation, gamma ** (last - i + 1)))
    replay = state.replay_buffer
    assert replay.size == len(expected) and {round(d, 6) for *_, d in expected} == {0.99, 0.9801, 0.970299}
    for row, (before, action, R, after, discount) in enumerate(expected):
        assert np.array_equal(replay.observation[row], before) and replay.action[row] == action
        assert np.array_equal(replay.next_observation[row], after)
        assert np.isclose(replay.reward[row], R) and np.isclose(replay.discount[row], discount)


def values(weights: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    """Q of a network with one hidden layer."""
    W, b, V, c = weights
    return np.maximum(x @ W.T + b, 0) @ V.T + c


def arrays(network: Any) -> list[np.ndarray]:
    named = {name: p.detach().double().numpy().copy() for name, p in network.named_parameters()}
    return [named[name] for name in ("hidden.0.weight", "hidden.0.bias", "advantage.weight", "advantage.bias")]


def test_one_update_is_the_papers_formula_written_out():
    state, _ = recorded(EVERYTHING | {"train_every": 121, "gradient_steps": 1}, 120)
    assert not state.last_update
    config, replay, rng = state.config, state.replay_buffer, np.random.default_rng(0)
    with torch.no_grad():
        for p in state.target_network.parameters():
            p += 0.3 * torch.from_numpy(rng.standard_normal(p.shape)).float()
        state.q_network.advantage.bias += 1.6  # errors on either side of Huber's bend
    replay.sampled = np.arange(replay.size)
    replay.update_priorities(rng.standard_normal(replay.size) * 3)
    before = replay.priorities.get(np.arange(replay.size)).copy()
    online, target = arrays(state.q_network), arrays(state.target_network)
    advance(state, 121)

    # What came with this step has the largest priority so far.
    p = np.full(replay.size, replay.max_priority**0.7)
    p[: len(before)] = before
    i = replay.sampled
    beta = 0.3 + 0.7 * 121 / 400
    w = (replay.size * p[i] / p.sum()) ** -beta
    w /= w.max()
    x, after = replay.observation[i].astype(np.float64), replay.next_observation[i].astype(np.float64)
    best = values(online, after).argmax(axis=1)
    rows = np.arange(len(i))
    y = replay.reward[i] + replay.discount[i] * ~replay.terminated[i] * values(target, after)[rows, best]
    delta = y - values(online, x)[rows, replay.action[i]]
    assert np.allclose(state.last_update["td_error"].numpy(), delta, atol=1e-4)
    huber = np.where(abs(delta) <= 1, delta**2 / 2, abs(delta) - 0.5)
    assert (abs(delta) > 1).any() and (abs(delta) < 1).any()
    assert np.isclose(state.last_update["loss"].item(), (w * huber).mean(), rtol=1e-4)

    # Its gradient by hand, down to the first layer, then clipped to the length 0.05.
    W, b, V, _ = online
    h = np.maximum(x @ W.T + b, 0)
    at_q = np.zeros((len(i), len(V)))
    at_q[rows, replay.action[i]] = -w * np.clip(delta, -1, 1) / len(i)
    at_h = (at_q @ V) * (h > 0)
    gradient = [at_h.T @ x, at_h.sum(axis=0), at_q.T @ h, at_q.sum(axis=0)]
    length = np.sqrt(sum((g**2).sum() for g in gradient))
    assert length > 0.05
    named = dict(state.q_network.named_parameters())
    for name, g in zip(
        ("hidden.0.weight", "hidden.0.bias", "advantage.weight", "advantage.bias"), gradient, strict=True
    ):
        assert np.allclose(named[name].grad.numpy(), g * 0.05 / length, atol=1e-5), name
    for before, now in zip(online, arrays(state.q_network), strict=True):
        assert np.abs(now - before).max() <= config.lr * 1.001 and np.abs(now - before).max() > config.lr / 2
    assert all(np.array_equal(a, b) for a, b in zip(target, arrays(state.target_network), strict=True))

    # What was sampled has a new priority, the rest the one it had.
    expected = p.copy()
    expected[i] = (np.abs(delta) + 1e-6) ** 0.7
    assert np.allclose(replay.priorities.get(np.arange(replay.size)), expected, atol=1e-4)


def test_sarsa_takes_the_action_that_it_learned_with():
    state = start({"environment": "CliffWalking-v1", "method": "sarsa", "lr": 0.5, "epsilon_end": 0.5, "limit": 40})
    next_action, compared = None, 0
    for event in train(state):
        if isinstance(event, Step):
            if next_action is not None and state.env.actions:
                assert state.env.actions[-1] == next_action
                compared += 1
            next_action = state.next_action
            if event.step >= 300:
                break
    assert compared > 250


@pytest.mark.parametrize("settings", [{}, {"method": "sarsa"}, {"method": "q_learning"}])
def test_actions_are_random_with_probability_epsilon(settings):
    """On a lake without a goal in reach all values stay equal, and the first of equals is the best."""
    state, seen = recorded(
        {"environment": "FrozenLake-v1", "limit": 3, "learning_starts": 0, "epsilon_start": 0.6, "epsilon_end": 0.6}
        | {"lr": 1e-6, "train_every": 10_000}
        | settings,
        2000,
    )
    best = int(state.q(np.zeros(1, np.int64))[0].argmax())
    at_start = [step.action for step in seen if step.observation == 0]
    share = np.mean([action != best for action in at_start])
    assert abs(share - 0.6 * 3 / 4) < 5 * (0.45 * 0.55 / len(at_start)) ** 0.5


def test_both_tables_learn_and_the_agent_goes_by_their_mean():
    state = start({"environment": "over_estimation", "method": "q_learning", "double": True, "lr": 0.1})
    advance(state, 500)
    assert all(np.abs(table).max() > 0.05 for table in state.table) and not np.array_equal(*state.table)
    assert np.allclose(state.q(np.arange(2)), (state.table[0][:2] + state.table[1][:2]) / 2)
