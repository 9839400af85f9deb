"""What the panels draw: an episode that the agent plays for the picture, its values, and what it learns from.

The episode is played without a random action, in an environment that the training never sees, with seeds of its own. At
each picture it goes on by as many steps as keep it near its own pace, with the agent as it is then. It is never saved:
a resumed run begins a new one.
"""

import io
from collections import deque
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from PIL import Image

from core.algorithms.dqn.agent import episode_seed, make_env
from core.algorithms.dqn.metrics import td_errors
from core.algorithms.dqn.tabular import TabularAgent
from core.algorithms.dqn.train import DQN, Agent
from core.data.environments import Env
from core.events import Array
from core.figures import quantised

FPS = 5  # pictures a second, more or less
VALUES = 120  # steps of the episode whose Q is drawn
HIGHEST, WIDEST = 260, 400  # pixels of a picture
SIDE = 20  # of the value map
COVER = 24  # cells of the coverage across and up
STATES = 1000  # drawn at the most
SAMPLE = 2000  # transitions of the replay buffer that are counted


class Rollout:
    """The episode that is shown.

    Attributes:
        episode: number of it, from 1. stride: steps from one picture to the next.
        Q: of each action, (actions,), at the last steps, the present one last; shorter at an episode's start.
    """

    def __init__(self, s: Agent) -> None:
        self.env = make_env(s.config, render=True)
        self.stride = max(1, round((self.env.env.metadata.get("render_fps") or FPS) / FPS))
        self.episode = 0
        self.begin(s)

    def begin(self, s: Agent) -> None:
        self.episode += 1
        observation = self.env.reset(episode_seed(s.config.seed, "rollout", self.episode))
        self.new = True
        self.Q: deque[Array] = deque([s.q(observation[None])[0]], maxlen=VALUES + 1)

    def advance(self, s: Agent) -> None:
        """On to the next picture: some steps later, or at the end, or at the start of a new episode."""
        if self.env.ended:
            self.begin(s)
        if self.new:
            self.new = False
            return
        for _ in range(self.stride):
            self.env.step(int(self.Q[-1].argmax()))
            self.Q.append(s.q(self.env.observation[None])[0])
            if self.env.ended:
                break


def next_picture(s: Agent) -> Rollout:
    """The episode that is shown, moved on; by ``cached_at_step`` once for all panels that show it."""
    shown = s.cached(Rollout)
    shown.advance(s)
    return shown


def rollout(s: Agent) -> dict[str, Array]:
    """The episode's picture as a PNG where there is one; its number, steps, return, and how it ended."""
    shown = s.cached_at_step(next_picture)
    about = (shown.episode, len(shown.env.actions), shown.env.episode_return, shown.env.ended)
    return {"about": np.array(about, np.float32)} | png(shown.env)


