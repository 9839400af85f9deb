"""What the panels of a GAN draw: small arrays, made without changing the state or a random generator."""

from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from core.algorithms.gan.metrics import generate
from core.algorithms.gan.model import frozen_statistics, g_loss
from core.algorithms.gan.train import GAN
from core.events import Array
from core.figures import quantised
from core.samplers import to_bytes
from core.training import generator

POINTS, REAL = 300, 240  # of the plane that are drawn, generated and real
SIDE = 32  # of D's surface
ARROWS = 100
LINES, ALONG = 11, 25  # of the latent grid, and points of each of its lines
BINS = 40
GRID = 36  # images that are drawn
IMAGES = 64  # whose D's outputs are counted, generated and real
BETWEEN, WAYS = 9, 3  # images on the way from a latent to another, and ways


# What several snapshots have in common


def real_samples(s: GAN) -> Tensor:
    """Real samples that stay the same."""
    return s.real_data.sample(
        REAL if s.config.two_dimensional else IMAGES, generator(s.config.seed, "drawn samples", s.device)
    )


def fake_samples(s: GAN) -> Tensor:
    """Generated samples, always of the same noise."""
    return generate(s, s.fixed_z[: POINTS if s.config.two_dimensional else IMAGES])


@torch.no_grad()
def outputs(s: GAN) -> tuple[Tensor, Tensor]:
    """D's outputs for the real and for the generated samples."""
    return d_outputs(s, s.cached(real_samples)), d_outputs(s, s.cached_at_step(fake_samples))


def d_outputs(s: GAN, x: Tensor) -> Tensor:
    """D's outputs (n,) for samples (n, …) of one kind, as in training: judged among themselves.

    With packing a sample's pack is filled up by those that follow it, and batch norm goes by these samples. A gradient
    may be taken, and flows to each sample as the first of its pack; nothing in D changes.
    """
    others = [x.detach().roll(-i, dims=0) for i in range(1, s.config.packing)]
    with frozen_statistics(s.D):
        found: Tensor = s.D(torch.cat([x, *others], dim=1))[:, 0]  # D takes (n, m·d, …)
    return found


@torch.no_grad()
def d_surface(s: GAN, places: Tensor, others: Tensor) -> Tensor:
    """D's outputs (n,) for places (n, 2) of the plane that are samples of neither kind.

    With packing each is judged beside the first m - 1 of ``others``; batch norm goes by its running statistics, which
    are of both kinds.
    """
    packs = [places, *(one.expand(len(places), -1) for one in others[: s.config.packing - 1])]
    s.D.eval()
    found: Tensor = s.D(torch.cat(packs, dim=1))[:, 0]
    s.D.train()
    return found


# The panels


def data(s: GAN) -> dict[str, Array]:
    """Real samples; of the plane also its extent."""
    real = s.cached(real_samples)
    if not s.config.two_dimensional:
        return {"real": to_bytes(real[:GRID])}
    return {"real": real.cpu().numpy().astype(np.float16), "extent": np.array(s.data.extent, np.float32)}


def samples(s: GAN) -> dict[str, Array]:
    """Generated images; or generated points, where G's loss pushes them, and D's outputs over the plane."""
    fake = s.cached_at_step(fake_samples)
    if not s.config.two_dimensional:
        return {"images": to_bytes(fake[:GRID])}
    surface = d_surface(s, s.cached(places), s.cached(real_samples))
    return {
        "made": fake.cpu().numpy().astype(np.float16),
        "arrows": arrows(s, fake),
        "surface": quantised(tint(surface, undecided(s)).cpu().numpy(), -1, 1).reshape(SIDE, SIDE),
    }


def places(s: GAN) -> Tensor:
    """A grid over the plane, (SIDE², 2), top row first."""
    left, right, bottom, top = s.data.extent
    x = torch.linspace(left, right, SIDE, device=s.device)
    y = torch.linspace(top, bottom, SIDE, device=s.device)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).view(-1, 2)


