"""Play it yourself: a person and the agent in the same episode, side by side, each in an environment of its own.

Both episodes begin with the same seed. Each request is one step of both: the person's key gives the one action, the
agent's highest Q the other.
"""

from collections.abc import Iterator

import numpy as np

from core.algorithms.dqn.agent import episode_seed, make_env
from core.algorithms.dqn.requests import KEYS, Move
from core.algorithms.dqn.snapshots import png
from core.algorithms.dqn.train import Agent
from core.data.environments import Env
from core.events import Array, Event, Snapshot


def probe(s: Agent, name: str, requests: Iterator[Move]) -> Iterator[Event]:
    """Play until the person leaves. Without a key the first time: the beginning, before anybody moved."""
    keys = KEYS[s.config.environment]
    you, agent = (make_env(s.config, render=True) for _ in range(2))
    episode, held, begun = 0, "", False
    try:
        for move in requests:
            if not episode or move.again or (you.ended and agent.ended and move.direction != "none"):
                episode += 1
                for env in (you, agent):
                    env.reset(episode_seed(s.config.seed, "probe", episode))
                begun, held = False, ""
            elif move.direction != "none" or begun:
                # What has no neutral action goes on as it was pushed last; nothing moves before the first key.
                held = move.direction if move.direction in keys else "none" if "none" in keys else held
                if held in keys:
                    begun = "none" in keys or name == "play"
                    best = int(s.q(agent.observation[None])[0].argmax())
                    for env, action in ((you, keys[held]), (agent, best)):
                        if not env.ended:
                            env.step(action)
            yield Snapshot(s.step, name, arrays("you", you) | arrays("agent", agent))
    finally:
        for env in (you, agent):
            env.env.close()


def arrays(player: str, env: Env) -> dict[str, Array]:
    """Steps, return and end of a player's episode, and its picture where there is one."""
    about = np.array([len(env.actions), env.episode_return, env.ended], np.float32)
    return {f"{player}_{name}": array for name, array in ({"about": about} | png(env)).items()}
