"""The episode that is shown: played without a random action, in an environment that the training never sees.

Every look plays it on by as many steps as keep it near its own pace, with the network as it is then, and draws it. It
is a picture of the training and no part of it: it has seeds of its own, and a run that is taken up begins a new one.
"""

import io
from collections import deque

import numpy as np
from PIL import Image

from core.algorithms.dqn.environments import World
from core.algorithms.dqn.state import SHOWN, State, seed_of
from core.events import Array

#: Looks a second, more or less.
LOOKS = 5

#: Steps whose values are kept for the curves of Q.
KEPT = 120

#: Height and width that a picture has at the most.
HIGHEST, WIDEST = 260, 400


class Rollout:
    """An episode being shown.

    Attributes:
        episode: number of it, from 1. t, returned: its steps and rewards so far.
        values: (Q of each action, the one taken) of the last steps, oldest first; shorter at an episode's start.
        looks: times it was shown. pairs: of the evaluation that was last shown.
        over: "" while it is played, else "terminated" or "truncated".
    """

    def __init__(self, state: State) -> None:
        self.world = World(state.config, drawn=True)
        fps = self.world.env.metadata.get("render_fps") or LOOKS
        self.stride = max(1, round(fps / LOOKS))
        self.episode, self.looks, self.draws = 0, 0, True
        self.pairs = state.pairs
        self.begin(state)

    def begin(self, state: State) -> None:
        self.episode += 1
        self.observation = self.world.begin(seed_of(state.config.seed, SHOWN, self.episode))
        self.t, self.returned, self.over = 0, 0.0, ""
        self.values: deque[tuple[Array, int]] = deque(maxlen=KEPT)
        self.q = state.q(self.observation[None])[0]

    def play(self, state: State) -> None:
        """On by a look's steps, or to the end; a new episode where the last look showed the end."""
        if self.over:
            return self.begin(state)
        for _ in range(self.stride):
            action = int(self.q.argmax())
            self.values.append((self.q, action))
            step = self.world.act(action)
            self.observation, self.t, self.returned = step.next_observation, self.t + 1, self.returned + step.reward
            self.q = state.q(self.observation[None])[0]
            if step.terminated or step.truncated:
                self.over = "terminated" if step.terminated else "truncated"
                break
        return None

    def picture(self) -> Array | None:
        """The present state as the bytes of a PNG; None where the environment draws nothing."""
        if self.draws:
            picture = shot(self.world)
            self.draws = picture is not None
            return picture
        return None


def shot(world: World) -> Array | None:
    """The present state of a world as the bytes of a PNG, made small; None where it draws nothing."""
    try:
        frame = world.picture()
    except Exception:  # whatever a drawing may lack, the agent goes on without it
        return None
    if frame is None or frame.dtype != np.uint8 or frame.shape[2] != 3:
        return None
    factor = max(-(-frame.shape[0] // HIGHEST), -(-frame.shape[1] // WIDEST), 1)
    return np.frombuffer(png(Image.fromarray(frame).reduce(factor)), np.uint8)


def png(image: Image.Image) -> bytes:
    """A picture as a PNG file, of 64 colours at most: flat ones take a few kilobytes."""
    file = io.BytesIO()
    image.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "PNG", compress_level=1)
    return file.getvalue()
