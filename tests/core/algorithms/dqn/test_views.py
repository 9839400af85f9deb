"""The pictures: what the views make of real snapshots."""

import base64
import importlib
import io
import json
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from core.algorithms.dqn.snapshots import Rollout, axes
from core.algorithms.dqn.spec import experiment
from core.experiment import Context
from tests.core.algorithms.dqn.cases import KINDS
from tests.core.algorithms.dqn.training import advance, evaluated, program, snapshots, start

VIEWS = {p.name: p.view for p in experiment.panels if p.view}


@pytest.mark.parametrize("kind", ["plain", "slippery", "table", "double table", "sarsa"])
def test_every_panel_of_every_kind_of_environment_can_be_drawn(kind):
    state = start(KINDS[kind])
    statics = snapshots(state)
    assert set(program.static_snapshots) <= set(statics)
    advance(state, 150)
    _, pairs = evaluated(state)
    found = snapshots(state) | {"calibration": {"pairs": pairs}}
    expected = set(VIEWS) - ({"memory"} if state.config.tabular else set())
    assert set(found) == expected
    for panel in expected:
        assert sum(a.nbytes for a in found[panel].values()) < 8000, panel
        module, function = VIEWS[panel].split(":")
        view = getattr(importlib.import_module(module), function)
        figure = view(found[panel], Context(state.config, statics, state.step))
        json.dumps(figure, allow_nan=False)
        if panel != "rollout" and (panel != "calibration" or len(pairs)):
            assert figure["data"], panel


def at_next_step(state, panel):
    """A panel's arrays a step later, at which nothing is learned."""
    arrays = program.snapshots[panel](state)
    state.step += 1
    return arrays


def test_the_rollout_is_a_picture_of_the_environment_and_moves():
    state = start(KINDS["plain"])
    frames, steps = [], []
    for _ in range(3):
        arrays = at_next_step(state, "rollout")
        picture = np.asarray(Image.open(io.BytesIO(arrays["png"].tobytes())).convert("RGB"), np.int32)
        assert picture.shape == (200, 300, 3)
        drawn = state.cached(Rollout).env.render()[::2, ::2].astype(np.int32)
        assert np.abs(picture - drawn).mean() < 3  # smaller, in fewer colours, and the same
        frames.append(picture)
        steps.append(int(arrays["about"][1]))
    assert (frames[0] != frames[1]).any()
    assert steps[0] == 0 < steps[1], "the first picture is an episode's beginning"
    figure = importlib.import_module("core.algorithms.dqn.views").rollout(arrays, Context(state.config, {}, 0))
    source = figure["layout"]["images"][0]["source"]
    assert base64.b64decode(source.split(",")[1]) == arrays["png"].tobytes()


def test_the_rollout_shows_an_episodes_end_and_then_the_beginning_of_the_next():
    state = start(KINDS["plain"] | {"limit": 15})
    shown = [at_next_step(state, "rollout")["about"].tolist() for _ in range(40)]
    assert {over for *_, over in shown} >= {0.0, 1.0} or {over for *_, over in shown} >= {0.0, 2.0}
    for (episode, steps, returned, over), (later, after, _, _) in pairwise(shown):
        assert steps == returned <= 15
        assert (later, after == 0) == ((episode + 1, True) if over else (episode, False))


def test_the_values_are_those_of_the_picture_and_go_by_the_best_action():
    state = start(KINDS["plain"])
    for _ in range(4):
        state.step += 1
        arrays = snapshots(state)
    shown = state.cached(Rollout)
    values = arrays["values"]
    assert values["t"][-1] == len(shown.env.actions) == arrays["rollout"]["about"][1]
    np.testing.assert_array_equal(values["q"][-1], state.q(shown.env.observation[None])[0])
    assert shown.env.actions == values["q"][:-1].argmax(axis=1).tolist()
    assert np.array_equal(program.snapshots["values"](state)["q"], values["q"]), "to draw them does not go on"


