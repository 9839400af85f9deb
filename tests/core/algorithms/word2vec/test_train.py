"""The loop: it repeats itself, goes on where it was left, ends by itself, and is not disturbed by being looked at."""

from itertools import pairwise

import numpy as np
import pytest

from core.algorithms.word2vec import train as program
from core.algorithms.word2vec.schedule import told
from core.events import Pulse, Scalars, Snapshot, Step
from core.experiment import Diverged
from tests.core.algorithms.driven import same, saved
from tests.core.algorithms.word2vec.training import QUICK, WRITTEN, Told, run, start

KINDS = {
    "skip-gram": QUICK,
    "CBOW": QUICK | {"method": "cbow"},
    "tree": QUICK | {"output": "hierarchical"},
    "news": {"corpus": "news", "size": 20, "epochs": 2},
    "written out": WRITTEN,
}


@pytest.mark.parametrize("kind", KINDS)
def test_n_steps_saved_loaded_and_the_rest_are_the_whole_bit_for_bit(kind):
    whole_state = start(KINDS[kind])
    whole = run(whole_state)
    half = start(KINDS[kind])
    place = half.end // 2 + 3  # in the middle of an epoch
    first = run(half, place)
    tree = saved(half.state_dict())
    run(half, place + 5)  # must not reach into what was saved
    np.random.seed(1)
    resumed = start(KINDS[kind])
    resumed.load_state_dict(tree)
    rest = run(resumed)
    assert whole_state.step == resumed.step == resumed.end
    assert same(whole_state.state_dict(), resumed.state_dict())
    for name, curve in whole.curves.items():
        assert curve == first.curves.get(name, []) + rest.curves.get(name, []), name


def test_a_checkpoint_of_gensim_s_state_goes_through_the_house_s_own_files(tmp_path):
    from core.runs.store import checkpoints

    state = start(QUICK)
    run(state, 7)
    checkpoints.save(tmp_path, checkpoints.Saved(7, {}, 0.0, 1, state.state_dict()))
    resumed = start(QUICK)
    resumed.load_state_dict(checkpoints.newest(tmp_path).state)
    run(state)
    run(resumed)
    assert same(state.state_dict(), resumed.state_dict())


@pytest.mark.parametrize("kind", ["skip-gram", "written out"])
def test_the_same_seed_gives_the_same_curve_and_another_a_different_one(kind):
    one, again, other = (run(start(KINDS[kind] | {"seed": seed})).curves for seed in (3, 3, 4))
    assert one == again
    assert one["train/loss"] != other["train/loss"]


@pytest.mark.parametrize("kind", KINDS)
def test_observing_changes_nothing(kind):
    quiet, watched = start(KINDS[kind]), start(KINDS[kind])
    run(quiet)
    heard = Told(watched)
    drawn = np.random.get_state()[1].copy()
    for event in program.train(watched):
        heard.hear(event)
        if isinstance(event, Step) and event.step % 7 == 0:
            assert all(isinstance(seen, Snapshot) for seen in program.observe(watched))
    assert np.array_equal(drawn, np.random.get_state()[1])
    assert same(quiet.state_dict(), watched.state_dict())


@pytest.mark.parametrize("kind", ["CBOW", "written out"])
def test_it_ends_by_itself_after_its_last_epoch_and_says_where_it_is(kind):
    state = start(KINDS[kind])
    told_of = run(state)
    steps = [event for event in told_of.events if isinstance(event, Step)]
    assert [event.step for event in steps] == list(range(1, state.end + 1))
    assert steps[-1].epoch == state.config.epochs and state.end == state.config.epochs * state.engine.per_epoch
    assert all(a.epoch < b.epoch for a, b in pairwise(steps))
    assert told_of.curves["train/loss"][-1][0] == state.end
    assert len(list(program.train(state))) >= 1, "what is due at the end is told again to who takes it up there"


def test_it_tells_several_times_an_epoch_and_a_bounded_number_of_times():
    for end in (8, 45, 490, 20_000):
        times = sum(told(step, end) for step in range(end + 1))
        assert min(end + 1, 40) <= times <= 2 * 128 + 10, end


def test_a_long_examination_takes_breath():
    state = start({"corpus": "news", "epochs": 1, "size": 10})
    events = run(state).events
    assert sum(isinstance(event, Pulse) for event in events) > 10
    asked = [event for event in events if isinstance(event, Scalars) and "analogy/all" in event.values]
    assert [event.step for event in asked] == [state.end]


def test_numbers_that_are_none_end_the_training():
    state = start(QUICK)
    run(state, 3)
    state.engine.vectors[0] = np.nan
    with pytest.raises(Diverged):
        state.state_dict()


def test_words_to_look_at_may_change_while_it_trains():
    state = start(QUICK)
    run(state, 3)
    before = saved(state.state_dict())
    state.turn(state.config.model_copy(update={"words": "dog, sheep", "analogy": "cat - dog + nothere"}))
    seen = {event.panel: event.arrays for event in program.observe(state)}
    assert seen["neighbours"]["words"].tobytes().decode().split("\n")[::9] == ["dog", "sheep"]
    assert seen["analogy"]["unknown"].tobytes().decode() == "nothere"
    assert same(before, state.state_dict())


def test_a_pair_with_an_unknown_word_is_said_with_what_is_spelled_like_it():
    told = run(start(QUICK | {"pairs": "cat dog, cat dgo, brid qqqqqq, xyzxyzxyz cat"}), 20)
    assert {name for name in told.curves if name.startswith("cosine/")} == {"cosine/cat, dog"}
    said = [(note.diagnosis, note.values["word"], note.values["pair"]) for note in told.notes if "pair" in note.values]
    assert said == [
        ("unknown pair", "dgo", "cat dgo"),
        ("unknown pair", "brid", "brid qqqqqq"),
        ("unlike anything", "xyzxyzxyz", "xyzxyzxyz cat"),
    ]
    assert "dog" in next(note.values["near"] for note in told.notes if note.values.get("word") == "dgo")


@pytest.mark.parametrize("words", ["", "nothere"])
def test_a_state_without_a_row_of_neighbours_is_saved_as_well(words):
    state = start(QUICK | {"words": words})
    assert same(saved(state.state_dict()), state.state_dict())
