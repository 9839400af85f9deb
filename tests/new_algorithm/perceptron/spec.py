"""The perceptron as the app knows it. No torch."""

from core.algorithms.perceptron.config import PerceptronConfig
from core.experiment import Experiment, Metric, Panel, Paper, Preset
from core.words import N_

experiment = Experiment(
    slug="perceptron",
    title="Perceptron",
    family=N_("Foundations"),
    tagline=N_("One unit learns a line."),
    paper=Paper("The perceptron", "F. Rosenblatt", 1958, "https://doi.org/10.1037/h0042519"),
    config=PerceptronConfig,
    panels=(
        Panel(
            "line",
            N_("Line"),
            N_("Where the unit is undecided."),
            view="core.algorithms.perceptron.views:line",
            size="hero",
        ),
        Panel("loss", N_("Loss"), N_("How wrong it is."), metrics=("train/loss",), size="side"),
    ),
    presets=(Preset("apart", N_("Two clouds"), N_("It separates both classes."), {}, {"steps": 200}),),
    metrics=(
        Metric("train/loss", N_("Training loss"), N_("Mean loss of all points."), "low"),
        Metric("test/accuracy", N_("Test accuracy"), N_("Share of held-out points on the right side."), "high"),
    ),
    diagnoses={"stalled": N_("The loss no longer falls. Try a larger rate.")},
    program="core.algorithms.perceptron",
)
