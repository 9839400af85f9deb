"""Play it yourself: a person and the agent in the same episode, side by side, each in an environment of its own.

Both episodes begin with the same seed. Each request is one step of both: the person's key gives the one action, the
agent's highest Q the other.
"""

from collections.abc import Iterator

import numpy as np

from core.algorithms.dqn.environments import Env, episode_seed
from core.algorithms.dqn.snapshots import png
from core.algorithms.dqn.train import Agent
from core.algorithms.dqn.worlds import KEYS, Move
from core.events import Array, Event, Snapshot


class Player:
    """One side: an environment, and how its episode ended: 0 not, 1 by itself, 2 cut off."""

    def __init__(self, s: Agent) -> None:
        self.env = Env(s.config, render=True)

    def begin(self, seed: int) -> None:
        self.env.reset(seed)
        self.over = 0

    def step(self, action: int) -> None:
        """One step, if the episode goes on."""
        if not self.over:
            transition = self.env.step(action)
            self.over = 1 if transition.terminated else 2 if transition.truncated else 0

    def arrays(self, who: str) -> dict[str, Array]:
        """Steps, return and end, and the picture."""
        about = np.array([len(self.env.actions), self.env.episode_return, self.over], np.float32)
        picture = png(self.env)
        return {f"{who}_about": about} | ({} if picture is None else {f"{who}_png": picture})


def probe(s: Agent, name: str, requests: Iterator[Move]) -> Iterator[Event]:
    """Play until the person leaves. Without a key the first time: the beginning, before anybody moved."""
    keys = KEYS[s.config.environment]
    you, agent = Player(s), Player(s)
    episode, held, begun = 0, "", False
    try:
        for move in requests:
            if not episode or move.again or (you.over and agent.over and move.direction != "none"):
                episode += 1
                for player in (you, agent):
                    player.begin(episode_seed(s.config.seed, "probe", episode))
                begun, held = False, ""
            elif move.direction != "none" or begun:
                # What has no neutral action goes on as it was pushed last; nothing moves before the first key.
                held = move.direction if move.direction in keys else "none" if "none" in keys else held
                if held in keys:
                    begun = "none" in keys or name == "play"
                    best = int(s.q(agent.env.observation[None])[0].argmax())
                    you.step(keys[held])
                    agent.step(best)
            yield Snapshot(s.step, name, you.arrays("you") | agent.arrays("agent"))
    finally:
        for player in (you, agent):
            player.env.env.close()
