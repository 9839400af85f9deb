"""The replay buffer: the ring, the sum tree, priorities and n-step returns, against cases worked out by hand."""

import numpy as np
import pytest
import torch

from core.algorithms.dqn.replay import NStepBuffer, ReplayBuffer, SumTree, bytes_per_transition
from core.data.environments import Transition

CPU = torch.device("cpu")


def step(i: int, reward: float = 0.0, terminated: bool = False, truncated: bool = False) -> Transition:
    return Transition(np.array([i], np.float32), i % 2, reward, np.array([i + 1], np.float32), terminated, truncated)


def buffer(capacity: int, alpha: float | None = None, seed: int = 0) -> ReplayBuffer:
    return ReplayBuffer(capacity, (1,), np.random.default_rng(seed), alpha)


def test_the_ring_forgets_the_oldest():
    replay = buffer(3)
    for i in range(5):
        replay.add(step(i), 0.9, i)
    assert sorted(replay.observation[:, 0].tolist()) == [2, 3, 4]
    assert replay.newest(2, CPU).observation[:, 0].tolist() == [3, 4]
    assert replay.newest(9, CPU).next_observation[:, 0].tolist() == [3, 4, 5]


@pytest.mark.parametrize("alpha", [None, 0.6])
@pytest.mark.parametrize(("shape", "observation_bytes"), [((), 8), ((4,), 16)])
def test_the_bytes_of_a_transition_are_those_of_the_arrays(alpha, shape, observation_bytes):
    replay = ReplayBuffer(129, shape, np.random.default_rng(0), alpha)
    arrays = [value for value in vars(replay).values() if isinstance(value, np.ndarray)]
    held = sum(a.nbytes for a in arrays) + (0 if replay.priorities is None else replay.priorities.nodes.nbytes)
    expected = bytes_per_transition(shape, prioritised=alpha is not None)
    assert expected == 2 * observation_bytes + 21 + (0 if alpha is None else 32)
    assert 0.9 * 129 * expected < held <= 129 * expected


def test_all_that_is_held_is_drawn_alike_and_nothing_else():
    replay = buffer(100)
    for i in range(10):
        replay.add(step(i + 1), 0.9, i)
    drawn = np.concatenate([replay.sample(100, CPU).observation[:, 0].numpy() for _ in range(100)])
    counts = np.bincount(drawn.astype(int), minlength=12)
    assert counts[0] == counts[11] == 0
    assert np.abs(counts[1:11] - 1000).max() < 5 * 1000**0.5


def test_a_sum_tree_by_hand():
    tree = SumTree(5)
    tree.set(np.arange(5), np.array([1.0, 2.0, 0.0, 4.0, 3.0]))
    assert tree.total == 10
    assert tree.find(np.array([0.0, 0.99, 1.0, 2.99, 3.0, 6.99, 7.0, 9.99])).tolist() == [0, 0, 1, 1, 3, 3, 4, 4]
    tree.set(np.array([3, 3]), np.array([9.0, 1.0]))  # twice: the last stays
    assert tree.total == 7 and tree.get(np.array([3])).tolist() == [1]
    one = SumTree(1)
    one.set(np.array([0]), np.array([2.0]))
    assert one.total == 2 and one.find(np.array([1.0])).tolist() == [0]


def test_priorities_by_hand():
    replay = buffer(4, alpha=0.5)
    for i in range(3):
        replay.add(step(i), 0.9, i)
    replay.sampled = np.arange(3)
    replay.update_priorities(np.array([1.0, -4.0, 9.0]))
    P = np.array([1.0, 2.0, 3.0]) / 6  # |δ|^½ over their sum
    counts, weights = np.zeros(3), np.zeros(3)
    for _ in range(100):
        batch = replay.sample(60, CPU, beta=1.0)
        i = batch.observation[:, 0].numpy().astype(int)
        counts += np.bincount(i, minlength=3)
        weights[i] = batch.weight.numpy()
    assert np.abs(counts / 6000 - P).max() < 0.03
    # (N P)^-1 over the largest of the batch, which is that of the rarest.
    assert weights == pytest.approx((1 / P) / (1 / P).max(), abs=1e-4)
    replay.add(step(7), 0.9, 3)  # new: as important as the most important so far
    assert replay.priorities.get(np.array([3]))[0] == pytest.approx(3.0, abs=1e-4)


def test_rewards_of_three_steps_by_hand():
    n_step_buffer = NStepBuffer(3, 0.5)
    assert n_step_buffer.push(step(0, 1.0)) == [] and n_step_buffer.push(step(1, 2.0)) == []
    (complete, discount), *rest = n_step_buffer.push(step(2, 4.0))
    assert not rest
    assert (complete.observation[0], complete.action, complete.next_observation[0]) == (
        0,
        0,
        3,
    )
    assert complete.reward == 1 + 0.5 * 2 + 0.25 * 4 and discount == 0.125 and not complete.terminated


@pytest.mark.parametrize("terminated", [True, False])
def test_the_end_of_an_episode_passes_on_what_is_left(terminated):
    n_step_buffer = NStepBuffer(3, 0.5)
    n_step_buffer.push(step(0, 1.0))
    rest = n_step_buffer.push(step(1, 2.0, terminated=terminated, truncated=not terminated))
    assert [(t.reward, d, float(t.next_observation[0])) for t, d in rest] == [(2.0, 0.25, 2.0), (2.0, 0.5, 2.0)]
    assert [t.terminated for t, _ in rest] == [terminated, terminated]
    assert not n_step_buffer.pending  # nothing runs on into the next episode


def test_a_buffer_is_restored_whole():
    one = buffer(5, alpha=0.6)
    for i in range(8):
        one.add(step(i, float(i)), 0.9, i)
    one.sample(4, CPU, 0.4)
    one.update_priorities(np.array([0.1, 2.0, 3.0, 0.0]))
    other = buffer(5, alpha=0.6, seed=1)
    for i in range(2):
        other.add(step(i), 0.5, i)
    other.load_state_dict(one.state_dict())
    for name in (*ReplayBuffer.COLUMNS, "sampled", "size", "position", "max_priority"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    draws = [replay.sample(50, CPU, 0.4) for replay in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(*draws, strict=True))
