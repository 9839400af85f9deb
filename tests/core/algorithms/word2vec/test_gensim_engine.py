"""gensim, called chunk by chunk, against gensim in one call."""

import math
from itertools import pairwise

import numpy as np
import pytest
from gensim.models import Word2Vec

from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.evaluate import FixedSampleLoss
from core.algorithms.word2vec.gensim_engine import chunks, job_words
from core.algorithms.word2vec.model import keep_probability, noise_distribution
from core.algorithms.word2vec.train import load
from core.data.corpora import Corpus
from tests.core.algorithms.word2vec.training import QUICK, run, start

NEWS = {"corpus": "news", "size": 24, "epochs": 2, "window": 4}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"method": "cbow"},
        {"output": "hierarchical", "sample": 0.0},
        {"negative": 8, "exponent": 0.5, "shrink": False},
        {"corpus": "grammar", "sentences": 3000},
    ],
    ids=str,
)
def test_one_thread_gives_the_vectors_of_a_plain_gensim_bit_for_bit(changed):
    state = start(NEWS | changed)
    run(state)
    config = state.config
    negative = config.output == "negative"
    plain = Word2Vec(
        state.data.sentences,
        vector_size=config.size,
        window=config.window,
        min_count=config.min_count,
        sg=config.method == "skip_gram",
        hs=not negative,
        negative=config.negative if negative else 0,
        ns_exponent=config.exponent,
        sample=config.sample,
        shrink_windows=config.shrink,
        alpha=config.lr,
        min_alpha=config.lr_end,
        epochs=config.epochs,
        workers=1,
        seed=config.seed,
        batch_words=state.engine.model.batch_words,
    )
    assert list(plain.wv.index_to_key) == list(state.vocabulary.words)
    assert np.array_equal(plain.wv.vectors, state.engine.vectors)
    assert state.end > 10, "in several chunks an epoch"


def test_the_rate_comes_down_evenly_over_the_whole_run():
    log = run(start(NEWS))
    rates = dict(log.curves["train/rate"])
    end, per_epoch = log.state.end, log.state.engine.steps_per_epoch
    assert rates[0] == 0.025 and rates[end] == pytest.approx(1e-4)
    assert rates[per_epoch] == pytest.approx((0.025 + 1e-4) / 2)
    assert sorted(rates.values(), reverse=True) == list(rates.values())


def test_an_epoch_s_chunks_hold_every_passage_once_and_no_more_words_than_a_job():
    rng = np.random.default_rng(0)
    sentences = [["w"] * int(n) for n in rng.integers(2, 1000, 500)]
    for jobs_per_chunk in (1, 4):
        found = chunks(sentences, 3000, jobs_per_chunk)
        assert found[0][0] == 0 and found[-1][1] == 500
        assert all(a[1] == b[0] for a, b in pairwise(found))
        assert all(sum(map(len, sentences[a:b])) <= 3000 * jobs_per_chunk for a, b in found)
    assert chunks([["w"] * 1000], 500, 1) == [(0, 1)], "a passage is never cut here"


def test_a_chunk_is_short_whatever_the_settings():
    costly = Word2VecConfig(size=400, window=20, negative=20)
    assert job_words(costly, 10**7) < 2000
    assert job_words(Word2VecConfig(), 10**7) == 10_000
    assert job_words(Word2VecConfig(), 20_000) == 2500


def test_several_threads_train_as_well():
    state = start(NEWS | {"threads": 2, "epochs": 4})
    log = run(state)
    assert log.last("train/loss") < 0.8 * log.curves["train/loss"][0][1]


def test_its_vocabulary_has_the_chances_of_the_formulas():
    engine = start(NEWS).engine
    wv, counts = engine.model.wv, engine.vocabulary.counts
    chances = np.diff(engine.model.cum_table.astype(np.float64), prepend=0) / (2**31 - 1)
    assert np.allclose(chances, noise_distribution(counts, 0.75), atol=1e-8)
    assert np.allclose(wv.expandos["sample_int"] / (2**32 - 1), keep_probability(counts, 1e-3), atol=1e-6)


@pytest.mark.parametrize("method", ["skip_gram", "cbow"])
def test_the_measured_loss_down_a_tree_is_what_gensim_scores_a_sentence_with(method):
    """A tree's chances add up to 1, so that gensim can compute the log-likelihood of a sentence; nothing is drawn."""
    settings = {"corpus": "grammar", "size": 12, "window": 20, "shrink": False, "sample": 0.0, "min_count": 1}
    config = Word2VecConfig(**settings, output="hierarchical", method=method, epochs=3, sentences=400)
    state = start(config)
    run(state)
    engine = state.engine
    sentence = next(words[:2] for words in state.data.sentences if words[0] != words[1])
    theirs = -float(engine.model.score([sentence], total_sentences=1)[0])
    measured = FixedSampleLoss(config, Corpus("pair", [sentence]), engine, np.random.default_rng(0))
    both = [measured(engine, rows) for rows in (measured.inputs[:, 0] == engine.vocabulary.index[w] for w in sentence)]
    assert sum(both) == pytest.approx(theirs, rel=0.04), "gensim looks its logarithms up in a coarse table"
    assert sum(both) < 2 * 0.8 * math.log(len(state.vocabulary)), "and it has learned something"


def test_chances_down_the_tree_add_up_to_1():
    state = start({"corpus": "grammar", "size": 12, "sentences": 400, "output": "hierarchical", "epochs": 3})
    run(state)
    loss, every = state.evaluations.loss_sample, np.arange(len(state.vocabulary))
    loss.inputs = np.zeros((len(every), 1), np.int64)
    loss.nodes, codes, loss.valid = state.engine.paths(every)
    loss.targets = 1 - codes
    assert sum(np.exp(-loss(state.engine, every[i : i + 1])) for i in every) == pytest.approx(1, abs=1e-5)


def test_the_measured_loss_with_random_words_is_gensim_s_own_sum():
    """One sentence of two words, a thousand times, at a rate of next to nothing: on the mean the same loss."""
    config = Word2VecConfig(corpus="grammar", size=12, sentences=400, sample=0.0, min_count=1, window=1, epochs=3)
    state = start(config)
    run(state)
    engine, words = state.engine, state.data.sentences[0][:2]
    again = [words] * 2000
    engine.model.train(again, total_examples=2000, epochs=1, start_alpha=1e-9, end_alpha=1e-9, compute_loss=True)
    theirs = engine.model.get_latest_training_loss() / 4000
    corpus = Corpus("pair", again)
    measured = np.mean(
        [FixedSampleLoss(config, corpus, engine, np.random.default_rng(seed))(engine) for seed in range(8)]
    )
    assert measured == pytest.approx(theirs, rel=0.03)


def test_the_measured_loss_begins_where_nothing_is_known():
    """All outputs begin at zero: a sigmoid of one half for the true word and for each of five random ones."""
    state = start(NEWS)
    loss_sample = state.evaluations.loss_sample
    same = (loss_sample.nodes[:, 1:] == loss_sample.nodes[:, :1]).sum() / len(loss_sample.nodes)
    assert loss_sample(state.engine) == pytest.approx((6 - same) * math.log(2), rel=1e-6)


def test_reading_counts_every_word_once():
    corpus = load(Word2VecConfig(**QUICK))
    assert sum(corpus.word_counts.values()) == corpus.words
