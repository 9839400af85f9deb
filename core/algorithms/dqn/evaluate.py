"""How good the agent is: whole episodes without a random action, in environments and with seeds of their own.

All episodes of an evaluation are played side by side, so that the network is asked once for all of them. Every
evaluation plays the same episodes' beginnings: what changes from one to the next is the agent alone.
"""

import math
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from core.algorithms.dqn.environments import World
from core.algorithms.dqn.state import JUDGED, State, seed_of
from core.events import Array, Pulse

#: Steps from one look up to the next.
BREATH = 8

#: Pairs of estimate and return that are kept.
PAIRS = 300

#: A return that was cut off counts where no more than this share of a later reward could be missing.
MISSING = 0.05


class Outcome(NamedTuple):
    """What an evaluation found.

    Attributes:
        returned, length: mean over its episodes. doubt: standard error of ``returned``, 0 where there
            is one episode alone.
        estimate: mean of the best action's Q in the first state, over the episodes that tell what it was worth: an
            episode that was cut off does where no more than :data:`MISSING` of a later reward could be missing.
        discounted: mean over the same episodes of the discounted return really obtained; NaN where there are none.
        pairs: (n, 2): Q(s, a) of the action taken and the discounted return really obtained from there on.
    """

    returned: float
    doubt: float
    length: float
    estimate: float
    discounted: float
    pairs: Array


def evaluate(state: State) -> Iterator[Pulse | Outcome]:
    """Play every episode to its end; the last thing told is the :class:`Outcome`."""
    n = state.config.evaluate_episodes
    while len(state.judges) < n:
        state.judges.append(World(state.config))
    worlds = state.judges[:n]
    seen = np.stack([world.begin(seed_of(state.config.seed, JUDGED, i)) for i, world in enumerate(worlds)])
    Q: list[list[float]] = [[] for _ in worlds]
    rewards: list[list[float]] = [[] for _ in worlds]
    cut = [False] * n
    playing = list(range(n))
    t = 0
    while playing:
        values = state.q(seen[playing])
        best = values.argmax(axis=1).tolist()
        chosen = values.max(axis=1).tolist()
        going = []
        for k, i in enumerate(playing):
            step = worlds[i].act(best[k])
            Q[i].append(chosen[k])
            rewards[i].append(step.reward)
            seen[i] = step.next_observation
            if step.terminated or step.truncated:
                cut[i] = not step.terminated
            else:
                going.append(i)
        playing = going
        t += 1
        if t % BREATH == 0:
            yield Pulse()
    G = [discounted(r, state.config.gamma) for r in rewards]
    whole = [i for i in range(n) if not cut[i] or len(G[i]) > unknown(state.config.gamma)]
    totals = [sum(r) for r in rewards]
    yield Outcome(
        returned=float(np.mean(totals)),
        doubt=float(np.std(totals, ddof=1) / math.sqrt(n)) if n > 1 else 0.0,
        length=float(np.mean([len(r) for r in rewards])),
        estimate=float(np.mean([Q[i][0] for i in whole])) if whole else math.nan,
        discounted=float(np.mean([G[i][0] for i in whole])) if whole else math.nan,
        pairs=pairs(Q, G, cut, state.config.gamma),
    )


def discounted(rewards: list[float], gamma: float) -> Array:
    """G_t = r_{t+1} + γ G_{t+1} for each step of an episode, (length,)."""
    G = np.zeros(len(rewards))
    after = 0.0
    for t in range(len(rewards) - 1, -1, -1):
        after = rewards[t] + gamma * after
        G[t] = after
    return G


def unknown(gamma: float) -> int:
    """Last steps of an episode that was cut off whose returns could miss more than :data:`MISSING` of a reward."""
    if gamma == 0:
        return 0
    return math.ceil(math.log(MISSING) / math.log(gamma)) if gamma < 1 else sys.maxsize


def pairs(Q: list[list[float]], G: list[Array], cut: list[bool], gamma: float) -> Array:
    """Estimates and returns, (n, 2), at most :data:`PAIRS` evenly picked.

    The last steps of an episode that was cut off are left out: what would have come is missing from their returns.
    """
    kept = []
    for q, g, over in zip(Q, G, cut, strict=True):
        n = max(len(g) - unknown(gamma), 0) if over else len(g)
        kept.append(np.stack([np.array(q)[:n], g[:n]], axis=1))
    found = np.concatenate(kept)
    if len(found) > PAIRS:
        found = found[np.linspace(0, len(found) - 1, PAIRS).astype(int)]
    return found.astype(np.float32)