def png(env: Env) -> dict[str, Array]:
    """The present state as the bytes of a PNG of 64 colours at most, made small; nothing where it cannot be drawn."""
    frame = env.render()
    if frame is None:
        return {}
    factor = max(-(-frame.shape[0] // HIGHEST), -(-frame.shape[1] // WIDEST), 1)
    image = Image.fromarray(frame).reduce(factor)
    file = io.BytesIO()
    image.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "PNG", compress_level=1)
    return {"png": np.frombuffer(file.getvalue(), np.uint8)}


def values(s: Agent) -> dict[str, Array]:
    """Q of each action at the last steps of the episode that is shown, (steps, actions), and the numbers of these."""
    shown = s.cached_at_step(next_picture)
    t, Q = len(shown.env.actions), np.stack(shown.Q).astype(np.float32)
    return {"q": Q, "t": np.arange(t - len(Q) + 1, t + 1, dtype=np.int32)}


def state_map(s: Agent) -> dict[str, Array]:
    """Q of every state where they can be counted; else value and best action over two numbers of the observation.

    The other numbers stand at their means over the replay buffer.
    """
    at = s.cached_at_step(next_picture).env.observation
    if s.env.n_states or isinstance(s, TabularAgent):
        states = np.arange(min(s.env.n_states, STATES))
        return {"q": s.q(states).astype(np.float32), "at": np.array([int(at)], np.int32)}
    (x, y), extent = axes(s), plane(s)
    observations = sampled_observations(s)
    mean = observations.mean(axis=0) if len(observations) else np.zeros(s.env.shape)
    places = np.tile(mean.astype(np.float32), (SIDE * SIDE, 1))
    places[:, y] = np.repeat(np.linspace(extent[3], extent[2], SIDE), SIDE)
    places[:, x] = np.tile(np.linspace(extent[0], extent[1], SIDE), SIDE)
    Q = s.q(places)
    V = Q.max(axis=1).reshape(SIDE, SIDE)
    return {
        "value": quantised(V, float(V.min()), float(V.max())),
        "range": np.array([V.min(), V.max()], np.float32),
        "action": Q.argmax(axis=1).reshape(SIDE, SIDE).astype(np.uint8),
        "extent": np.array(extent, np.float32),
        "axes": np.array([x, y], np.int32),
        "at": at[[x, y]],
    }


def axes(s: Agent) -> tuple[int, int]:
    """The two numbers of the observation that are drawn: the chosen ones, or the last there are; not one twice."""
    last = s.env.shape[0] - 1
    x, y = min(s.config.axis_x, last), min(s.config.axis_y, last)
    return (x - 1 if x else min(1, last), y) if x == y else (x, y)


def sample(s: DQN) -> slice:
    """Some of the places of the replay buffer, at most :data:`SAMPLE` or so, evenly picked."""
    size = s.replay_buffer.size
    return slice(0, size, max(1, size // SAMPLE))


def sampled_observations(s: DQN) -> Array:
    """Observations at these places, (n, …)."""
    return s.replay_buffer.observation[sample(s)]


def plane(s: DQN) -> tuple[float, float, float, float]:
    """(left, right, bottom, top) of the two numbers that are drawn.

    As far as the observations of the replay buffer reach, rounded outwards so that the map keeps still, and no further
    than the environment's bounds.
    """
    space, observations = s.env.env.observation_space, sampled_observations(s)
    reach = rounded_up(np.abs(observations).max(axis=0)) if len(observations) else np.ones(s.env.shape)
    low, high = -reach, reach
    if isinstance(space, Box):
        low, high = np.maximum(low, space.low.ravel()), np.minimum(high, space.high.ravel())
    x, y = axes(s)
    return float(low[x]), float(high[x]), float(low[y]), float(high[y])


def rounded_up(reach: Array) -> Array:
    """Up to the next power of √2."""
    result: Array = 2.0 ** (np.ceil(2 * np.log2(np.maximum(reach, 1e-3).astype(np.float64))) / 2)
    return result


def errors(s: Agent) -> dict[str, Array]:
    """How often the last TD errors take each value."""
    found = np.nan_to_num(td_errors(s), nan=0.0, posinf=1e30, neginf=-1e30)
    reach = float(rounded_up(np.abs(found).max(initial=1e-3)))
    counts, _ = np.histogram(found, 30, (-reach, reach))
    return {"counts": counts.astype(np.int32), "reach": np.array([reach], np.float32)}


def replay_buffer(s: Agent) -> dict[str, Array] | None:
    """Age of what the replay buffer holds and of the last batch, its rewards, and how often each place was seen."""
    if isinstance(s, TabularAgent):
        return None
    buffer, picked = s.replay_buffer, sample(s)
    oldest = max(s.step - int(buffer.added_at[: buffer.size].min(initial=s.step)), 1)
    rewards = buffer.reward[picked]
    low, high = float(rewards.min(initial=0)), float(rewards.max(initial=0))

    def histogram(found: Array, start: float, end: float) -> Array:
        return np.histogram(found, 20, (start, end))[0].astype(np.int32)

    arrays: dict[str, Array] = {
        "size": np.array([buffer.size, buffer.capacity, oldest], np.int32),
        "age": histogram(s.step - buffer.added_at[picked], 0, oldest),
        "drawn": histogram(s.step - buffer.added_at[buffer.sampled], 0, oldest),
        "rewards": histogram(rewards, low, max(high, low + 1e-6)),
        "range": np.array([low, high], np.float32),
    }
    if s.env.n_states:
        n = min(s.env.n_states, STATES)
        arrays["visits"] = np.bincount(buffer.observation[picked], minlength=n)[:n].astype(np.int32)
        return arrays
    (x, y), extent, observations = axes(s), plane(s), sampled_observations(s)
    counts = np.histogram2d(observations[:, y], observations[:, x], COVER, (extent[2:], extent[:2]))[0][::-1]
    arrays["cover"] = quantised(np.sqrt(counts / max(counts.max(initial=1), 1)), 0, 1)
    arrays["extent"], arrays["axes"] = np.array(extent, np.float32), np.array([x, y], np.int32)
    return arrays


def grid(s: Agent) -> dict[str, Array]:
    """How many actions there are; rows, columns and letters of a grid of cells."""
    arrays: dict[str, Array] = {"actions": np.array([s.env.n_actions], np.int32)}
    inner: Any = s.env.env.unwrapped
    letters, shape = getattr(inner, "desc", None), getattr(inner, "shape", None)
    if letters is None and isinstance(shape, tuple) and len(shape) == 2:
        letters = np.full(shape, b"F")
        cliff = getattr(inner, "_cliff", None)
        if isinstance(cliff, np.ndarray) and cliff.shape == shape:
            letters[cliff] = b"H"
        letters[-1, 0], letters[-1, -1] = b"S", b"G"
    if isinstance(letters, np.ndarray) and letters.ndim == 2 and letters.size == s.env.n_states:
        arrays["grid"] = np.array(letters.shape, np.int32)
        arrays["letters"] = np.frombuffer(letters.tobytes(), np.uint8)
    return arrays


STATIC_SNAPSHOTS = {"world": grid}
SNAPSHOTS = {"rollout": rollout, "values": values, "map": state_map, "errors": errors, "memory": replay_buffer}
