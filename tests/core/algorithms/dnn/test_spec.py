"""The declaration: everything said of the algorithm has something behind it, and what cannot go together is refused."""

import importlib
import inspect
import subprocess
import sys
from fnmatch import fnmatch

import pytest
from pydantic import ValidationError

from core.algorithms.dnn.config import DNNConfig
from core.algorithms.dnn.spec import experiment
from core.data.images import PUBLISHED
from core.data.tabular import TABLES
from core.experiment import Stop
from core.words import Refusal
from tests.core.algorithms.dnn.training import run, start


def refusal(**values) -> Refusal:
    with pytest.raises(ValidationError) as wrong:
        DNNConfig(**values)
    error = wrong.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, Refusal)
    return error


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"data": "curve", "loss": "cross_entropy"}, "loss"),
        ({"data": "moons", "loss": "huber"}, "loss"),
        ({"batch_norm": True, "batch_size": 1}, "batch_size"),
        ({"data": "iris", "features": ("x", "square")}, "features"),
        ({"data": "curve", "features": ("sine",)}, "features"),
        ({"data": "moons", "features": ("x", "x")}, "features"),
        ({"data": "spiral", "samples": 20, "test_share": 0.05}, "test_share"),
    ],
)
def test_what_cannot_go_together_is_refused_with_its_field(values, field):
    error = refusal(**values)
    assert error.field == field
    title = DNNConfig.model_fields[field].title
    assert str(error).startswith(f"{title}:")


@pytest.mark.parametrize(
    "values",
    [
        {"layers": (8,) * 13},
        {"layers": (0,)},
        {"layers": (1025,)},
        {"lr": 0.0},
        {"lr": float("nan")},
        {"dropout": 1.0},
        {"data": "cats"},
        {"features": ()},
        {"unknown": 1},
    ],
)
def test_what_is_out_of_range_is_refused(values):
    with pytest.raises(ValidationError):
        DNNConfig(**values)


def test_every_data_set_can_be_chosen_and_no_other():
    chosen = set(DNNConfig.model_json_schema()["properties"]["data"]["enum"])
    assert chosen == {*TABLES, *PUBLISHED, "mnist_5k"}


def test_every_choice_has_a_word():
    for name, schema in DNNConfig.model_json_schema()["properties"].items():
        for options in (schema.get("enum"), schema.get("items", {}).get("enum")):
            if options:
                assert set(schema["labels"]) == set(options), name


@pytest.mark.parametrize("preset", experiment.presets, ids=lambda p: p.name)
def test_a_preset_is_allowed_and_says_something(preset):
    config = DNNConfig(**preset.settings)
    Stop(**preset.stop)
    assert preset.title
    assert preset.claim.endswith(".")
    for name, value in preset.settings.items():
        if name != "data" and preset.name != "spiral":
            assert getattr(config, name) == value


@pytest.mark.parametrize("settings", [{}, {"data": "curve"}, {"data": "digits", "layers": (8,)}], ids=str)
def test_every_metric_told_has_a_sentence_and_a_place(settings):
    told = run(start(settings), 5)
    patterns = [m.name for m in experiment.metrics]
    drawn = [pattern for panel in experiment.panels for pattern in panel.metrics]
    for metric in told.curves:
        assert any(fnmatch(metric, pattern) for pattern in patterns), metric
        if not metric.startswith("dead/"):
            assert any(fnmatch(metric, pattern) for pattern in drawn), metric


def test_every_panel_has_curves_or_a_view():
    for panel in experiment.panels:
        assert bool(panel.metrics) != bool(panel.view)
        if panel.view:
            module, function = panel.view.split(":")
            assert inspect.isfunction(getattr(importlib.import_module(module), function))
    assert [p.name for p in experiment.panels if p.size == "hero"] == ["boundary"]


def test_spec_and_views_import_no_torch_and_nothing_slow():
    code = (
        "import sys, core.algorithms.dnn.spec, core.algorithms.dnn.views\n"
        "print(sorted({'torch', 'sklearn', 'scipy', 'streamlit', 'pooch', 'mlxtend'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
