"""The recorded run of every algorithm: what it shows is explained, and what is installed today can read it."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from core import registry
from core.events import Scalars
from core.experiment import Experiment
from core.program import program_of
from core.runs.store import checkpoints
from core.runs.store.library import Library
from core.runs.store.log import LogReader
from core.runs.worker import recordings
from core.runs.worker.recordings import record
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


def test_a_run_may_start_from_each_recorded_checkpoint(experiment: Experiment) -> None:
    """Though a recording keeps no optimiser, and less than all that was learned."""
    library = Library()
    for run in ("recorded-" + path.parent.name for path in library.recorded.glob("*/checkpoints")):
        if library.info(run).slug == experiment.slug:
            saved = checkpoints.newest(library.folder(run))
            assert saved is not None
            state = program_of(experiment).begin(check(experiment.config, saved.config), "cpu")
            state.load_weights(saved.state)
            assert state.step == 0 and saved.step > 0


def test_a_preset_that_others_start_from_is_recorded_with_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not replace the run that the page opens with, and a preset that starts from it has its weights."""
    dnn = registry.get("dnn")
    first = dnn.presets[0]
    second = replace(first, name="second", start_from=first.name)
    experiment = replace(dnn, presets=(first, second))
    monkeypatch.setitem(registry.experiments(), "dnn", experiment)
    monkeypatch.setattr(recordings, "RECORDED", tmp_path)
    assert record("dnn", stop={"steps": "20"}) == tmp_path / "dnn"
    assert record("dnn", first.name, stop={"steps": "30"}) == tmp_path / f"dnn-{first.name}"
    library = Library(tmp_path / "runs", tmp_path)
    assert checkpoints.steps(library.folder("recorded-dnn")) == ()
    start = library.start(experiment.start_from(second), "dnn")
    assert start is not None and (start.about.step, start.about.preset) == (30, first.name)

    record("dnn", "second", stop={"steps": "10"})
    assert library.info("recorded-dnn").start_from == start.about
    before, after = (values(library, run, "test/loss") for run in (start.about.run, "recorded-dnn"))
    assert after[0] == before[-1] != before[0]
    again = library.same_start("recorded-dnn")
    assert again is not None and again.about == start.about


def values(library: Library, run: str, metric: str) -> list[float]:
    reader = library.reader(run)
    found = [r.event.values[metric] for r in reader.events(Scalars) if metric in r.event.values]  # type: ignore[union-attr]
    reader.close()
    return found


def test_recorded_run_is_one_that_the_present_schema_understands(experiment: Experiment) -> None:
    folder = ROOT / "assets/recorded" / experiment.slug
    info = json.loads((folder / "run.json").read_text())
    assert info["slug"] == experiment.slug
    check(experiment.config, info["config"])
    assert (folder / "picture.png").stat().st_size > 2_000
    assert sum(f.stat().st_size for f in folder.rglob("*")) <= 3_000_000, "a recording is part of every download"
