"""Maps: found by PCA as scikit-learn finds it, and rotated so that words travel instead of flipping."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sklearn.decomposition import PCA

from core.algorithms.word2vec.maps import FAR, Frames, aligned, principal, scaled


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 8)) * np.arange(8, 0, -1)


def test_principal_directions_are_those_of_scikit_learn(points):
    found, held = principal(points, 3)
    theirs = PCA(3).fit(points)
    assert np.allclose(np.abs(found), np.abs(theirs.transform(points)), atol=1e-8)
    assert held == pytest.approx(theirs.explained_variance_ratio_.sum())


def test_some_rows_may_say_from_where_the_others_are_seen(points):
    found, _ = principal(points, 2, np.arange(20))
    theirs = PCA(2).fit(points[:20])
    assert np.allclose(np.abs(found), np.abs(theirs.transform(points)), atol=1e-8)


def test_no_word_is_out_of_sight(points):
    points[0] *= 100
    assert np.linalg.norm(scaled(points), axis=1).max() == pytest.approx(FAR)


def test_nothing_depends_on_a_solver_s_choice_of_sign(points):
    found, _ = principal(points, 2)
    assert (found[np.abs(found).argmax(axis=0), [0, 1]] > 0).all()


@pytest.mark.parametrize("flip", [1, -1])
def test_a_rotated_or_mirrored_map_is_rotated_back(flip):
    old = np.random.default_rng(1).normal(size=(30, 3))
    rotated = old @ Rotation.from_euler("xyz", [1, 2, 3]).as_matrix() * [1, 1, flip]
    assert np.allclose(rotated @ aligned(rotated, old), old)


def test_words_travel_instead_of_flipping(points):
    frames = Frames(2)
    words = np.arange(50)
    before = frames.add(words, principal(points, 2)[0])
    moved = points + 0.01 * np.random.default_rng(2).normal(size=points.shape)
    raw = scaled(principal(moved, 2)[0][:, ::-1] * [-1, 1])  # a solver's whim
    after = frames.add(words, raw)
    assert np.abs(after - before).max() < 0.05 < np.abs(raw - before).max()


def test_other_words_may_come_in():
    frames = Frames(2)
    first = np.random.default_rng(3).normal(size=(20, 2))
    frames.add(np.arange(20), first)
    after = frames.add(np.arange(5, 25), np.random.default_rng(4).normal(size=(20, 2)))
    assert after.shape == (20, 2) and 0.5 < np.sqrt((after**2).sum(1).mean()) <= 1 + 1e-9
