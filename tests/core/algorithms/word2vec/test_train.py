"""The loop: it ends by itself, measures a bounded number of times, and takes other words to show."""

from itertools import pairwise

import numpy as np
import pytest

from core.algorithms.word2vec.spec import experiment
from core.events import Pulse, Scalars, Step
from core.experiment import Diverged, Stop
from core.runs.store import checkpoints, control
from core.runs.store.library import Library
from core.runs.worker import process
from core.settings import check
from core.words import Refusal
from tests.core.algorithms.trial import same, through_checkpoint
from tests.core.algorithms.word2vec.cases import KINDS
from tests.core.algorithms.word2vec.training import QUICK, SGNS, program, run, snapshots, start


@pytest.mark.parametrize("kind", ["CBOW", "SGNS"])
def test_it_ends_by_itself_after_its_last_epoch(kind):
    state = start(KINDS[kind])
    steps = [event for event in program.train(state) if isinstance(event, Step)]
    assert [event.step for event in steps] == list(range(1, state.end + 1))
    assert steps[-1].epoch == state.config.epochs and state.end == state.config.epochs * state.engine.steps_per_epoch
    assert all(a.epoch < b.epoch for a, b in pairwise(steps))
    assert list(program.train(state)) == [], "and stays there"


def test_it_is_measured_several_times_an_epoch_and_a_bounded_number_of_times():
    state = start(QUICK)
    state.evaluations.questions = []
    for end in (8, 45, 490, 20_000):
        state.end = end
        times = sum(state.should_log(step) for step in range(end + 1))
        assert min(end + 1, 40) <= times <= 2 * 128 + 10, end
        assert state.should_log(0) and state.should_log(end)


def test_a_long_evaluation_pauses_for_the_driver_and_all_questions_come_at_the_end():
    state = start({"corpus": "news", "epochs": 1, "size": 10})
    events = list(program.log_metrics(state))
    for event in program.train(state):
        if state.should_log(event.step):
            events += list(program.log_metrics(state))
    assert sum(isinstance(event, Pulse) for event in events) > 10
    tested = [event for event in events if isinstance(event, Scalars) and "analogy/all" in event.values]
    assert [event.step for event in tested] == [state.end]


def test_vectors_that_are_not_finite_are_not_saved():
    state = start(QUICK)
    run(state, 3)
    state.engine.vectors[0] = np.nan
    with pytest.raises(Diverged):
        state.state_dict()


def test_the_words_shown_may_change_while_it_trains():
    state = start(QUICK)
    run(state, 3)
    before = through_checkpoint(state.engine.state_dict())
    state.apply_config(state.config.model_copy(update={"words": "dog, sheep", "analogy": "cat - dog + nothere"}))
    drawn = snapshots(state)
    assert drawn["neighbours"]["words"].tobytes().decode().split("\n")[::9] == ["dog", "sheep"]
    assert drawn["analogy"]["unknown"].tobytes().decode() == "nothere"
    history = state.evaluations.neighbour_history
    assert history.word == "dog" and [step for step, _ in history.rows] == [3]
    assert same(before, through_checkpoint(state.engine.state_dict()))


def test_a_run_taken_up_between_two_measurements_is_the_same_run(tmp_path):
    """Through the driver: its neighbours would be due at step 9, where nothing is measured."""
    library, trees = Library(tmp_path), []
    for steps in ((14,), (9, 14)):
        config = check(experiment.config, QUICK | {"epochs": 33})
        folder = library.folder(library.create("word2vec", config, Stop(steps=steps[0]), "cpu", "").id)
        for step in steps:
            control.write(folder, control.Control(stop=Stop(steps=step)))
            assert process.work(folder) == 0 and library.head(folder.name).step == step
        trees.append(checkpoints.newest(folder).state)
    assert [step for step, *_ in trees[0]["evaluations"]["neighbour_history"]["rows"]] == [0, 1, 2, 3, 12]
    assert same(*trees)


def test_a_pair_with_an_unknown_word_is_noted_with_what_is_spelled_like_it():
    log = run(start(QUICK | {"pairs": "cat dog, cat dgo, brid qqqqqq, xyzxyzxyz cat"}), 20)
    assert {name for name in log.curves if name.startswith("cosine/")} == {"cosine/cat, dog"}
    notes = [(note.diagnosis, note.values["word"], note.values["pair"]) for note in log.notes if "pair" in note.values]
    assert notes == [
        ("unknown pair", "dgo", "cat dgo"),
        ("unknown pair", "brid", "brid qqqqqq"),
        ("unlike anything", "xyzxyzxyz", "xyzxyzxyz cat"),
    ]
    assert "dog" in next(note.values["near"] for note in log.notes if note.values.get("word") == "dgo")


@pytest.mark.parametrize("words", ["", "nothere"])
def test_a_state_without_a_row_of_neighbours_is_saved_as_well(words):
    state = start(QUICK | {"words": words})
    assert same(through_checkpoint(state.state_dict()), state.state_dict())


@pytest.mark.parametrize("settings", [QUICK, SGNS], ids=["gensim", "sgns"])
def test_it_begins_with_the_vectors_of_the_same_words_alone(settings):
    one = start(settings)
    run(one, 3)
    tree = through_checkpoint(one.state_dict())
    for changed in ({"sentences": settings["sentences"] + 1}, {"engine": "gensim", "output": "hierarchical"}):
        other = start(settings | changed)
        before = other.vectors.copy()
        with pytest.raises(Refusal, match="has other words"):
            other.load_weights(tree)
        assert np.array_equal(other.vectors, before)
    with pytest.raises(Refusal, match=r"vectors is \d+ × \d+ there and \d+ × 7 here"):
        start(settings | {"size": 7}).load_weights(tree)
    del tree["engine"]["outputs"]
    recorded = start(settings)
    outputs = recorded.outputs.copy()
    recorded.load_weights(tree)
    assert np.array_equal(recorded.vectors, one.vectors) and np.array_equal(recorded.outputs, outputs)
