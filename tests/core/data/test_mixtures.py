"""Distributions in the plane: where their points lie, and how samples are judged."""

import numpy as np
import pytest
import torch

from core.data import mixtures
from core.samplers import MixtureSampler


def test_the_ring_has_eight_gaussians_at_eight_angles():
    ring = mixtures.load("ring")
    assert ring.count == 8 and ring.sigma == 0.02
    assert np.allclose(np.linalg.norm(ring.skeleton, axis=1), 2)
    angles = np.sort(np.arctan2(*ring.skeleton.T[::-1]) % (2 * np.pi))
    assert np.allclose(np.diff(angles), np.pi / 4, atol=1e-5)


def test_the_grid_is_five_by_five():
    grid = mixtures.load("grid")
    assert grid.count == 25 and len(np.unique(grid.skeleton, axis=0)) == 25
    assert np.allclose(grid.skeleton.mean(axis=0), 0)


@pytest.mark.parametrize("name", mixtures.MIXTURES)
def test_samples_are_new_each_time_of_the_right_noise_and_of_high_quality(name):
    mixture = mixtures.load(name)
    plane, draw = MixtureSampler(mixture, "cpu"), torch.Generator().manual_seed(0)
    one, other = plane.sample(4000, draw).numpy(), plane.sample(4000, draw).numpy()
    assert not np.intersect1d(one[:, 0], other[:, 0]).size > 40
    modes, good = mixtures.judged(mixture, one)
    # Beyond 3σ in the plane lie e^-4.5 = 1.1 % of a Gaussian; on a curve fewer, for only one direction counts.
    assert good.mean() > 0.98
    shares = np.bincount(modes, minlength=mixture.count) / len(modes)
    assert mixtures.covered(shares) == mixture.count
    assert shares.max() < 2 / mixture.count
    left, right, bottom, top = mixture.extent
    assert left < one[:, 0].min() and one[:, 0].max() < right and bottom < one[:, 1].min() and one[:, 1].max() < top


def test_what_is_beyond_three_sigma_is_not_of_high_quality():
    ring = mixtures.load("ring")
    out = np.array([[2 + 2.9 * 0.02, 0], [2 + 3.1 * 0.02, 0], [0, 0]], np.float32)
    assert mixtures.judged(ring, out)[1].tolist() == [True, False, False]


def test_a_mode_with_less_than_a_tenth_of_its_part_is_not_covered():
    assert mixtures.covered(np.array([0.5, 0.4, 0.024, 0.026])) == 3


def test_a_drawing_is_a_mixture_of_its_points():
    drawn = mixtures.drawn(np.linspace(-1, 1, 40).reshape(20, 2).astype(np.float32))
    assert len(drawn.skeleton) == 20 and drawn.count == 8
