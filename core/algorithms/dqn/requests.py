"""What a person may request of the probes, and the action of each key. No torch in here: the server checks it."""

from typing import Literal

from pydantic import Field

from core.experiment import Request
from core.words import N_

#: The action of a direction; that of "none" where there is one without effect.
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
