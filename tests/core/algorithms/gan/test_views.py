"""Snapshots and figures: small, valid Plotly, and true to the state."""

import base64
import copy
import importlib
import json

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from core.algorithms.gan import train as program
from core.algorithms.gan.measure import report
from core.algorithms.gan.observe import pushed, tinted
from core.algorithms.gan.spec import experiment
from core.algorithms.gan.state import bare
from core.drawing import text
from core.events import Snapshot
from core.experiment import Context
from tests.core.algorithms.gan.test_train import CONVOLUTIONS, EVERYTHING, IMAGES, SMALL
from tests.core.algorithms.gan.training import run, start

KINDS = {
    "ring": {},
    "everything": EVERYTHING,
    "critic": {"loss": "wasserstein_gp"},
    "hinge": {"loss": "hinge", "data": "spiral", "latent": 1},
    "squares": {"loss": "least_squares", "data": "grid"},
    "drawing": {"data": "drawing", "drawing": text(np.random.default_rng(0).uniform(-1, 1, (40, 2)))},
    "images": IMAGES | SMALL,
    "convolutions": CONVOLUTIONS,
}


@pytest.fixture(params=KINDS)
def seen(request):
    """(state, snapshots after some steps by panel, statics)."""
    state = start(KINDS[request.param])
    statics = {event.panel: event.arrays for event in program.observe(state)}
    run(state, 16)
    events = [*program.observe(state), *report(state)]
    return state, {event.panel: event.arrays for event in events if isinstance(event, Snapshot)}, statics


def painted(made):
    made = copy.deepcopy(made)
    for image in made["layout"].get("images", ()):
        raster = image["source"]
        assert len(base64.b64decode(raster["bdata"])) == np.prod(raster["shape"])
        image["source"] = "data:image/png;base64,AAAA"
    return made


def test_every_panel_is_valid_plotly_and_plain_json(seen):
    state, snapshots, statics = seen
    wanted = {
        p.name: p.view
        for p in experiment.panels
        if p.view and all(getattr(state.config, f) in values for f, values in p.shown_if.items())
    }
    assert set(snapshots) == set(wanted)
    for panel, arrays in snapshots.items():
        module, name = wanted[panel].split(":")
        made = getattr(importlib.import_module(module), name)(arrays, Context(state.config, statics, state.step))
        json.dumps(made, allow_nan=False)
        go.Figure(painted(made))
        assert sum(a.nbytes for a in arrays.values()) <= 40_000, panel


def test_arrows_point_down_the_loss_of_g():
    state = start({"seed": 2})
    run(state, 200)
    made = state.samples(state.fixed[:400])
    arrows, _ = pushed(state, made)
    start_, tip = torch.from_numpy(arrows.astype(np.float32)).unbind(dim=1)
    way = tip - start_
    small = start_ + 0.01 * way / way.norm(dim=1, keepdim=True).clamp_min(1e-6)
    with torch.no_grad():
        before, after = (state.judge(x) for x in (start_, small))
    assert (after > before).float().mean() > 0.95, "D believes more at the tip"


def test_top_of_the_surface_is_the_top_of_the_plane():
    state = start({})
    state.D.layers[-1].weight.data.zero_()
    state.believed = lambda x, company: x[:, 1]  # the higher, the more real
    surface = next(e for e in program.observe(state) if isinstance(e, Snapshot) and e.panel == "samples").arrays
    assert surface["surface"][0].mean() > surface["surface"][-1].mean()


def test_samples_shown_are_the_average_of_gs():
    state = start(SMALL | {"ema": 0.99})
    run(state, 40)
    shown = next(e for e in program.observe(state) if e.panel == "samples").arrays["made"]
    with torch.no_grad():
        expected = bare(state.slow(state.fixed[:300]))
    assert np.allclose(shown, expected, atol=2e-3)


@pytest.mark.parametrize("kind", ["plane", "images"])
def test_a_pack_is_of_one_kind_and_never_of_one_sample_twice(kind):
    """What D is asked for the panels, caught on its way: it has learned of packs of real or of made samples."""
    settings = {"packing": 3, "batch_size": 12} | ({"data": "mnist_5k"} if kind == "images" else {})
    state = start(SMALL | settings)
    asked = []
    state.D.register_forward_pre_hook(lambda _, inputs: asked.append(inputs[0].detach()))
    list(program.observe(state))
    made = state.samples(state.fixed[: 300 if kind == "plane" else 64])
    seen = []
    for packs in asked:
        slots = packs.reshape(len(packs), 3, -1)
        for i, j in ((0, 1), (0, 2), (1, 2)):
            assert not (slots[:, i] == slots[:, j]).all(dim=1).any(), "a sample keeps itself company"
        kinds = []
        for name, of_kind in (("made", made), ("real", state.scene.real)):
            if len(packs) == len(of_kind) and torch.equal(slots[:, 0], of_kind):
                kinds.append(name)
                for slot in (1, 2):
                    assert {tuple(row) for row in slots[:, slot].tolist()} == {tuple(row) for row in of_kind.tolist()}
        if not kinds:
            assert torch.equal(slots[:, 0], state.scene.places)
            assert torch.equal(slots[:, 1:], state.scene.real[:2].expand(len(packs), 2, -1)), "one company"
            kinds = ["places"]
        seen += kinds
    assert sorted(seen) == sorted(["made", "real"] + (["places"] if kind == "plane" else []))


@pytest.mark.parametrize("kind", ["ring", "critic", "hinge", "squares"])
def test_tints_are_blue_where_d_believes_and_never_all_alike(kind):
    state = start(KINDS[kind] | {"seed": 1})
    surface = torch.linspace(-40, 3, 1000)  # late in a run: sure that nearly the whole plane is not real
    real, fake = torch.full((9,), 1.5), torch.full((9,), 0.5)
    tints = tinted(state, surface, real, fake)
    middle = {"ring": 0.0, "hinge": 0.0, "squares": 0.5, "critic": 1.0}[kind]
    assert torch.equal(tints > 0, surface > middle)
    assert (tints.diff() >= 0).all() and tints.abs().max() < 1
    assert tints.quantile(0.75) - tints.quantile(0.25) > 0.15
