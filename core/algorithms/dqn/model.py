"""Deep Q-learning: a network estimates the value of each action, and corrects its estimate by its own later one.

The value of an action is its reward plus the discounted value of the best next action: Bellman's equation. A network
that is moved towards that sum moves the sum as well, so DQN learns from old steps drawn at random and takes the sum
from a copy of the network that is kept fixed for a while.

- V. Mnih et al. Human-level control through deep reinforcement learning. Nature 518 (2015): the loss (eq. 1 and
  algorithm 1), replay, the target network, the clipped error.
- H. van Hasselt, A. Guez, D. Silver. Deep reinforcement learning with double Q-learning. AAAI 2016: eq. 4.
- Z. Wang et al. Dueling network architectures for deep reinforcement learning. ICML 2016: eq. 9.
- T. Schaul et al. Prioritized experience replay. ICLR 2016: the weights of section 3.4.
- R. S. Sutton. Learning to predict by the methods of temporal differences. Machine Learning 3 (1988): n-step returns.

Differs from 2015: vectors instead of pictures, so a perceptron instead of convolutions; Adam instead of RMSProp; the
network is copied every so many steps in the environment, not every so many updates; the loss is Huber's,
which has the gradient of the paper's clipped error; a dueling network without the rescaled gradient of its section 4.2.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Batch(NamedTuple):
    """Transitions drawn from the replay buffer.

    Attributes:
        observation, next_observation: (n, size) of float32, or (n,) numbers of states of int64.
        action: (n,) of int64.
        reward: (n,): R = r + γ r' + … over the steps of reward.
        discount: (n,): γ to the number of these steps.
        terminated: (n,) of bool: nothing comes after ``next_observation``. Cut off is not terminated.
        weight: (n,): importance of each in the loss, 1 with uniform sampling.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    next_observation: Tensor
    discount: Tensor
    terminated: Tensor
    weight: Tensor


class QNetwork(nn.Module):
    """observation -> hidden layers with ReLU -> Q of each action.

    Args:
        n_inputs: numbers of an observation, or how many states there are.
        n_actions: how many there are.
        layers: units of the hidden layers.
        one_hot: observations are numbers of states, to be encoded one-hot.
        dueling: Q = V + A - mean A (Wang et al., eq. 9) from two heads instead of one.
    """

    def __init__(self, n_inputs: int, n_actions: int, layers: tuple[int, ...], *, one_hot: bool, dueling: bool) -> None:
        super().__init__()
        self.n_states = n_inputs if one_hot else 0
        # skip_init: nn.Linear would draw weights of its own, from the global generator, for nothing.
        linear = nn.utils.skip_init
        widths = (n_inputs, *layers)
        self.hidden = nn.ModuleList(linear(nn.Linear, n, m) for n, m in pairwise(widths))  # type: ignore[no-untyped-call]
        self.advantage = linear(nn.Linear, widths[-1], n_actions)  # type: ignore[no-untyped-call]
        self.value = linear(nn.Linear, widths[-1], 1) if dueling else None  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor) -> Tensor:
        """Q (n, actions) for observations (n, size), or (n,) numbers of states."""
        if self.n_states:
            x = F.one_hot(x, self.n_states).float()  # (n, states)
        for layer in self.hidden:
            x = torch.relu(layer(x))
        A: Tensor = self.advantage(x)  # (n, actions)
        if self.value is None:
            return A
        V: Tensor = self.value(x)  # (n, 1)
        return V + A - A.mean(dim=1, keepdim=True)


@torch.no_grad()
def initialise(model: QNetwork, generator: torch.Generator) -> None:
    """Draw weights and biases uniformly from ±1/√n_in, as PyTorch does by itself, but from a generator of our own."""
    for layer in (*model.hidden, model.advantage, *([model.value] if model.value is not None else [])):
        limit = 1 / math.sqrt(layer.weight.shape[1])
        for p in (layer.weight, layer.bias):
            p.copy_((torch.rand(p.shape, generator=generator) * 2 - 1) * limit)


@torch.no_grad()
def td_target(batch: Batch, q_network: QNetwork, target_network: QNetwork, double: bool) -> Tensor:
    """y = R + γᵏ max Q⁻(s', a'), and y = R where the episode terminated: (n,).

    Mnih et al., algorithm 1. Double takes the action that is best by the network and the target network's value of it
    (van Hasselt et al., eq. 4). An episode that was cut off would have gone on: its last state has a value.
    """
    Q_next: Tensor = target_network(batch.next_observation)  # (n, actions)
    if double:
        best = q_network(batch.next_observation).argmax(dim=1, keepdim=True)  # (n, 1)
        V_next = Q_next.gather(1, best)[:, 0]  # (n,)
    else:
        V_next = Q_next.amax(dim=1)
    return batch.reward + batch.discount * V_next.masked_fill(batch.terminated, 0.0)


def q_of_actions(q_network: QNetwork, batch: Batch) -> Tensor:
    """Q(s, a) of the actions that were taken: (n,)."""
    Q: Tensor = q_network(batch.observation)
    return Q.gather(1, batch.action[:, None])[:, 0]  # (n, actions) to (n, 1) to (n,)


def td_loss(td_error: Tensor, weight: Tensor, huber: bool) -> Tensor:
    """Mean over the batch of w·½δ², or of w times Huber's loss with edges at ±1; δ = y - Q(s, a) is the TD error."""
    each = F.huber_loss(td_error, torch.zeros_like(td_error), reduction="none") if huber else 0.5 * td_error.square()
    return (weight * each).mean()


@torch.no_grad()
def update_target(target_network: QNetwork, q_network: QNetwork, tau: float = 1.0) -> None:
    """θ⁻ ← θ⁻ + τ (θ - θ⁻); a copy with τ = 1."""
    for p_target, p in zip(target_network.parameters(), q_network.parameters(), strict=True):
        p_target.lerp_(p, tau)
