"""The replay buffer: the last so many transitions, drawn at random or by the size of their TD errors.

Transitions that follow one another are alike; a batch drawn from the whole buffer is not, and each is learned from many
times. Prioritised replay draws transition i with probability P(i) = pᵢ^α / Σ p^α, where p = |δ| + ε is its priority and
δ the TD error it last had, and gives it the weight (N·P(i))^-β in the loss, over the batch's largest.

- L.-J. Lin. Self-improving reactive agents based on reinforcement learning, planning and teaching. Machine Learning 8
  (1992).
- T. Schaul, J. Quan, I. Antonoglou, D. Silver. Prioritized experience replay. ICLR 2016: eq. 1, section 3.4 and the
  sum tree of appendix B.2.1.
- R. S. Sutton. Learning to predict by the methods of temporal differences. Machine Learning 3 (1988): n-step returns.

Differs from 2016: the transitions of a batch are drawn independently instead of one from each of n equal strata; β
comes to 1 when exploration has come down, not at the end of training; what is new gets the largest priority there ever
was; and δ is not clipped to ±1 before it becomes a priority.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from core.algorithms.dqn.model import Batch
from core.data.environments import Transition
from core.events import Array


class ReplayBuffer:
    """A ring of transitions.

    Args:
        capacity: transitions it holds.
        shape: of an observation; ``()`` for numbers of states.
        rng: draws the batches; saved with the buffer.
        alpha: exponent of the priorities; ``None`` samples uniformly.

    Attributes:
        size: transitions held. position: where the next one goes.
        added_at: step of the run at which each was complete, its last reward seen; for the figure of ages alone.
        sampled: places of the last batch.
        priorities: pᵢ^α of each; ``None`` with uniform sampling.
    """

    #: Added to each |δ|, so that every transition may be drawn again.
    EPSILON = 1e-6
    #: The arrays of the ring, (capacity, …) each.
    COLUMNS = ("observation", "action", "reward", "next_observation", "discount", "terminated", "added_at")

    def __init__(
        self, capacity: int, shape: tuple[int, ...], rng: np.random.Generator, alpha: float | None = None
    ) -> None:
        self.capacity, self.rng, self.alpha = capacity, rng, alpha or 0.0
        self.observation = np.zeros((capacity, *shape), np.float32 if shape else np.int64)
        self.action = np.zeros(capacity, np.int64)
        self.reward = np.zeros(capacity, np.float32)
        self.next_observation = np.zeros_like(self.observation)
        self.discount = np.zeros(capacity, np.float32)
        self.terminated = np.zeros(capacity, np.bool_)
        self.added_at = np.zeros(capacity, np.int32)
        self.size = self.position = 0
        self.priorities = None if alpha is None else SumTree(capacity)
        self.max_priority = 1.0  # so far: what is new is drawn at least once soon
        self.sampled: Array = np.zeros(0, np.int64)

    def add(self, transition: Transition, discount: float, step: int) -> None:
        """Put a transition in, in place of the oldest where the ring is full."""
        i = self.position
        self.observation[i], self.next_observation[i] = transition.observation, transition.next_observation
        self.action[i], self.reward[i], self.terminated[i] = transition.action, transition.reward, transition.terminated
        self.discount[i], self.added_at[i] = discount, step
        if self.priorities is not None:
            self.priorities.set(np.array([i]), np.array([self.max_priority**self.alpha]))
        self.position = (i + 1) % self.capacity
        self.size = min(self.size + 1, self.capacity)

    def sample(self, n: int, device: torch.device, beta: float = 0.0) -> Batch:
        """``n`` transitions, with replacement; ``beta`` is the exponent of the importance weights."""
        if self.priorities is None:
            return self._batch(self.rng.integers(self.size, size=n), np.ones(n, np.float32), device)
        total = self.priorities.total
        i = np.minimum(self.priorities.find(self.rng.random(n) * total), self.size - 1)  # rounding may lead beyond
        P = self.priorities.get(i) / total
        w = (self.size * P) ** -beta
        return self._batch(i, (w / w.max()).astype(np.float32), device)

    def newest(self, n: int, device: torch.device) -> Batch:
        """The ``n`` transitions added last, oldest first."""
        n = min(n, self.size)
        i = np.arange(self.position - n, self.position) % self.capacity
        return self._batch(i, np.ones(n, np.float32), device)

    def update_priorities(self, td_error: Array) -> None:
        """Give the transitions of the last batch the priorities of their TD errors (n,)."""
        if self.priorities is not None:
            p = np.abs(td_error.astype(np.float64)) + self.EPSILON
            self.max_priority = max(self.max_priority, float(p.max()))
            self.priorities.set(self.sampled, p**self.alpha)

    def _batch(self, i: Array, weight: Array, device: torch.device) -> Batch:
        self.sampled = i
        rows = (
            self.observation[i],
            self.action[i],
            self.reward[i],
            self.next_observation[i],
            self.discount[i],
            self.terminated[i],
            weight,
        )
        return Batch(*(torch.from_numpy(array).to(device) for array in rows))

    def state_dict(self) -> dict[str, Any]:
        """The transitions held, and no more of the ring than they take."""
        return {
            **{name: getattr(self, name)[: self.size] for name in self.COLUMNS},
            "position": self.position,
            "sampled": self.sampled,
            "max_priority": self.max_priority,
            "priorities": None if self.priorities is None else self.priorities.get(np.arange(self.size)),
            "rng": self.rng.bit_generator.state,
        }

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        self.size = n = len(tree["action"])
        for name in self.COLUMNS:
            getattr(self, name)[:n] = np.asarray(tree[name])
        self.position, self.max_priority = int(tree["position"]), float(tree["max_priority"])
        self.sampled = np.array(tree["sampled"], np.int64)
        self.rng.bit_generator.state = tree["rng"]
        if self.priorities is not None:
            self.priorities = SumTree(self.capacity)
            if n:
                self.priorities.set(np.arange(n), np.asarray(tree["priorities"]))


class SumTree:
    """Numbers at the leaves, at each node above the sum of its two: a draw in proportion takes log₂ n steps down."""

    def __init__(self, n_leaves: int) -> None:
        self.first = 1 << max(0, (n_leaves - 1).bit_length())  # index of the first leaf; the root is 1
        self.nodes = np.zeros(2 * self.first, np.float64)

    @property
    def total(self) -> float:
        return float(self.nodes[1])

    def get(self, leaves: Array) -> Array:
        found: Array = self.nodes[self.first + leaves]
        return found

    def set(self, leaves: Array, values: Array) -> None:
        """Change leaves and all sums above them; of a leaf named twice the last value stays."""
        nodes = self.nodes
        at = self.first + leaves
        nodes[at] = values
        while at[0] > 1:
            at = np.unique(at >> 1) if len(at) > 1 else at >> 1
            nodes[at] = nodes[2 * at] + nodes[2 * at + 1]

    def find(self, sums: Array) -> Array:
        """The leaf at which the running sum over the leaves passes each of ``sums`` (0 ≤ sums < total)."""
        at = np.ones(len(sums), np.int64)
        left = sums.astype(np.float64)
        while at[0] < self.first:
            at *= 2
            below = self.nodes[at]
            right = left >= below
            left -= np.where(right, below, 0.0)
            at += right
        return at - self.first


class NStepBuffer:
    """Adds up the rewards of n steps: R = r₁ + γ r₂ + … + γⁿ⁻¹ rₙ, from a state to the one n steps later.

    Where an episode ends, what is left is passed on with the rewards there were.

    Args:
        n: steps of reward. gamma: γ.

    Attributes:
        pending: transitions, oldest first, whose n rewards are not all seen.
    """

    def __init__(self, n: int, gamma: float) -> None:
        self.n, self.gamma = n, gamma
        self.pending: deque[Transition] = deque()

    def push(self, transition: Transition) -> list[tuple[Transition, float]]:
        """Transitions that are complete now, oldest first, each with γᵏ of the k rewards in it."""
        if self.n == 1:
            return [(transition, self.gamma)]
        self.pending.append(transition)
        complete = []
        while self.pending and (transition.done or len(self.pending) == self.n):
            R = sum(self.gamma**k * each.reward for k, each in enumerate(self.pending))
            # From the oldest state on to where the newest step led, and how that ended.
            n_step_transition = transition._replace(
                observation=self.pending[0].observation, action=self.pending[0].action, reward=R
            )
            complete.append((n_step_transition, self.gamma ** len(self.pending)))
            self.pending.popleft()
        return complete

    def state_dict(self) -> list[tuple[Any, ...]]:
        return [tuple(transition) for transition in self.pending]

    def load_state_dict(self, pending: list[tuple[Any, ...]]) -> None:
        self.pending = deque(Transition(*saved) for saved in pending)


def bytes_per_transition(shape: tuple[int, ...], *, prioritised: bool) -> int:
    """Bytes that a :class:`ReplayBuffer` takes for each transition at most; ``shape`` is that of an observation."""
    single = ReplayBuffer(1, shape, np.random.default_rng(0), alpha=0.0 if prioritised else None)
    columns: int = sum(getattr(single, name).nbytes for name in ReplayBuffer.COLUMNS)
    # The leaves of the sum tree are rounded up to a power of two, which is less than twice as many.
    return columns + (2 * single.priorities.nodes.nbytes if single.priorities is not None else 0)
