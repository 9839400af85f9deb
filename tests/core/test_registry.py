"""An algorithm that is registered is complete: page, tests, paper, presets, sentences, texts."""

import ast
import base64
import importlib
import re
from itertools import combinations
from pathlib import Path

import pytest

from core import registry
from core.catalogue import LANGUAGES
from core.experiment import Experiment
from core.program import program_of
from core.runs.server.socket import MAX_MESSAGE_CHARACTERS
from core.runs.store.library import Library
from core.settings import check
from core.words import Refusal

ROOT = Path(__file__).parents[2]
ALL = list(registry.experiments().values())


@pytest.fixture(params=ALL, ids=lambda e: e.slug)
def experiment(request: pytest.FixtureRequest) -> Experiment:
    return request.param


def test_there_are_algorithms() -> None:
    assert "dnn" in registry.experiments()


def test_every_algorithm_folder_is_registered() -> None:
    folders = {p.name for p in (ROOT / "core/algorithms").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert folders == set(registry.experiments())


def test_unknown_algorithm_is_refused_by_name() -> None:
    with pytest.raises(Refusal, match=r"no algorithm called perceptron; there are: .*dnn"):
        registry.get("perceptron")


def test_it_has_a_page_of_a_few_lines(experiment: Experiment) -> None:
    page = ROOT / "pages" / f"{experiment.slug}.py"
    assert page.exists()
    assert len(page.read_text().splitlines()) <= 12


def test_it_has_tests(experiment: Experiment) -> None:
    tests = list((ROOT / "tests/core/algorithms" / experiment.slug).glob("test_*.py"))
    assert any("claim" in t.name for t in tests)
    assert any("claim" not in t.name for t in tests)


def test_it_names_its_paper(experiment: Experiment) -> None:
    paper = experiment.paper
    assert paper.title and paper.authors and 1900 < paper.year < 2100
    assert paper.url.startswith("https://")


def test_every_preset_is_a_valid_claim(experiment: Experiment) -> None:
    assert experiment.presets
    assert len({p.name for p in experiment.presets}) == len(experiment.presets)
    claims = "".join(p.read_text() for p in (ROOT / "tests/core/algorithms" / experiment.slug).glob("test_*.py"))
    for preset in experiment.presets:
        assert preset.claim.endswith("."), preset.name
        assert f'"{preset.name}"' in claims, f"no test measures what preset {preset.name} claims"
        check(experiment.config, preset.settings)


def test_every_preset_runs_offline_or_says_that_it_needs_a_download(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    """With an empty cache, and no address in reach."""
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    program = program_of(experiment)
    for preset in experiment.presets:
        config = check(experiment.config, preset.settings)
        if not preset.download:
            program.load(config)
            continue
        with pytest.raises(Refusal, match=r"Without a network, choose (.+)\.$") as refused:
            program.load(config)
        labels = experiment.config.model_fields[refused.value.field].json_schema_extra["labels"]
        assert refused.value.sentence.values["instead"] in labels.values(), preset.name


def test_a_language_has_one_preset_to_open_with_and_that_runs_offline(experiment: Experiment) -> None:
    languages = [preset.opens_in for preset in experiment.presets if preset.opens_in]
    assert len(languages) == len(set(languages)) and set(languages) <= set(LANGUAGES)
    for language in LANGUAGES:
        opened = experiment.opening(language)
        assert opened.opens_in in ("", language) and not opened.download
        assert opened.opens_in == language or opened is experiment.presets[0]


def test_a_preset_that_starts_from_another_has_its_recorded_run(experiment: Experiment) -> None:
    library, presets = Library(), {preset.name: preset for preset in experiment.presets}
    for preset in experiment.presets:
        if preset.start_from:
            assert preset.start_from in presets and preset.start_from != preset.name, preset.name
            start = library.start(experiment.start_from(preset), experiment.slug)
            recorded = f"run `python -m core record {experiment.slug} --preset {preset.start_from}`"
            assert start and start.about.preset == preset.start_from, recorded
            check(experiment.config, library.info(start.about.run).config)
            folder = library.folder(start.about.run)
            assert sum(f.stat().st_size for f in folder.rglob("*")) <= 3_000_000, (
                "a recording is part of every download"
            )


def test_every_setting_can_be_understood(experiment: Experiment) -> None:
    for name, field in experiment.config.model_fields.items():
        assert field.title and field.description and field.description.endswith("."), name
        assert isinstance(field.json_schema_extra, dict), name
        assert field.json_schema_extra["group"], name


def test_every_panel_can_be_drawn(experiment: Experiment) -> None:
    assert len({p.name for p in experiment.panels if p.size == "hero"}) == 1
    for one, other in combinations(experiment.panels, 2):
        if one.name == other.name:  # the same picture, with other words where other settings say so
            assert (one.view, one.size) == (other.view, other.size), one.name
            both = one.shown_if.keys() & other.shown_if.keys()
            assert any(not set(one.shown_if[f]) & set(other.shown_if[f]) for f in both), f"{one.name} is shown twice"
    known = [re.escape(m.name).replace(r"\*", ".*") for m in experiment.metrics]
    for panel in experiment.panels:
        assert panel.title and panel.sentence.endswith("."), panel.name
        assert bool(panel.metrics) != bool(panel.view), f"{panel.name}: either curves or a view"
        for metric in panel.metrics:
            assert any(re.fullmatch(pattern, metric) or pattern == re.escape(metric) for pattern in known) or any(
                m.name == metric for m in experiment.metrics
            ), f"{panel.name} draws {metric}, which no sentence explains"
        if panel.view:
            module, function = panel.view.split(":")
            assert callable(getattr(importlib.import_module(module), function))
        if panel.click:
            setting = experiment.config.model_fields[panel.click]
            assert setting.annotation is int, f"{panel.name}: a click sets a whole number"
            assert isinstance(setting.json_schema_extra, dict) and setting.json_schema_extra["live"], panel.name


def test_code_shows_modules_that_exist(experiment: Experiment) -> None:
    folder = ROOT / "core/algorithms" / experiment.slug
    assert "train" in experiment.source
    for name in experiment.source:
        assert (folder / f"{name}.py").read_text().startswith('"""'), f"{name} opens with its idea"


def test_every_probe_can_be_opened(experiment: Experiment) -> None:
    assert len({p.name for p in experiment.probes}) == len(experiment.probes)
    for probe in experiment.probes:
        assert probe.title and probe.sentence.endswith("."), probe.name
        for request in ({}, probe.idle or {}, *probe.keys.values()):
            check(probe.request, request)
        assert set(probe.labels) <= set(probe.keys), f"{probe.name}: a label for a key that it has not"
        assert set(probe.shown_if) <= set(experiment.config.model_fields), probe.name
        if probe.canvas:
            drawn = base64.urlsafe_b64encode(bytes(probe.canvas_size**2)).decode().rstrip("=")
            check(probe.request, {probe.canvas: drawn})
            with pytest.raises(Refusal):
                check(probe.request, {probe.canvas: drawn + "AAAA"})
            assert len(drawn) < MAX_MESSAGE_CHARACTERS - 1000, f"{probe.name}: too large a canvas for a message"
        for field in probe.point or ():
            assert probe.request.model_fields[field].annotation is float, f"{probe.name}: {field} is a place on an axis"
        module, function = probe.view.split(":")
        assert callable(getattr(importlib.import_module(module), function))
        assert callable(program_of(experiment).probe)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_taught_in_both_languages(experiment: Experiment, lang: str) -> None:
    text = (ROOT / "core/algorithms" / experiment.slug / f"learn.{lang}.md").read_text()
    assert len(text) > (4_000 if lang == "en" else 2_000)
    assert len(re.findall(r"^## ", text, re.M)) >= 8


def test_every_diagnosis_that_the_code_may_name_has_words(experiment: Experiment) -> None:
    folder = ROOT / "core/algorithms" / experiment.slug
    named = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Note":
                named |= {
                    arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                }
    assert named <= set(experiment.diagnoses)
    assert experiment.diagnoses
