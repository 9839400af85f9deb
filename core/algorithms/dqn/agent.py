"""What an agent has whether a network or a table holds its values: an environment, episodes, exploration.

It takes a random action with probability ε and else the one of the highest value. ε comes down linearly with the steps.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from core.algorithms.dqn.config import DQNConfig
from core.algorithms.dqn.diagnoses import Evaluation
from core.data.environments import Env, Transition
from core.events import Array
from core.training import History, Training, seed_of


@dataclass
class EpisodeStats:
    """Returns and lengths of the training's episodes.

    Attributes:
        episodes: that ended so far. recent: returns of the last :attr:`RECENT`.
        unlogged: (return, length) of those that ended since metrics were last logged.
        lowest, highest: of all returns. longest: of all lengths. largest_reward: of all |rewards|.
    """

    RECENT: ClassVar = 20

    episodes: int = 0
    recent: list[float] = field(default_factory=list)
    unlogged: list[tuple[float, int]] = field(default_factory=list)
    lowest: float = np.inf
    highest: float = -np.inf
    longest: int = 0
    largest_reward: float = 0.0

    def record(self, env: Env, transition: Transition) -> None:
        """Count a step, and the episode where it ended one."""
        self.largest_reward = max(self.largest_reward, abs(transition.reward))
        if transition.done:
            returned, length = env.episode_return, len(env.actions)
            self.episodes, self.longest = self.episodes + 1, max(self.longest, length)
            self.lowest, self.highest = min(self.lowest, returned), max(self.highest, returned)
            self.recent = [*self.recent[1 - self.RECENT :], returned]
            self.unlogged.append((returned, length))

    def state_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        vars(self).update(tree)


class BaseAgent(Training, ABC):
    """An agent between two steps in its environment.

    Attributes:
        env: where it acts. rng: chooses random actions, and the table of double Q-learning.
        episodes: begun so far. episode_stats: of those that ended. history: every evaluation.
        episode_restarted: the environment did not repeat the episode under way when the training was resumed.
    """

    saved: ClassVar[tuple[str, ...]] = ("env", "rng", "episodes", "episode_stats", "history")

    config: DQNConfig

    def __init__(self, config: DQNConfig, env: Env, device: str) -> None:
        super().__init__(config, env, device)
        self.env = env
        self.rng = np.random.default_rng(seed_of(config.seed, "exploration"))
        self.episodes = 0
        self.episode_stats = EpisodeStats()
        self.history = History(Evaluation)
        self.episode_restarted = False

    @abstractmethod
    def q(self, observations: Array) -> Array:
        """Q of each action, (n, actions), for observations (n, size) or numbers of states (n,)."""

    def start_episode(self) -> None:
        """Begin an episode, with a seed of its own."""
        self.env.reset(episode_seed(self.config.seed, "training", self.episodes))
        self.episodes += 1

    def should_log(self, step: int) -> bool:
        """After each of 512 steps, then 256 times in each doubling, and where an evaluation is due."""
        return step % (1 << max(0, step.bit_length() - 9)) == 0 or step % self.config.evaluate_every == 0

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        """As :meth:`Training.load_state_dict`; a new episode begins where the one under way cannot be repeated."""
        super().load_state_dict(tree)
        if not self.env.replayed:
            self.start_episode()
            self.episode_restarted = True


def make_env(config: DQNConfig, *, render: bool = False) -> Env:
    """The environment of the settings.

    Raises:
        Refusal: as for :class:`Env`.
    """
    options = {"is_slippery": config.slip} if config.environment == "FrozenLake-v1" else {}
    return Env(config.name, limit=config.limit, render=render, **options)


def episode_seed(seed: int, purpose: str, number: int) -> int:
    """Seed of an episode: below 2³¹ in training, from there on for any other purpose, so none of those was trained on.

    32 bits are all that some environments take.
    """
    return seed_of(seed, purpose, number) % 2**31 + (0 if purpose == "training" else 2**31)


def epsilon_greedy(s: BaseAgent, epsilon: float) -> int:
    """An action at random with probability ε, else the best by the present estimate, the first of equals."""
    if s.rng.random() < epsilon:
        return int(s.rng.integers(s.env.n_actions))
    return int(s.q(s.env.observation[None])[0].argmax())


def epsilon_at(config: DQNConfig, step: int) -> float:
    """Share of random actions after ``step`` steps: linear from the first to the last; all of them in the warm-up."""
    if not config.tabular and step < config.learning_starts:
        return 1.0
    left = max(0.0, 1 - step / config.epsilon_steps)
    return config.epsilon_end + left * (config.epsilon_start - config.epsilon_end)
