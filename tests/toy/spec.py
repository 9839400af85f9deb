"""The toy's settings, panels and presets. Registered by ``TENFOLD_ALGORITHMS=tests.toy.spec``."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.drawn_picture import DrawnPicture
from core.experiment import Config, Experiment, Metric, Panel, Paper, Preset, Probe, Request, Setting
from core.field_kinds import DRAWING
from core.words import Refusal

Width = Annotated[int, Field(ge=1, le=64)]


class ToyConfig(Config):
    lr: float = Setting(
        0.01, "Learning rate", "Size of a step.", group="Training", live=True, scale="log", ge=1e-6, le=1e30
    )
    dropout: float = Setting(0.2, "Dropout", "Share of units left out.", group="Model", live=True, ge=0, lt=1)
    layers: tuple[Width, ...] = Setting((8, 8), "Layers", "Widths.", group="Model", min_length=0, max_length=4)
    batch: int = Setting(16, "Batch size", "Examples a step.", group="Training", ge=1, le=64)
    optimiser: Literal["sgd", "adam"] = Setting("adam", "Optimiser", "How steps are made.", group="Training")
    centred: bool = Setting(True, "Centred", "Whether the data is.", group="Data")
    nap: float = Setting(0.0, "Nap", "Seconds slept in each step.", group="Test", ge=0, le=10)
    trouble: Literal["none", "load", "slow load", "train", "memory", "evaluation", "long operation"] = Setting(
        "none", "Trouble", "What goes wrong.", group="Test"
    )
    every: int = Setting(10, "Every", "Steps between measurements.", group="Test", ge=1, le=1000)
    sketch: str = Setting("", "Sketch", "What to learn.", group="Data", kind=DRAWING, shown_if={"centred": (True,)})

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.batch > 32 and self.optimiser == "sgd":
            sentence = "{title} must be at most 32 with SGD; it was {value}."
            raise Refusal("batch", sentence, title="Batch size", value=self.batch)
        return self


class Question(Request):
    x: float = Field(0.0, title="Place", ge=-1, le=1)
    how: Literal["well", "slowly", "twice", "piecewise", "never", "by error", "by death", "no more"] = Field(
        "well", title="How"
    )
    drawing: DrawnPicture = Field("", title="Drawing")


experiment = Experiment(
    slug="toy",
    title="Toy",
    family="Tests",
    tagline="Learns a plane.",
    paper=Paper("None", "Nobody", 2000, "https://example.org"),
    config=ToyConfig,
    panels=(Panel("loss", "Loss", "How wrong it is.", metrics=("train/loss", "test/loss")),),
    presets=(Preset("quick", "Quick", "It learns.", {"lr": 0.02}, {"steps": 100}),),
    metrics=(
        Metric("train/loss", "Training loss", "On the batch.", better="low"),
        Metric("test/loss", "Test loss", "On the rest.", better="low"),
        Metric("weight/*", "Weight", "Size of a layer's weights."),
    ),
    diagnoses={},
    program="tests.toy",
    probes=(
        Probe(
            "ask",
            "Ask it",
            "What the network says of a place.",
            request=Question,
            view="tests.toy.views:answer",
            keys={"ArrowLeft": {"x": -1}, "ArrowRight": {"x": 1}},
            idle={},
            beat=20,
            canvas="drawing",
        ),
        Probe("hidden", "Hidden", "Never.", Question, "tests.toy.views:answer", shown_if={"centred": (False,)}),
    ),
)
