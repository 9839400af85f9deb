"""The probes: drawings become digits like MNIST's, changes are made to one picture, a unit sees what it is said to."""

import base64
import json

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from scipy.ndimage import center_of_mass

from core.algorithms.cnn.probes import MovedPicture, Unit, centred, probe
from core.algorithms.cnn.requests import DrawRequest, FoolRequest, InsideRequest, MoveRequest
from core.algorithms.cnn.spec import experiment
from tests.core.algorithms.cnn.test_views import drawn, painted
from tests.core.algorithms.cnn.training import SMALL, run, snapshots, start

MNIST = SMALL | {"data": "mnist_5k", "train_size": 0, "dense": (32,), "blocks": (8, 8)}


@pytest.fixture(scope="module")
def state():
    return run(start(MNIST), 80).state


def answers(state, name, *requests):
    return [event.arrays for event in probe(state, name, iter(requests))]


def drawing(picture) -> str:
    return base64.urlsafe_b64encode(picture.astype(np.uint8).tobytes()).decode().rstrip("=")


def stroke(top, left, height, width):
    picture = np.zeros((56, 56), np.uint8)
    picture[top : top + height, left : left + width] = 255
    return picture


@pytest.mark.parametrize(("height", "width"), [(40, 10), (10, 40), (50, 50), (6, 4)])
def test_a_drawing_is_centred_and_scaled_as_mnist_s_digits_are(height, width):
    for top, left in ((0, 0), (3, 6), (56 - height, 56 - width)):
        found = centred(stroke(top, left, height, width), 28).numpy()
        rows, columns = (np.flatnonzero(found.max(axis=axis) > 0.5) for axis in (1, 0))
        longer = 20
        for extent, side in ((rows, height), (columns, width)):
            expected = longer * side / max(height, width)
            assert abs(len(extent) - expected) <= 1
        assert np.abs(np.array(center_of_mass(found)) - 14).max() <= 0.51


def test_nothing_drawn_is_nothing_and_other_sizes_follow():
    assert not centred(np.zeros((56, 56), np.uint8), 28).any()
    assert centred(stroke(0, 0, 40, 40), 8).shape == (8, 8)


