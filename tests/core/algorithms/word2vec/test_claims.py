"""What the page claims of each preset, measured on seed 0 where nothing else is named: its settings, to the end."""

from collections.abc import Callable
from functools import cache
from itertools import islice, pairwise
from statistics import mean
from typing import Any

import pytest

from core.algorithms.word2vec.spec import experiment
from tests.core.algorithms.trial import Log
from tests.core.algorithms.word2vec.training import nearest, program, run, same_kind, start

pytestmark = pytest.mark.claim

TITLES = {p.name: p.title for p in experiment.presets}


@pytest.fixture(scope="module")
def outcome() -> Callable[[str], Log]:
    """A preset's run, made once however many claims are about it."""
    known: dict[str, dict[str, Any]] = {p.name: dict(p.settings) for p in experiment.presets}
    return cache(lambda name: run(start(known[name])))


def people(log: Log) -> float:
    return log.last("people/wordsim")


def words_of_an_epoch(config: Any) -> int:
    """Words trained on in the first epoch, those left out by subsampling not counted."""
    state = start(config)
    model, words = state.engine.model, []
    train_job = model._do_train_job
    model._do_train_job = lambda *job: words.append(train_job(*job)[0])
    list(islice(program.train(state), state.engine.steps_per_epoch))
    return sum(words)


@pytest.mark.long
def test_a_small_text_is_enough_to_see_likeness(outcome, measured):
    measured(f"{TITLES['wikipedia']}: WordSim-353", people(outcome("wikipedia")), at_least=0.35)


@pytest.mark.long
def test_skip_gram_sees_more_than_cbow(outcome, measured):
    gain = people(outcome("wikipedia")) - people(outcome("cbow"))
    measured(f"{TITLES['cbow']}: WordSim-353, skip-gram less CBOW", gain, at_least=0.08)


@pytest.mark.long
def test_a_narrow_window_finds_words_of_a_kind_and_a_wide_one_words_of_a_topic(outcome, measured):
    narrow, wide = people(outcome("narrow")), people(outcome("wide"))
    measured(f"{TITLES['narrow']}: WordSim-353", narrow, at_most=0.36)
    measured(f"{TITLES['wide']}: WordSim-353", wide, at_least=0.48)


@pytest.mark.long
def test_subsampling_shortens_an_epoch_and_costs_little(outcome, measured):
    with_it, without = outcome("wikipedia"), outcome("whole")
    more = words_of_an_epoch(without.state.config) / words_of_an_epoch(with_it.state.config)
    measured(f"{TITLES['whole']}: words trained on, of those with subsampling", more, at_least=1.3)
    measured(f"{TITLES['whole']}: WordSim-353 gained", people(without) - people(with_it), at_most=0.03)


@pytest.mark.long
def test_more_text_is_better(outcome, measured):
    alone, more = (outcome(name).last("analogy/all") for name in ("wikipedia", "more"))
    measured(f"{TITLES['more']}: analogies right, of those with Wikipedia alone", more / alone, at_least=1.5)


@pytest.mark.long
def test_a_tree_does_better_on_little_text(outcome, measured):
    gain = people(outcome("tree")) - people(outcome("wikipedia"))
    measured(f"{TITLES['tree']}: WordSim-353, a tree less random words", gain, at_least=0.05)


@pytest.mark.long
def test_neighbours_come_and_go_first_and_hardly_change_at_the_end(outcome, measured):
    rows = [set(row) for _, row in outcome("wikipedia").state.evaluations.neighbour_history.rows]
    stay = [len(one & other) / len(other) for one, other in pairwise(rows)]
    quarter = len(stay) // 4
    measured("Neighbours over time: share that stays, first quarter", mean(stay[:quarter]), at_most=0.5)
    measured("Neighbours over time: share that stays, last quarter", mean(stay[-quarter:]), at_least=0.8)


def test_the_kinds_of_a_grammar_are_found(outcome, measured):
    measured(f"{TITLES['grammar']}: nearest is of the same kind", same_kind(outcome("grammar").state), at_least=0.95)


def test_the_sgns_engine_finds_them_too(outcome, measured):
    measured(f"{TITLES['written']}: nearest is of the same kind", same_kind(outcome("written").state), at_least=0.95)


def measure_novel(measured, state: Any) -> None:
    title, seed = TITLES["hongloumeng"], state.config.seed
    measured(f"{title}: nearest to 黛玉, seed {seed}", nearest(state, "黛玉")[0], exactly="宝钗")
    measured(f"{title}: nearest to 老太太, seed {seed}", nearest(state, "老太太")[0], exactly="太太")
    three = nearest(state, "银子")[:3]
    measured(f"{title}: 钱 among the three nearest to 银子, seed {seed}", "钱" in three, exactly=True)


def test_a_novel_knows_who_and_what_belongs_together(outcome, measured):
    measure_novel(measured, outcome("hongloumeng").state)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_it_knows_so_with_any_seed(measured, preset, seed):
    measure_novel(measured, run(start(preset("hongloumeng", seed=seed))).state)


def test_chinese_cut_as_english_is_named(outcome, measured):
    wrong, right = outcome("glued"), outcome("hongloumeng")
    named = [note.diagnosis for note in wrong.notes]
    measured(f"{TITLES['glued']}: is it named?", "glued words" in named, exactly=True)
    assert "glued words" not in [note.diagnosis for note in right.notes]
    kept = wrong.state.data.word_counts["宝玉"] / right.state.data.word_counts["宝玉"]
    measured(f"{TITLES['glued']}: share of its places that 宝玉 keeps", kept, at_most=0.5)
