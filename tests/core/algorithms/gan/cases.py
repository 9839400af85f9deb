"""The GAN's cases for the contract suite."""

from functools import cache
from typing import Any

import numpy as np

from core import drawing
from core.algorithms.gan import train
from core.data import images
from core.sample_quality import make_classifier
from tests.core.algorithms.contract import Cases, Effect, Overfit, drawn, initial, part, shapes
from tests.core.algorithms.trial import Log

TINY = {"batch_size": 8, "g_layers": (6, 6), "d_layers": (6, 6), "d_optimizer": "sgd", "g_optimizer": "sgd"}
TINY |= {"g_lr": 0.1, "d_lr": 0.1}
# Convolutions begin with small weights, through which little comes: they take larger steps.
DCGAN = {"data": "mnist_5k", "architecture": "dcgan", "channels": 2, "g_lr": 1.0, "d_lr": 1.0}
ACTIVATIONS = ("relu", "leaky_relu", "tanh", "elu", "silu", "gelu")
CORNERS, CROSS = ([(x, y) for x in xs for y in ys] for xs, ys in (((-1, 1), range(-5, 6)), (range(-5, 6), (0, 0.5))))

SMALL = {"g_layers": (16, 16), "d_layers": (16, 16), "batch_size": 24}
#: Settings in which everything that an update can have is in it.
EVERYTHING = SMALL | {
    "d_steps": 3, "g_steps": 2, "packing": 2, "smoothing": 0.1, "instance_noise": 0.05, "spectral_norm": True,
    "g_norm": True, "ema": 0.99, "noise": "uniform",
}  # fmt: skip
NORMED = SMALL | {"d_norm": True, "g_norm": True, "packing": 2, "batch_size": 12}
CRITIC = SMALL | {"loss": "wasserstein_gp", "g_norm": True, "spectral_norm": True, "d_optimizer": "rmsprop"}
IMAGES = {"data": "mnist_5k", "latent": 8, "g_norm": True, "batch_size": 16, "d_norm": True, "packing": 2}
CONVOLUTIONS = IMAGES | {"architecture": "dcgan", "channels": 2, "d_norm": False, "spectral_norm": True}
KINDS: dict[str, dict[str, Any]] = {
    "everything": EVERYTHING,
    "critic": CRITIC,
    "normed": NORMED,
    "images": SMALL | IMAGES,
    "convolutions": CONVOLUTIONS,
}

#: With batch norm behind it a bias has no effect, and the gradient it gets is rounding.
PLAIN = {"g_norm": False, "d_norm": False, "packing": 1, "d_steps": 1, "g_steps": 1}

mnist_5k, untrained = cache(images.mnist_5k), cache(make_classifier)


def patch(monkeypatch: Any) -> None:
    """Images are read once, and the classifier that judges samples is not trained: no case depends on it."""
    monkeypatch.setattr(images, "mnist_5k", mnist_5k)
    monkeypatch.setattr(train, "train_classifier", lambda data, seed: untrained(len(data.classes)))


def single_point(state: Any) -> None:
    state.real_data.skeleton = state.real_data.skeleton[:1]


def distance(log: Log) -> float:
    """Of the generated samples from the only real one, the median."""
    state = log.state
    return float((state.G_ema(state.fixed_z) - state.real_data.skeleton[0]).norm(dim=1).median())


