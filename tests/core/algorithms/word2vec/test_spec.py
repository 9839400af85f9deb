"""The declaration: everything declared has something behind it, and what cannot go together is refused."""

import subprocess
import sys
from fnmatch import fnmatch

import pytest
from pydantic import ValidationError

from core.algorithms.word2vec.config import Word2VecConfig, entries
from core.algorithms.word2vec.queries import ANALOGIES, PAIRS, WORDS
from core.algorithms.word2vec.requests import analogy_of
from core.algorithms.word2vec.spec import experiment
from core.algorithms.word2vec.train import load
from core.algorithms.word2vec.views import SECTIONS
from core.data.judgements import sections
from core.settings import check
from core.words import Refusal
from tests.core.algorithms.word2vec.training import QUICK, SGNS, run, start


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"lr": 0.01, "lr_end": 0.02}, "lr_end"),
        ({"engine": "sgns"}, "engine"),
        ({"engine": "sgns", "corpus": "news", "method": "cbow"}, "engine"),
        ({"engine": "sgns", "corpus": "news", "output": "hierarchical"}, "engine"),
        ({"corpus": "own"}, "text"),
        ({"words": "a,b,c,d,e,f,g,h,i"}, "words"),
        ({"analogy": "king man woman"}, "analogy"),
        ({"pairs": "cat"}, "pairs"),
        ({"pairs": "a b, c d, e f, g h, i j, k l, m n, o p, q r"}, "pairs"),
    ],
)
def test_what_cannot_go_together_is_refused_with_its_field(values, field):
    with pytest.raises(ValidationError) as wrong:
        Word2VecConfig(**values)
    error = wrong.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, Refusal) and error.field == field
    assert str(error).startswith(f"{Word2VecConfig.model_fields[field].title}:")


def test_a_name_that_no_text_can_have_is_refused():
    with pytest.raises(Refusal, match="Your text must be the name of an uploaded text") as refused:
        check(Word2VecConfig, {"corpus": "own", "text": "../../etc/passwd"})
    assert refused.value.field == "text"


def test_words_are_read_as_people_write_them():
    assert entries(" King,queen ，宝玉、 黛玉;king") == ["king", "queen", "宝玉", "黛玉"]
    assert analogy_of("King − Man + woman") == analogy_of("king-man+woman") == ("king", "man", "woman")
    assert analogy_of("宝玉 - 黛玉 + 八戒") == ("宝玉", "黛玉", "八戒")
    assert analogy_of("king + man - woman") is None and analogy_of("king") is None


def test_every_choice_has_a_word():
    for name, schema in Word2VecConfig.model_json_schema()["properties"].items():
        if "enum" in schema:
            assert set(schema["labels"]) == set(schema["enum"]), name


def test_every_section_has_a_name():
    assert [section.name for section in sections()] == list(SECTIONS)


@pytest.mark.parametrize("corpus", ["grammar", "news", "wikipedia"])
def test_default_queries_are_in_the_text(corpus):
    word_counts = load(Word2VecConfig(corpus=corpus)).word_counts
    pairs = [word for pair in entries(PAIRS[corpus]) for word in pair.split()]
    for word in (*entries(WORDS[corpus]), *analogy_of(ANALOGIES[corpus]), *pairs):
        assert word_counts.get(word, 0) >= 5, word


@pytest.mark.parametrize("settings", [QUICK, SGNS, {"corpus": "news", "epochs": 1, "size": 8}], ids=str)
def test_every_metric_logged_has_a_sentence_and_a_place(settings):
    log = run(start(settings))
    drawn = [pattern for panel in experiment.panels for pattern in panel.metrics]
    for metric in log.curves:
        assert any(fnmatch(metric, m.name) for m in experiment.metrics), metric
        assert any(fnmatch(metric, pattern) for pattern in drawn), metric


def test_spec_and_views_import_nothing_heavy():
    code = (
        "import sys, core.algorithms.word2vec.spec, core.algorithms.word2vec.views, core.algorithms.word2vec.matrices\n"
        "import core.data.uploads, core.data.judgements\n"
        "core.data.judgements.sections()\n"
        "print(sorted({'torch', 'gensim', 'streamlit', 'scipy', 'jieba', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
