"""An experiment with a setting of every kind, so that the pages can be tested without any algorithm."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.experiment import Config, Experiment, Metric, Panel, Paper, Preset, Setting
from core.words import Refusal

Width = Annotated[int, Field(ge=1, le=512)]


class ToyConfig(Config):
    data: Literal["moons", "xor"] = Setting(
        "moons", "Data", "What to learn.", group="Data", labels={"moons": "Moons", "xor": "XOR"}
    )
    noise: float = Setting(0.1, "Noise", "How far points stray.", group="Data", ge=0, le=1, step=0.05)
    inputs: tuple[Literal["x", "square", "sine"], ...] = Setting(
        ("x",), "Inputs", "What is seen.", group="Data", min_length=1, max_length=3
    )
    layers: tuple[Width, ...] = Setting((8, 8), "Layers", "Units.", group="Model", max_length=4)
    norm: bool = Setting(False, "Batch norm", "Normalise.", group="Model")
    lr: float = Setting(0.01, "Rate", "Length of a step.", group="Training", gt=0, le=10, scale="log", live=True)
    batch: int = Setting(32, "Batch size", "Examples.", group="Training", ge=1, le=1000, scale="log")
    rule: Literal["sgd", "momentum"] = Setting("sgd", "Rule", "How.", group="Training")
    momentum: float = Setting(
        0.9, "Momentum", "Inertia.", group="Training", ge=0, lt=1, shown_if={"rule": ("momentum",)}
    )
    name: str = Setting("", "Name", "Anything.", group="Training", max_length=20)

    @model_validator(mode="after")
    def _agree(self) -> "ToyConfig":
        if self.norm and self.batch < 2:
            raise Refusal("batch", "Batch size: batch norm needs at least 2.")
        return self


toy = Experiment(
    slug="toy",
    title="Toy",
    family="Tests",
    tagline="Nothing to learn.",
    paper=Paper("On toys", "A. Nobody", 2000, "https://example.org"),
    config=ToyConfig,
    panels=(Panel("loss", "Loss", "How wrong.", metrics=("train/loss",), size="hero"),),
    presets=(
        Preset("plain", "Plain", "It learns.", {}),
        Preset("noisy", "Noisy", "It struggles.", {"noise": 0.5}, {"steps": 500}),
    ),
    metrics=(Metric("train/loss", "Loss", "How wrong.", "low"),),
    diagnoses={},
    program="tests.pages.toy",
)
