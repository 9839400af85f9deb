"""The settings of the convolutional network, what follows from them, and which cannot go together."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core import fields
from core.algorithms.cnn import sizes
from core.algorithms.cnn.sizes import Layer
from core.fields import DATA, MODEL, REGULARISATION, Group
from core.image_config import ImageConfig
from core.words import N_, Refusal, Sentence

#: Most parameters of a network, most multiplications for one picture, most units of its convolutions for one picture
#: and for one batch: what a laptop trains and thirty runs on one server have memory for.
MOST_PARAMETERS, MOST_MULTIPLICATIONS = 2_000_000, 60_000_000
MOST_UNITS, MOST_UNITS_OF_BATCH = 150_000, 40_000_000

Channels = Annotated[int, Field(ge=1, le=128)]
CNNActivation = Literal["relu", "leaky_relu", "tanh", "sigmoid", "gelu"]

#: Networks whose sizes are chosen here, and those with convolutions.
SIZED, CONVOLUTIONAL = {"network": ("cnn", "mlp")}, {"network": ("cnn", "lenet5")}
TRANSFER, PICTURE = Group(N_("Transfer"), shown_if=CONVOLUTIONAL), Group(N_("Shown picture"))


class CNNConfig(ImageConfig):
    """Settings of a convolutional network and its training."""

    subset: Literal["all", "first", "second"] = DATA.setting(
        "all",
        labels={"all": N_("All"), "first": N_("First half"), "second": N_("Second half")},
    ).described(N_("Classes"), N_("Which classes there are: of ten the first half is 0 to 4, the second 5 to 9."))
    per_class: int = DATA.setting(0, scale="log", ge=0, le=10_000).described(
        N_("Pictures per class"), N_("How many training pictures of each class are used; 0 for all there are.")
    )
    scrambled: bool = DATA.setting(False).described(
        N_("Scrambled pixels"),
        N_("Move the pixels of every picture to other places, always the same: neighbours are neighbours no more."),
    )
    test_shift: int = DATA.setting(2, ge=0, le=8).described(
        N_("Moved test"),
        N_("Test also on pictures moved at random by up to so many pixels each way; 0 for none."),
    )

    network: Literal["cnn", "mlp", "lenet5"] = MODEL.setting(
        "cnn",
        labels={"cnn": N_("Convolutional"), "mlp": N_("Perceptron of the same size"), "lenet5": N_("LeNet-5 of 1998")},
    ).described(
        N_("Network"),
        N_("Convolutions; without them one hidden layer, which gets as many parameters; or LeNet-5 as published."),
    )
    blocks: tuple[Channels, ...] = MODEL.setting((16, 32), shown_if=SIZED, min_length=1, max_length=6).described(
        N_("Blocks"), N_("Channels of each block's convolution, first to last, 1 to 128 each.")
    )
    kernel: int = MODEL.setting(3, shown_if=SIZED, ge=1, le=11).described(
        N_("Kernel"), N_("Side of the window that a convolution moves over its input.")
    )
    stride: int = MODEL.setting(1, shown_if=SIZED, ge=1, le=4).described(
        N_("Stride"), N_("Pixels from one place of the window to the next.")
    )
    padding: int = MODEL.setting(1, shown_if=SIZED, ge=0, le=5).described(
        N_("Padding"), N_("Width of the rim of zeros around the input of a convolution.")
    )
    pooling: Literal["max", "average", "none"] = MODEL.setting(
        "max",
        labels={"max": N_("Largest"), "average": N_("Mean"), "none": N_("None")},
        shown_if=SIZED,
    ).described(N_("Pooling"), N_("What a block keeps of each 2 × 2 places: the largest number, the mean, or all."))
    batch_norm: bool = MODEL.setting(False, shown_if=SIZED).described(
        N_("Batch norm"), N_("Give each channel mean 0 and deviation 1 over the batch before the activation.")
    )
    activation: CNNActivation = fields.activation("relu", CNNActivation, shown_if=SIZED)
    head: Literal["flatten", "average"] = MODEL.setting(
        "flatten",
        labels={"flatten": N_("Dense layers"), "average": N_("Global average pooling")},
        shown_if=SIZED,
    ).described(
        N_("Head"), N_("What reads the last maps: dense layers, a weight for each place, or the mean of each map.")
    )
    dense: fields.Widths = fields.hidden_layers(
        (64,),
        max_length=3,
        title=N_("Dense layers"),
        description=N_("Units of each dense layer between the last block and the outputs, 1 to 1,024 each."),
        shown_if=SIZED | {"head": ("flatten",)},
    )

    optimizer: fields.Optimizer = fields.optimizer("adam")
    lr: float = fields.learning_rate(0.001)
    momentum: float = fields.momentum(0.9)
    batch_size: int = fields.batch_size(64, le=1024)
    schedule: fields.Schedule = fields.schedule("constant")
    schedule_steps: int = fields.schedule_steps(1000)

    dropout: float = fields.dropout(
        0.0, description=N_("Chance of a unit before a dense layer to sit out a training step."), shown_if=SIZED
    )
    weight_decay: float = fields.weight_decay(0.0)
    label_smoothing: float = REGULARISATION.setting(0.0, live=True, step=0.01, ge=0, le=0.5).described(
        N_("Label smoothing"), N_("Share of each answer that is spread over all classes alike.")
    )

    new_head: bool = TRANSFER.setting(False).described(
        N_("New head"), N_("Take only the convolutions from the run that is started from; what reads them starts anew.")
    )
    frozen: bool = TRANSFER.setting(False).described(
        N_("Freeze the convolutions"), N_("Leave the convolutions as they are and train only what reads them.")
    )

    picture: int = PICTURE.setting(0, live=True, ge=0, le=9_999).described(
        N_("Picture"), N_("Number of the test picture that is followed through the network; or click one.")
    )

    @property
    def outputs(self) -> int:
        """How many classes the network tells apart."""
        half = self.n_classes // 2
        return {"all": self.n_classes, "first": half, "second": self.n_classes - half}[self.subset]

    @property
    def has_convolutions(self) -> bool:
        return self.network != "mlp"

    @property
    def normalised(self) -> bool:
        """Whether there is a batch norm."""
        return self.network == "cnn" and self.batch_norm

    def layers(self) -> tuple[Layer, ...]:
        """The layers of the chosen network, first to last.

        Raises:
            Refusal: a layer would have no unit, or LeNet-5 cannot read these pictures.
        """
        if self.network == "lenet5":
            height, width = self.image_shape[1:]
            if not (height == width and 28 <= height <= sizes.LENET_SIDE):
                raise Refusal(
                    "network",
                    N_("Network: LeNet-5 reads pictures of 28 × 28 to 32 × 32 pixels; these have {height} × {width}."),
                    height=height,
                    width=width,
                )
            return sizes.lenet5(self.image_shape, self.outputs)
        convolutional = self._convolutional()
        if self.network == "mlp":
            parameters = sum(layer.parameters for layer in convolutional)
            return sizes.perceptron(self.image_shape, self.outputs, parameters)
        return convolutional

    def _convolutional(self) -> tuple[Layer, ...]:
        try:
            return sizes.convolutional(
                self.image_shape,
                self.blocks,
                kernel=self.kernel,
                stride=self.stride,
                padding=self.padding,
                pooling=self.pooling != "none",
                batch_norm=self.batch_norm,
                dense=self.dense if self.head == "flatten" else None,
                outputs=self.outputs,
            )
        except sizes.TooSmall as small:
            values = {"block": small.number, "side": small.side}
            if small.kind == "pooling":
                raise Refusal(
                    "pooling",
                    N_("Pooling: block {block} has maps only {side} wide, too small for 2 × 2. Choose fewer or none."),
                    **values,
                ) from None
            field = "stride" if self.stride > 1 and small.number > 1 else "kernel"
            raise Refusal(
                field,
                N_(
                    "{title}: no place is left for the window in block {block}, whose input is {side} wide: with its "
                    "padding it has to be at least as wide as the kernel, {kernel}."
                ),
                title=type(self).model_fields[field].title,
                kernel=self.kernel,
                **values,
            ) from None

    def facts(self) -> Mapping[str, Sentence]:
        """Parameters, multiplications and receptive field of the network, under the settings of the model."""
        layers = self.layers()
        values: dict[str, object] = {
            "parameters": f"{sum(layer.parameters for layer in layers):,}",
            "multiplications": f"{sum(layer.multiplications for layer in layers):,}",
        }
        if not self.has_convolutions:
            said = N_(
                "{parameters} parameters, {multiplications} multiplications for a picture; {units} hidden units, each "
                "of which sees the whole picture."
            )
            return {MODEL.title: Sentence(said, values | {"units": layers[0].units})}
        last = next(layer for layer in reversed(layers) if layer.kind in ("convolution", "pooling"))
        said = N_(
            "{parameters} parameters, {multiplications} multiplications for a picture; a unit of the last maps, "
            "{height} × {width}, sees {field} × {field} pixels."
        )
        _, height, width = last.shape
        return {MODEL.title: Sentence(said, values | {"height": height, "width": width, "field": last.field})}

    @model_validator(mode="after")
    def _agree_with_one_another(self) -> Self:
        """Refuse what cannot go together, and what is too large."""
        if self.subset != "all" and self.n_classes < 4:
            raise Refusal("subset", N_("Classes: half of {n} is no choice. Take all of them."), n=self.n_classes)
        if self.normalised and self.batch_size == 1:
            raise Refusal("batch_size", N_("Batch size: batch norm needs at least 2 examples at a time."))
        layers = self.layers()
        field = "blocks" if self.network != "lenet5" else "network"
        title = type(self).model_fields[field].title
        for found, most, template in (
            (
                sum(layer.parameters for layer in layers),
                MOST_PARAMETERS,
                N_("{title}: a network of {found} parameters is too large; at most {most}. Take fewer channels."),
            ),
            (
                sum(layer.multiplications for layer in layers),
                MOST_MULTIPLICATIONS,
                N_("{title}: {found} multiplications for a picture are too many; at most {most}. Take fewer channels."),
            ),
            (
                self._units(layers),
                MOST_UNITS,
                N_("{title}: {found} units for a picture are too many; at most {most}. Take fewer channels."),
            ),
        ):
            if found > most:
                raise Refusal(field, template, title=title, found=f"{found:,}", most=f"{most:,}")
        if self.batch_size * self._units(layers) > MOST_UNITS_OF_BATCH:
            raise Refusal(
                "batch_size",
                N_("Batch size: so many pictures do not fit in memory; with this network at most {most}."),
                most=MOST_UNITS_OF_BATCH // self._units(layers),
            )
        return self

    @staticmethod
    def _units(layers: tuple[Layer, ...]) -> int:
        return sum(layer.units for layer in layers)
