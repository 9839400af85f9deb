"""The settings of the generative adversarial network, and which of them cannot go together."""

from functools import partial
from typing import Literal, Self, get_args

from pydantic import model_validator

from core import drawing, fields
from core.experiment import Config, Setting
from core.field_kinds import DRAWING
from core.fields import DATA, Group
from core.words import N_, Refusal

#: Data in the plane, sampled anew for every batch.
PLANE = ("ring", "grid", "spiral", "moons", "drawing")
#: Points that a drawing needs.
FEWEST = 10
#: Data sets of images.
IMAGES = get_args(fields.Images)
#: Losses that call a real sample by a number which smoothing can lower.
NAMED = ("minimax", "non_saturating", "least_squares")

Data = Literal["ring", "grid", "spiral", "moons", "drawing", fields.Images]
HiddenActivation = Literal["relu", "leaky_relu", "tanh", "elu", "silu", "gelu"]
GANOptimizer = Literal["adam", "rmsprop", "sgd"]

GAME, NETS, HELP = Group(N_("Game")), Group(N_("Networks")), Group(N_("Steadying"))
D_SIDE, G_SIDE = Group(N_("Discriminator D")), Group(N_("Generator G"))
MLP, DCGAN = {"architecture": ("mlp",)}, {"architecture": ("dcgan",)}

_layers = partial(fields.hidden_layers, (128, 128), max_length=8, group=NETS, shown_if=MLP)
_activation = partial(fields.activation, kind=HiddenActivation, group=NETS)
_optimizer = partial(fields.optimizer, "adam", GANOptimizer)


