"""Temporal-difference learning with a table: a number for each state and action, moved a little after every step.

Q-learning moves Q(s, a) towards the reward plus the value of the best next action, whatever the agent does next; SARSA
towards the value of the action it will really take. Double Q-learning keeps two tables, and a coin decides which of
them picks the best action while the other gives its value, so that noise is no longer taken for value.

- C. J. C. H. Watkins, P. Dayan. Q-learning. Machine Learning 8 (1992).
- G. A. Rummery, M. Niranjan. On-line Q-learning using connectionist systems (1994): SARSA, under another name.
- H. van Hasselt. Double Q-learning. NIPS 2010: algorithm 1.
- R. S. Sutton, A. G. Barto. Reinforcement Learning: An Introduction, 2nd edition (2018): sections 6.4, 6.5 and 6.7.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np

from core.algorithms.dqn.agent import BaseAgent, epsilon_at, epsilon_greedy
from core.algorithms.dqn.config import DQNConfig
from core.data.environments import Env, Transition
from core.events import Array, Event

# The update rules. Q is (states, actions) and changed in place; each returns the TD error δ.


def q_learning(Q: Array, transition: Transition, alpha: float, gamma: float) -> float:
    """Q(s, a) ← Q(s, a) + α (r + γ max Q(s', ·) - Q(s, a))."""
    return _update(Q, transition, float(Q[transition.next_observation].max()), alpha, gamma)


def sarsa(Q: Array, transition: Transition, next_action: int, alpha: float, gamma: float) -> float:
    """Q(s, a) ← Q(s, a) + α (r + γ Q(s', a') - Q(s, a))."""
    return _update(Q, transition, float(Q[transition.next_observation, next_action]), alpha, gamma)


def double_q_learning(Q: Array, Q_other: Array, transition: Transition, alpha: float, gamma: float) -> float:
    """Q(s, a) ← Q(s, a) + α (r + γ Q_other(s', argmax Q(s', ·)) - Q(s, a))."""
    best = Q[transition.next_observation].argmax()
    return _update(Q, transition, float(Q_other[transition.next_observation, best]), alpha, gamma)


def _update(Q: Array, transition: Transition, V_next: float, alpha: float, gamma: float) -> float:
    s, a = transition.observation, transition.action
    target = transition.reward if transition.terminated else transition.reward + gamma * V_next
    td_error = target - float(Q[s, a])
    Q[s, a] += alpha * td_error
    return td_error


class TabularAgent(BaseAgent):
    """An agent whose values stand in a table.

    Attributes:
        table: (1 or 2, states, actions); double Q-learning has two.
        next_action: which SARSA has chosen already, else ``None``.
        td_errors: the last 64.
    """

    saved = (*BaseAgent.saved, "table", "next_action", "td_errors")
    learned_arrays = ("table",)

    table: Array
    next_action: int | None
    td_errors: deque[float]

    def q(self, observations: Array) -> Array:
        """Q of each action, (n, actions), for numbers of states (n,): the mean of the tables."""
        mean: Array = self.table[:, observations].mean(axis=0)
        return mean

    def start_episode(self) -> None:
        super().start_episode()
        self.next_action = None


def build_table(config: DQNConfig, env: Env, device: str) -> TabularAgent:
    """A table of zeros, or two, at the start of the first episode."""
    s = TabularAgent(config, env, device)
    s.table = np.zeros((2 if config.double else 1, env.n_states, env.n_actions))
    s.td_errors = deque(maxlen=64)
    s.start_episode()
    return s


def train_table(s: TabularAgent) -> Iterator[Event]:
    """Learning with a table: Sutton and Barto (2018), sections 6.4 (SARSA), 6.5 (Q-learning) and 6.7 (double)."""
    while True:
        config, Q = s.config, s.table  # live settings may have changed
        epsilon = epsilon_at(config, s.step)
        action = epsilon_greedy(s, epsilon) if s.next_action is None else s.next_action
        transition = s.env.step(action)
        s.episode_stats.record(s.env, transition)
        if config.method == "sarsa":
            s.next_action = epsilon_greedy(s, epsilon)  # in the state that was reached; the next step takes it
            td_error = sarsa(Q[0], transition, s.next_action, config.lr, config.gamma)
        elif config.double:
            i = int(s.rng.integers(2))
            td_error = double_q_learning(Q[i], Q[1 - i], transition, config.lr, config.gamma)
        else:
            td_error = q_learning(Q[0], transition, config.lr, config.gamma)
        s.td_errors.append(td_error)
        if transition.done:
            s.start_episode()
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield s.next_step()
