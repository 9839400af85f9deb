"""Evaluation of image classifiers, against scikit-learn."""

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

from core.classification import Evaluated, confusion, evaluate, mistakes
from core.events import Pulse

N, K = 130, 5


def case(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pictures whose first pixels are their logits, classes, and the logits."""
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(0, 2, (N, K)).astype(np.float32))
    x = torch.zeros(N, 1, 3, K)
    x[:, 0, 0] = logits
    return x, torch.from_numpy(rng.integers(0, K, N)), logits


def predict(x: torch.Tensor) -> torch.Tensor:
    assert not torch.is_grad_enabled()
    return x[:, 0, 0]


def finished(events: Generator[Any, None, Evaluated]) -> tuple[Evaluated, list[Any]]:
    yielded = []
    while True:
        try:
            yielded.append(next(events))
            assert torch.is_grad_enabled(), "a yield inside no_grad would leak it"
        except StopIteration as end:
            return end.value, yielded


@pytest.mark.parametrize("chunk", [1, 40, 65, 130, 500])
def test_loss_and_accuracy_are_those_of_scikit_learn_whatever_the_chunk(chunk: int) -> None:
    x, y, logits = case()
    evaluated, events = finished(evaluate(predict, x, y, chunk))
    assert events == [Pulse()] * (-(-N // chunk) - 1)
    probabilities = torch.softmax(logits.double(), 1).numpy()
    assert evaluated.loss == pytest.approx(log_loss(y, probabilities, labels=range(K)), rel=1e-5)
    assert evaluated.accuracy == pytest.approx(accuracy_score(y, logits.argmax(1)))
    np.testing.assert_allclose(evaluated.probabilities, probabilities, atol=1e-6)
    assert evaluated.probabilities.dtype == np.float32


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    x, y, logits = case()
    evaluated, _ = finished(evaluate(predict, x, y))
    counts = confusion(evaluated, y.numpy())["counts"]
    np.testing.assert_array_equal(counts, confusion_matrix(y, logits.argmax(1), labels=range(K)))
    only = Evaluated(0.0, 1.0, evaluated.probabilities[:2])
    assert confusion(only, y.numpy()[:2])["counts"].shape == (K, K), "classes that never occur have a row, too"


def test_mistakes_are_the_wrong_ones_the_most_confident_first() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.95, 0.05]], np.float32)
    y = np.array([0, 0, 1, 0, 1])  # wrong: 1 (0.8), 2 (0.6), 3 (0.7), 4 (0.95)
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 2, 2), np.uint8)
    found = mistakes(images, y, Evaluated(0.0, 0.2, probabilities), most=3)
    assert found["images"].shape == (3, 2, 2, 3) and found["images"][:, 0, 0, 0].tolist() == [4, 1, 3]
    assert (found["true"].tolist(), found["guessed"].tolist()) == ([1, 0, 0], [0, 1, 1])
    assert found["confidence"].tolist() == pytest.approx([0.95, 0.8, 0.7])
    assert found["wrong"].tolist() == [4, 5]
    none = mistakes(images[:1, :1], y[:1], Evaluated(0.0, 1.0, probabilities[:1]))
    assert none["images"].shape == (0, 2, 2) and none["wrong"].tolist() == [0, 1]


def test_a_network_without_finite_logits_has_no_finite_loss() -> None:
    x, y, _ = case()
    evaluated, _ = finished(evaluate(lambda part: part[:, 0, 0] * float("nan"), x, y))
    assert np.isnan(evaluated.loss) and confusion(evaluated, y.numpy())["counts"].sum() == N