@pytest.mark.parametrize("panel", ["values", "map"])
def test_the_episode_moves_on_where_the_rollout_is_out_of_sight(panel):
    state = start(KINDS["plain"])
    for _ in range(3):
        at_next_step(state, panel)
    assert len(state.cached(Rollout).env.actions) > 0


@pytest.mark.parametrize(
    ("across", "upward", "shown"), [(2, 3, (0, 1)), (0, 1, (0, 1)), (1, 0, (1, 0)), (0, 0, (1, 0))]
)
def test_the_map_has_two_directions_where_observations_are_two_numbers(across, upward, shown):
    state = start({"environment": "MountainCar-v0", "axis_x": across, "axis_y": upward})
    assert axes(state) == shown


def test_the_map_is_the_value_at_its_places():
    state = advance(start(KINDS["plain"] | {"axis_x": 0, "axis_y": 2}), 120)
    arrays = snapshots(state)["map"]
    left, right, bottom, top = arrays["extent"]
    observations = state.replay_buffer.observation[: state.replay_buffer.size]
    corner = observations.mean(axis=0)
    corner[0], corner[2] = left, top
    Q = state.q(corner[None])[0]
    assert arrays["action"][0, 0] == Q.argmax()
    low, high = arrays["range"]
    shown = low + (high - low) * arrays["value"][0, 0] / 255
    assert shown == pytest.approx(float(Q.max()), abs=float(high - low) / 200)
    assert right > left and top > bottom
    assert right >= np.abs(observations[:, 0]).max() > right / 2 and left == -right


def test_the_map_reaches_no_further_than_the_environments_bounds():
    state = advance(start({"environment": "MountainCar-v0", "axis_x": 0, "axis_y": 1}), 50)
    left, right, bottom, top = snapshots(state)["map"]["extent"]
    assert (left, right) == pytest.approx((-(2**-0.5), 0.6)) or (left, right) == pytest.approx((-1.0, 0.6))
    assert -0.07 <= bottom < top <= 0.07


def test_the_memory_counts_ages_batches_and_places():
    state = advance(start(KINDS["plain"] | {"buffer": 60}), 100)
    arrays, buffer = snapshots(state)["memory"], state.replay_buffer
    assert arrays["size"].tolist() == [60, 60, 60], "held, capacity, and the oldest was added at step 40"
    assert arrays["age"].tolist() == [2, *[3] * 18, 4], "ages 1 to 60 in twenty bins; 60 is in the last"
    ages = 100 - buffer.added_at[buffer.sampled]
    assert arrays["drawn"].tolist() == np.bincount(np.minimum(ages // 3, 19), minlength=20).tolist()
    assert arrays["rewards"].tolist() == [*[0] * 19, 60] and arrays["range"].tolist() == [0, 1]
    left, right, bottom, top = arrays["extent"]
    x, y = arrays["axes"]
    at = buffer.observation[:, [x, y]]
    assert (left, bottom) <= tuple(at.min(axis=0)) and tuple(at.max(axis=0)) <= (right, top)
    # The fullest place: its share of the height is its share of the width, top row first.
    row, column = np.unravel_index(arrays["cover"].argmax(), arrays["cover"].shape)
    places = np.stack([(at[:, 0] - left) / (right - left), (top - at[:, 1]) / (top - bottom)], axis=1) * 24
    fullest = np.histogram2d(places[:, 1], places[:, 0], 24, ((0, 24), (0, 24)))[0]
    assert fullest[row, column] == fullest.max()

    visits = snapshots(advance(start(KINDS["slippery"]), 50))["memory"]["visits"]
    assert visits.sum() == 50 and visits.argmax() == 0, "it begins at the start again and again"
    assert "memory" not in snapshots(advance(start(KINDS["table"]), 5))


def test_the_errors_are_those_of_the_last_update():
    state = advance(start(KINDS["plain"]), 100)
    arrays, delta = snapshots(state)["errors"], state.last_update["td_error"].numpy()
    reach = arrays["reach"][0]
    assert reach >= np.abs(delta).max() > reach / 2
    assert arrays["counts"].sum() == 16
    assert arrays["counts"][15:].sum() == (delta >= 0).sum()
