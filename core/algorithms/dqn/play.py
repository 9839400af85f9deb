"""Play it yourself: a person and the agent in the same episode, side by side, each in a world of its own.

Both worlds begin with the same seed. Each question is one step of both: the person's key says the one action, the
agent's highest Q the other.
"""

from collections.abc import Iterator

import numpy as np

from core.algorithms.dqn.environments import World
from core.algorithms.dqn.rollout import shot
from core.algorithms.dqn.state import PLAYED, State, seed_of
from core.algorithms.dqn.worlds import KEYS, Move
from core.events import Array, Event, Snapshot


class Player:
    """One side: a world, and how its episode stands."""

    def __init__(self, state: State) -> None:
        self.world = World(state.config, drawn=True)

    def begin(self, seed: int) -> None:
        self.world.begin(seed)
        self.t, self.returned, self.over = 0, 0.0, 0

    def act(self, action: int) -> None:
        """One step, if the episode goes on."""
        if self.over:
            return
        step = self.world.act(action)
        self.t, self.returned = self.t + 1, self.returned + step.reward
        self.over = 1 if step.terminated else 2 if step.truncated else 0

    def arrays(self, who: str) -> dict[str, Array]:
        """Steps, rewards and end (0 not, 1 by itself, 2 cut off), and the picture."""
        about = {f"{who}_about": np.array([self.t, self.returned, self.over], np.float32)}
        picture = shot(self.world)
        return about if picture is None else about | {f"{who}_png": picture}


def probe(state: State, name: str, requests: Iterator[Move]) -> Iterator[Event]:
    """Play until the person leaves. Without a key the first time: the beginning, before anybody moved."""
    keys = KEYS[state.config.environment]
    you, agent = Player(state), Player(state)
    episode, held, begun = 0, "", False
    try:
        for move in requests:
            if not episode or move.again or (you.over and agent.over and move.direction != "none"):
                episode += 1
                for player in (you, agent):
                    player.begin(seed_of(state.config.seed, PLAYED, episode))
                begun, held = False, ""
            elif move.direction != "none" or begun:
                # What has no neutral action goes on as it was pushed last; nothing moves before the first key.
                held = move.direction if move.direction in keys else "none" if "none" in keys else held
                if held in keys:
                    begun = "none" in keys or name == "play"
                    best = int(state.q(agent.world.observation[None])[0].argmax())
                    you.act(keys[held])
                    agent.act(best)
            yield Snapshot(state.step, name, you.arrays("you") | agent.arrays("agent"))
    finally:
        for player in (you, agent):
            player.world.env.close()
