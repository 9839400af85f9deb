"""The cases of the residual and the plain network for the contract suite."""

import tempfile
from typing import Any

import numpy as np
import pytest
import torch

from core.data import pictures
from tests.core.algorithms.contract import Cases, Effect, Overfit, initial, part, shapes
from tests.core.algorithms.resnet.training import TINY

SHAPES = {"data": "shapes", "samples": 120}

#: Settings in which everything that a step can have is in it.
EVERYTHING = TINY | {
    "shortcut": "B",
    "drop": 0.3,
    "zero_gamma": True,
    "lr_steps": (8, 20),
    "weight_decay": 1e-3,
    "shift": 1,
    "rotate": 5.0,
    "flip": True,
    "pixel_noise": 0.05,
    "train_size": 100,
    "batch_size": 24,
}


NAMED = ((0, "cup"), (1, "pen"))
#: Two sets of a person's own pictures.
OWN = [
    {name: list(np.random.default_rng([seed, i]).integers(0, 256, (6, 3, 32, 32), np.uint8)) for i, name in NAMED}
    for seed in (0, 1)
]


def keep_own_pictures(monkeypatch: Any) -> tuple[str, ...]:
    """Keep both sets under names that stay the same."""
    monkeypatch.setattr(pictures.secrets, "token_hex", lambda n: "0" * 2 * n)
    return tuple(pictures.keep(one) for one in OWN)


def names_of_own_pictures() -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENFOLD_DATA", folder)
        return keep_own_pictures(patch)


def first_pictures(n: int) -> Any:
    """Leaves the first ``n`` training pictures."""

    def prepare(state: Any) -> None:
        state.x_train, state.y_train = state.x_train[:n], state.y_train[:n]
        state.batches.order = torch.arange(n)

    return prepare


def by_heart(network: str, **changed: Any) -> Overfit:
    settings = TINY | {"width": 8, "networks": network, "batch_size": 64} | changed
    name = "-".join([network, *map(str, changed.values())])
    return Overfit(name, settings, first_pictures(12), 150, 0.05, lambda log: log.last(f"{network}/loss"))


def x_train(trial: Any) -> Any:
    return trial.state.x_train


def has_networks(trial: Any) -> list[str]:
    return list(trial.state.networks)


CASES = Cases(
    settings=TINY,
    effects=(
        Effect("seed", (0, 1), aspect=initial, steps=0),
        Effect("seed", (0, 1)),
        Effect("data", ("digits", "mnist_5k"), {"stride": 2}, x_train, steps=0),
        Effect("pictures", names_of_own_pictures(), {"data": "pictures"}, x_train, steps=0),
        Effect("samples", (120, 180), SHAPES, x_train, steps=0),
        Effect("target", ("shape", "colour"), SHAPES, lambda t: t.state.y_train, steps=0),
        Effect("noise", (0.0, 0.2), SHAPES, x_train, steps=0),
        Effect("clutter", (0.0, 1.0), SHAPES, x_train, steps=0),
        Effect("test_share", (0.2, 0.5), {}, x_train, steps=0),
        Effect("train_size", (0, 100), {}, x_train, steps=0),
        Effect("shift", (0, 1, 3)),
        Effect("rotate", (0.0, 10.0, 30.0)),
        Effect("flip", (False, True)),
        Effect("pixel_noise", (0.0, 0.1, 0.5)),
        Effect("networks", ("both", "residual", "plain"), aspect=has_networks, steps=0),
        Effect("n", (1, 2), aspect=shapes()),
        Effect("width", (2, 3), aspect=shapes()),
        Effect("stride", (1, 2)),
        Effect("shortcut", ("A", "B"), aspect=part("networks.residual")),
        Effect("order", ("post", "pre")),
        Effect("batch_norm", (False, True)),
        Effect("zero_gamma", (False, True), aspect=initial, steps=0),
        Effect("lr", (0.05, 0.1)),
        Effect("lr_steps", ((), (2,), (1,))),
        Effect("momentum", (0.0, 0.5, 0.9)),
        Effect("batch_size", (8, 16)),
        Effect("weight_decay", (0.0, 0.1, 0.2)),
        Effect("drop", (0.0, 0.4, 0.9), aspect=part("networks.residual")),
    ),
    resume={"everything": EVERYTHING, "2016": EVERYTHING | {"order": "pre", "batch_norm": False}},
    half=15,
    overfit=(
        by_heart("residual"),
        by_heart("plain"),
        by_heart("residual", shortcut="B", order="pre"),
        by_heart("plain", batch_norm=False, lr=0.01),
    ),
    gradient={"everything": EVERYTHING | {"drop": 0.0, "zero_gamma": False}, "2016": TINY | {"order": "pre"}},
    patch=keep_own_pictures,
)
