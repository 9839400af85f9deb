"""What the panels show of a state: small arrays, made without touching the state or any random generator."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from core.algorithms.gan.measure import pixels
from core.algorithms.gan.model import g_loss
from core.algorithms.gan.source import Plane
from core.algorithms.gan.state import SHOWN, State, bare
from core.events import Array, Event, Snapshot
from core.figures import quantised

SIDE = 32  # of D's surface
ARROWS = 100
LINES, ALONG = 11, 25  # of the latent grid, and points of each of its lines
BINS = 40
REAL = 240  # real samples shown, and judged
ROWS, COLUMNS = 6, 6  # of a grid of images
BETWEEN, WAYS = 9, 3  # images on the way from a latent to another, and ways
BATCH = 64  # images judged


@dataclass(slots=True)
class Scene:
    """What stays: fixed real samples, where D is asked, the grid in the latent space; and the looks so far."""

    real: Tensor
    places: Tensor
    lines: Tensor
    looks: int = 0


def observe(state: State, everything: bool = True) -> Iterator[Event]:
    """The samples at each look, the smaller panels in turn; at step 0 also what never changes."""
    scene = scene_of(state)
    scene.looks += 1
    turn = None if everything else scene.looks % 2
    if state.config.flat:
        yield from flat(state, scene, turn)
    else:
        yield from pictured(state, scene, turn)


def scene_of(state: State) -> Scene:
    """The state's scene, made once, of generators of its own."""
    scene = state.scene
    if not isinstance(scene, Scene):
        draw = torch.Generator(state.device).manual_seed(state.config.seed)
        real = state.source.sample(REAL if state.config.flat else BATCH, draw)
        empty = torch.zeros(0, device=state.device)
        if isinstance(state.source, Plane):
            left, right, bottom, top = state.source.mixture.extent
            x = torch.linspace(left, right, SIDE, device=state.device)
            y = torch.linspace(top, bottom, SIDE, device=state.device)
            places = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).view(-1, 2)
            scene = Scene(real, places, latent_lines(state))
        else:
            scene = Scene(real, empty, latent_ways(state))
        state.scene = scene
    return scene


def flat(state: State, scene: Scene, turn: int | None) -> Iterator[Event]:
    """Snapshots of points in the plane."""
    if state.step == 0 and isinstance(state.source, Plane):
        extent = np.array(state.source.mixture.extent, np.float32)
        yield Snapshot(0, "data", {"real": bare(scene.real).astype(np.float16), "extent": extent})
    made = state.samples(state.fixed[:SHOWN])
    arrows, fake = pushed(state, made)
    surface = state.believed(scene.places, scene.real)
    with torch.no_grad():
        real = state.judge(scene.real)
    yield Snapshot(
        state.step,
        "samples",
        {
            "made": bare(made).astype(np.float16),
            "arrows": arrows,
            "surface": quantised(bare(tinted(state, surface, real, fake)), -1, 1).reshape(SIDE, SIDE),
        },
    )
    if turn in (0, None):
        yield Snapshot(state.step, "answers", answer_arrays(state, real, fake))
    if turn in (1, None):
        lines = bare(state.samples(scene.lines)).astype(np.float16).reshape(2, LINES, ALONG, 2)
        yield Snapshot(state.step, "latent", {"lines": lines})


def pictured(state: State, scene: Scene, turn: int | None) -> Iterator[Event]:
    """Snapshots of images."""
    if state.step == 0:
        yield Snapshot(0, "data", {"real": pixels(scene.real[: ROWS * COLUMNS])})
    judged = turn in (0, None)
    made = state.samples(state.fixed[: BATCH if judged else ROWS * COLUMNS])
    yield Snapshot(state.step, "samples", {"images": pixels(made[: ROWS * COLUMNS])})
    if judged:
        with torch.no_grad():
            real, fake = (state.judge(x) for x in (scene.real, made))
        yield Snapshot(state.step, "answers", answer_arrays(state, real, fake))
    if turn in (1, None):
        yield Snapshot(state.step, "between", {"images": pixels(state.samples(scene.lines))})


