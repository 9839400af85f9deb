"""The declaration: everything said of the algorithm has something behind it, and what cannot work is refused."""

import subprocess
import sys
from fnmatch import fnmatch

import pytest

from core.algorithms.cnn.config import CNNConfig
from core.algorithms.cnn.spec import experiment
from core.fields import MODEL
from core.settings import check
from core.words import Refusal
from tests.core.algorithms.cnn.training import SMALL, run, start

REFUSED = {
    "kernel beyond the picture": ({"data": "digits", "kernel": 11, "padding": 0}, "kernel"),
    "kernel beyond a later block": ({"data": "digits", "blocks": (4, 4), "kernel": 6, "padding": 1}, "kernel"),
    "stride": ({"data": "digits", "blocks": (4, 4), "stride": 4, "padding": 0, "pooling": "none"}, "stride"),
    "pooling": ({"data": "digits", "blocks": (4, 4, 4, 4)}, "pooling"),
    "parameters": ({"blocks": (128, 128, 128), "kernel": 11, "padding": 5}, "blocks"),
    "multiplications": ({"blocks": (128, 128), "pooling": "none", "head": "average"}, "blocks"),
    "units": ({"blocks": (128, 128), "kernel": 1, "padding": 0, "pooling": "none"}, "blocks"),
    "batch of one": ({"batch_norm": True, "batch_size": 1}, "batch_size"),
    "memory of a batch": ({"blocks": (64, 8), "batch_size": 1024}, "batch_size"),
    "LeNet-5 on small pictures": ({"network": "lenet5", "data": "digits"}, "network"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_by_its_field(name):
    values, field = REFUSED[name]
    with pytest.raises(Refusal) as refused:
        check(CNNConfig, values)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{CNNConfig.model_fields[field].title}:")


@pytest.mark.parametrize(
    "values",
    [{"blocks": ()}, {"blocks": (0,)}, {"blocks": (129,)}, {"kernel": 0}, {"stride": 5}, {"lr": 0.0}, {"x": 1}],
)
def test_what_is_out_of_range_is_refused(values):
    with pytest.raises(Refusal):
        check(CNNConfig, values)


def test_the_largest_networks_that_are_allowed_can_be_built():
    state = start(SMALL | {"data": "mnist_5k", "blocks": (64, 64), "batch_size": 64, "train_size": 64})
    run(state, 1)


@pytest.mark.parametrize("network", ["cnn", "mlp", "lenet5"])
def test_facts_stand_under_the_settings_of_the_model(network):
    facts = CNNConfig(network=network).facts()
    assert list(facts) == [MODEL.title]
    text = str(facts[MODEL.title])
    expected = {"cnn": "105,866 parameters", "mlp": "105,745 parameters", "lenet5": "60,850 parameters"}
    assert expected[network] in text
    assert {"cnn": "10 × 10 pixels", "mlp": "133 hidden units", "lenet5": "32 × 32 pixels"}[network] in text


def test_every_choice_has_a_word():
    for name, schema in CNNConfig.model_json_schema()["properties"].items():
        if options := schema.get("enum"):
            assert set(schema["labels"]) == set(options), name


@pytest.mark.parametrize("settings", [{}, {"network": "mlp"}, {"frozen": True}], ids=str)
def test_every_metric_has_a_sentence_and_a_place(settings):
    log = run(start(SMALL | settings), 3)
    drawn = [pattern for panel in experiment.panels for pattern in panel.metrics]
    for metric in log.curves:
        assert any(fnmatch(metric, m.name) for m in experiment.metrics), metric
        assert any(fnmatch(metric, pattern) for pattern in drawn), metric


def test_a_click_chooses_a_picture():
    for panel in experiment.panels:
        if panel.click:
            extra = CNNConfig.model_fields[panel.click].json_schema_extra
            assert isinstance(extra, dict) and extra["live"]
    assert [p.name for p in experiment.panels if p.click] == ["pictures", "map"]


def test_spec_and_views_import_no_torch_and_nothing_slow():
    code = (
        "import sys, core.algorithms.cnn.spec, core.algorithms.cnn.views\n"
        "from core.algorithms.cnn.spec import experiment\n"
        "experiment.config().facts()\n"
        "print(sorted({'torch', 'sklearn', 'scipy', 'streamlit', 'pooch', 'mlxtend'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
