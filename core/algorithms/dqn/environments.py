"""The worlds an agent can act in: Gymnasium's, and two of a few states whose values are known.

A world is driven through one narrow door: begin an episode with a seed, act, see. Every episode has a seed of its own,
so that the state of an environment is told by that seed and the actions since: whoever takes up a run plays the
episode again up to where it was left, whatever the environment keeps to itself.

- R. S. Sutton, A. G. Barto. Reinforcement Learning: An Introduction, 2nd edition (2018): the cliff (Example 6.6), and
  the two states A and B of Example 6.7.
- M. Towers et al. Gymnasium: A Standard Interface for Reinforcement Learning Environments (2024): an episode ends by
  itself (terminated) or is cut off (truncated); only the first means that nothing comes after.
"""

import os
from typing import Any, NamedTuple

import numpy as np

# Without a screen: set before the first import of pygame, which draws the environments.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import gymnasium
import pygame  # noqa: F401 - imported before the fork, so that no worker pays for it
from gymnasium import error, spaces

from core.algorithms.dqn.config import DQNConfig
from core.events import Array
from core.words import N_, Refusal

#: Steps of an episode where the environment itself sets no limit.
LIMIT = 1000

#: Numbers in an observation at the most: a picture's pixels are no input for these networks.
LARGEST = 2048

#: Bytes that a replay memory may take.
MEMORY = 1 << 28


class TwoState(gymnasium.Env[Any, Any]):
    """Two states, two actions (0 stay, 1 move); to stay in state 1 pays 1, all else 0. It never ends by itself.

    With γ < 1: Q*(1, stay) = 1 / (1 - γ), Q*(0, move) = γ / (1 - γ), Q*(0, stay) = Q*(1, move) = γ² / (1 - γ).
    """

    observation_space = spaces.Discrete(2)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.at = int(self.np_random.integers(2))
        return self.at, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        reward = float(self.at == 1 and action == 0)
        self.at = 1 - self.at if action == 1 else self.at
        return self.at, reward, False, False, {}


class OverEstimation(gymnasium.Env[Any, Any]):
    """After Sutton and Barto's Example 6.7: states A (0) and B (1), ten actions, an end (2) that is never acted in.

    There A has two actions; here it has as many as B, so a random one goes left nine times in ten.

    From A action 0 goes right, to the end, and all others left, to B; both pay 0. From B every action ends the episode
    and pays a normal number of mean -0.1 and deviation 1. So left is worth -0.1 γ, but the largest of ten noisy
    estimates at B is above zero for long.
    """

    observation_space = spaces.Discrete(3)
    action_space = spaces.Discrete(10)
    MEAN, DEVIATION = -0.1, 1.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.at = 0
        return self.at, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        if self.at == 0 and action != 0:
            self.at = 1
            return self.at, 0.0, False, False, {}
        reward = 0.0 if self.at == 0 else float(self.np_random.normal(self.MEAN, self.DEVIATION))
        self.at = 2
        return self.at, reward, True, False, {}


OWN: dict[str, tuple[type[gymnasium.Env[Any, Any]], int]] = {
    "two_state": (TwoState, 20),
    "over_estimation": (OverEstimation, 10),
}


class Transition(NamedTuple):
    """What an action led to. ``next_observation`` is the true one, also where the episode is over."""

    observation: Array
    action: int
    reward: float
    next_observation: Array
    terminated: bool
    truncated: bool


