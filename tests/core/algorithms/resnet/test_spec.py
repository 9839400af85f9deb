"""The declaration: everything said of the algorithm has something behind it, and what cannot go together is refused."""

import importlib
import inspect
import subprocess
import sys

import pytest
from pydantic import ValidationError

from core.algorithms.resnet.config import MEMORY_LIMIT, ResNetConfig
from core.algorithms.resnet.requests import CutRequest
from core.algorithms.resnet.spec import experiment
from core.experiment import Stop
from core.words import Refusal
from tests.core.algorithms.resnet.training import TINY, run, start


def refusal(**values) -> Refusal:
    with pytest.raises(ValidationError) as wrong:
        ResNetConfig(**values)
    error = wrong.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, Refusal)
    return error


@pytest.mark.parametrize(
    ("values", "field", "allowed"),
    [
        ({"data": "digits", "stride": 3}, "stride", "at most 2"),
        ({"data": "digits", "stride": 4}, "stride", "at most 2"),
        ({"batch_size": 1}, "batch_size", "at least 2"),
        ({"data": "cifar10", "n": 18, "width": 16, "stride": 1, "batch_size": 512}, "n", "at most 2 GB"),
        ({"data": "cifar10", "n": 9, "width": 64, "stride": 1, "batch_size": 128}, "n", "at most 2 GB"),
    ],
)
def test_what_cannot_go_together_is_refused_with_its_field(values, field, allowed):
    error = refusal(**values)
    assert error.field == field
    assert str(error).startswith(f"{ResNetConfig.model_fields[field].title}:")
    assert allowed in str(error)


@pytest.mark.parametrize(
    "values",
    [{"n": 0}, {"n": 19}, {"width": 65}, {"stride": 0}, {"stride": 5}, {"drop": 0.95}, {"lr_steps": (0,)},
     {"lr_steps": (1, 2, 3, 4, 5, 6)}, {"lr": float("nan")}, {"order": "sideways"}, {"unknown": 1}],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(values):
    with pytest.raises(ValidationError):
        ResNetConfig(**values)


def test_what_was_published_is_allowed():
    published = {"data": "cifar10", "width": 16, "stride": 1, "batch_size": 128, "lr": 0.1}
    assert ResNetConfig(**published, n=18).depth == 110
    assert ResNetConfig(**published, n=18).gigabytes < MEMORY_LIMIT
    assert ResNetConfig(data="digits", stride=2, batch_size=1, batch_norm=False).names == ("residual", "plain")


def test_the_estimate_of_memory_is_of_the_right_size():
    """Against what autograd keeps of a forward pass."""
    import torch

    from core.algorithms.resnet.model import ResNet

    config = ResNetConfig(n=3, width=8, stride=1, networks="residual", batch_size=16)
    net, kept = ResNet(1, 10, n=3, width=8, stride=1, residual=True), {}

    def keep(t):
        kept[t.data_ptr()] = t.numel() * t.element_size()
        return t

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        net(torch.zeros(16, 1, 28, 28))
    assert sum(kept.values()) / 1e9 == pytest.approx(config.gigabytes, rel=0.35)


def test_every_choice_has_a_word():
    for name, schema in ResNetConfig.model_json_schema()["properties"].items():
        if options := schema.get("enum"):
            assert set(schema["labels"]) == set(options), name


@pytest.mark.parametrize("preset", experiment.presets, ids=lambda p: p.name)
def test_a_preset_is_allowed_and_says_something(preset):
    config = ResNetConfig(**preset.settings)
    Stop(**preset.stop)
    assert preset.title and preset.claim.endswith(".")
    for name, value in preset.settings.items():
        assert getattr(config, name) == value


def test_every_metric_has_a_sentence_and_a_place():
    drawn = {metric for panel in experiment.panels for metric in panel.metrics}
    assert set(run(start(TINY), 5).curves) == drawn == {metric.name for metric in experiment.metrics}


def test_every_panel_has_curves_or_a_view():
    for panel in experiment.panels:
        assert bool(panel.metrics) != bool(panel.view)
    for view in [panel.view for panel in experiment.panels if panel.view] + [probe.view for probe in experiment.probes]:
        module, function = view.split(":")
        assert inspect.isfunction(getattr(importlib.import_module(module), function))


def test_keys_of_the_probes_are_requests():
    for probe in experiment.probes:
        assert set(probe.labels) == set(probe.keys)
        for request in [*probe.keys.values(), probe.idle]:
            probe.request(**request)
    assert CutRequest.model_fields["block"].metadata[1].le == 3 * 18 - 1


def test_spec_and_views_import_no_torch_and_nothing_slow():
    code = (
        "import sys, core.algorithms.resnet.spec, core.algorithms.resnet.views\n"
        "print(sorted({'torch', 'sklearn', 'scipy', 'streamlit', 'pooch', 'mlxtend'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
