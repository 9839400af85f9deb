"""The agents' cases for the contract suite."""

from typing import Any

import numpy as np

from tests.core.algorithms.contract import Cases, Effect, Overfit, Trial, drawn, initial, logged, part, shapes
from tests.core.algorithms.dqn.training import advance

SMALL = {"layers": (6,), "learning_starts": 4, "batch_size": 4, "buffer": 64, "train_every": 4, "gradient_steps": 2}
SMALL |= {
    "epsilon_start": 0.9,
    "epsilon_end": 0.3,
    "epsilon_steps": 30,
    "evaluate_episodes": 1,
    "lr": 0.01,
    "clip": 0.0,
}
TABLE = {"environment": "CliffWalking-v1", "method": "q_learning", "lr": 0.5, "limit": 20}
TABLES = (TABLE, TABLE | {"method": "sarsa"}, TABLE | {"double": True})
ENVIRONMENTS = ("CartPole-v1", "MountainCar-v0", "Acrobot-v1", "FrozenLake-v1", "CliffWalking-v1")
ENVIRONMENTS += ("two_state", "over_estimation")
ICE = {"environment": "FrozenLake-v1"}
ANY = {"environment": "other"}

#: Agents of every kind, each with few and short evaluations.
NETWORK = {"layers": (16,), "learning_starts": 4, "train_every": 4, "gradient_steps": 2, "batch_size": 16}
NETWORK |= {"buffer": 500, "evaluate_every": 10, "evaluate_episodes": 2, "epsilon_steps": 200}
EVERYTHING = {"double": True, "dueling": True, "n_step": 3, "prioritised": True, "target": "soft", "buffer": 100}
KINDS: dict[str, dict[str, Any]] = {
    "plain": NETWORK,
    "everything": NETWORK | EVERYTHING,
    "no replay": NETWORK | {"replay": False, "target": "none", "huber": False, "clip": 0.0},
    "slippery": NETWORK | {"environment": "FrozenLake-v1", "slip": True},
    "swing": NETWORK | {"environment": "Acrobot-v1", "limit": 60},
    "table": {"environment": "FrozenLake-v1", "method": "q_learning", "lr": 0.5, "evaluate_every": 10, "slip": True},
    "double table": {"environment": "over_estimation", "method": "q_learning", "double": True, "evaluate_every": 10},
    "sarsa": {"environment": "CliffWalking-v1", "method": "sarsa", "lr": 0.5, "evaluate_every": 10, "limit": 40},
}


def environment(trial: Trial) -> str:
    return type(trial.state.env.env.unwrapped).__name__


class FirstRows:
    """Draws the same rows of the replay buffer, again and again."""

    bit_generator = np.random.default_rng().bit_generator

    def integers(self, size_held: int, size: int) -> np.ndarray:
        return np.arange(size)


def one_batch(s: Any) -> None:
    """Fills the replay buffer, of which only the first rows are drawn from then on."""
    advance(s, 60)
    s.replay_buffer.rng = FirstRows()


CASES = Cases(
    settings=SMALL,
    effects=(
        Effect("seed", (0, 1), aspect=initial, steps=0),
        Effect("seed", (0, 1), steps=40),
        Effect("environment", ENVIRONMENTS, aspect=environment, steps=0),
        Effect("environment", ("CartPole-v1", "other"), {"other": "Taxi-v4"}, environment, steps=0),
        Effect("other", ("Taxi-v4", "CliffWalking-v1"), ANY, environment, steps=0),
        Effect("slip", (False, True), ICE, steps=40),
        Effect("limit", (0, 5, 9), steps=40),
        Effect("limit", (0, 5, 9), {"environment": "two_state"}, steps=40),
        Effect("method", ("dqn", "q_learning"), ICE, lambda t: type(t.state).__name__, steps=0),
        Effect("method", ("q_learning", "sarsa"), TABLE, steps=60),
        Effect("double", (False, True), {"target_every": 10_000, "lr": 0.1}, steps=80),
        # Both tables are learned in, where there are two.
        Effect("double", (False, True), TABLE, lambda t: int(t.state.table.any(axis=(1, 2)).sum()), steps=60),
        Effect("dueling", (False, True), steps=40),
        Effect("n_step", (1, 2, 3), steps=40),
        Effect("layers", ((6,), (7,), (6, 6), ()), aspect=shapes("q_network"), steps=0),
        Effect("lr", (0.01, 0.02), steps=40),
        *(Effect("lr", (0.5, 0.25), context, steps=60) for context in TABLES),
        Effect("gamma", (0.99, 0.5), steps=40),
        Effect("gamma", (0.99, 0.5), aspect=logged("value/obtained")),
        *(Effect("gamma", (0.99, 0.5), context, steps=60) for context in TABLES),
        Effect("train_every", (4, 8), steps=40),
        Effect("gradient_steps", (2, 3), steps=40),
        Effect("huber", (False, True), steps=40),
        Effect("clip", (0.0, 0.01, 0.1), steps=40),
        Effect("replay", (True, False), steps=40),
        Effect("batch_size", (4, 8), steps=40),
        Effect("buffer", (8, 16), steps=40),
        Effect("learning_starts", (4, 20), {"epsilon_start": 1.0, "epsilon_end": 1.0}, steps=40),
        Effect("learning_starts", (4, 20), aspect=logged("explore/epsilon"), steps=40),
        Effect("prioritised", (False, True), steps=40),
        Effect("alpha", (0.0, 0.3, 1.0), {"prioritised": True}, steps=40),
        Effect("beta", (0.0, 0.4, 0.8), {"prioritised": True, "epsilon_steps": 1000}, steps=40),
        Effect("target", ("hard", "soft", "none"), steps=40),
        Effect("target", ("hard", "none"), aspect=lambda t: t.state.target_network is t.state.q_network, steps=0),
        Effect("target_every", (2, 7), steps=40),
        Effect("tau", (0.05, 0.5), {"target": "soft"}, part("q_network"), steps=40),
        *(
            Effect(f"epsilon_{name}", values, context, steps=60)
            for name, values in {"start": (0.9, 0.5), "end": (0.3, 0.0), "steps": (30, 300)}.items()
            for context in ({"learning_starts": 0}, TABLE)
        ),
        Effect("evaluate_every", (10, 20), aspect=logged("test/return", values=False), steps=42),
        Effect("evaluate_episodes", (1, 3), aspect=logged("test/return")),
        *(
            Effect(f"axis_{axis}", (0, 1), {f"axis_{other}": 2}, drawn(*picture), steps=20)
            for axis, other in ("xy", "yx")
            for picture in (("map", "value"), ("memory", "cover"))
        ),
    ),
    resume=KINDS,
    half=150,
    overfit=tuple(
        Overfit(
            name,
            NETWORK | changed | {"train_every": 1, "batch_size": 8, "target_every": 10_000, "lr": 0.01, "clip": 0.0},
            one_batch,
            360,
            0.02,
            lambda log: log.last("error/mean"),
        )
        for name, changed in {"plain": {}, "dueling": {"dueling": True}, "squared": {"huber": False}}.items()
    ),
    gradient={"everything": KINDS["everything"], "hard": KINDS["plain"]},
    gradient_steps=20,
)