CASES = Cases(
    settings=TINY,
    effects=(
        Effect("seed", (0, 1), aspect=initial, steps=0),
        Effect("seed", (0, 1)),
        Effect("seed", (0, 1), aspect=lambda t: t.state.fixed_z, steps=0),
        Effect("data", ("ring", "grid", "spiral", "moons")),
        Effect("data", ("ring", "mnist_5k"), aspect=shapes("D"), steps=0),
        Effect("drawing", tuple(drawing.text(np.array(p) / 5) for p in (CORNERS, CROSS)), {"data": "drawing"}),
        # Minimax is another game for G alone, the gradient penalty another for D alone.
        Effect("loss", ("non_saturating", "least_squares", "hinge", "wasserstein_gp"), aspect=part("D"), steps=1),
        Effect("loss", ("non_saturating", "minimax", "least_squares", "hinge"), aspect=part("G"), steps=2),
        Effect("penalty", (1.0, 10.0), {"loss": "wasserstein_gp"}, part("D"), steps=1),
        Effect("d_steps", (1, 2)),
        Effect("g_steps", (1, 2)),
        Effect("batch_size", (8, 16), aspect=part("D"), steps=1),
        Effect("architecture", ("mlp", "dcgan"), {"data": "mnist_5k"}, shapes(), steps=0),
        Effect("latent", (2, 3), aspect=shapes("G"), steps=0),
        Effect("latent", (2, 3), DCGAN, shapes("G"), steps=0),
        Effect("noise", ("normal", "uniform")),
        Effect("noise", ("normal", "uniform"), aspect=lambda t: t.state.fixed_z, steps=0),
        Effect("noise", ("normal", "uniform"), aspect=drawn("latent", "lines"), steps=0),
        Effect("g_layers", ((6,), (7,), (6, 6), ()), aspect=shapes("G"), steps=0),
        Effect("d_layers", ((6,), (7,), (6, 6), ()), aspect=shapes("D"), steps=0),
        *(Effect("channels", (2, 3), DCGAN, shapes(net), steps=0) for net in "GD"),
        Effect("g_activation", ACTIVATIONS, aspect=part("G"), steps=2),
        Effect("g_activation", ACTIVATIONS, DCGAN, part("G"), steps=2),
        Effect("d_activation", ACTIVATIONS, aspect=part("D"), steps=1),
        Effect("d_activation", ACTIVATIONS, DCGAN, part("D"), steps=1),
        Effect("g_norm", (False, True), aspect=part("G"), steps=2),
        Effect("g_norm", (False, True), DCGAN, part("G"), steps=2),
        Effect("d_norm", (False, True), aspect=part("D"), steps=1),
        Effect("d_norm", (False, True), DCGAN, part("D"), steps=1),
        # Adam as PyTorch has it by itself, lest one that stands in for another rule differs from it by β₁ alone.
        *(
            Effect(f"{net}_optimizer", ("adam", "rmsprop", "sgd"), {f"{net}_beta1": 0.9}, part(net.upper()))
            for net in "gd"
        ),
        *(Effect(f"{net}_lr", (0.1, 0.2), aspect=part(net.upper())) for net in "gd"),
        *(Effect(f"{net}_beta1", (0.5, 0.9), {f"{net}_optimizer": "adam"}, part(net.upper())) for net in "gd"),
        Effect("ema", (0.0, 0.01, 0.05), aspect=part("G_ema")),
        Effect("ema", (0.0, 0.05), aspect=drawn("samples", "made")),
        Effect("packing", (1, 2), aspect=part("D"), steps=1),
        Effect("packing", (1, 2), DCGAN, part("D"), steps=1),
        *(
            Effect("smoothing", (0.0, 0.1, 0.2), {"loss": loss}, part("D"), steps=1)
            for loss in ("minimax", "non_saturating", "least_squares")
        ),
        Effect("instance_noise", (0.0, 0.1, 0.5), aspect=part("D"), steps=1),
        Effect("spectral_norm", (False, True), aspect=part("D"), steps=1),
        Effect("spectral_norm", (False, True), DCGAN, part("D"), steps=1),
    ),
    resume={name: KINDS[name] for name in ("everything", "critic", "normed", "convolutions")},
    half=32,
    overfit=(
        # Both together: where all that is real is one place, G goes there.
        Overfit(
            "a single point",
            {"ema": 0.99, "g_layers": (32,), "d_layers": (32, 32), "loss": "wasserstein_gp"},
            single_point,
            2000,
            0.25,
            distance,
        ),
    ),
    # A critic's last bias gets none, for only the difference of its outputs counts: see test_train.py.
    gradient={name: KINDS[name] | PLAIN for name in ("everything", "normed", "images", "convolutions")},
    patch=patch,
)
