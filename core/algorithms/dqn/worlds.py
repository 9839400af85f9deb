"""The environments that are known by name, and what their actions and the numbers of their observations mean."""

import re
from typing import Literal

from pydantic import Field

from core.experiment import Request
from core.words import N_

#: How an environment's name is written: Name-v0, or publisher/Name-v0. A colon would import any module at all.
NAMED = re.compile(r"([A-Za-z0-9_.-]{1,40}/)?[A-Za-z0-9_.-]{1,60}-v[0-9]{1,3}")

Environment = Literal[
    "CartPole-v1",
    "MountainCar-v0",
    "Acrobot-v1",
    "FrozenLake-v1",
    "CliffWalking-v1",
    "two_state",
    "over_estimation",
    "other",
]
#: Environments whose observations are vectors.
CONTINUOUS = ("CartPole-v1", "MountainCar-v0", "Acrobot-v1")

LABELS: dict[str, str] = {
    "CartPole-v1": N_("CartPole: balance a pole"),
    "MountainCar-v0": N_("MountainCar: swing up a hill"),
    "Acrobot-v1": N_("Acrobot: swing up two links"),
    "FrozenLake-v1": N_("FrozenLake: cross the ice"),
    "CliffWalking-v1": N_("CliffWalking: along the edge"),
    "two_state": N_("Two states, solved by hand"),
    "over_estimation": N_("A and B: a trap for the maximum"),
    "other": N_("Another of Gymnasium's"),
}

#: What the actions of known environments do, in order.
ACTIONS: dict[str, tuple[str, ...]] = {
    "CartPole-v1": (N_("push left"), N_("push right")),
    "MountainCar-v0": (N_("drive left"), N_("coast"), N_("drive right")),
    "Acrobot-v1": (N_("swing left"), N_("let go"), N_("swing right")),
    "FrozenLake-v1": (N_("left"), N_("down"), N_("right"), N_("up")),
    "CliffWalking-v1": (N_("up"), N_("right"), N_("down"), N_("left")),
    "two_state": (N_("stay"), N_("move")),
}

#: What the numbers of known observations are, in order.
DIMENSIONS: dict[str, tuple[str, ...]] = {
    "CartPole-v1": (N_("place of the cart"), N_("speed of the cart"), N_("angle of the pole"), N_("speed of the pole")),
    "MountainCar-v0": (N_("place of the car"), N_("speed of the car")),
    "Acrobot-v1": (
        N_("cosine of angle 1"),
        N_("sine of angle 1"),
        N_("cosine of angle 2"),
        N_("sine of angle 2"),
        N_("speed of angle 1"),
        N_("speed of angle 2"),
    ),
}

#: Worlds that go on by themselves while one plays, and worlds that wait for a step.
MOVING = ("CartPole-v1", "MountainCar-v0", "Acrobot-v1")
GRIDS = ("FrozenLake-v1", "CliffWalking-v1")

#: The action that a direction means; "none" where there is one that does nothing.
KEYS: dict[str, dict[str, int]] = {
    "CartPole-v1": {"left": 0, "right": 1},
    "MountainCar-v0": {"left": 0, "none": 1, "right": 2},
    "Acrobot-v1": {"left": 0, "none": 1, "right": 2},
    "FrozenLake-v1": {"left": 0, "down": 1, "right": 2, "up": 3},
    "CliffWalking-v1": {"up": 0, "right": 1, "down": 2, "left": 3},
}


class Move(Request):
    """A key pressed in a game, or none."""

    direction: Literal["none", "left", "right", "up", "down"] = Field("none", title=N_("Direction"))
    again: bool = Field(False, title=N_("New episode"))
