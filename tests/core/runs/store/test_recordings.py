"""The recorded run of every algorithm: what it shows is explained, and what is installed today can read it."""

import json
import re
from pathlib import Path

import pytest

from core import registry
from core.experiment import Experiment
from core.runs.store.log import LogReader
from core.settings import check

ROOT = Path(__file__).parents[4]


@pytest.fixture(params=list(registry.experiments().values()), ids=lambda e: e.slug)
def experiment(request: pytest.FixtureRequest) -> Experiment:
    return request.param


def test_every_metric_of_the_recorded_run_has_a_sentence(experiment: Experiment) -> None:
    folder = ROOT / "assets/recorded" / experiment.slug
    reader = LogReader(folder / "log.sqlite", recorded=True)
    names = {name for record in reader.events() for name in getattr(record.event, "values", {}) if "/" in name}
    reader.close()
    assert names
    patterns = [re.escape(m.name).replace(r"\*", ".*") for m in experiment.metrics]
    unexplained = {name for name in names if not any(re.fullmatch(p, name) for p in patterns)}
    assert not unexplained
    assert all(m.sentence.endswith(".") for m in experiment.metrics)


def test_recorded_run_is_one_that_the_present_schema_understands(experiment: Experiment) -> None:
    folder = ROOT / "assets/recorded" / experiment.slug
    info = json.loads((folder / "run.json").read_text())
    assert info["slug"] == experiment.slug
    check(experiment.config, info["config"])
    assert (folder / "picture.png").stat().st_size > 2_000
    assert sum(f.stat().st_size for f in folder.rglob("*")) <= 3_000_000, "a recording is part of every download"
