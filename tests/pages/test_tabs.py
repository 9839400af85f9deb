"""The Code tab shows the very files that the worker runs, in reading order."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.experiment import Experiment
from core.registry import experiments
from pages.parts.tabs import idea, sources

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("experiment", experiments().values(), ids=list(experiments()))
def test_the_sources_of_a_training_are_files_with_an_opening_line(experiment: Experiment) -> None:
    paths = sources(experiment)
    assert {"model.py", "train.py"} <= {path.name for path in paths}
    for path in paths:
        assert path.is_relative_to(ROOT / "core" / "algorithms" / experiment.slug)
        assert idea(path.read_text(encoding="utf-8")), f"{path} does not open with a docstring"


def test_an_experiment_orders_its_sources() -> None:
    names = ("train", "replay", "model")
    experiment: Any = SimpleNamespace(program="core.algorithms.dqn", source=names)
    assert [path.stem for path in sources(experiment)] == list(names)


def test_the_idea_is_the_first_line_of_the_opening_docstring() -> None:
    assert idea('"""An idea.\n\nMore of it.\n"""\n\nx = 1\n') == "An idea."
    assert idea("x = 1\n") == ""
