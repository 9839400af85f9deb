"""Temporal-difference learning with a table: a number for each state and action, moved a little after every step.

Q-learning moves Q(s, a) towards the reward plus the value of the best next action, whatever the agent does next; SARSA
towards the value of the action it will really take. Double Q-learning keeps two tables, and a coin decides which of
them picks the best action while the other gives its value, so that noise no longer counts as worth.

- C. J. C. H. Watkins, P. Dayan. Q-learning. Machine Learning 8 (1992).
- G. A. Rummery, M. Niranjan. On-line Q-learning using connectionist systems (1994): SARSA, under another name.
- H. van Hasselt. Double Q-learning. NIPS 2010: algorithm 1.
- R. S. Sutton, A. G. Barto. Reinforcement Learning: An Introduction, 2nd edition (2018): sections 6.4, 6.5 and 6.7.
"""

from core.data.environments import Transition
from core.events import Array


def q_learning(Q: Array, transition: Transition, alpha: float, gamma: float) -> float:
    """Q(s, a) ← Q(s, a) + α (r + γ max Q(s', ·) - Q(s, a)); returns the error δ. Q is (states, actions)."""
    after = 0.0 if transition.terminated else float(Q[transition.next_observation].max())
    return _update(Q, transition, transition.reward + gamma * after, alpha)


def sarsa(Q: Array, transition: Transition, next_action: int, alpha: float, gamma: float) -> float:
    """Q(s, a) ← Q(s, a) + α (r + γ Q(s', a') - Q(s, a)); returns the error δ."""
    after = 0.0 if transition.terminated else float(Q[transition.next_observation, next_action])
    return _update(Q, transition, transition.reward + gamma * after, alpha)


def double_q_learning(Q: Array, other: Array, transition: Transition, alpha: float, gamma: float) -> float:
    """As Q-learning, but the best next action of ``Q`` is worth what the ``other`` table has for it; returns δ."""
    reached = transition.next_observation
    after = 0.0 if transition.terminated else float(other[reached, Q[reached].argmax()])
    return _update(Q, transition, transition.reward + gamma * after, alpha)


def _update(Q: Array, transition: Transition, target: float, alpha: float) -> float:
    delta = target - float(Q[transition.observation, transition.action])
    Q[transition.observation, transition.action] += alpha * delta
    return delta
