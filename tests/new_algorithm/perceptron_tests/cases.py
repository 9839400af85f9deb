"""The perceptron's cases for the contract suite."""

from typing import Any

from tests.core.algorithms.contract import Cases, Effect, Overfit, initial


def first_rows(state: Any) -> None:
    state.x, state.y = state.x[:8], state.y[:8]


CASES = Cases(
    settings={"points": 40},
    effects=(
        Effect("seed", (0, 1), aspect=initial, steps=0),
        Effect("points", (40, 60)),
        Effect("lr", (0.1, 0.2)),
    ),
    resume={"plain": {}},
    overfit=(Overfit("points", {"lr": 5.0}, first_rows, 300, 0.05),),
    gradient={"plain": {}},
)