def arrows(s: GAN, points: Tensor) -> Array:
    """Where G's loss pushes the first of the points, as (ARROWS, 2, 2) from and to.

    An arrow points down the gradient g of the sample's own loss, and is drawn 0.35·|g|/(1 + |g|) long.
    """
    points = points.detach().requires_grad_()
    loss = g_loss(s.config.loss, d_outputs(s, points)) * len(points)
    (gradient,) = torch.autograd.grad(loss, points)
    start, down = points[:ARROWS].detach(), -gradient[:ARROWS]
    tip = start + 0.35 * down / (1 + down.norm(dim=1, keepdim=True))
    return torch.stack([start, tip], dim=1).cpu().numpy().astype(np.float16)


def undecided(s: GAN) -> float:
    """D's output where it cannot tell. A critic's have no zero: half way between those for real and generated."""
    match s.config.loss:
        case "least_squares":
            return 0.5
        case "wasserstein_gp":
            real, fake = s.cached_at_step(outputs)
            return 0.5 * float(real.median() + fake.median())
    return 0.0


def tint(surface: Tensor, middle: float) -> Tensor:
    """D's outputs for places as tints: -1 for generated, 1 for real, 0 where D cannot tell.

    An output l becomes (l - c)/(s + |l - c|), with c the middle and s the median of |l - c| over all places: late in a
    run D is sure of nearly the whole plane, and the picture still has to show how sure it is where.
    """
    distance = surface - middle
    return distance / (distance.abs().median() + distance.abs()).clamp_min(1e-12)


def output_histogram(s: GAN) -> dict[str, Array]:
    """How often D gives each output, for real and for generated samples, and the outputs' range."""
    real, fake = (found.cpu().nan_to_num() for found in s.cached_at_step(outputs))
    low, high = 0.0, 1.0
    if s.config.d_is_probability:
        real, fake = torch.sigmoid(real), torch.sigmoid(fake)
    else:
        both = torch.cat([real, fake])
        low = float(both.min())
        high = max(float(both.max()), low + 1e-3)
    counts = [found.clamp(low, high).histc(BINS, low, high) / len(found) for found in (real, fake)]
    return {"share": torch.stack(counts).numpy().astype(np.float16), "range": np.array([low, high], np.float32)}


def latent(s: GAN) -> dict[str, Array] | None:
    """A grid over the latent space as G bends it, in the plane."""
    if not s.config.two_dimensional:
        return None
    lines = generate(s, s.cached(latent_lines)).cpu().numpy().astype(np.float16)
    return {"lines": lines.reshape(2, LINES, ALONG, 2)}


def latent_lines(s: GAN) -> Tensor:
    """Lines of a grid over the first two latents, all others 0: (2·LINES·ALONG, latent).

    Under a normal distribution they stand where equal parts of the noise lie between two.
    """
    if s.config.noise == "normal":
        marks, along = ([NormalDist().inv_cdf(p) for p in np.linspace(0.02, 0.98, n)] for n in (LINES, ALONG))
    else:
        marks, along = (np.linspace(-1, 1, n).tolist() for n in (LINES, ALONG))
    z = np.zeros((2, LINES, ALONG, max(s.config.latent, 2)), np.float32)
    z[0, ..., 0] = z[1, ..., 1] = np.array(marks)[:, None]
    z[0, ..., 1] = z[1, ..., 0] = along
    return torch.from_numpy(z[..., : s.config.latent].reshape(-1, s.config.latent)).to(s.device)


def between(s: GAN) -> dict[str, Array] | None:
    """Images on the way from one latent to another, a way a row."""
    return None if s.config.two_dimensional else {"images": to_bytes(generate(s, s.cached(latent_ways)))}


def latent_ways(s: GAN) -> Tensor:
    """Latents on the way between pairs of the fixed ones, (WAYS·BETWEEN, latent).

    Normal noise lies near a sphere, so the way keeps to it; uniform noise fills a cube, where the way is straight.
    """
    start, end = s.fixed_z[:WAYS, None], s.fixed_z[WAYS : 2 * WAYS, None]
    t = torch.linspace(0, 1, BETWEEN, device=s.device)[None, :, None]
    if s.config.noise == "uniform":
        return torch.lerp(start, end, t).flatten(0, 1)
    cosine = torch.cosine_similarity(start, end, dim=-1).clamp(-0.9999, 0.9999)[..., None]
    angle = torch.acos(cosine)
    way = (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)
    return way.flatten(0, 1)


STATIC_SNAPSHOTS = {"data": data}
SNAPSHOTS = {"samples": samples, "answers": output_histogram, "latent": latent, "between": between}
