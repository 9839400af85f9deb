"""Environments to act in: Gymnasium's, and two of a few states whose values are known.

Every episode has a seed of its own, so that the state of an environment is given by that seed and the actions since: a
resumed run replays the episode up to where it was left, whatever the environment keeps to itself.

- R. S. Sutton, A. G. Barto. Reinforcement Learning: An Introduction, 2nd edition (2018): the cliff (Example 6.6), and
  the two states A and B of Example 6.7.
- M. Towers et al. Gymnasium: A Standard Interface for Reinforcement Learning Environments (2024): an episode ends by
  itself (terminated) or is cut off (truncated); only the first means that nothing comes after.
"""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

# Without a screen: set before the first import of pygame, which draws the environments.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import gymnasium
import pygame  # noqa: F401 - imported before the fork, so that no worker pays for it
from gymnasium import error, spaces

from core.events import Array
from core.words import N_, Refusal

#: Steps of an episode where the environment itself sets no limit.
DEFAULT_TIME_LIMIT = 1000

#: Numbers in an observation at the most: a picture's pixels are no input for these networks.
MAX_OBSERVATION_SIZE = 2048


class TwoState(gymnasium.Env[Any, Any]):
    """Two states, two actions (0 stay, 1 move); to stay in state 1 pays 1, all else 0. It never ends by itself.

    With γ < 1: Q*(1, stay) = 1 / (1 - γ), Q*(0, move) = γ / (1 - γ), Q*(0, stay) = Q*(1, move) = γ² / (1 - γ).
    """

    observation_space = spaces.Discrete(2)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.state = int(self.np_random.integers(2))
        return self.state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        reward = float(self.state == 1 and action == 0)
        self.state = 1 - self.state if action == 1 else self.state
        return self.state, reward, False, False, {}


class OverEstimation(gymnasium.Env[Any, Any]):
    """After Sutton and Barto's Example 6.7: states A (0) and B (1), ten actions, an end (2) that is never acted in.

    There A has two actions; here it has as many as B, so a random one goes left nine times in ten.

    From A action 0 goes right, to the end, and all others left, to B; both pay 0. From B every action ends the episode
    and pays a normal number of mean -0.1 and deviation 1. So left is worth -0.1 γ, but the largest of ten noisy
    estimates at B is above zero for long.
    """

    observation_space = spaces.Discrete(3)
    action_space = spaces.Discrete(10)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.state = 0
        return self.state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        if self.state == 0 and action != 0:
            self.state = 1
            return self.state, 0.0, False, False, {}
        reward = 0.0 if self.state == 0 else float(self.np_random.normal(-0.1, 1.0))
        self.state = 2
        return self.state, reward, True, False, {}


gymnasium.register("two_state", f"{__name__}:TwoState", max_episode_steps=20)
gymnasium.register("over_estimation", f"{__name__}:OverEstimation", max_episode_steps=10)


class Transition(NamedTuple):
    """What an action led to. ``next_observation`` is the true one, also where the episode is over."""

    observation: Array
    action: int
    reward: float
    next_observation: Array
    terminated: bool
    truncated: bool

    @property
    def done(self) -> bool:
        """Whether the episode is over, either way."""
        return self.terminated or self.truncated