class World:
    """One environment, an episode at a time.

    Args:
        config: names it.
        drawn: whether :meth:`picture` will be asked for.

    Attributes:
        actions: how many there are.
        states: how many there are, 0 where observations are vectors.
        shape: of an observation, ``()`` for the number of a state (int64), else ``(n,)`` (float32).
        seed, done, earned: seed of the episode under way, the actions taken in it and the sum of its rewards.
        observation: the present one.

    Raises:
        Refusal: no such environment exists, it needs a package that is not here, or its actions cannot be counted.
    """

    def __init__(self, config: DQNConfig, *, drawn: bool = False) -> None:
        self.env = made(config, drawn)
        space = self.env.action_space
        if not isinstance(space, spaces.Discrete):
            raise Refusal(
                "other",
                N_("Its name: the actions of {name} cannot be counted ({space}); choose one with a finite number."),
                name=config.name,
                space=type(space).__name__,
            )
        self.actions, self.first = int(space.n), int(space.start)
        seen = self.env.observation_space
        self.states = int(seen.n) if isinstance(seen, spaces.Discrete) else 0
        self.state_first = int(seen.start) if isinstance(seen, spaces.Discrete) else 0
        size = 1 if self.states else int(spaces.utils.flatdim(seen))
        if size > LARGEST:
            raise Refusal(
                "other",
                N_("Its name: an observation of {name} has {size} numbers, and at most {largest} can be learned from."),
                name=config.name,
                size=size,
                largest=LARGEST,
            )
        if config.tabular and not self.states:
            raise Refusal(
                "method",
                N_("Method: a table needs states that can be counted, and {environment} has none. Choose DQN."),
                environment=config.name,
            )
        self.shape: tuple[int, ...] = () if self.states else (size,)
        self.seed, self.done, self.earned = 0, list[int](), 0.0
        self.observation: Array = np.zeros(self.shape, np.int64 if self.states else np.float32)

    def begin(self, seed: int) -> Array:
        """A new episode; its first observation."""
        seen, _ = self.env.reset(seed=seed)
        self.seed, self.done, self.earned = seed, [], 0.0
        self.observation = self._read(seen)
        return self.observation

    def act(self, action: int) -> Transition:
        """Take an action, counted from 0."""
        seen, reward, terminated, truncated, _ = self.env.step(action + self.first)
        before, self.observation = self.observation, self._read(seen)
        self.done.append(action)
        self.earned += float(reward)
        return Transition(before, action, float(reward), self.observation, bool(terminated), bool(truncated))

    def _read(self, seen: Any) -> Array:
        if self.states:
            return np.asarray(int(seen) - self.state_first)
        if isinstance(seen, np.ndarray):
            return seen.astype(np.float32).ravel()
        flat: Array = np.asarray(spaces.utils.flatten(self.env.observation_space, seen), np.float32)
        return flat

    def picture(self) -> Array | None:
        """The present state as the environment draws it, uint8 (height, width, 3); None where it draws nothing."""
        if self.env.render_mode != "rgb_array":
            return None
        frame = self.env.render()
        return frame if isinstance(frame, np.ndarray) and frame.ndim == 3 else None

    def state_dict(self) -> dict[str, Any]:
        """The episode under way, as its seed and what was done since."""
        done = np.array(self.done, np.int32)
        return {"seed": self.seed, "done": done, "earned": self.earned, "observation": self.observation}

    def load_state_dict(self, tree: dict[str, Any]) -> bool:
        """Play the episode again up to where it was left; whether it came to the same observation and rewards."""
        self.begin(int(tree["seed"]))
        for action in np.asarray(tree["done"]).tolist():
            step = self.act(action)
            if step.terminated or step.truncated:
                return False  # what is saved is an episode under way
        same = np.array_equal(self.observation, np.asarray(tree["observation"]))
        return bool(same and self.earned == float(tree["earned"]))


def made(config: DQNConfig, drawn: bool = False) -> gymnasium.Env[Any, Any]:
    """The environment of the settings, cut off at the limit.

    Raises:
        Refusal: there is none such, or it needs a package that is not here.
    """
    if config.environment in OWN:
        kind, limit = OWN[config.environment]
        return gymnasium.wrappers.TimeLimit(kind(), config.limit or limit)
    options: dict[str, Any] = {"disable_env_checker": True}
    if config.environment == "FrozenLake-v1":
        options["is_slippery"] = config.slip
    try:
        spec = gymnasium.spec(config.name)
        if config.limit or not spec.max_episode_steps:
            options["max_episode_steps"] = config.limit or LIMIT
        if drawn and "rgb_array" in _modes(spec):
            options["render_mode"] = "rgb_array"
        return gymnasium.make(config.name, **options)
    except (error.DependencyNotInstalled, ImportError) as missing:
        raise Refusal(
            "other",
            N_(
                "Its name: {name} needs a package that is not here: {reason}. "
                "Install it, or choose another environment."
            ),
            name=config.name,
            reason=str(missing).rstrip("."),
        ) from missing
    except error.Error as unknown:
        raise Refusal(
            "other",
            N_("Its name: Gymnasium knows no {name} here: {reason}. Choose another, or install what brings it."),
            name=config.name,
            reason=str(unknown).rstrip(".? "),
        ) from unknown


def _modes(spec: Any) -> list[str]:
    """How an environment can be drawn, without making one."""
    from gymnasium.envs.registration import load_env_creator

    creator = spec.entry_point if callable(spec.entry_point) else load_env_creator(spec.entry_point)
    return list(getattr(creator, "metadata", {}).get("render_modes", []))


def grid_of(world: World) -> tuple[tuple[int, int], str] | None:
    """((rows, columns), letters of the cells row by row) of a world of cells; None for any other."""
    inner: Any = world.env.unwrapped
    desc = getattr(inner, "desc", None)
    if isinstance(desc, np.ndarray) and desc.ndim == 2 and desc.size == world.states:
        return (int(desc.shape[0]), int(desc.shape[1])), b"".join(desc.ravel().tolist()).decode("ascii")
    shape = getattr(inner, "shape", None)
    if isinstance(shape, tuple) and len(shape) == 2 and int(np.prod(shape)) == world.states:
        letters = np.full(shape, "F")
        cliff = getattr(inner, "_cliff", None)
        if isinstance(cliff, np.ndarray) and cliff.shape == shape:
            letters[cliff] = "H"
        letters[-1, 0], letters[-1, -1] = "S", "G"
        return (int(shape[0]), int(shape[1])), "".join(letters.ravel().tolist())
    return None
