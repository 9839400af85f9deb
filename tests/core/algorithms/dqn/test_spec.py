"""The declaration: everything said has something behind it, and what cannot go together is refused."""

import subprocess
import sys
from fnmatch import fnmatch

import pytest
from pydantic import ValidationError

from core.algorithms.dqn.config import DQNConfig
from core.algorithms.dqn.spec import experiment
from core.experiment import Stop
from core.settings import check_stop
from core.words import Refusal
from tests.core.algorithms.dqn.training import run, start


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"environment": "other"}, "other"),
        ({"environment": "other", "other": "Taxi"}, "other"),
        ({"environment": "other", "other": "os:Taxi-v3"}, "other"),
        ({"environment": "other", "other": "../Taxi-v3/x"}, "other"),
        ({"method": "q_learning"}, "method"),
        ({"environment": "FrozenLake-v1", "method": "sarsa", "double": True}, "double"),
        ({"buffer": 63}, "buffer"),
        ({"prioritised": True, "replay": False}, "prioritised"),
        ({"epsilon_start": 0.1, "epsilon_end": 0.2}, "epsilon_end"),
    ],
)
def test_what_cannot_go_together_is_refused_with_its_field(values, field):
    with pytest.raises(ValidationError) as wrong:
        DQNConfig(**values)
    error = wrong.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, Refusal) and error.field == field
    assert str(error).startswith(f"{DQNConfig.model_fields[field].title}:")


def test_a_warm_up_longer_than_the_run_is_refused():
    with pytest.raises(Refusal, match="Learning starts: after 1000 steps, but the run ends after 1000"):
        check_stop(experiment, {"steps": 1000}, DQNConfig())
    with pytest.raises(Refusal, match=r"Train every: the first update comes after 1024 steps, but .* after 1023"):
        check_stop(experiment, {"steps": 1023}, DQNConfig())
    assert check_stop(experiment, {"steps": 1024}, DQNConfig()).steps == 1024
    table = DQNConfig(environment="FrozenLake-v1", method="sarsa")
    assert check_stop(experiment, {"steps": 10}, table).steps == 10


@pytest.mark.parametrize("preset", experiment.presets, ids=lambda p: p.name)
def test_a_preset_is_allowed_and_agrees_with_its_end(preset):
    config = DQNConfig(**preset.settings)
    check_stop(experiment, preset.stop, config)
    assert Stop(**preset.stop).steps % config.evaluate_every == 0, "its last evaluation is at its end"


def test_every_choice_has_a_word():
    for name, schema in DQNConfig.model_json_schema()["properties"].items():
        if "enum" in schema:
            assert set(schema["labels"]) == set(schema["enum"]), name


@pytest.mark.parametrize("name", ["cartpole", "lake", "two_state"])
def test_every_metric_logged_has_a_sentence_and_a_place(preset, name):
    log = run(start(preset(name, learning_starts=50, train_every=10, gradient_steps=1, evaluate_episodes=1)), 200)
    drawn = [pattern for panel in experiment.panels for pattern in panel.metrics]
    for metric in log.curves:
        assert any(fnmatch(metric, m.name) for m in experiment.metrics), metric
        assert metric in drawn, metric


def test_spec_and_views_import_nothing_heavy():
    code = (
        "import sys, core.algorithms.dqn.spec, core.algorithms.dqn.views\n"
        "print(sorted({'torch', 'gymnasium', 'pygame', 'streamlit', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
