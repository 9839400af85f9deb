"""Skip-gram with negative sampling against autograd, against numbers worked out by hand, and against plain loops."""

import math

import numpy as np
import pytest
import torch

from core.algorithms.word2vec import model
from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.evaluate import FixedSampleLoss
from tests.core.algorithms.word2vec.training import SGNS, run, same_kind, start


def drawn(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, ...]:
    rng = torch.Generator().manual_seed(0)
    W_in, W_out = (torch.randn((7, 4), generator=rng, dtype=dtype) for _ in range(2))
    centre = torch.tensor([0, 1, 1, 3, 6])
    targets = torch.tensor([[1, 2, 3], [0, 0, 5], [4, 2, 2], [3, 6, 1], [5, 1, 0]])  # one random word is the true one
    return W_in, W_out, centre, targets


def test_the_loss_is_equation_4_word_by_word():
    W_in, W_out, centre, targets = drawn()
    for b, found in enumerate(model.loss(W_in, W_out, centre, targets)):
        v = W_in[centre[b]].tolist()
        expected = 0.0
        for i, w in enumerate(targets[b].tolist()):
            score = sum(x * y for x, y in zip(v, W_out[w].tolist(), strict=True))
            if i == 0:
                expected -= math.log(1 / (1 + math.exp(-score)))
            elif w != targets[b, 0]:
                expected -= math.log(1 / (1 + math.exp(score)))
        assert float(found) == pytest.approx(expected, abs=1e-12)


def test_the_loss_is_differentiable_as_autograd_sees_it():
    W_in, W_out, centre, targets = drawn()
    W_in.requires_grad_()
    W_out.requires_grad_()
    assert torch.autograd.gradcheck(lambda *both: model.loss(*both, centre, targets), (W_in, W_out))


def test_the_gradients_are_those_of_the_loss():
    W_in, W_out, centre, targets = drawn()
    W_in.requires_grad_()
    W_out.requires_grad_()
    dE, dO = torch.autograd.grad(model.loss(W_in, W_out, centre, targets).sum(), (W_in, W_out))
    by_centre, by_target, _ = model.gradients(W_in.detach(), W_out.detach(), centre, targets)
    summed_in, summed_out = torch.zeros_like(W_in), torch.zeros_like(W_out)
    for b in range(len(centre)):
        summed_in[centre[b]] += by_centre[b]
        for k in range(targets.shape[1]):
            summed_out[targets[b, k]] += by_target[b, k]
    assert torch.allclose(dE, summed_in, atol=1e-12) and torch.allclose(dO, summed_out, atol=1e-12)


def test_a_step_goes_down_the_gradient_and_touches_no_other_row():
    W_in, W_out, centre, targets = drawn()
    W_in.requires_grad_()
    W_out.requires_grad_()
    dE, dO = torch.autograd.grad(model.loss(W_in, W_out, centre, targets).sum(), (W_in, W_out))
    W_in2, W_out2 = W_in.detach().clone(), W_out.detach().clone()
    model.sgd_step(W_in2, W_out2, centre, targets, 0.1)
    assert torch.allclose(W_in2, W_in - 0.1 * dE, atol=1e-12) and torch.allclose(W_out2, W_out - 0.1 * dO, atol=1e-12)
    assert torch.equal(W_in2[[2, 4, 5]], W_in[[2, 4, 5]])


def test_a_step_worked_out_by_hand():
    """v = (1, 0), the true neighbour's v' = (0, 0), one random word's v' = (ln 3, 0), rate 1.

    Scores are 0 and ln 3, their sigmoids 1/2 and 3/4: g = (-1/2, 3/4). So v loses 3/4 · (ln 3, 0), the neighbour gains
    1/2 · (1, 0), and the random word loses 3/4 · (1, 0). The loss was ln 2 + ln 4.
    """
    W_in = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    W_out = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]], dtype=torch.float64)
    centre, targets = torch.tensor([0]), torch.tensor([[0, 1]])
    assert float(model.loss(W_in, W_out, centre, targets)) == pytest.approx(3 * math.log(2))
    g = model.sgd_step(W_in, W_out, centre, targets, 1.0)
    assert g.tolist() == [[pytest.approx(-0.5), pytest.approx(0.75)]]
    assert W_in.tolist() == [[pytest.approx(1 - 0.75 * math.log(3)), 0.0]]
    assert W_out.tolist() == [[0.5, 0.0], [pytest.approx(math.log(3) - 0.75), 0.0]]


