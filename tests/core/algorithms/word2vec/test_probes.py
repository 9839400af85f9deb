"""Words looked up in trained vectors, against gensim's own search."""

import json

import numpy as np
import pytest
from gensim.models import KeyedVectors

from core import settings
from core.algorithms.word2vec.export import inference_state
from core.algorithms.word2vec.probes import probe
from core.algorithms.word2vec.requests import TERMS, WordRequest, terms
from core.algorithms.word2vec.views import query_answer
from core.experiment import Context
from core.words import Refusal
from tests.core.algorithms.trial import through_checkpoint
from tests.core.algorithms.word2vec.training import QUICK, SGNS, run, start


@pytest.fixture(scope="module")
def state():
    state = start(QUICK)
    run(state, 4)
    return state


def answer(state, **request):
    (event,) = probe(state, "lookup", iter([WordRequest(**request)]))
    assert event.panel == "lookup"
    words = {key: event.arrays[key].tobytes().decode() for key in ("query", "unknown", "words")}
    return event.arrays, {key: text.split("\n") if text else [] for key, text in words.items()}


@pytest.mark.parametrize("text", ["cat", "CAT", "cat - dog + girl", "cat + dog - house"])
def test_the_answer_is_that_of_gensim(state, text):
    arrays, words = answer(state, text=text)
    own = KeyedVectors(state.config.size)
    own.add_vectors(list(state.vocabulary.words), state.engine.vectors.copy())
    summed = terms(text)
    sides = {
        name: [word for sign, word in summed if sign == side] for name, side in (("positive", 1), ("negative", -1))
    }
    truth = own.most_similar(**sides, topn=12)
    assert words["words"] == [word for word, _ in truth]
    # gensim averages where we add: a length that the cosine does not see.
    assert np.allclose(arrays["cosine"], [cosine for _, cosine in truth], atol=1e-5)


def test_a_bar_that_is_clicked_is_the_next_query(state):
    arrays, words = answer(state, text="cat")
    _, again = answer(state, word=int(arrays["places"][0]))
    assert again["query"] == words["words"][:1]


def test_a_session_opens_with_a_word_of_the_text(state):
    _, words = answer(state)
    assert words["query"] == ["cat"] and len(words["words"]) == 12


def test_an_unknown_word_is_named_with_the_nearest_spellings(state):
    _, words = answer(state, text="cat - dgo")
    assert words["unknown"] == ["dgo"] and "dog" in words["words"]
    _, words = answer(state, text="zzzzzz")
    assert words["unknown"] == ["zzzzzz"] and words["words"] == []


@pytest.mark.parametrize("text", ["cat", "cat - dog + girl", "cat - dgo", "zzzzzz", ""])
def test_every_answer_has_a_picture(state, text):
    arrays, _ = answer(state, text=text)
    made = query_answer(arrays, Context(state.config, {}, state.step))
    json.dumps(made, allow_nan=False)
    (bars,) = made["data"]
    assert len(bars["y"]) == len(bars["customdata"]) == len(made["layout"]["yaxis"]["ticktext"])
    assert made["layout"]["annotations"][0]["text"]


@pytest.mark.parametrize("settings", [QUICK, SGNS])
def test_a_slim_state_answers_as_the_whole_one_does(settings):
    whole, again = start(settings), start(settings)
    run(whole, 4)
    tree = through_checkpoint(whole.state_dict())
    again.load_state_dict(through_checkpoint(inference_state(tree)))
    near, far = answer(again, text="cat - dog + girl"), answer(whole, text="cat - dog + girl")
    assert near[1]["words"][:3] == far[1]["words"][:3]
    assert np.allclose(near[0]["cosine"], far[0]["cosine"], atol=2e-3)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("king - man + woman", [(1, "king"), (-1, "man"), (1, "woman")]),
        ("king-man+woman", [(1, "king"), (-1, "man"), (1, "woman")]),
        ("king -man +woman", [(1, "king"), (-1, "man"), (1, "woman")]),
        ("宝玉－黛玉＋八戒", [(1, "宝玉"), (-1, "黛玉"), (1, "八戒")]),
        ("宝玉 − 黛玉", [(1, "宝玉"), (-1, "黛玉")]),
        ("- man", [(-1, "man")]),
        ("sea, water", [(1, "sea"), (1, "water")]),
        ("", []),
        ("+ - +", []),
    ],
)
def test_a_sum_is_read_as_it_is_meant(text, found):
    assert terms(text) == found


def test_a_sum_has_an_end_and_so_has_a_line():
    assert len(terms("a " * 60)) == TERMS
    with pytest.raises(Refusal) as refusal:
        settings.check(WordRequest, {"text": "a" * 121})
    assert refusal.value.field == "text"
