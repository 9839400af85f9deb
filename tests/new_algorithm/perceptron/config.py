"""Settings of the perceptron."""

from core.experiment import Config, Setting
from core.words import N_


class PerceptronConfig(Config):
    points: int = Setting(80, N_("Points"), N_("Points of both classes together."), group=N_("Data"), ge=20, le=1000)
    lr: float = Setting(0.1, N_("Rate"), N_("Length of a step."), group=N_("Training"), gt=0, le=10, live=True)