def test_both_matrices_begin_as_in_the_authors_program():
    W_in, W_out = model.init_matrices(500, 10, torch.Generator().manual_seed(0))
    assert not W_out.any() and float(W_in.abs().max()) <= 0.05
    assert float(W_in.std()) == pytest.approx(0.1 / math.sqrt(12), rel=0.05)


def test_random_words_come_as_often_as_count_to_the_exponent():
    state = start(SGNS)
    counts = state.vocabulary.counts
    expected = counts**0.75 / (counts**0.75).sum()
    assert np.allclose(model.noise_distribution(counts, 0.75), expected)
    assert np.allclose(model.noise_distribution(counts, 0.0), 1 / len(counts))
    drawn = np.bincount(state.engine.draw_negatives(100_000).flatten(), minlength=len(counts)) / 500_000
    assert np.abs(drawn - expected).max() < 5 * math.sqrt(expected.max() / 500_000)


def test_frequent_words_are_kept_with_the_chance_of_the_authors_program():
    counts = np.array([900, 90, 10])
    # f/t = 9, 0.9, 0.1 for t = 0.1: (√9 + 1)/9 = 4/9, and more than 1 for the others
    assert model.keep_probability(counts, 0.1).tolist() == [pytest.approx(4 / 9), 1.0, 1.0]
    assert model.keep_probability(counts, 0.0).tolist() == [1.0, 1.0, 1.0]


def test_pairs_are_those_within_the_window_and_the_passage():
    state = start(SGNS | {"sentences": 100, "shrink": False, "sample": 0.0, "min_count": 1, "window": 2})
    index = state.vocabulary.index
    expected = []
    for words in state.data.sentences:
        for i, word in enumerate(words):
            for j in range(max(0, i - 2), min(len(words), i + 3)):
                if i != j:
                    expected.append((index[word], index[words[j]]))
    found = state.engine._draw_pairs(0)
    assert sorted(map(tuple, found.tolist())) == sorted(expected)
    assert not np.array_equal(found, state.engine._draw_pairs(1)) and len(found) == len(state.engine._draw_pairs(1))


def test_a_shrinking_window_reaches_as_far_as_it_was_drawn():
    state = start(SGNS | {"sentences": 3000, "sample": 0.0, "min_count": 1, "window": 4})
    whole = start(state.config.model_copy(update={"shrink": False}))
    assert 0.55 < len(state.engine._draw_pairs(0)) / len(whole.engine._draw_pairs(0)) < 0.75


def test_it_overfits_one_batch():
    state = start(SGNS)
    engine = state.engine
    run(state, 1)
    centre, targets, _ = engine.last_batch
    rows = torch.arange(len(centre))  # a centre of its own for each pair, so that nothing stands in its way
    W_in, W_out = torch.randn(len(rows), 32) * 0.1, torch.zeros(len(state.vocabulary), 32)
    first = float(model.loss(W_in, W_out, rows, targets).mean())
    for _ in range(1500):
        model.sgd_step(W_in, W_out, rows, targets, 0.05)
    assert float(model.loss(W_in, W_out, rows, targets).mean()) < 0.05 * first


def test_every_word_of_the_text_is_moved_in_both_matrices():
    state = start(SGNS)
    W_in = state.engine.vectors.copy()
    run(state)
    assert (state.engine.vectors != W_in).any(axis=1).all() and state.engine.outputs.any(axis=1).all()


def test_its_loss_falls_and_it_learns_the_kinds():
    log = run(start(SGNS | {"sentences": 2000, "epochs": 4, "sample": 1e-2}))
    assert log.last("train/loss") < 0.7 * log.curves["train/loss"][0][1]
    assert same_kind(log.state) > 0.9


def test_the_measured_loss_is_equation_4_too():
    state = start(SGNS)
    run(state, 50)
    loss: FixedSampleLoss = state.evaluations.loss_sample
    W_in, W_out = state.engine.W_in.double(), state.engine.W_out.double()
    expected = model.loss(W_in, W_out, torch.from_numpy(loss.inputs[:, 0]), torch.from_numpy(loss.nodes)).mean()
    assert loss(state.engine) == pytest.approx(float(expected), rel=1e-5)
    assert Word2VecConfig(**SGNS).negative == loss.nodes.shape[1] - 1
