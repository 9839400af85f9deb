"""The settings of the generative adversarial network, and which of them cannot go together."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core import drawing
from core.experiment import Config, Setting
from core.field_kinds import DRAWING
from core.words import N_, Refusal

#: Data in the plane, sampled anew for every batch.
PLANE = ("ring", "grid", "spiral", "moons", "drawing")
#: Points that a drawing needs.
FEWEST = 10
#: Data sets of images.
IMAGES = ("mnist_5k", "mnist", "fashion_mnist")
#: Losses that call a real sample by a number which smoothing can lower.
NAMED = ("minimax", "non_saturating", "least_squares")

Width = Annotated[int, Field(ge=1, le=1024)]
Rule = Literal["adam", "rmsprop", "sgd"]

DATA, GAME, NETS, D_SIDE, G_SIDE, HELP = (
    N_("Data"),
    N_("Game"),
    N_("Networks"),
    N_("Discriminator D"),
    N_("Generator G"),
    N_("Steadying"),
)
_RULES = {"adam": N_("Adam"), "rmsprop": N_("RMSprop"), "sgd": N_("SGD")}
_BENDS = {
    "relu": N_("ReLU"),
    "leaky_relu": N_("Leaky ReLU"),
    "tanh": N_("Tanh"),
    "elu": N_("ELU"),
    "silu": N_("SiLU (Swish)"),
    "gelu": N_("GELU"),
}
Bend = Literal["relu", "leaky_relu", "tanh", "elu", "silu", "gelu"]


class GANConfig(Config):
    """Settings of a GAN and its training."""

    data: Literal["ring", "grid", "spiral", "moons", "drawing", "mnist_5k", "mnist", "fashion_mnist"] = Setting(
        "ring",
        N_("Data"),
        N_("What G has to imitate: points in the plane, new ones for each batch, or images."),
        group=DATA,
        labels={
            "ring": N_("Ring of 8 Gaussians"),
            "grid": N_("Grid of 25 Gaussians"),
            "spiral": N_("Spiral"),
            "moons": N_("Moons"),
            "drawing": N_("Your own drawing"),
            "mnist_5k": N_("MNIST, 5,000 images"),
            "mnist": N_("MNIST, 70,000 images (11 MB to fetch)"),
            "fashion_mnist": N_("Fashion-MNIST, 70,000 images (30 MB to fetch)"),
        },
    )

    drawing: str = Setting(
        "",
        N_("Drawing"),
        N_("What you draw is what G has to imitate: at least 10 points."),
        group=DATA,
        shown_if={"data": ("drawing",)},
        kind=DRAWING,
    )

    loss: Literal["non_saturating", "minimax", "least_squares", "hinge", "wasserstein_gp"] = Setting(
        "non_saturating",
        N_("Loss"),
        N_("What D and G play for."),
        group=GAME,
        labels={
            "non_saturating": N_("Non-saturating"),
            "minimax": N_("Minimax (saturating)"),
            "least_squares": N_("Least squares"),
            "hinge": N_("Hinge"),
            "wasserstein_gp": N_("Wasserstein, gradient penalty"),
        },
    )
    penalty: float = Setting(
        1.0,
        N_("Gradient penalty"),
        N_("How strongly D's slope is held at 1: λ."),
        group=GAME,
        live=True,
        scale="log",
        shown_if={"loss": ("wasserstein_gp",)},
        ge=0.01,
        le=100,
    )
    d_steps: int = Setting(1, N_("D steps"), N_("Updates of D in a round."), group=GAME, live=True, ge=1, le=20)
    g_steps: int = Setting(1, N_("G steps"), N_("Updates of G in a round."), group=GAME, live=True, ge=1, le=20)
    batch_size: int = Setting(
        128,
        N_("Batch size"),
        N_("Samples looked at for one update: so many real ones and so many generated."),
        group=GAME,
        scale="log",
        ge=2,
        le=2048,
    )

    architecture: Literal["mlp", "dcgan"] = Setting(
        "mlp",
        N_("Kind"),
        N_("Plain layers for any data, or convolutions for images."),
        group=NETS,
        labels={"mlp": N_("Multilayer perceptron"), "dcgan": N_("Convolutions (DCGAN)")},
    )
    latent: int = Setting(
        2,
        N_("Latent size"),
        N_("How many numbers of noise G makes a sample of."),
        group=NETS,
        scale="log",
        ge=1,
        le=512,
    )
    noise: Literal["normal", "uniform"] = Setting(
        "normal",
        N_("Latent distribution"),
        N_("Where those numbers are drawn from."),
        group=NETS,
        labels={"normal": N_("Normal"), "uniform": N_("Uniform, −1 to 1")},
    )
    g_layers: tuple[Width, ...] = Setting(
        (128, 128),
        N_("Layers of G"),
        N_("Units of each hidden layer of G, first to last, 1 to 1,024 each."),
        group=NETS,
        shown_if={"architecture": ("mlp",)},
        max_length=8,
    )
    d_layers: tuple[Width, ...] = Setting(
        (128, 128),
        N_("Layers of D"),
        N_("Units of each hidden layer of D, first to last, 1 to 1,024 each."),
        group=NETS,
        shown_if={"architecture": ("mlp",)},
        max_length=8,
    )
    channels: int = Setting(
        16,
        N_("Channels"),
        N_("Maps of the layer next to the image, in either network; the layer beyond has twice as many."),
        group=NETS,
        scale="log",
        shown_if={"architecture": ("dcgan",)},
        ge=1,
        le=128,
    )
    g_activation: Bend = Setting(
        "relu", N_("Activation of G"), N_("What a unit of G does with its sum."), group=NETS, labels=_BENDS
    )
    d_activation: Bend = Setting(
        "leaky_relu", N_("Activation of D"), N_("What a unit of D does with its sum."), group=NETS, labels=_BENDS
    )
    g_norm: bool = Setting(
        False,
        N_("Batch norm in G"),
        N_("Give each hidden unit of G mean 0 and deviation 1 over the batch."),
        group=NETS,
    )
    d_norm: bool = Setting(
        False,
        N_("Batch norm in D"),
        N_(
            "The same in D, for real and generated samples apart; not together with a gradient penalty or spectral "
            "norm. What is drawn of D over the plane goes by its averages over both."
        ),
        group=NETS,
    )

    d_optimizer: Rule = Setting(
        "adam", N_("Optimiser of D"), N_("The rule that turns D's gradient into steps."), group=D_SIDE, labels=_RULES
    )
    d_lr: float = Setting(
        1e-3,
        N_("Learning rate of D"),
        N_("Length of D's steps."),
        group=D_SIDE,
        live=True,
        scale="log",
        ge=1e-6,
        le=1,
    )
    d_beta1: float = Setting(
        0.5,
        N_("β₁ of D"),
        N_("How much of its earlier gradients D's Adam goes on; a low value forgets a G of yesterday sooner."),
        group=D_SIDE,
        live=True,
        step=0.01,
        shown_if={"d_optimizer": ("adam",)},
        ge=0,
        le=0.99,
    )
    g_optimizer: Rule = Setting(
        "adam", N_("Optimiser of G"), N_("The rule that turns G's gradient into steps."), group=G_SIDE, labels=_RULES
    )
    g_lr: float = Setting(
        1e-3,
        N_("Learning rate of G"),
        N_("Length of G's steps."),
        group=G_SIDE,
        live=True,
        scale="log",
        ge=1e-6,
        le=1,
    )
    g_beta1: float = Setting(
        0.5,
        N_("β₁ of G"),
        N_("How much of its earlier gradients G's Adam goes on."),
        group=G_SIDE,
        live=True,
        step=0.01,
        shown_if={"g_optimizer": ("adam",)},
        ge=0,
        le=0.99,
    )

    ema: float = Setting(
        0.999,
        N_("Average of G"),
        N_("Samples come from a running average of G's weights, of this decay; 0 for G as it is."),
        group=HELP,
        live=True,
        step=0.001,
        ge=0,
        le=0.9999,
    )
    packing: int = Setting(
        1,
        N_("Packing"),
        N_("How many samples D judges together (PacGAN): a pack without variety gives G away."),
        group=HELP,
        ge=1,
        le=16,
    )
    smoothing: float = Setting(
        0.0,
        N_("Label smoothing"),
        N_("D is to call real samples 1 less this."),
        group=HELP,
        live=True,
        step=0.01,
        shown_if={"loss": NAMED},
        ge=0,
        le=0.5,
    )
    instance_noise: float = Setting(
        0.0,
        N_("Instance noise"),
        N_("Deviation of noise laid over real and generated samples before D sees them."),
        group=HELP,
        live=True,
        step=0.01,
        ge=0,
        le=2,
    )
    spectral_norm: bool = Setting(
        False,
        N_("Spectral norm"),
        N_("Divide each of D's matrices by its largest singular value, so that D cannot be steep."),
        group=HELP,
    )

    @property
    def flat(self) -> bool:
        """Whether a sample is a point of the plane."""
        return self.data in PLANE

    @property
    def convolutional(self) -> bool:
        """Whether the networks are DCGAN's."""
        return self.architecture == "dcgan"

    @property
    def probable(self) -> bool:
        """Whether D's answer goes through a sigmoid, to be a probability."""
        return self.loss in ("minimax", "non_saturating")

    def updates(self, part: str) -> int:
        """Updates of ``"D"`` or ``"G"`` in a round."""
        return self.d_steps if part == "D" else self.g_steps

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse what cannot go together."""
        if self.data == "drawing" and (n := len(drawing.points(self.drawing))) < FEWEST:
            raise Refusal(
                "drawing",
                N_("Drawing: at least {fewest} points are needed; this one has {n}. Draw more, or choose other data."),
                fewest=FEWEST,
                n=n,
            )
        if self.flat and self.convolutional:
            raise Refusal(
                "architecture",
                N_("Kind: convolutions are for images; for points of the plane choose the multilayer perceptron."),
            )
        if self.d_norm and self.loss == "wasserstein_gp":
            raise Refusal(
                "d_norm",
                N_(
                    "Batch norm in D: not under a gradient penalty, which holds D's slope at each sample by itself, "
                    "while batch norm ties a sample's answer to the rest of its batch. Switch one of them off."
                ),
            )
        if self.d_norm and self.spectral_norm:
            raise Refusal(
                "spectral_norm",
                N_(
                    "Spectral norm: not together with batch norm in D, which divides each unit by its deviation and so "
                    "makes D as steep again as it likes. Switch one of them off."
                ),
            )
        if self.batch_size % self.packing:
            raise Refusal(
                "packing",
                N_("Packing: {packing} does not divide the batch of {batch}. Choose a divisor, or another batch."),
                packing=self.packing,
                batch=self.batch_size,
            )
        if self.d_norm and self.batch_size < 2 * self.packing:
            raise Refusal("batch_size", N_("Batch size: batch norm in D needs at least 2 packs at a time."))
        return self
