"""The perceptron's cases for the contract suite."""

from typing import Any

import torch

from core.algorithms.dnn.model import ACTIVATIONS
from tests.core.algorithms.contract import Cases, Effect, Overfit, initial, shapes

SMALL = {"data": "moons", "samples": 60, "noise": 0.1, "layers": (4,), "optimizer": "sgd", "lr": 0.1, "batch_size": 8}
FORMULAS = ("moons", "circles", "spiral", "xor", "gaussians", "checkerboard", "curve", "plane")
REGRESSION = {"data": "plane"}

#: Settings in which everything that a step can have is in it.
EVERYTHING = {
    "layers": (9, 6),
    "batch_norm": True,
    "dropout": 0.2,
    "l1": 1e-4,
    "l2": 1e-3,
    "clip": 1.0,
    "schedule": "cosine",
    "schedule_steps": 80,
    "features": ("x", "product", "sine"),
    "samples": 100,
    "batch_size": 13,
    "lr": 0.01,
}
OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")


def first_rows(n: int) -> Any:
    """Leaves the first ``n`` training rows."""

    def prepare(state: Any) -> None:
        state.x_train, state.y_train = state.x_train[:n], state.y_train[:n]
        state.batches.order = torch.arange(n)

    return prepare


def classes(**changed: Any) -> Overfit:
    lr = {"momentum": 0.1, "nesterov": 0.1, "rmsprop": 0.005}.get(changed.get("optimizer", ""), 0.02)
    settings = {"data": "gaussians", "noise": 0.1, "layers": (32, 32), "lr": lr, "batch_size": 4096, **changed}
    return Overfit("-".join(map(str, changed.values())), settings, first_rows(12), 600, 0.02)


def values(data: str, loss: str) -> Overfit:
    settings = {"layers": (64, 64), "activation": "relu", "init": "kaiming", "lr": 0.01, "schedule": "cosine"}
    settings |= {"data": data, "loss": loss, "batch_size": 4096}
    return Overfit(f"{data}-{loss}", settings, first_rows(8), 1000, 0.01)


BENT = [name for name in ACTIVATIONS if name != "identity"]

CASES = Cases(
    settings=SMALL,
    effects=(
        Effect("seed", (0, 1), aspect=initial, steps=0),
        Effect("seed", (0, 1)),
        Effect("data", FORMULAS, {"samples": 150}, lambda t: t.state.x_train, steps=0),
        Effect("data", ("iris", "wine", "breast_cancer", "digits", "mnist_5k"), {}, lambda t: t.state.x_train, steps=0),
        Effect("samples", (60, 80)),
        Effect("noise", (0.1, 0.3)),
        Effect("test_share", (0.3, 0.5)),
        Effect("test_share", (0.3, 0.5), {"data": "mnist_5k"}),
        Effect("features", (("x",), ("square",), ("sine",), ("product",), ("x", "product"))),
        Effect("layers", ((4,), (5,), (4, 4), ()), aspect=shapes()),
        Effect("activation", ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "silu", "gelu", "identity")),
        Effect("init", ("xavier", "kaiming", "normal", "zeros"), aspect=initial, steps=0),
        Effect("init", ("kaiming", "normal"), {"activation": "leaky_relu"}, initial, steps=0),
        Effect("init_scale", (0.1, 0.2), {"init": "normal"}, initial, steps=0),
        Effect("batch_norm", (False, True)),
        Effect("loss", ("cross_entropy", "squared")),
        Effect("loss", ("auto", "squared")),
        Effect("loss", ("squared", "absolute", "huber"), REGRESSION),
        Effect("loss", ("auto", "absolute", "huber"), REGRESSION),
        Effect("optimizer", OPTIMIZERS, {"l2": 0.1}),
        Effect("lr", (0.1, 0.2)),
        Effect("momentum", (0.5, 0.9), {"optimizer": "momentum"}),
        Effect("momentum", (0.5, 0.9), {"optimizer": "nesterov"}),
        Effect("batch_size", (8, 16)),
        Effect("schedule", ("constant", "warmup", "step", "exponential", "cosine"), {"schedule_steps": 3}),
        *(Effect("schedule_steps", (2, 3), {"schedule": s}) for s in ("warmup", "step", "exponential", "cosine")),
        Effect("dropout", (0.0, 0.2, 0.6)),
        Effect("l1", (0.0, 0.1, 0.2)),
        Effect("l2", (0.0, 0.1, 0.2)),
        Effect("l2", (0.0, 0.1, 0.2), {"optimizer": "adamw"}),
        Effect("clip", (0.0, 0.01, 0.02)),
    ),
    resume={name: EVERYTHING | {"optimizer": name} for name in OPTIMIZERS},
    half=25,
    overfit=(
        *(
            classes(activation=a, optimizer=o, init="kaiming" if a == "relu" else "xavier")
            for a, o in zip(BENT, ["adam", "momentum", "nesterov", "rmsprop", "adamw", "adam", "adam"], strict=True)
        ),
        classes(optimizer="sgd", lr=0.5),
        classes(batch_norm=True),
        classes(loss="squared"),
        values("curve", "squared"),
        values("plane", "absolute"),
        values("plane", "huber"),
    ),
    gradient={"everything": EVERYTHING, "regression": SMALL | REGRESSION},
)
