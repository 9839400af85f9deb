"""Snapshots and figures: small, valid Plotly, and true to the state."""

import base64
import copy
import importlib
import json

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from core.algorithms.gan import snapshots as drawn
from core.algorithms.gan.metrics import generate
from core.algorithms.gan.snapshots import arrows, d_outputs, tint, undecided
from core.algorithms.gan.spec import experiment
from core.drawing import text
from core.experiment import Context
from tests.core.algorithms.gan.cases import CONVOLUTIONS, EVERYTHING, IMAGES, SMALL
from tests.core.algorithms.gan.training import run, snapshots, start

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
    statics = snapshots(state)
    log = run(state, 16)
    return state, snapshots(state) | {panel: one.arrays for panel, one in log.snapshots.items()}, statics


def painted(made):
    made = copy.deepcopy(made)
    for image in made["layout"].get("images", ()):
        raster = image["source"]
        assert len(base64.b64decode(raster["bdata"])) == np.prod(raster["shape"])
        image["source"] = "data:image/png;base64,AAAA"
    return made


def test_every_panel_is_valid_plotly_and_plain_json(seen):
    state, taken, statics = seen
    wanted = {
        p.name: p.view
        for p in experiment.panels
        if p.view and all(getattr(state.config, f) in values for f, values in p.shown_if.items())
    }
    assert set(taken) == set(wanted)
    for panel, arrays in taken.items():
        module, name = wanted[panel].split(":")
        made = getattr(importlib.import_module(module), name)(arrays, Context(state.config, statics, state.step))
        json.dumps(made, allow_nan=False)
        go.Figure(painted(made))
        assert sum(a.nbytes for a in arrays.values()) <= 40_000, panel


def test_arrows_point_down_the_loss_of_g():
    state = start({"seed": 2})
    run(state, 200)
    start_, tip = torch.from_numpy(arrows(state, generate(state, state.fixed_z[:400])).astype(np.float32)).unbind(dim=1)
    way = tip - start_
    small = start_ + 0.01 * way / way.norm(dim=1, keepdim=True).clamp_min(1e-6)
    with torch.no_grad():
        before, after = (d_outputs(state, x) for x in (start_, small))
    assert (after > before).float().mean() > 0.95, "D's output is higher at the tip"


def test_top_of_the_surface_is_the_top_of_the_plane():
    state = start({"d_layers": ()})
    state.D[0].weight.data = torch.tensor([[0.0, 1.0]])  # the higher, the more real
    surface = snapshots(state)["samples"]["surface"].astype(int)
    assert (np.diff(surface[:, 0]) < 0).all() and (surface == surface[:, :1]).all()


def test_samples_shown_are_the_average_of_gs():
    state = start(SMALL | {"ema": 0.99})
    run(state, 40)
    with torch.no_grad():
        averaged, current = (net(state.fixed_z[:300]).numpy() for net in (state.G_ema, state.G))
    assert np.allclose(snapshots(state)["samples"]["made"], averaged, atol=2e-3)
    assert not np.allclose(current, averaged, atol=2e-2)


@pytest.mark.parametrize("kind", ["plane", "images"])
def test_a_pack_is_of_one_kind_and_never_of_one_sample_twice(kind):
    """What D gets for the panels: it has learned of packs of real or of generated samples."""
    settings = {"packing": 3, "batch_size": 12} | ({"data": "mnist_5k"} if kind == "images" else {})
    state = start(SMALL | settings)
    packed = []
    state.D.register_forward_pre_hook(lambda _, inputs: packed.append(inputs[0].detach()))
    snapshots(state)
    made = generate(state, state.fixed_z[: 300 if kind == "plane" else 64])
    real = state.cached(drawn.real_samples)
    seen = []
    for packs in packed:
        slots = packs.reshape(len(packs), 3, -1)
        for i, j in ((0, 1), (0, 2), (1, 2)):
            assert not (slots[:, i] == slots[:, j]).all(dim=1).any(), "a sample stands beside itself"
        kinds = []
        for name, of_kind in (("made", made), ("real", real)):
            if len(packs) == len(of_kind) and torch.equal(slots[:, 0], of_kind):
                kinds.append(name)
                for slot in (1, 2):
                    assert {tuple(row) for row in slots[:, slot].tolist()} == {tuple(row) for row in of_kind.tolist()}
        if not kinds:
            assert torch.equal(slots[:, 0], state.cached(drawn.places))
            assert torch.equal(slots[:, 1:], real[:2].expand(len(packs), 2, -1)), "the same others"
            kinds = ["places"]
        seen += kinds
    assert set(seen) == {"made", "real"} | ({"places"} if kind == "plane" else set())