def squashed(state: State, answers: Tensor) -> Tensor:
    """D's answers as it means them: probabilities where the loss makes them so."""
    return torch.sigmoid(answers) if state.config.probable else answers


def tinted(state: State, surface: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """D's answers for places as tints: -1 for generated, 1 for real, 0 where D cannot tell.

    An answer l counts from the middle c as (l - c)/(s + |l - c|), with s the median of |l - c| over all places: late in
    a run D is sure of nearly the whole plane, and of how sure it is the picture still has to speak. A critic's answers
    have no zero: c lies halfway between its answers for real and for generated samples.
    """
    match state.config.loss:
        case "minimax" | "non_saturating" | "hinge":
            middle = surface.new_zeros(())
        case "least_squares":
            middle = surface.new_full((), 0.5)
        case _:
            middle = 0.5 * (real.median() + fake.median())
    apart = surface - middle
    return apart / (apart.abs().median() + apart.abs()).clamp_min(1e-12)


def pushed(state: State, made: Tensor) -> tuple[Array, Tensor]:
    """Where G's loss pushes the first samples, as (ARROWS, 2, 2) from and to, and D's answers for all of them.

    The arrow points down the gradient of the sample's own loss; g long, it is drawn 0.35·g/(1 + g) long.
    """
    points = made.detach().requires_grad_()
    answers = state.judge(points)
    (slope,) = torch.autograd.grad(g_loss(state.config.loss, answers) * len(points), points)
    start, down = points[:ARROWS].detach(), -slope[:ARROWS]
    tip = start + 0.35 * down / (1 + down.norm(dim=1, keepdim=True))
    return bare(torch.stack([start, tip], dim=1)).astype(np.float16), answers.detach()


def answer_arrays(state: State, real: Tensor, fake: Tensor) -> dict[str, Array]:
    """How often D gives each answer, for real and for generated samples, and the answers' range."""
    real, fake = (squashed(state, one).cpu().nan_to_num() for one in (real, fake))
    low, high = 0.0, 1.0
    if not state.config.probable:
        both = torch.cat([real, fake])
        low, high = float(both.min()), float(both.max())
        high = max(high, low + 1e-3)
    counts = [one.clamp(low, high).histc(BINS, low, high) / len(one) for one in (real, fake)]
    return {"share": torch.stack(counts).numpy().astype(np.float16), "range": np.array([low, high], np.float32)}


def latent_lines(state: State) -> Tensor:
    """Lines of a grid over the first two latents, all others 0: (2·LINES·ALONG, latent).

    Under a normal distribution they stand where equal parts of the noise lie between two.
    """
    size = state.config.latent
    if state.config.noise == "normal":
        rule = NormalDist()
        marks = np.array([rule.inv_cdf(p) for p in np.linspace(0.02, 0.98, LINES)])
        along = np.array([rule.inv_cdf(p) for p in np.linspace(0.02, 0.98, ALONG)])
    else:
        marks, along = np.linspace(-1, 1, LINES), np.linspace(-1, 1, ALONG)
    z = np.zeros((2, LINES, ALONG, size), np.float32)
    z[0, ..., 0], z[1, ..., 0] = marks[:, None], along
    if size > 1:
        z[0, ..., 1], z[1, ..., 1] = along, marks[:, None]
    return torch.from_numpy(z.reshape(-1, size)).to(state.device)


def latent_ways(state: State) -> Tensor:
    """Latents on the way between pairs of the fixed ones, (WAYS·BETWEEN, latent).

    Normal noise lies near a sphere, so the way keeps to it; uniform noise fills a cube, where the way is straight.
    """
    start, end = state.fixed[:WAYS, None], state.fixed[WAYS : 2 * WAYS, None]
    t = torch.linspace(0, 1, BETWEEN, device=state.device)[None, :, None]
    if state.config.noise == "uniform":
        return torch.lerp(start, end, t).flatten(0, 1)
    cosine = torch.cosine_similarity(start, end, dim=-1).clamp(-0.9999, 0.9999)[..., None]
    angle = torch.acos(cosine)
    way = (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)
    return way.flatten(0, 1)
