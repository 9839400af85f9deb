"""The mathematics, against cases worked out by hand and formulas written another way."""

import math

import numpy as np
import pytest
import torch

from core.algorithms.dqn import tabular
from core.algorithms.dqn.model import Batch, QNetwork, initialise, q_of_actions, td_loss, td_target, update_target
from core.data.environments import Transition


def network(seed=0, *, inputs=3, actions=4, layers=(8,), dueling=False, one_hot=False) -> QNetwork:
    made = QNetwork(inputs, actions, layers, one_hot=one_hot, dueling=dueling)
    initialise(made, torch.Generator().manual_seed(seed))
    return made


def batch(n=6, *, size=3, actions=4, seed=1, **changed) -> Batch:
    g = torch.Generator().manual_seed(seed)
    made = Batch(
        torch.randn(n, size, generator=g),
        torch.randint(actions, (n,), generator=g),
        torch.randn(n, generator=g),
        torch.randn(n, size, generator=g),
        torch.full((n,), 0.9),
        torch.zeros(n, dtype=torch.bool),
        torch.ones(n),
    )
    return made._replace(**changed)


def test_an_episode_that_ended_has_nothing_after_it_and_one_that_was_cut_off_has():
    net, b = network(), batch(2)
    b = b._replace(next_observation=b.next_observation[:1].expand(2, 3), reward=torch.tensor([2.0, 2.0]))
    y = td_target(b._replace(terminated=torch.tensor([True, False])), net, net, False)
    assert y[0].item() == 2.0
    assert y[1].item() == pytest.approx(2.0 + 0.9 * net(b.next_observation)[1].max().item(), abs=1e-6)
    assert y[0] != y[1]


def test_the_target_is_the_targets_best_and_doubles_is_the_targets_value_of_the_networks_best():
    online, target, b = network(1), network(2), batch(50)
    plain, double = (td_target(b, online, target, d) for d in (False, True))
    for i in range(50):
        behind, ahead = (net(b.next_observation[i : i + 1])[0].tolist() for net in (target, online))
        assert plain[i].item() == pytest.approx(b.reward[i].item() + 0.9 * max(behind), abs=1e-5)
        assert double[i].item() == pytest.approx(b.reward[i].item() + 0.9 * behind[ahead.index(max(ahead))], abs=1e-5)
    assert (double <= plain + 1e-6).all() and (double < plain).any()
    assert not plain.requires_grad


def test_dueling_adds_value_and_advantage_less_its_mean():
    net, x = network(dueling=True), torch.randn(5, 3, generator=torch.Generator().manual_seed(3))
    h = torch.relu(x @ net.hidden[0].weight.T + net.hidden[0].bias)
    V, A = (h @ head.weight.T + head.bias for head in (net.value, net.advantage))
    torch.testing.assert_close(net(x), V + (A - A.sum(dim=1, keepdim=True) / 4))
    torch.testing.assert_close(net(x).mean(dim=1), V[:, 0])


def test_numbers_of_states_are_encoded_one_hot():
    net = network(inputs=5, one_hot=True, layers=())
    torch.testing.assert_close(net(torch.tensor([3])), (net.advantage.weight[:, 3] + net.advantage.bias)[None])


def test_only_the_value_of_the_action_taken_is_corrected():
    net, b = network(layers=()), batch(1)
    before = net(b.observation).detach()
    delta = torch.tensor([7.0]) - q_of_actions(net, b)
    assert delta.item() == pytest.approx(7.0 - before[0, b.action[0]].item(), abs=1e-6)
    td_loss(delta, b.weight, False).backward()
    moved = net.advantage.weight.grad.abs().sum(dim=1) > 0
    assert moved.nonzero().flatten().tolist() == b.action.tolist()


def test_hubers_loss_is_a_square_inside_one_and_a_line_outside():
    delta = torch.tensor([0.5, -0.5, 3.0, -3.0])
    for i, (bent, square) in enumerate(zip([0.125, 0.125, 2.5, 2.5], [0.125, 0.125, 4.5, 4.5], strict=True)):
        one = delta[i : i + 1]
        assert td_loss(one, torch.ones(1), True).item() == pytest.approx(bent)
        assert td_loss(one, torch.ones(1), False).item() == pytest.approx(square)
    weighed = td_loss(delta, torch.tensor([1.0, 0.0, 0.0, 0.5]), True)
    assert weighed.item() == pytest.approx((0.125 + 0.5 * 2.5) / 4)


def test_the_target_moves_by_tau_or_is_copied():
    online, target = network(1), network(2)
    before = [p.detach().clone() for p in target.parameters()]
    update_target(target, online, 0.25)
    for p, old, new in zip(target.parameters(), before, online.parameters(), strict=True):
        torch.testing.assert_close(p, 0.75 * old + 0.25 * new)
    update_target(target, online)
    for p, new in zip(target.parameters(), online.parameters(), strict=True):
        assert torch.equal(p, new)


def test_first_weights_lie_within_one_over_the_root_of_the_inputs():
    net = network(layers=(100,), inputs=25)
    W = net.hidden[0].weight
    assert W.abs().max() <= 1 / math.sqrt(25)
    assert W.std().item() == pytest.approx(1 / math.sqrt(3 * 25), rel=0.05)


def step(s, a, r, s2, terminated=False) -> Transition:
    return Transition(np.asarray(s), a, r, np.asarray(s2), terminated, False)


def test_the_update_rules_of_the_tables_by_hand():
    first = [[1.0, 2.0], [3.0, 5.0]]
    Q = np.array(first)
    assert tabular.q_learning(Q, step(0, 1, 1.0, 1), 0.5, 0.9) == pytest.approx(1 + 0.9 * 5 - 2)
    assert Q[0, 1] == pytest.approx(2 + 0.5 * 3.5)
    Q = np.array(first)
    assert tabular.sarsa(Q, step(0, 1, 1.0, 1), 0, 0.5, 0.9) == pytest.approx(1 + 0.9 * 3 - 2)
    Q, other = np.array(first), np.array([[0.0, 0.0], [8.0, -1.0]])
    assert tabular.double_q_learning(Q, other, step(0, 1, 1.0, 1), 0.5, 0.9) == pytest.approx(1 + 0.9 * -1 - 2)
    assert other.tolist() == [[0.0, 0.0], [8.0, -1.0]]
    for rule in (
        lambda Q, s: tabular.q_learning(Q, s, 0.5, 0.9),
        lambda Q, s: tabular.sarsa(Q, s, 0, 0.5, 0.9),
        lambda Q, s: tabular.double_q_learning(Q, other, s, 0.5, 0.9),
    ):
        assert rule(np.array(first), step(0, 1, 1.0, 1, terminated=True)) == pytest.approx(1 - 2)
