"""The settings of the residual and the plain network, and which of them cannot go together."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core import fields
from core.fields import MODEL, REGULARISATION, TRAINING
from core.image_config import ImageConfig
from core.words import N_, Refusal

#: Names of the two networks, as metrics and states have them.
RESIDUAL, PLAIN = "residual", "plain"
#: Gigabytes that the weights and one batch's activations may take.
MEMORY_LIMIT = 2.0
#: Pixels a side that the two stages which halve the maps need.
SMALLEST_SIDE = 4

_WITH_SHORTCUTS = {"networks": ("both", RESIDUAL)}

RateStep = Annotated[int, Field(ge=1, le=1_000_000)]


class ResNetConfig(ImageConfig):
    """Settings of a residual network, a plain one, and their training on the same batches."""

    networks: Literal["both", "residual", "plain"] = MODEL.setting(
        "both",
        labels={
            "both": N_("Both, side by side"),
            "residual": N_("Residual network alone"),
            "plain": N_("Plain network alone"),
        },
    ).described(
        N_("Networks"), N_("Both train on the same batches from the same weights; only the shortcuts set them apart.")
    )
    n: int = MODEL.setting(3, ge=1, le=18).described(
        N_("Blocks a stage"), N_("Three stages of so many blocks of two convolutions: n blocks make 6n + 2 layers.")
    )
    width: int = MODEL.setting(8, scale="log", ge=2, le=64).described(
        N_("First width"), N_("Channels of the first stage; the second has twice as many, the third four times.")
    )
    stride: int = MODEL.setting(2, ge=1, le=4).described(
        N_("First stride"), N_("Stride of the first convolution: 1 as published, 2 for a quarter of the work.")
    )
    shortcut: Literal["A", "B"] = MODEL.setting(
        "A", labels={"A": N_("A: padded with zeros"), "B": N_("B: 1×1 convolution")}, shown_if=_WITH_SHORTCUTS
    ).described(N_("Shortcut"), N_("How the shortcut of a block that changes the shape does so itself."))
    order: Literal["post", "pre"] = MODEL.setting(
        "post", labels={"post": N_("2015: ReLU after the addition"), "pre": N_("2016: pre-activation")}
    ).described(N_("Order"), N_("Where batch norm and ReLU stand: after each convolution, or before it."))
    batch_norm: bool = MODEL.setting(True).described(
        N_("Batch norm"), N_("Give each channel mean 0 and deviation 1 over the batch.")
    )
    zero_gamma: bool = MODEL.setting(
        False, shown_if=_WITH_SHORTCUTS | {"order": ("post",), "batch_norm": (True,)}
    ).described(
        N_("Zero initial γ"),
        N_("Begin with the last batch norm of each residual branch at γ = 0: every block passes its input on."),
    )

    lr: float = fields.learning_rate(0.05)
    lr_steps: tuple[RateStep, ...] = TRAINING.setting((), max_length=5).described(
        N_("Rate drops at"), N_("Steps after which the learning rate is divided by ten; none keeps it as it is.")
    )
    momentum: float = TRAINING.setting(0.9, live=True, step=0.01, ge=0, le=0.999).described(
        N_("Momentum"), N_("Share of the last step that is carried into the next.")
    )
    batch_size: int = fields.batch_size(64, le=1024)
    weight_decay: float = fields.weight_decay(1e-4)
    drop: float = REGULARISATION.setting(0.0, step=0.05, shown_if=_WITH_SHORTCUTS, ge=0, le=0.9).described(
        N_("Stochastic depth"),
        N_("Chance that a step skips the last block's branch; it grows evenly from the first block on. 0 for none."),
    )

    @property
    def depth(self) -> int:
        """Layers with weights, 6n + 2."""
        return 6 * self.n + 2

    @property
    def names(self) -> tuple[str, ...]:
        """The networks of this run."""
        return (RESIDUAL, PLAIN) if self.networks == "both" else (self.networks,)

    @property
    def stages(self) -> tuple[tuple[int, int], ...]:
        """(channels, pixels) of each stage's maps."""
        _, *sides = self.image_shape
        found = []
        for i in range(3):
            strided = [-(-side // (self.stride * 2**i)) for side in sides]
            found.append((self.width * 2**i, strided[0] * strided[1]))
        return tuple(found)

    @property
    def gigabytes(self) -> float:
        """What weights (with gradient, momentum and a copy) and the activations of one network's batch take."""
        weights = 2 * self.n * sum(9 * channels**2 for channels, _ in self.stages)
        kept = 2 if self.batch_norm else 1  # of each convolution: what batch norm takes, and what the next one takes
        activations = (2 * self.n + 1) * sum(channels * pixels for channels, pixels in self.stages) * kept
        return 4 * (4 * weights * len(self.names) + activations * self.batch_size) / 1e9

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse what cannot go together, or does not fit into memory."""
        _, height, width = self.image_shape
        side = min(height, width)
        if -(-side // self.stride) < SMALLEST_SIDE and self.stride > 1:
            raise Refusal(
                "stride",
                N_("First stride: {stride} leaves fewer than {least} of {side} pixels a side for the three stages. "
                   "Choose at most {most}."),
                stride=self.stride,
                least=SMALLEST_SIDE,
                side=side,
                most=max(stride for stride in range(1, 5) if stride == 1 or -(-side // stride) >= SMALLEST_SIDE),
            )  # fmt: skip
        if self.batch_norm and self.batch_size == 1:
            raise Refusal("batch_size", N_("Batch size: batch norm needs at least 2 examples at a time."))
        if self.gigabytes > MEMORY_LIMIT:
            raise Refusal(
                "n",
                N_("Blocks a stage: {depth} layers of this width need {need} GB for a batch of {batch}; at most "
                   "{limit} GB are allowed. Choose fewer blocks, a smaller width or batch, or a larger stride."),
                depth=self.depth,
                need=f"{self.gigabytes:.1f}",
                batch=self.batch_size,
                limit=f"{MEMORY_LIMIT:g}",
            )  # fmt: skip
        return self