def test_mnist_s_own_digits_are_read_from_the_canvas(state):
    """Drawn at twice their size in a corner, test digits are classified as they were."""
    right = 0
    for x, guess in zip(state.data.x_test[:40, 0], state.probabilities_of_test[:40], strict=True):
        rows, columns = np.flatnonzero(x.any(axis=1)), np.flatnonzero(x.any(axis=0))
        large = np.kron(x[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.ones((2, 2), np.uint8))
        canvas = np.zeros((56, 56), np.uint8)
        canvas[: large.shape[0], : large.shape[1]] = large
        (arrays,) = answers(state, "draw", DrawRequest(drawing=drawing(canvas)))
        right += arrays["probability"].argmax() == guess
    assert right >= 34


@pytest.fixture(scope="module", autouse=True)
def predictions(state):
    with torch.no_grad():
        state.model.eval()
        state.probabilities_of_test = state.model(state.inputs(state.x_test)).argmax(dim=1).numpy()
        state.model.train()


def test_arrow_keys_move_the_picture_and_the_space_bar_brings_it_back(state):
    first, right, down, back = answers(
        state, "move", *(MoveRequest(act=act) for act in ("none", "right", "down", "restore"))
    )
    assert np.array_equal(first["image"], state.data.x_test[0])
    assert np.array_equal(right["image"][:, :, 1:], first["image"][:, :, :-1]) and not right["image"][:, :, 0].any()
    assert np.array_equal(down["image"][:, 1:, 1:], first["image"][:, :-1, :-1])
    assert np.array_equal(back["image"], first["image"])
    np.testing.assert_array_equal(right["before"], first["before"])
    assert not np.array_equal(right["probability"], right["before"])


def test_turning_four_times_either_way_and_blurring_change_the_picture(state):
    turned, back = answers(state, "move", MoveRequest(act="turn"), MoveRequest(act="back"))
    assert not np.array_equal(turned["image"], back["image"])
    assert np.array_equal(back["image"], state.data.x_test[0])
    (blurred,) = answers(state, "move", MoveRequest(act="blur"))
    padded = np.pad(state.data.x_test[0, 0].astype(float), 1)
    expected = sum(padded[i : i + 28, j : j + 28] for i in range(3) for j in range(3)) / 9
    np.testing.assert_allclose(blurred["image"][0], expected, atol=0.6)


def test_the_pointer_covers_a_patch_and_the_occlusion_map_builds_up(state):
    picture = MovedPicture(state)
    assert np.isnan(picture.arrays()["covered"]).all()
    picture.apply(MoveRequest(x=14, y=10))
    found = picture.arrays()
    left, top, side, _ = found["patch"].astype(int).tolist()
    assert side == 7 and (left, top) == (11, 7)
    x = state.data.x_test[:1] / np.float32(255)
    x[:, :, top : top + side, left : left + side] = state.mean.numpy()
    state.model.eval()
    both = torch.from_numpy(np.concatenate([state.data.x_test[:1] / np.float32(255), x]))
    with torch.no_grad():
        plain, covered = state.model(state.inputs(both)).softmax(dim=1)
    state.model.train()
    best = int(plain.argmax())
    np.testing.assert_allclose(found["probability"], covered, atol=1e-5)
    inside = found["covered"][top : top + side, left : left + side]
    np.testing.assert_allclose(inside, max(float(plain[best] - covered[best]), 0), atol=1e-5)
    assert np.isfinite(found["covered"]).sum() == 49
    for _ in range(16):
        picture.apply(MoveRequest(act="cover"))
        last = picture.arrays()["covered"]
    assert np.isfinite(last).all()
    picture.apply(MoveRequest(act="left"))
    assert np.isnan(picture.arrays()["covered"]).all(), "the picture is another"


def test_a_unit_s_patch_is_where_its_gradient_comes_from(state):
    unit = Unit(state)
    unit.apply(InsideRequest(act="layer"))
    unit.apply(InsideRequest(act="layer"))
    assert unit.names[unit.layer] == "convolution2"
    unit.apply(InsideRequest(unit=5 * 14 + 9))
    found = unit.arrays()
    assert found["unit"].tolist() == [5, 9]
    left, top, width, height = found["patch"].astype(int).tolist()
    assert (left, top, width, height) == (9 * 2 - 3, 5 * 2 - 3, 8, 8)


def test_exciting_patches_are_the_largest_responses_in_order(state):
    unit = Unit(state)
    patches, (value, place) = unit.exciting(), unit.best[0]
    rows = value[:, 0].argsort(descending=True)[:9].tolist()
    state.model.eval()
    with torch.no_grad():
        maps = torch.relu(state.model.features.convolution1(state.inputs(state.x_test[:500])))[:, 0]
    state.model.train()
    strongest = maps.flatten(1).max(dim=1).values.topk(9).values
    np.testing.assert_allclose(value[rows, 0], strongest, rtol=1e-5)
    y, x = divmod(int(place[rows[0], 0]), 28)
    padded = np.pad(state.data.x_test[rows[0], 0], 3)
    assert np.array_equal(patches[0, 0], padded[y + 2 : y + 5, x + 2 : x + 5])


def test_keys_and_clicks_reach_every_unit(state):
    unit = Unit(state)
    unit.apply(InsideRequest(unit=0))
    for act, place in (("right", 1), ("down", 29), ("left", 28), ("up", 0), ("left", 27), ("up", 27 + 27 * 28)):
        unit.apply(InsideRequest(act=act))
        assert unit.place == place
    unit.apply(InsideRequest(unit=999_999))  # no such unit
    assert unit.place == 27 + 27 * 28
    for _ in range(8):
        unit.apply(InsideRequest(act="channel"))
    assert unit.channel == 0
    for _ in range(4):
        unit.apply(InsideRequest(act="layer"))
    assert unit.layer == 0


def test_the_network_is_fooled_by_the_smallest_step(state):
    for arrays in answers(state, "fool", *(FoolRequest(act=act) for act in ("none", "next", "next"))):
        epsilon = int(arrays["epsilon"][0])
        assert epsilon and arrays["probability"].argmax() != arrays["before"].argmax()
        # White where the step is brighter, black where it is darker.
        step, change = arrays["step"].astype(int) - 127, arrays["changed"].astype(int) - arrays["image"]
        assert (np.sign(step)[change != 0] == np.sign(change)[change != 0]).all() and (change != 0).any()
        assert np.abs(arrays["changed"].astype(int) - arrays["image"]).max() <= epsilon
    (before,) = answers(state, "fool", FoolRequest(act="before"))
    assert np.array_equal(before["image"], state.data.x_test[-1])


@pytest.mark.parametrize(
    "settings",
    [
        SMALL | {"picture": 9_999},
        SMALL | {"data": "shapes", "samples": 120, "train_size": 60},
        MNIST | {"network": "lenet5"},
    ],
    ids=["digits", "colour", "lenet5"],
)
@pytest.mark.parametrize("name", [p.name for p in experiment.probes])
def test_every_key_is_answered_by_valid_plotly(name, settings):
    declared = next(p for p in experiment.probes if p.name == name)
    state = start(settings)
    statics = snapshots(state)
    requests = [declared.request(**fields) for fields in ({}, *declared.keys.values())]
    if declared.point:
        requests.append(declared.request(x=3.2, y=2.9))
    found = answers(state, name, *requests)
    assert len(found) == len(requests)
    for arrays in found:
        made = drawn(declared.view, arrays, state, statics)
        json.dumps(made, allow_nan=False)
        go.Figure(painted(made))