class Env:
    """A Gymnasium environment, an episode at a time.

    Args:
        name: under which it is registered.
        limit: steps after which an episode is cut off; 0 for its own limit, or :data:`DEFAULT_TIME_LIMIT`.
        render: whether :meth:`render` will be called.
        **options: of the environment itself.

    Attributes:
        n_actions: how many there are.
        n_states: how many there are, 0 where observations are vectors.
        shape: of an observation, ``()`` for the number of a state (int64), else ``(n,)`` (float32).
        seed, actions, episode_return: seed of the episode under way, the actions taken in it, the sum of its rewards.
        ended: 0 while the episode goes on, 1 once it has terminated, 2 once it was cut off.
        observation: the present one.
        replayed: whether the last :meth:`load_state_dict` came to the state that was saved.

    Raises:
        Refusal: of the field ``other``, which names it: no such environment exists, it needs a package that is not
            here, its actions cannot be counted, or its observations are too large.
    """

    def __init__(self, name: str, *, limit: int = 0, render: bool = False, **options: Any) -> None:
        self.env = make_env(name, limit, render, options)
        actions, observations = self.env.action_space, self.env.observation_space
        if not isinstance(actions, spaces.Discrete):
            raise Refusal(
                "other",
                N_("Its name: the actions of {name} cannot be counted ({space}); choose one with a finite number."),
                name=name,
                space=type(actions).__name__,
            )
        self.n_actions, self.first_action = int(actions.n), int(actions.start)
        self.n_states = self.first_state = 0
        self.shape: tuple[int, ...] = ()
        if isinstance(observations, spaces.Discrete):
            self.n_states, self.first_state = int(observations.n), int(observations.start)
        else:
            self.shape = (spaces.utils.flatdim(observations),)
        if self.shape and self.shape[0] > MAX_OBSERVATION_SIZE:
            raise Refusal(
                "other",
                N_("Its name: an observation of {name} has {size} numbers, and at most {largest} can be learned from."),
                name=name,
                size=self.shape[0],
                largest=MAX_OBSERVATION_SIZE,
            )
        self.seed, self.actions, self.episode_return, self.ended = 0, list[int](), 0.0, 0
        self.observation: Array = np.zeros(self.shape, np.float32 if self.shape else np.int64)
        self.replayed = True

    def reset(self, seed: int) -> Array:
        """Begin an episode; its first observation."""
        observation, _ = self.env.reset(seed=seed)
        self.seed, self.actions, self.episode_return, self.ended = seed, [], 0.0, 0
        self.observation = self._encode(observation)
        return self.observation

    def step(self, action: int) -> Transition:
        """Take an action, counted from 0."""
        observation, reward, terminated, truncated, _ = self.env.step(action + self.first_action)
        before, self.observation = self.observation, self._encode(observation)
        self.actions.append(action)
        self.episode_return += float(reward)
        self.ended = 1 if terminated else 2 if truncated else 0
        return Transition(before, action, float(reward), self.observation, bool(terminated), bool(truncated))

    def _encode(self, observation: Any) -> Array:
        if self.n_states:
            return np.asarray(int(observation) - self.first_state)
        flat: Array = np.asarray(spaces.utils.flatten(self.env.observation_space, observation), np.float32)
        return flat

    def render(self) -> Array | None:
        """The present state as the environment draws it, uint8 (height, width, 3); ``None`` where it cannot."""
        if self.env.render_mode != "rgb_array":
            return None
        try:
            frame: Any = self.env.render()
        except Exception:  # whatever a drawing may lack, the agent goes on without it
            return None
        image = isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.shape[2:] == (3,)
        return frame if image else None

    def state_dict(self) -> dict[str, Any]:
        """The episode under way: its seed and actions, and what they led to."""
        return {
            "seed": self.seed,
            "actions": np.array(self.actions, np.int32),
            "episode_return": self.episode_return,
            "observation": self.observation,
        }

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        """Replay the episode up to where it was left; ``replayed`` is whether it led to the same state."""
        self.reset(int(tree["seed"]))
        ended = any(self.step(action).done for action in np.asarray(tree["actions"]).tolist())
        same = np.array_equal(self.observation, np.asarray(tree["observation"]))
        self.replayed = not ended and same and self.episode_return == float(tree["episode_return"])


def make_env(name: str, limit: int, render: bool, options: Mapping[str, Any]) -> gymnasium.Env[Any, Any]:
    """Gymnasium's own object for the arguments of :class:`Env`."""
    try:
        if not limit and not gymnasium.spec(name).max_episode_steps:
            limit = DEFAULT_TIME_LIMIT
        options = {"disable_env_checker": True, "max_episode_steps": limit or None, **options}
        env = gymnasium.make(name, **options)
        if render and "rgb_array" in env.metadata.get("render_modes", []):
            env.close()
            env = gymnasium.make(name, render_mode="rgb_array", **options)
        return env
    except (error.DependencyNotInstalled, ImportError) as missing:
        raise Refusal(
            "other",
            N_(
                "Its name: {name} needs a package that is not here: {reason}. "
                "Install it, or choose another environment."
            ),
            name=name,
            reason=str(missing).rstrip("."),
        ) from missing
    except error.Error as unknown:
        raise Refusal(
            "other",
            N_("Its name: Gymnasium has no {name} here: {reason}. Choose another, or install what brings it."),
            name=name,
            reason=str(unknown).rstrip(".? "),
        ) from unknown
