"""The settings that image classifiers share: the pictures, and how they are varied in training. No torch in here.

A config takes them by inheriting :class:`ImageConfig` instead of :class:`~core.experiment.Config`; its own settings
follow these in the sidebar.
"""

from typing import Literal, Self, get_args

from pydantic import model_validator

from core import fields
from core.data.image_data import SETS, class_names
from core.data.shapes import Target
from core.experiment import Config, Setting
from core.field_kinds import PICTURES
from core.fields import AUGMENTATION, DATA
from core.words import N_, Refusal

Data = Literal["mnist_5k", "digits", "shapes", "mnist", "fashion_mnist", "cifar10", "pictures"]

_DRAWN = {"data": ("shapes",)}
#: Sets that are split here, so that the share of the test can be chosen.
_SPLIT_HERE = tuple(name for name in get_args(Data) if name not in (*fields.FETCHED, "pictures"))


class ImageConfig(Config):
    """What the pictures are, and how they are varied in training."""

    data: Data = fields.data_set("mnist_5k", Data, N_("The pictures to learn from."))
    pictures: str = Setting(
        "",
        N_("Your pictures"),
        N_("Two to ten classes of at least five pictures each; a tenth of them is kept for the test."),
        group=DATA.title,
        shown_if={"data": ("pictures",)},
        kind=PICTURES,
        max_length=32,
    )
    samples: int = DATA.setting(3000, scale="log", shown_if=_DRAWN, ge=60, le=20_000).described(
        N_("Pictures"), N_("How many pictures to draw, those for the test included.")
    )
    target: Target = DATA.setting(
        "shape", shown_if=_DRAWN, labels={"shape": N_("The shape"), "colour": N_("The colour")}
    ).described(N_("To learn"), N_("What the class of a picture is: its shape, or its colour."))
    noise: float = DATA.setting(0.05, step=0.01, shown_if=_DRAWN, ge=0, le=0.5).described(
        N_("Noise"), N_("What is added at random to each value of a pixel, as a standard deviation; white is 1.")
    )
    clutter: float = DATA.setting(0.25, step=0.05, shown_if=_DRAWN, ge=0, le=1).described(
        N_("Clutter"), N_("How much else lies behind the shape: strokes of other colours, up to twelve.")
    )
    test_share: float = fields.test_share(0.2, shown_if={"data": _SPLIT_HERE})
    train_size: int = DATA.setting(0, scale="log", ge=0, le=60_000).described(
        N_("Training pictures"), N_("How many of them are used, each class alike; 0 for all there are.")
    )

    shift: int = AUGMENTATION.setting(0, live=True, ge=0, le=8).described(
        N_("Shift"), N_("Pixels by which each training picture is moved at most, anew each time it is used.")
    )
    rotate: float = AUGMENTATION.setting(0.0, live=True, step=1, ge=0, le=45).described(
        N_("Turn"), N_("Degrees by which each training picture is turned at most, either way.")
    )
    flip: bool = AUGMENTATION.setting(False, live=True).described(
        N_("Flip"), N_("Mirror each training picture, left for right, with a chance of one half.")
    )
    pixel_noise: float = AUGMENTATION.setting(0.0, live=True, step=0.01, ge=0, le=1).described(
        N_("Pixel noise"),
        N_("What is added at random to each value of a training picture, as a standard deviation; white is 1."),
    )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a picture."""
        return SETS[self.data].shape

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes.

        Raises:
            Refusal: a person's own pictures are not kept on this machine.
        """
        return class_names(self)

    @property
    def n_classes(self) -> int:
        """How many classes there are; raises as :attr:`classes` does."""
        return len(self.classes)

    @model_validator(mode="after")
    def _has_pictures(self) -> Self:
        if self.data == "pictures" and not self.pictures:
            raise Refusal("pictures", N_("Your pictures: add at least two classes of five pictures each first."))
        return self
