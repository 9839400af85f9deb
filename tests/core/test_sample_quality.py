"""The formulas behind the scores of generated images; the GAN's tests judge its samples by them."""

import numpy as np
import pytest
import torch

from core.sample_quality import frechet, score


def test_frechet_distance_of_known_gaussians() -> None:
    # Commuting covariances: Tr(C₁ + C₂ - 2 (C₁C₂)^½) is the sum of (√a - √b)².
    a, b = np.array([4.0, 1.0]), np.array([1.0, 9.0])
    assert frechet(np.zeros(2), np.diag(a), np.array([3.0, 4.0]), np.diag(b)) == pytest.approx(25 + 1 + 4)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    C = turn @ np.diag(a) @ turn.T
    assert frechet(np.zeros(2), C, np.zeros(2), C) == pytest.approx(0, abs=1e-9)


def test_score_goes_from_one_to_the_number_of_classes() -> None:
    assert score(torch.eye(5).repeat(3, 1)).item() == pytest.approx(5, rel=1e-6)
    assert score(torch.eye(5)[:1].repeat(9, 1)).item() == pytest.approx(1, rel=1e-6)
    assert score(torch.full((9, 5), 0.2)).item() == pytest.approx(1, rel=1e-6)
