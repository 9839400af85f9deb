"""The convolutional network's cases for the contract suite."""

from typing import Any

import torch

from tests.core.algorithms.cnn.training import SMALL
from tests.core.algorithms.contract import Cases, Effect, Overfit, Trial, drawn, initial, shapes
from tests.core.algorithms.trial import own_pictures

OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")

#: Settings in which everything that a step can have is in it.
EVERYTHING = SMALL | {
    "batch_norm": True,
    "dropout": 0.2,
    "weight_decay": 1e-3,
    "label_smoothing": 0.1,
    "shift": 1,
    "rotate": 10.0,
    "flip": True,
    "pixel_noise": 0.05,
    "schedule": "cosine",
    "schedule_steps": 80,
    "scrambled": True,
    "train_size": 90,
    "batch_size": 13,
    "activation": "gelu",
    "pooling": "average",
}
LENET = {"data": "mnist_5k", "network": "lenet5", "train_size": 60, "batch_size": 16}
OWN = SMALL | {"data": "pictures", "train_size": 0}
SHAPES = SMALL | {"data": "shapes", "samples": 120, "train_size": 0}


def x_train(trial: Trial) -> Any:
    return trial.state.x_train


def trained(trial: Trial) -> list[str]:
    """Names of what is trained."""
    return [name for name, p in trial.state.model.named_parameters() if p.requires_grad]


def kept_head(trial: Trial) -> list[bool]:
    """Whether convolutions and head begin as those of another run."""
    other = torch.nn.Module.state_dict
    theirs = {name: value + 1 for name, value in other(trial.state.model).items()}
    trial.state.load_weights({"model": theirs})
    now = other(trial.state.model)
    return [
        bool(torch.equal(now[name], theirs[name])) for name in ("features.convolution1.weight", "head.output.weight")
    ]


def first_rows(n: int) -> Any:
    """Leaves the first ``n`` training pictures."""

    def prepare(state: Any) -> None:
        state.x_train, state.y_train = state.x_train[:n], state.y_train[:n]
        state.batches.order = torch.arange(n)

    return prepare


def by_heart(**changed: Any) -> Overfit:
    settings = SMALL | {"lr": 0.01, "batch_size": 64, **changed}
    return Overfit("-".join(map(str, changed.values())) or "plain", settings, first_rows(12), 150, 0.05)


CASES = Cases(
    settings=SMALL,
    effects=(
        Effect("seed", (0, 1), aspect=initial, steps=0),
        Effect("seed", (0, 1)),
        Effect("data", ("digits", "mnist_5k", "shapes"), {"samples": 120}, x_train, steps=0),
        Effect(
            "pictures",
            tuple(own_pictures(seed) for seed in (0, 1)),
            SMALL | {"data": "pictures", "train_size": 0},
            x_train,
            steps=0,
        ),
        Effect("samples", (100, 120), SHAPES, x_train, steps=0),
        Effect("target", ("shape", "colour"), SHAPES, lambda t: t.state.y_train, steps=0),
        Effect("noise", (0.0, 0.2), SHAPES, x_train, steps=0),
        Effect("clutter", (0.0, 0.9), SHAPES, x_train, steps=0),
        Effect("test_share", (0.3, 0.5), aspect=x_train, steps=0),
        Effect("train_size", (100, 200), aspect=x_train, steps=0),
        Effect("per_class", (0, 3, 5), aspect=x_train, steps=0),
        Effect("subset", ("all", "first", "second"), aspect=x_train, steps=0),
        Effect("scrambled", (False, True)),
        Effect("test_shift", (0, 1, 2), aspect=lambda t: t.state.x_moved, steps=0),
        *(
            Effect(name, values)
            for name, values in {
                "shift": (0, 1, 2),
                "rotate": (0.0, 10.0, 30.0),
                "flip": (False, True),
                "pixel_noise": (0.0, 0.1, 0.3),
            }.items()
        ),
        Effect("network", ("cnn", "mlp", "lenet5"), LENET | {"blocks": (2,)}, shapes("model")),
        Effect("blocks", ((4,), (5,), (4, 6)), aspect=shapes()),
        Effect("kernel", (1, 3), aspect=shapes()),
        Effect("stride", (1, 2), {"blocks": (4,), "pooling": "none"}, shapes()),
        Effect("padding", (0, 1, 2), {"blocks": (4,)}, shapes()),
        Effect("pooling", ("max", "average", "none")),
        Effect("batch_norm", (False, True)),
        Effect("activation", ("relu", "leaky_relu", "tanh", "sigmoid", "gelu"), {"lr": 0.1, "optimizer": "sgd"}),
        Effect("head", ("flatten", "average"), aspect=shapes()),
        Effect("dense", ((), (10,), (10, 6)), aspect=shapes()),
        Effect("blocks", ((4,), (8,)), {"network": "mlp"}, shapes()),
        Effect("optimizer", OPTIMIZERS, {"weight_decay": 0.1}),
        Effect("lr", (0.001, 0.01)),
        Effect("momentum", (0.5, 0.9), {"optimizer": "momentum"}),
        Effect("momentum", (0.5, 0.9), {"optimizer": "nesterov"}),
        Effect("batch_size", (8, 16)),
        Effect("schedule", ("constant", "warmup", "step", "exponential", "cosine"), {"schedule_steps": 3}),
        *(Effect("schedule_steps", (2, 3), {"schedule": s}) for s in ("warmup", "step", "exponential", "cosine")),
        Effect("dropout", (0.0, 0.2, 0.6)),
        Effect("dropout", (0.0, 0.6), {"head": "average"}),
        Effect("weight_decay", (0.0, 0.1, 0.2)),
        Effect("weight_decay", (0.0, 0.1, 0.2), {"optimizer": "adamw"}),
        Effect("label_smoothing", (0.0, 0.1, 0.3)),
        Effect("frozen", (False, True), aspect=trained, steps=0),
        Effect("new_head", (False, True), aspect=kept_head, steps=0),
        Effect("picture", (0, 1), aspect=drawn("journey", "image"), steps=0),
        Effect("test_shift", (0, 1), aspect=lambda t: "moved/accuracy" in t.log.curves, steps=1),
    ),
    resume={name: EVERYTHING | {"optimizer": name} for name in OPTIMIZERS}
    | {"frozen": EVERYTHING | {"frozen": True}, "mlp": SMALL | {"network": "mlp"}},
    half=10,
    overfit=(
        by_heart(),
        by_heart(pooling="average", batch_norm=True),
        by_heart(pooling="none", stride=2, activation="tanh"),
        by_heart(activation="leaky_relu", head="average", blocks=(8, 16)),
        by_heart(activation="gelu", optimizer="adamw"),
        by_heart(activation="sigmoid", optimizer="rmsprop", lr=0.02),
        by_heart(network="mlp"),
        Overfit("lenet5", LENET | {"batch_size": 64}, first_rows(12), 120, 0.05),
    ),
    gradient={
        "everything": EVERYTHING,
        "lenet5": LENET,
        "mlp": SMALL | {"network": "mlp"},
        "average": SMALL | {"head": "average"},
    },
)
