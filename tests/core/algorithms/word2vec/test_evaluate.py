"""The judges: against gensim's and scipy's own, and against cases that can be seen through."""

import numpy as np
import pytest
from gensim.test.utils import datapath

from core.algorithms.word2vec.evaluate import Judgements, count_right, judgements, questions
from core.algorithms.word2vec.nearest import unit
from core.algorithms.word2vec.queries import spelled_like
from core.data.judgements import rated, sections
from core.data.vocabulary import build_vocabulary, vocabulary
from core.words import Refusal
from tests.core.algorithms.word2vec.training import run, start

NEWS = {"corpus": "news", "size": 40, "epochs": 6, "min_count": 3}


@pytest.fixture(scope="module")
def trained():
    with pytest.MonkeyPatch.context():
        state = start(NEWS)
        run(state)
        return state


def test_a_correlation_worked_out_by_hand():
    """Cosines 1, 0.6, 0, −1 have the ranks 3, 2, 1, 0; ratings with a tie have 3, 1.5, 1.5, 0. Around their mean of 1.5
    both have a sum of products of 4.5, and squares of 5 and 4.5."""
    vectors = np.array([[1, 0], [2, 0], [3, 4], [0, 1], [-1, 0]], np.float32)
    first, second = np.zeros(4, np.int64), np.arange(1, 5)
    found = Judgements("made up", first, second, np.array([9.0, 5.0, 5.0, 1.0]), 4)
    assert found.spearman(vectors) == pytest.approx(4.5 / np.sqrt(5 * 4.5))
    against = Judgements("made up", first, second, np.array([1.0, 2.0, 3.0, 4.0]), 4)
    assert against.spearman(vectors) == pytest.approx(-1)


@pytest.mark.parametrize(("name", "file"), [("wordsim", "wordsim353.tsv"), ("simlex", "simlex999.txt")])
def test_correlation_and_coverage_are_those_of_gensim(trained, name, file):
    found = judgements(name, trained.vocabulary)
    _, theirs, missing = trained.engine.model.wv.evaluate_word_pairs(datapath(file))
    assert found.spearman(trained.engine.vectors) == pytest.approx(theirs.statistic, abs=1e-6)
    assert 100 * (1 - len(found.first) / found.of) == pytest.approx(missing)


def test_analogies_are_answered_as_gensim_answers_them(trained):
    vectors = unit(trained.engine.vectors)
    wv = trained.engine.model.wv
    _, theirs = wv.evaluate_word_analogies(datapath("questions-words.txt"))
    for section, own in zip(questions(trained.vocabulary), theirs, strict=False):
        counting = count_right(section.places, vectors)
        try:
            while True:
                next(counting)
        except StopIteration as end:
            right = end.value
        assert (right, len(section.places)) == (len(own["correct"]), len(own["correct"]) + len(own["incorrect"]))


def test_vectors_that_hold_the_answer_give_it():
    words = ["athens", "greece", "baghdad", "iraq", "other"]
    vectors = unit(np.array([[1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 1, 1], [-1, -1, 0.5]], np.float32))
    vocabulary_of = vocabulary(words, np.ones(5))
    places = np.array([[vocabulary_of.index[w] for w in words[:4]]])
    generator = count_right(places, vectors)
    with pytest.raises(StopIteration) as end:
        while True:
            next(generator)
    assert end.value.value == 1


def test_the_sets_are_whole():
    assert (len(rated("wordsim").pairs), len(rated("simlex").pairs)) == (353, 999)
    assert len(sections()) == 14 and sum(len(s.questions) for s in sections()) == 19_544


def test_words_are_counted_down_to_the_minimum():
    found = build_vocabulary({"a": 3, "b": 5, "c": 1, "d": 3}, 2)
    assert list(found.words) == ["b", "a", "d"] and found.counts.tolist() == [5, 3, 3] and found.index["d"] == 2


def test_an_unknown_word_is_offered_the_spellings_that_exist(trained):
    assert "australia" in spelled_like(trained.vocabulary, "austrlia")
    assert "government" in spelled_like(trained.vocabulary, "goverment")


def test_too_few_words_are_refused_with_the_field():
    with pytest.raises(Refusal, match="Minimum count: only 0 words occur 1000 times or more") as refused:
        start({"corpus": "grammar", "sentences": 100, "min_count": 1000})
    assert refused.value.field == "min_count"
