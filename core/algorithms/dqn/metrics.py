"""What is measured while an agent learns: returns of its episodes, its last update, evaluations, and the diagnoses.

An evaluation plays whole episodes without a random action, in environments and with seeds of its own. They are played
side by side, so that one pass through the network serves all of them, and every evaluation begins with the same
states: what changes from one to the next is the agent alone.
"""

import math
import sys
from collections.abc import Generator, Iterator

import numpy as np
import torch

from core.algorithms.dqn.agent import episode_seed, epsilon_at, make_env
from core.algorithms.dqn.diagnoses import DIAGNOSES, Evaluation, Evidence
from core.algorithms.dqn.tabular import TabularAgent
from core.algorithms.dqn.train import Agent
from core.data.environments import Env
from core.events import Array, Event, Note, Pulse, Scalars, Snapshot

#: Steps of an evaluation from one Pulse to the next.
PULSE_EVERY = 8

#: Steps of an evaluation whose values are drawn against the returns that followed.
PAIRS = 300

#: A return that was cut off counts where no more than this share of a later reward could be missing.
MISSING = 0.05


def log_metrics(s: Agent) -> Iterator[Event]:
    """Episodes and the last update; where one is due an evaluation, and the diagnoses."""
    values = {"explore/epsilon": epsilon_at(s.config, s.step)} | episode_metrics(s) | update_metrics(s)
    evaluated = s.step % s.config.evaluate_every == 0
    if evaluated:
        values |= yield from evaluate(s)
    yield Scalars(s.step, values)
    if s.episode_restarted:
        s.episode_restarted = False
        yield Note(s.step, "begun anew", {"step": s.step})
    if evaluated:
        yield from s.diagnose(DIAGNOSES, evidence(s))


def episode_metrics(s: Agent) -> dict[str, float]:
    """Mean return and length of the episodes that ended since the last log, and the running mean of returns."""
    stats = s.episode_stats
    if not stats.unlogged:
        return {}
    returns, lengths = zip(*stats.unlogged, strict=True)
    stats.unlogged = []
    return {
        "train/return": float(np.mean(returns)),
        "train/length": float(np.mean(lengths)),
        "recent/return": float(np.mean(stats.recent)),
    }


def update_metrics(s: Agent) -> dict[str, float]:
    """Loss, size of the error and values of the last update; empty before the first."""
    errors = td_errors(s)
    if not len(errors):
        return {}
    if isinstance(s, TabularAgent):
        return {"train/loss": float(0.5 * np.square(errors).mean()), "error/mean": float(np.abs(errors).mean())}
    last = s.last_update
    values = {
        "train/loss": last["loss"],
        "error/mean": last["td_error"].abs().mean(),
        "q/online": (last["target"] - last["td_error"]).mean(),
        "q/target": last["target"].mean(),
    }
    if s.target_network is not s.q_network:
        with torch.no_grad():
            Q = s.target_network(last["observation"])
        values["q/copy"] = Q.gather(1, last["action"][:, None]).mean()
    return {name: float(value) for name, value in values.items()}


def td_errors(s: Agent) -> Array:
    """The last TD errors, (n,) of float32: of the network's last batch, or of the table's last steps."""
    if isinstance(s, TabularAgent):
        return np.array(s.td_errors, np.float32)
    errors: Array = s.last_update["td_error"].cpu().numpy() if s.last_update else np.zeros(0, np.float32)
    return errors


def evaluation_envs(s: Agent) -> list[Env]:
    return [make_env(s.config) for _ in range(s.config.evaluate_episodes)]


def evaluate(s: Agent) -> Generator[Event, None, dict[str, float]]:
    """Play the evaluation's episodes to their ends and keep how it went; the metrics are this generator's value.

    ``value/estimate`` is the best action's Q in the first state and ``value/obtained`` the discounted return from it,
    over the episodes whose ends are known well enough; they are left out where there are none.
    """
    envs, gamma = s.cached(evaluation_envs), s.config.gamma
    n = len(envs)
    observations = np.stack([env.reset(episode_seed(s.config.seed, "evaluation", i)) for i, env in enumerate(envs)])
    Q: list[list[float]] = [[] for _ in envs]  # of the actions taken
    rewards: list[list[float]] = [[] for _ in envs]
    truncated = [False] * n
    playing, t = list(range(n)), 0
    while playing:
        values = s.q(observations[playing])
        going_on = []
        for i, action, value in zip(playing, values.argmax(axis=1).tolist(), values.max(axis=1).tolist(), strict=True):
            transition = envs[i].step(action)
            Q[i].append(value)
            rewards[i].append(transition.reward)
            observations[i] = transition.next_observation
            truncated[i] = transition.truncated and not transition.terminated
            if not transition.done:
                going_on.append(i)
        playing, t = going_on, t + 1
        if t % PULSE_EVERY == 0:
            yield Pulse()
    G = [discounted_returns(r, gamma) for r in rewards]
    # The last steps of an episode that was cut off are left out: what would have come is missing from their returns.
    known = [max(len(G[i]) - unknown(gamma), 0) if truncated[i] else len(G[i]) for i in range(n)]
    returns = [sum(r) for r in rewards]
    standard_error = float(np.std(returns, ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    s.history.append(Evaluation(s.step, float(np.mean(returns)), standard_error))
    pairs = np.concatenate([np.stack([Q[i], G[i]], axis=1)[: known[i]] for i in range(n)])
    if len(pairs) > PAIRS:
        pairs = pairs[np.linspace(0, len(pairs) - 1, PAIRS).astype(int)]
    yield Snapshot(s.step, "calibration", {"pairs": pairs.astype(np.float32)})
    metrics = {"test/return": s.history[-1].mean_return, "test/length": float(np.mean([len(r) for r in rewards]))}
    if whole := [i for i in range(n) if known[i]]:
        metrics["value/estimate"] = float(np.mean([Q[i][0] for i in whole]))
        metrics["value/obtained"] = float(np.mean([G[i][0] for i in whole]))
    return metrics


def discounted_returns(rewards: list[float], gamma: float) -> Array:
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


def evidence(s: Agent) -> Evidence:
    """What the diagnoses are made from."""
    stats, largest_q = s.episode_stats, 0.0
    if isinstance(s, TabularAgent):
        largest_q = float(np.abs(s.table).max())
    elif s.last_update:
        y, td_error = s.last_update["target"], s.last_update["td_error"]
        largest_q = float(torch.maximum(y.abs(), (y - td_error).abs()).max())
    return Evidence(
        largest_q=largest_q,
        largest_reward=stats.largest_reward,
        gamma=s.config.gamma,
        longest=stats.longest,
        epsilon=epsilon_at(s.config, s.step),
        episodes=stats.episodes,
        tabular=s.config.tabular,
        lowest=stats.lowest,
        highest=stats.highest,
        history=s.history,
    )
