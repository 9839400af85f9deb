"""Maps: found by PCA as scikit-learn finds it, and rotated so that points travel instead of flipping."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sklearn.decomposition import PCA

from core.projection import FAR, AlignedFrames, principal_components, procrustes, scaled


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 8)) * np.arange(8, 0, -1)


def test_principal_components_are_those_of_scikit_learn(points):
    found, explained = principal_components(points, 3)
    theirs = PCA(3).fit(points)
    assert np.allclose(np.abs(found), np.abs(theirs.transform(points)), atol=1e-8)
    assert explained == pytest.approx(theirs.explained_variance_ratio_.sum())


def test_rows_that_are_not_fitted_are_projected(points):
    found, explained = principal_components(points, 2, np.arange(20))
    theirs = PCA(2).fit(points[:20])
    assert np.allclose(np.abs(found), np.abs(theirs.transform(points)), atol=1e-8)
    assert explained == pytest.approx(theirs.explained_variance_ratio_.sum())


def test_what_has_fewer_dimensions_than_the_map_is_flat_in_it(points):
    found, explained = principal_components(points[:, :2], 3)
    assert found.shape == (50, 3) and not found[:, 2].any() and explained == pytest.approx(1)


def test_fewer_rows_than_columns_have_as_many_directions_as_differ(points):
    found, _ = principal_components(points[:3], 3)
    assert np.allclose(np.abs(found[:, :2]), np.abs(PCA(2).fit_transform(points[:3])), atol=1e-8)
    assert np.allclose(found[:, 2], 0, atol=1e-8)


def test_no_point_is_out_of_sight(points):
    points[0] *= 100
    assert np.linalg.norm(scaled(points), axis=1).max() == pytest.approx(FAR)


def test_nothing_depends_on_a_solver_s_choice_of_sign(points):
    found, _ = principal_components(points, 2)
    assert (found[np.abs(found).argmax(axis=0), [0, 1]] > 0).all()


@pytest.mark.parametrize("flip", [1, -1])
def test_a_rotated_or_mirrored_map_is_rotated_back(flip):
    old = np.random.default_rng(1).normal(size=(30, 3))
    rotated = old @ Rotation.from_euler("xyz", [1, 2, 3]).as_matrix() * [1, 1, flip]
    assert np.allclose(rotated @ procrustes(rotated, old), old)


def test_points_travel_instead_of_flipping(points):
    frames = AlignedFrames(2)
    before = frames.add(np.arange(50), scaled(principal_components(points, 2)[0]))
    moved = points + 0.01 * np.random.default_rng(2).normal(size=points.shape)
    raw = scaled(principal_components(moved, 2)[0][:, ::-1] * [-1, 1])  # a solver's whim
    after = frames.add(np.arange(50), raw)
    assert np.abs(after - before).max() < 0.05 < np.abs(raw - before).max()


def test_points_are_recognised_in_any_order(points):
    frames, order = AlignedFrames(2), np.random.default_rng(3).permutation(50)
    before = frames.add(np.arange(50), scaled(principal_components(points, 2)[0]))
    after = frames.add(order, before[order] * [1, -1])
    assert np.allclose(after, before[order])
    assert np.allclose(frames.last(np.arange(50)), before)


def test_points_may_come_and_go():
    frames = AlignedFrames(2)
    frames.add(np.arange(20), np.random.default_rng(3).normal(size=(20, 2)))
    new = np.random.default_rng(4).normal(size=(20, 2))
    after = frames.add(np.arange(5, 25), new)
    assert np.allclose(np.linalg.norm(after, axis=1), np.linalg.norm(new, axis=1)), "rotated, not distorted"
    assert frames.last(np.arange(4, 9)) is None and np.allclose(frames.last(np.arange(5, 9)), after[:4])
