"""Distributions in the plane that are sampled anew without end: a model of one never sees a point twice.

Each is points of a skeleton, taken equally often, plus round noise of deviation σ. On a ring and a grid the points are
few and far apart, a mode each; along a curve they are many, and a mode is a stretch of it.

The ring and the grid are those of the papers on lost modes (A. Srivastava et al. VEEGAN. NeurIPS 2017, section 4.1).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.events import Array

#: What lies within so many σ of the skeleton is of high quality.
NEAR = 3.0
#: A mode is covered if it got this share of what would be its fair part.
FAIR = 0.1


@dataclass(frozen=True, slots=True)
class Mixture:
    """A distribution to sample from.

    Attributes:
        skeleton: float32 (k, 2), each as likely as any other.
        modes: int64 (k,), the mode that a point of the skeleton belongs to, 0 and up.
        sigma: deviation of the noise in either direction.
        extent: (left, right, bottom, top) of a plane with all of it and some room.
    """

    name: str
    skeleton: Array
    modes: Array
    sigma: float
    extent: tuple[float, float, float, float]

    @property
    def count(self) -> int:
        """How many modes there are."""
        return int(self.modes.max()) + 1


def ring(modes: int = 8, radius: float = 2.0) -> tuple[Array, Array]:
    """Gaussians on a circle, at as many different angles."""
    angle = 2 * np.pi * np.arange(modes) / modes
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1), np.arange(modes)


def grid(side: int = 5, gap: float = 2.0) -> tuple[Array, Array]:
    """Gaussians on a square grid around the middle, forty deviations apart as in PacGAN (2018, section 4.1)."""
    line = gap * (np.arange(side) - (side - 1) / 2)
    x, y = np.meshgrid(line, line)
    return np.stack([x.ravel(), y.ravel()], axis=1), np.arange(side**2)


def spiral(stretches: int = 10, points: int = 400) -> tuple[Array, Array]:
    """One arm that winds twice around the middle; points lie equally far apart along it."""
    angle = np.linspace(0.6, 4 * np.pi, 20 * points)
    curve = (angle / (4 * np.pi))[:, None] * 2.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _spread(curve, points), np.arange(points) * stretches // points


def moons(stretches: int = 5, points: int = 200) -> tuple[Array, Array]:
    """Two half circles, one into the other."""
    angle = np.linspace(0, np.pi, points)
    arc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    both = np.concatenate([arc, np.array([1.0, 0.5]) - arc])
    part = np.arange(points) * stretches // points
    return 1.3 * (both - np.array([0.5, 0.25])), np.concatenate([part, part + stretches])


def _spread(curve: Array, points: int) -> Array:
    """As many points of a curve (n, 2) at equal distances along it."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    wanted = np.linspace(0, along[-1], points)
    return np.stack([np.interp(wanted, along, curve[:, i]) for i in (0, 1)], axis=1)


_MAKERS: dict[str, tuple[Callable[[], tuple[Array, Array]], float]] = {
    "ring": (ring, 0.02),
    "grid": (grid, 0.05),
    "spiral": (spiral, 0.03),
    "moons": (moons, 0.05),
}
MIXTURES = tuple(_MAKERS)


def load(name: str) -> Mixture:
    """The mixture of that name, one of :data:`MIXTURES`."""
    make, sigma = _MAKERS[name]
    skeleton, modes = make()
    return _mixture(name, skeleton, modes, sigma)


def drawn(points: Array, sigma: float = 0.03) -> Mixture:
    """What a person drew, (n, 2) in [-1, 1]: its points with a little noise, in eight modes by their place in the
    order of drawing."""
    return _mixture("drawing", 2.0 * points, np.arange(len(points)) * 8 // len(points), sigma)


def _mixture(name: str, skeleton: Array, modes: Array, sigma: float) -> Mixture:
    reach = float(np.abs(skeleton).max()) + 0.6
    extent = (-reach, reach, -reach, reach)
    return Mixture(name, skeleton.astype(np.float32), modes.astype(np.int64), sigma, extent)


def judged(mixture: Mixture, points: Array) -> tuple[Array, Array]:
    """For points (n, 2): the mode of the nearest point of the skeleton, int64 (n,), and whether it is within 3σ."""
    apart = ((points[:, None, :] - mixture.skeleton[None]) ** 2).sum(axis=2)  # (n, k)
    nearest = apart.argmin(axis=1)
    good = apart[np.arange(len(points)), nearest] <= (NEAR * mixture.sigma) ** 2
    return mixture.modes[nearest], good


def covered(shares: Array) -> int:
    """How many modes got at least a tenth of a fair part, from the share of samples (modes,) that each got."""
    return int((shares * len(shares) >= FAIR).sum())
