"""What is known of environments by name: words for them, for their actions, and for the numbers of their observations.

No gymnasium in here: the server imports it. The environments themselves are in :mod:`core.data.environments`.
"""

import re

from core.words import N_

#: How an environment's name is written: Name-v0, or publisher/Name-v0. A colon would import any module at all.
NAMED = re.compile(r"([A-Za-z0-9_.-]{1,40}/)?[A-Za-z0-9_.-]{1,60}-v[0-9]{1,3}")

#: Environments whose observations are vectors, and those whose states are the cells of a grid.
CONTINUOUS = ("CartPole-v1", "MountainCar-v0", "Acrobot-v1")
GRIDS = ("FrozenLake-v1", "CliffWalking-v1")

#: By the name under which Gymnasium knows it.
ENVIRONMENTS: dict[str, str] = {
    "CartPole-v1": N_("CartPole: balance a pole"),
    "MountainCar-v0": N_("MountainCar: swing up a hill"),
    "Acrobot-v1": N_("Acrobot: swing up two links"),
    "FrozenLake-v1": N_("FrozenLake: cross the ice"),
    "CliffWalking-v1": N_("CliffWalking: along the edge"),
    "two_state": N_("Two states, solved by hand"),
    "over_estimation": N_("A and B: a trap for the maximum"),
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
