"""What may be taken along is what was trained, as gensim reads it, by the command line and its own process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from core.algorithms.word2vec.export import export as export_vectors
from core.algorithms.word2vec.spec import experiment
from core.experiment import Stop
from core.runs.store import checkpoints, control, export
from core.runs.store.library import Library
from core.runs.worker import process
from core.settings import check
from core.words import Refusal
from tests.core.algorithms.word2vec.training import QUICK, SGNS, run, start

PROJECT = Path(__file__).parents[4]


@pytest.mark.parametrize("settings", [QUICK, SGNS], ids=["gensim", "sgns"])
def test_all_three_forms_are_read_back_by_gensim(settings, tmp_path):
    state = start(settings)
    run(state, 10)
    text, binary, own = export_vectors(state, tmp_path)
    for found in (
        KeyedVectors.load_word2vec_format(str(text), binary=False),
        KeyedVectors.load_word2vec_format(str(binary), binary=True),
        KeyedVectors.load(str(own)),
    ):
        assert list(found.index_to_key) == list(state.vocabulary.words)
        assert np.allclose(found.vectors, state.engine.vectors, atol=1e-6)
    exact = KeyedVectors.load_word2vec_format(str(binary), binary=True)
    assert np.array_equal(exact.vectors, state.engine.vectors)


def test_a_run_s_files_are_written_from_its_newest_checkpoint_by_a_process_of_its_own(tmp_path, monkeypatch):
    library = Library(tmp_path)
    config = check(experiment.config, QUICK)
    info = library.create("word2vec", config, Stop(steps=1000), "cpu", "me")
    folder = library.folder(info.id)
    assert export.exported_files(folder) == []
    with pytest.raises(Refusal, match="saved nothing yet"):
        export.export_run(library, info.id, tmp_path / "out")
    assert process.work(folder) == 0
    view = library.view(info.id)
    assert view.head.state == "finished" and view.head.end == view.head.step < 1000 and not view.resumable
    found = export.export_files(folder)
    assert (
        [path.name for path in found]
        == ["vectors.bin", "vectors.kv", "vectors.txt"]
        == [path.name for path in export.exported_files(folder)]
    )
    assert export.is_current(folder)
    whole = start(QUICK)
    run(whole)
    vectors = KeyedVectors.load_word2vec_format(str(found[0]), binary=True).vectors
    assert np.array_equal(vectors, whole.engine.vectors), "the worker's run is the same as one by hand"


def test_what_was_exported_stays_when_the_run_is_saved_meanwhile_until_it_is_exported_anew(tmp_path, monkeypatch):
    library = Library(tmp_path)
    info = library.create("word2vec", check(experiment.config, QUICK), Stop(steps=5), "cpu", "me")
    folder = library.folder(info.id)
    write = subprocess.run

    def work_until(step):
        control.write(folder, control.Control(stop=Stop(steps=step)))
        process.work(folder)

    def write_while_it_trains(command, **options):
        work_until(9)
        return write(command, **options)

    work_until(5)
    with monkeypatch.context() as patch:
        patch.setattr(export.subprocess, "run", write_while_it_trains)
        found = export.export_files(folder)
    assert checkpoints.steps(folder)[-1] == 9 and {export.step_of(path) for path in found} == {5}
    at_five = start(QUICK)
    run(at_five, 5)
    text = next(path for path in found if path.suffix == ".bin")
    vectors = KeyedVectors.load_word2vec_format(str(text), binary=True).vectors
    assert np.array_equal(vectors, at_five.engine.vectors)
    assert export.exported_files(folder) == found and not export.is_current(folder)
    again = export.export_files(folder)
    assert {export.step_of(path) for path in again} == {9} and export.is_current(folder)
    assert not any(path.exists() for path in found), "nothing of the earlier step is kept"
    with pytest.raises(Refusal, match="nothing at step 4 or before"):
        export.export_run(library, info.id, tmp_path / "out", 4)


def test_a_run_that_is_not_there_is_refused_in_a_sentence():
    done = subprocess.run(
        [sys.executable, "-m", "core", "export", "nosuchrun"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