class GANConfig(Config):
    """Settings of a GAN and its training."""

    data: Data = fields.data_set(
        "ring",
        Data,
        N_("What G has to imitate: points in the plane, new ones for each batch, or images."),
        labels={
            "ring": N_("Ring of 8 Gaussians"),
            "grid": N_("Grid of 25 Gaussians"),
            "drawing": N_("Your own drawing"),
        },
    )

    drawing: str = Setting(
        "",
        N_("Drawing"),
        N_("What you draw is what G has to imitate: at least 10 points."),
        group=DATA.title,
        shown_if={"data": ("drawing",)},
        kind=DRAWING,
    )

    loss: Literal["non_saturating", "minimax", "least_squares", "hinge", "wasserstein_gp"] = GAME.setting(
        "non_saturating",
        labels={
            "non_saturating": N_("Non-saturating"),
            "minimax": N_("Minimax (saturating)"),
            "least_squares": N_("Least squares"),
            "hinge": N_("Hinge"),
            "wasserstein_gp": N_("Wasserstein, gradient penalty"),
        },
    ).described(N_("Loss"), N_("What D and G play for."))
    penalty: float = GAME.setting(
        1.0, live=True, scale="log", shown_if={"loss": ("wasserstein_gp",)}, ge=0.01, le=100
    ).described(N_("Gradient penalty"), N_("How strongly D's slope is held at 1: λ."))
    d_steps: int = GAME.setting(1, live=True, ge=1, le=20).described(N_("D steps"), N_("Updates of D in a round."))
    g_steps: int = GAME.setting(1, live=True, ge=1, le=20).described(N_("G steps"), N_("Updates of G in a round."))
    batch_size: int = fields.batch_size(
        128,
        live=False,
        ge=2,
        le=2048,
        group=GAME,
        description=N_("Samples looked at for one update: so many real ones and so many generated."),
    )

    architecture: Literal["mlp", "dcgan"] = NETS.setting(
        "mlp", labels={"mlp": N_("Multilayer perceptron"), "dcgan": N_("Convolutions (DCGAN)")}
    ).described(N_("Kind"), N_("Plain layers for any data, or convolutions for images."))
    latent: int = NETS.setting(2, scale="log", ge=1, le=512).described(
        N_("Latent size"), N_("How many numbers of noise G makes a sample of.")
    )
    noise: Literal["normal", "uniform"] = NETS.setting(
        "normal", labels={"normal": N_("Normal"), "uniform": N_("Uniform, −1 to 1")}
    ).described(N_("Latent distribution"), N_("Where those numbers are drawn from."))
    g_layers: fields.Widths = _layers(
        title=N_("Layers of G"), description=N_("Units of each hidden layer of G, first to last, 1 to 1,024 each.")
    )
    d_layers: fields.Widths = _layers(
        title=N_("Layers of D"), description=N_("Units of each hidden layer of D, first to last, 1 to 1,024 each.")
    )
    channels: int = NETS.setting(16, scale="log", shown_if=DCGAN, ge=1, le=128).described(
        N_("Channels"),
        N_("Maps of the layer next to the image, in either network; the layer beyond has twice as many."),
    )
    g_activation: HiddenActivation = _activation(
        "relu", title=N_("Activation of G"), description=N_("What a unit of G does with its sum.")
    )
    d_activation: HiddenActivation = _activation(
        "leaky_relu", title=N_("Activation of D"), description=N_("What a unit of D does with its sum.")
    )
    g_norm: bool = NETS.setting(False).described(
        N_("Batch norm in G"), N_("Give each hidden unit of G mean 0 and deviation 1 over the batch.")
    )
    d_norm: bool = NETS.setting(False).described(
        N_("Batch norm in D"),
        N_(
            "The same in D, for real and generated samples apart; not together with a gradient penalty or spectral "
            "norm. What is drawn of D over the plane goes by its averages over both."
        ),
    )

    d_optimizer: GANOptimizer = _optimizer(
        group=D_SIDE, title=N_("Optimiser of D"), description=N_("The rule that turns D's gradient into steps.")
    )
    d_lr: float = fields.learning_rate(
        1e-3, group=D_SIDE, title=N_("Learning rate of D"), description=N_("Length of D's steps.")
    )
    d_beta1: float = D_SIDE.setting(
        0.5, live=True, step=0.01, shown_if={"d_optimizer": ("adam",)}, ge=0, le=0.99
    ).described(
        N_("β₁ of D"),
        N_("Weight of earlier gradients in D's Adam; with a low value D follows a changing G sooner."),
    )
    g_optimizer: GANOptimizer = _optimizer(
        group=G_SIDE, title=N_("Optimiser of G"), description=N_("The rule that turns G's gradient into steps.")
    )
    g_lr: float = fields.learning_rate(
        1e-3, group=G_SIDE, title=N_("Learning rate of G"), description=N_("Length of G's steps.")
    )
    g_beta1: float = G_SIDE.setting(
        0.5, live=True, step=0.01, shown_if={"g_optimizer": ("adam",)}, ge=0, le=0.99
    ).described(N_("β₁ of G"), N_("Weight of earlier gradients in G's Adam."))

    ema: float = HELP.setting(0.999, live=True, step=0.001, ge=0, le=0.9999).described(
        N_("Average of G"), N_("Samples come from a running average of G's weights, of this decay; 0 for G as it is.")
    )
    packing: int = HELP.setting(1, ge=1, le=16).described(
        N_("Packing"), N_("How many samples D judges together (PacGAN): a pack without variety is easy to recognise.")
    )
    smoothing: float = HELP.setting(0.0, live=True, step=0.01, shown_if={"loss": NAMED}, ge=0, le=0.5).described(
        N_("Label smoothing"), N_("D's target for real samples is 1 less this.")
    )
    instance_noise: float = HELP.setting(0.0, live=True, step=0.01, ge=0, le=2).described(
        N_("Instance noise"), N_("Deviation of noise laid over real and generated samples before D sees them.")
    )
    spectral_norm: bool = HELP.setting(False).described(
        N_("Spectral norm"), N_("Divide each of D's matrices by its largest singular value, so that D cannot be steep.")
    )

    @property
    def two_dimensional(self) -> bool:
        """Whether a sample is a point of the plane."""
        return self.data in PLANE

    @property
    def convolutional(self) -> bool:
        """Whether the networks are DCGAN's."""
        return self.architecture == "dcgan"

    @property
    def d_is_probability(self) -> bool:
        """Whether D's output goes through a sigmoid, to be a probability."""
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
        if self.two_dimensional and self.convolutional:
            raise Refusal(
                "architecture",
                N_("Kind: convolutions are for images; for points of the plane choose the multilayer perceptron."),
            )
        if self.d_norm and self.loss == "wasserstein_gp":
            raise Refusal(
                "d_norm",
                N_(
                    "Batch norm in D: not under a gradient penalty, which holds D's slope at each sample by itself, "
                    "while batch norm makes a sample's output depend on the rest of its batch. Switch one of them off."
                ),
            )
        if self.d_norm and self.spectral_norm:
            raise Refusal(
                "spectral_norm",
                N_(
                    "Spectral norm: not together with batch norm in D, which divides each unit by its deviation and so "
                    "lets D be steep again. Switch one of them off."
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
