"""Tables: what is drawn, what is read (against scikit-learn's own readers), and how it is split."""

import subprocess
import sys

import numpy as np
import pytest
import sklearn.datasets

from core.data import tabular
from core.data.dataset import scale_of, split


def table(name, **changed):
    return tabular.load(name, **{"samples": 300, "noise": 0.0, "test_share": 0.3, "seed": 0} | changed)


@pytest.mark.parametrize("name", tabular.TABLES)
def test_every_table_is_what_it_is_said_to_be(name):
    data, known = table(name), tabular.TABLES[name]
    rows = known.rows or 300
    assert data.x_train.shape[1] == data.x_test.shape[1] == known.features == len(data.features)
    assert len(data.x_train) + len(data.x_test) == len(data.y_train) + len(data.y_test) == rows
    assert data.x_train.dtype == np.float32
    assert np.isfinite(data.x_train).all()
    if known.classes:
        assert data.y_train.dtype == np.int64
        assert set(data.y_train) == set(data.y_test) == set(range(len(known.classes)))
        share = np.bincount(data.y_test) / np.bincount(np.concatenate([data.y_train, data.y_test]))
        assert np.abs(share - 0.3).max() < 0.02  # stratified
    else:
        assert data.y_train.dtype == np.float32


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_what_is_read_is_what_scikit_learn_reads(name):
    data, theirs = table(name), getattr(sklearn.datasets, f"load_{name}")()
    ours = np.column_stack([np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])])
    expected = np.column_stack([theirs.data.astype(np.float32), theirs.target])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], expected[np.lexsort(expected.T)])
    assert [c.replace("class ", "class_") for c in data.classes] == [str(c) for c in theirs.target_names]


def test_nothing_slow_is_imported_for_any_of_them():
    code = (
        "import sys; from core.data import tabular\n"
        "for name in tabular.TABLES: tabular.load(name, samples=99, noise=0.1, test_share=0.3, seed=0)\n"
        "print(sorted({'sklearn', 'scipy', 'pandas', 'torch', 'pooch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", [n for n, t in tabular.TABLES.items() if not t.rows])
def test_a_seed_draws_the_same_points_and_another_others(name):
    one, same, other = table(name, noise=0.1), table(name, noise=0.1), table(name, noise=0.1, seed=1)
    np.testing.assert_array_equal(one.x_train, same.x_train)
    np.testing.assert_array_equal(one.y_test, same.y_test)
    assert not np.array_equal(one.x_train, other.x_train)


def points(name, **changed):
    data = table(name, samples=2000, **changed)
    return np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])


def test_the_shapes_without_noise():
    x, y = points("circles")
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 0, 0.9, 0.4), atol=1e-6)
    x, y = points("xor")
    np.testing.assert_array_equal(y, (x[:, 0] * x[:, 1] < 0).astype(int))
    assert np.abs(x).min() >= 0.06
    x, y = points("checkerboard")
    np.testing.assert_array_equal(y, np.floor((x + 1) * 2).sum(axis=1) % 2)
    x, y = points("spiral")
    turns = np.arctan2(x[:, 0], x[:, 1]) / (2 * np.pi) - 1.05 * np.hypot(*x.T) - y / 3
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-4)
    x, y = points("moons")
    assert np.abs(np.hypot(x[y == 0, 0] + 1 / 3, x[y == 0, 1] + 1 / 6) - 1 / 1.5).max() < 1e-5
    x, y = points("plane")
    np.testing.assert_allclose(y, x[:, 0] + x[:, 1] / 2, atol=1e-6)
    x, y = points("curve")
    np.testing.assert_allclose(y, np.sin(4 * x[:, 0]) + x[:, 0] / 2, atol=1e-5)


def test_noise_is_a_standard_deviation():
    x, y = points("circles", noise=0.05)
    assert np.std(np.hypot(*x[y == 0].T)) == pytest.approx(0.05, rel=0.1)
    x, y = points("plane", noise=0.2)
    assert np.std(y - x[:, 0] - x[:, 1] / 2) == pytest.approx(0.2, rel=0.1)


def test_a_split_shares_no_row_and_leaves_none_out():
    labels = np.array([0] * 50 + [1] * 7 + [2] * 3)
    for share in (0.01, 0.3, 0.95):
        train, test = split(labels, share, np.random.default_rng(0), stratified=True)
        assert sorted([*train, *test]) == list(range(60))
        assert set(labels[test]) == set(labels[train]) == {0, 1, 2}


def test_the_scale_is_that_of_the_training_part():
    x = np.array([[1.0, 5.0], [3.0, 5.0]], np.float32)
    mean, deviation = scale_of(x)
    assert mean.tolist() == [2.0, 5.0]
    assert deviation.tolist() == [1.0, 1.0]  # a column that never changes is divided by 1
    pixels = np.random.default_rng(0).integers(0, 256, (50, 9), dtype=np.uint8)
    mean, deviation = scale_of(pixels)
    assert mean[0] == pytest.approx(pixels.mean(), rel=1e-6)
    assert deviation[0] == pytest.approx(pixels.std(), rel=1e-6)
