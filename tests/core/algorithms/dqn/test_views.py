"""The pictures: what the views make of real snapshots."""

import base64
import importlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from core.algorithms.dqn import train as program
from core.algorithms.dqn.observe import axes
from core.algorithms.dqn.spec import experiment
from core.events import Snapshot
from core.experiment import Context
from tests.core.algorithms.dqn.test_train import KINDS
from tests.core.algorithms.dqn.training import advance, start

VIEWS = {p.name: p.view for p in experiment.panels if p.view}


def seen(state) -> dict[str, Snapshot]:
    """A snapshot of each panel."""
    return {event.panel: event for event in program.observe(state)}


@pytest.mark.parametrize("kind", ["plain", "slippery", "table", "double table", "sarsa"])
def test_every_panel_of_every_kind_of_world_can_be_drawn(kind):
    state = start(KINDS[kind])
    statics = {panel: s.arrays for panel, s in seen(state).items()}
    advance(state, 150)
    found = seen(state)
    expected = set(VIEWS) - ({"memory"} if state.table is not None else set())
    assert set(found) == expected
    for panel in expected:
        assert sum(a.nbytes for a in found[panel].arrays.values()) < 8000, panel
        module, function = VIEWS[panel].split(":")
        view = getattr(importlib.import_module(module), function)
        figure = view(found[panel].arrays, Context(state.config, statics, state.step))
        json.dumps(figure, allow_nan=False)
        if panel != "rollout" and (panel != "calibration" or len(state.pairs)):
            assert figure["data"], panel


def test_the_rollout_is_a_picture_of_the_environment_and_moves():
    state = start(KINDS["plain"])
    frames = []
    for _ in range(3):
        arrays = {e.panel: e.arrays for e in program.observe(state)}["rollout"]
        picture = np.asarray(Image.open(io.BytesIO(arrays["png"].tobytes())).convert("RGB"), np.int32)
        assert picture.shape == (200, 300, 3)
        drawn = state.rollout.world.picture()[::2, ::2].astype(np.int32)
        assert np.abs(picture - drawn).mean() < 3  # smaller, in fewer colours, and the same
        frames.append(picture)
    assert (frames[0] != frames[1]).any()
    figure = importlib.import_module("core.algorithms.dqn.views").rollout(arrays, Context(state.config, {}, 0))
    source = figure["layout"]["images"][0]["source"]
    assert base64.b64decode(source.split(",")[1]) == arrays["png"].tobytes()


def test_the_values_shown_are_those_of_the_frame():
    state = start(KINDS["plain"])
    for _ in range(4):
        arrays = {e.panel: e.arrays for e in program.observe(state)}
    rollout = state.rollout
    assert arrays["values"]["t"][-1] == rollout.t == arrays["rollout"]["about"][1]
    np.testing.assert_array_equal(arrays["values"]["q"][-1], state.q(rollout.observation[None])[0])


@pytest.mark.parametrize(
    ("across", "upward", "shown"), [(2, 3, (0, 1)), (0, 1, (0, 1)), (1, 0, (1, 0)), (0, 0, (1, 0))]
)
def test_the_map_has_two_directions_in_a_world_of_two_numbers(across, upward, shown):
    state = start({"environment": "MountainCar-v0", "axis_x": across, "axis_y": upward})
    assert axes(state) == shown


def test_the_map_is_the_value_at_its_places():
    state = start(KINDS["plain"] | {"axis_x": 0, "axis_y": 2})
    advance(state, 120)
    arrays = seen(state)["map"].arrays
    left, right, bottom, top = arrays["extent"]
    middle = state.replay.observation[: state.replay.size].mean(axis=0)
    corner = middle.copy()
    corner[0], corner[2] = left, top
    Q = state.q(corner[None])[0]
    assert arrays["action"][0, 0] == Q.argmax()
    low, high = arrays["range"]
    shown = low + (high - low) * arrays["value"][0, 0] / 255
    assert shown == pytest.approx(float(Q.max()), abs=float(high - low) / 200)
    assert right > left and top > bottom
