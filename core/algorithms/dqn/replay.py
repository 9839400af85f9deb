"""What an agent remembers: the last so many steps, drawn at random or by how much they surprised.

Steps that follow one another are alike; a batch drawn from all of the memory is not, and each step is learned from many
times. Prioritised replay draws step i with probability P(i) = pᵢ^α / Σ p^α, its priority p = |δ| + ε being the error
it last had, and gives it the weight (N·P(i))^-β in the loss, over the batch's largest.

- L.-J. Lin. Self-improving reactive agents based on reinforcement learning, planning and teaching. Machine Learning 8
  (1992).
- T. Schaul, J. Quan, I. Antonoglou, D. Silver. Prioritized experience replay. ICLR 2016: eq. 1, section 3.4 and the
  sum tree of appendix B.2.1.

Differs from 2016: a batch is drawn at random from all of the sum, not one step from each of equal slices; β comes to 1
when exploration has come down, not at the end of training; what is new gets the largest priority there ever was; and δ
is not clipped to ±1 before it becomes a priority.
"""

from collections import deque
from typing import Any

import numpy as np
import torch

from core.algorithms.dqn.environments import Transition
from core.algorithms.dqn.model import Batch
from core.events import Array

#: Added to each |δ|, so that nothing is never drawn again.
LEAST = 1e-6


class Replay:
    """A ring of remembered steps.

    Args:
        capacity: steps it holds.
        shape: of an observation; ``()`` for numbers of states.
        alpha: exponent of the priorities; ``None`` draws all alike.

    Attributes:
        size: steps held. at: where the next one goes.
        born: step of the run at which each was complete, its last reward seen.
        drawn: places of the last batch.
    """

    def __init__(self, capacity: int, shape: tuple[int, ...], alpha: float | None = None) -> None:
        kind = np.float32 if shape else np.int64
        self.capacity, self.alpha = capacity, alpha
        self.observation = np.zeros((capacity, *shape), kind)
        self.next_observation = np.zeros((capacity, *shape), kind)
        self.action = np.zeros(capacity, np.int64)
        self.reward = np.zeros(capacity, np.float32)
        self.discount = np.zeros(capacity, np.float32)
        self.terminated = np.zeros(capacity, np.bool_)
        self.born = np.zeros(capacity, np.int32)
        self.size = self.at = 0
        self.tree = SumTree(capacity) if alpha is not None else None
        self.highest = 1.0  # priority so far: what is new is drawn at least once soon
        self.drawn: Array = np.zeros(0, np.int64)

    def add(self, transition: Transition, discount: float, born: int) -> None:
        """Remember a step, in place of the oldest where the ring is full."""
        i = self.at
        self.observation[i], self.next_observation[i] = transition.observation, transition.next_observation
        self.action[i], self.reward[i], self.terminated[i] = transition.action, transition.reward, transition.terminated
        self.discount[i], self.born[i] = discount, born
        if self.tree is not None:
            self.tree.set(np.array([i]), np.array([self.highest ** (self.alpha or 0.0)]))
        self.at = (i + 1) % self.capacity
        self.size = min(self.size + 1, self.capacity)

    def sample(self, n: int, rng: np.random.Generator, device: torch.device, beta: float = 0.0) -> Batch:
        """``n`` remembered steps, with replacement."""
        if self.tree is None:
            self.drawn = rng.integers(self.size, size=n)
            return self._batch(self.drawn, np.ones(n, np.float32), device)
        total = self.tree.total
        self.drawn = np.minimum(self.tree.find(rng.random(n) * total), self.size - 1)
        P = self.tree.get(self.drawn) / total
        w = (self.size * P) ** -beta
        return self._batch(self.drawn, (w / w.max()).astype(np.float32), device)

    def newest(self, n: int, device: torch.device) -> Batch:
        """The ``n`` steps added last, oldest first."""
        n = min(n, self.size)
        self.drawn = np.arange(self.at - n, self.at) % self.capacity
        return self._batch(self.drawn, np.ones(n, np.float32), device)

    def prioritise(self, delta: Array) -> None:
        """Give the steps of the last batch the errors ``delta`` (n,) that they were found to have."""
        if self.tree is not None:
            p = np.abs(delta.astype(np.float64)) + LEAST
            self.highest = max(self.highest, float(p.max()))
            self.tree.set(self.drawn, p ** (self.alpha or 0.0))

    def _batch(self, i: Array, weight: Array, device: torch.device) -> Batch:
        arrays = (
            self.observation[i],
            self.action[i],
            self.reward[i],
            self.next_observation[i],
            self.discount[i],
            self.terminated[i],
            weight,
        )
        tensors = (torch.from_numpy(a) for a in arrays)
        return Batch(*tensors) if device.type == "cpu" else Batch(*(t.to(device) for t in tensors))

    def state_dict(self) -> dict[str, Any]:
        """The steps held, and no more of the ring than they take."""
        n = self.size
        return {
            **{name: getattr(self, name)[:n] for name in _COLUMNS},
            "at": self.at,
            "drawn": self.drawn,
            "highest": self.highest,
            "priorities": None if self.tree is None else self.tree.get(np.arange(n)),
        }

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        """Remember what :meth:`state_dict` told of."""
        self.size = n = len(tree["action"])
        for name in _COLUMNS:
            getattr(self, name)[:n] = np.asarray(tree[name])
        self.at, self.highest = int(tree["at"]), float(tree["highest"])
        self.drawn = np.array(tree["drawn"], np.int64)
        if self.tree is not None:
            self.tree = SumTree(self.capacity)
            if n:
                self.tree.set(np.arange(n), np.asarray(tree["priorities"]))


_COLUMNS = ("observation", "next_observation", "action", "reward", "discount", "terminated", "born")


class SumTree:
    """Numbers at the leaves, at each node above the sum of its two: a draw in proportion takes log₂ n steps down."""

    def __init__(self, leaves: int) -> None:
        self.first = 1 << max(0, (leaves - 1).bit_length())  # index of the first leaf; the root is 1
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


class NStep:
    """Adds up the rewards of n steps: R = r₁ + γ r₂ + … + γⁿ⁻¹ rₙ, from a state to the one n steps later.

    Where an episode ends, what is left is told with the rewards there were.
    """

    def __init__(self, n: int, gamma: float) -> None:
        self.n, self.gamma = n, gamma
        self.waiting: deque[Transition] = deque()

    def push(self, step: Transition) -> list[tuple[Transition, float]]:
        """Steps that are complete now, oldest first, each with γᵏ of the k rewards in it."""
        if self.n == 1:
            return [(step, self.gamma)]
        self.waiting.append(step)
        over = step.terminated or step.truncated
        complete = []
        while self.waiting and (over or len(self.waiting) == self.n):
            complete.append((self._joined(), self.gamma ** len(self.waiting)))
            self.waiting.popleft()
        return complete

    def _joined(self) -> Transition:
        first, last = self.waiting[0], self.waiting[-1]
        R = sum(self.gamma**k * step.reward for k, step in enumerate(self.waiting))
        return first._replace(
            reward=R, next_observation=last.next_observation, terminated=last.terminated, truncated=last.truncated
        )

    def state_dict(self) -> list[dict[str, Any]]:
        return [step._asdict() for step in self.waiting]

    def load_state_dict(self, waiting: list[dict[str, Any]]) -> None:
        self.waiting.clear()
        for told in waiting:
            before, after = np.asarray(told["observation"]), np.asarray(told["next_observation"])
            self.waiting.append(Transition(**told)._replace(observation=before, next_observation=after))