@pytest.mark.parametrize("kind", ["ring", "critic", "hinge", "squares"])
def test_tints_are_blue_where_d_outputs_real_and_never_all_alike(kind):
    state = start(KINDS[kind] | {"seed": 1})
    surface = torch.linspace(-40, 3, 1000)  # late in a run: sure that nearly the whole plane is not real
    middle = undecided(state)
    if kind == "critic":
        real, fake = (d_outputs(state, x).median() for x in (
            state.cached(drawn.real_samples), generate(state, state.fixed_z[:300])))  # fmt: skip
        assert min(real, fake) < middle < max(real, fake) and middle == pytest.approx((real + fake).item() / 2)
    else:
        assert middle == (0.5 if kind == "squares" else 0.0)
    tints = tint(surface, middle)
    assert torch.equal(tints > 0, surface > middle)
    assert (tints.diff() >= 0).all() and tints.abs().max() < 1
    assert tints.quantile(0.75) - tints.quantile(0.25) > 0.15


@pytest.mark.parametrize("kind", ["ring", "critic"])
def test_outputs_are_counted_as_probabilities_where_the_loss_makes_them_so(kind):
    state = start(KINDS[kind])
    run(state, 40)
    found = snapshots(state)["answers"]
    samples = state.cached(drawn.real_samples), generate(state, state.fixed_z[:300])
    with torch.no_grad():
        outputs = [d_outputs(state, x).numpy() for x in samples]
    if kind == "ring":
        outputs = [1 / (1 + np.exp(-x)) for x in outputs]
        assert found["range"].tolist() == [0, 1]
    else:
        assert found["range"].tolist() == pytest.approx([min(map(np.min, outputs)), max(map(np.max, outputs))])
    for share, x in zip(found["share"], outputs, strict=True):
        counts, _ = np.histogram(x, drawn.BINS, tuple(found["range"]))
        assert np.allclose(share, counts / len(x), atol=0.01)


@pytest.mark.parametrize("noise", ["normal", "uniform"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_latent_grid_is_lines_along_either_of_the_first_two_latents(noise, size):
    state = start(SMALL | {"latent": size, "noise": noise})
    z = drawn.latent_lines(state).view(2, drawn.LINES, drawn.ALONG, size)
    ways = z[..., :2] if size > 1 else torch.cat([z, z.flip(0)], dim=-1)
    for held, moving, way in ((0, 1, ways[0]), (1, 0, ways[1])):
        assert (way[..., held].diff(dim=1) == 0).all() and (way[..., held].diff(dim=0) > 0).all()
        assert (way[..., moving].diff(dim=1) > 0).all()
    assert (z[..., 2:] == 0).all()


@pytest.mark.parametrize("noise", ["normal", "uniform"])
def test_the_way_between_two_latents_begins_and_ends_with_them_and_keeps_to_where_noise_lies(noise):
    state = start(SMALL | {"data": "mnist_5k", "latent": 32, "noise": noise})
    ways = drawn.latent_ways(state).view(drawn.WAYS, drawn.BETWEEN, 32)
    torch.testing.assert_close(ways[:, 0], state.fixed_z[:3])
    torch.testing.assert_close(ways[:, -1], state.fixed_z[3:6])
    middle = ways[:, drawn.BETWEEN // 2]
    if noise == "normal":
        assert (middle.norm(dim=1) > 0.8 * torch.minimum(ways[:, 0].norm(dim=1), ways[:, -1].norm(dim=1))).all()
    else:
        torch.testing.assert_close(middle, (ways[:, 0] + ways[:, -1]) / 2)
