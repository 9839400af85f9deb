"""Where real samples come from, and what generated ones are measured by: a mixture in the plane, or images.

Images are judged by a small classifier, trained on the same images and labels (G and D never see a label): in which
classes samples fall, how sure it is of them, the Inception-style score and the Fréchet distance of its features. The
formulas are those of the famous scores, the classifier is ours: the numbers compare runs on one data set here, not
papers. A data set has one judge and one test part, whatever a run's seed. Of 1,000 samples the Fréchet distance comes
out too large: as many real training images of MNIST's 5,000 have 1.4 to 1.9, all 4,000 of them 0.97.

- T. Salimans et al. Improved techniques for training GANs. NeurIPS 2016, section 4: exp E KL(p(y|x) ‖ p(y)).
- M. Heusel et al. GANs trained by a two time-scale update rule. NeurIPS 2017, eq. 6: the Fréchet distance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.data.cache import report_progress
from core.data.dataset import Dataset
from core.data.mixtures import Mixture, covered, judged
from core.events import Array, Event, Pulse
from core.words import N_

LEARNING = N_("Teaching a small classifier to judge the images")
#: Features of the classifier, samples of a measurement, rows of a step between two looks at the controls.
FEATURES, CHUNK = 64, 500
#: How sure the classifier has to be of a sample that is to count as one of its class.
CLEAR = 0.5


class Source(Protocol):
    """Real samples without end.

    Attributes:
        kind: what they are, for the pictures; device: where they are made.
    """

    shape: tuple[int, ...]
    modes: int

    def sample(self, n: int, draw: torch.Generator) -> Tensor:
        """n real samples (n, *shape) on the generator's device."""
        ...

    def measure(self, made: Tensor, found: "Findings") -> Iterator[Event]:
        """Look at generated samples (n, *shape) and put what is found into ``found``."""
        ...

    def nearest_mode(self, made: Tensor) -> Array:
        """The mode, or class, that each sample (n, *shape) is nearest to, uint8 (n,)."""
        ...


class Findings:
    """What was found of generated samples.

    Attributes:
        values: metrics by name.
        shares: part of the samples near each mode, or in each class, (modes,), summing to 1.
        nearest: for images, rows of the training images that the first samples are nearest to.
        confident: for images, the classifier's mean certainty of each class's samples, 0 where there are none.
    """

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.shares: Array = np.zeros(0)
        self.nearest: Array = np.zeros(0, np.int64)
        self.confident: Array = np.zeros(0)


class Plane:
    """A mixture as a source of tensors."""

    def __init__(self, mixture: Mixture, device: str) -> None:
        self.mixture = mixture
        self.skeleton = torch.from_numpy(mixture.skeleton).to(device)
        self.shape: tuple[int, ...] = (2,)
        self.modes = mixture.count

    def sample(self, n: int, draw: torch.Generator) -> Tensor:
        rows = torch.randint(len(self.skeleton), (n,), generator=draw, device=draw.device)
        noise = torch.randn(n, 2, generator=draw, device=draw.device)
        return torch.add(self.skeleton.index_select(0, rows), noise, alpha=self.mixture.sigma)

    def measure(self, made: Tensor, found: Findings) -> Iterator[Event]:
        modes, good = judged(self.mixture, made.cpu().numpy())
        near = np.bincount(modes, minlength=self.modes) / len(modes)
        hits = np.bincount(modes[good], minlength=self.modes) / len(modes)
        found.shares = near
        found.values["modes/covered"] = float(covered(hits))
        found.values["modes/quality"] = float(good.mean())
        yield Pulse()

    def nearest_mode(self, made: Tensor) -> Array:
        return judged(self.mixture, made.cpu().numpy())[0].astype(np.uint8)


class Classifier(nn.Module):
    """784 pixels to 64 features to the classes."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(784, 128), nn.Linear(128, FEATURES), nn.Linear(FEATURES, classes)

    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))))

    def forward(self, x: Tensor) -> Tensor:
        answers: Tensor = self.last(self.features(x))
        return answers


def taught(data: Dataset, seed: int) -> Classifier:
    """The classifier of a data set, trained on its training part: the same seed gives the same one.

    Runs that are to be compared need one judge, so the seed is not theirs.
    """
    draw = torch.Generator().manual_seed(seed)
    model = Classifier(len(data.classes))
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(
                torch.randn(p.shape, generator=draw) * (2 / p.shape[1]) ** 0.5 if p.dim() > 1 else torch.zeros(p.shape)
            )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    steps = 500
    for step in range(steps):
        rows = torch.randint(len(x), (100,), generator=draw)
        loss = F.cross_entropy(model(encoded(x[rows])), y[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % 50 == 0:
            report_progress(LEARNING, step / steps)
    return model


def encoded(x: Tensor) -> Tensor:
    """Pixels 0 … 255 as a network takes them, -1 … 1."""
    return x.float() / 127.5 - 1


@dataclass(frozen=True, slots=True)
class Gallery:
    """A data set of images with its judge, as ``load`` returns it."""

    data: Dataset
    classifier: Classifier


class Images:
    """Images as a source of tensors: the training part; the test part is what samples are compared with."""

    def __init__(self, gallery: Gallery, device: str, *, as_maps: bool) -> None:
        data = gallery.data
        self.data, self.classifier = data, gallery.classifier.to(device)
        self.rows = torch.from_numpy(data.x_train).to(device)
        self.shape: tuple[int, ...] = (1, 28, 28) if as_maps else (784,)
        self.modes = len(data.classes)
        self.squares = torch.cat([encoded(part).square().sum(dim=1) for part in torch.split(self.rows, CHUNK)])
        with torch.no_grad():
            kept = self.classifier.features(encoded(torch.from_numpy(data.x_test[:5000]).to(device)))
        self.mean, self.covariance = moments(kept)

    def sample(self, n: int, draw: torch.Generator) -> Tensor:
        rows = torch.randint(len(self.rows), (n,), generator=draw, device=draw.device)
        return encoded(self.rows.index_select(0, rows)).reshape(n, *self.shape)

    def measure(self, made: Tensor, found: Findings) -> Iterator[Event]:
        features, answers = [], []
        for part in torch.split(made.flatten(1), CHUNK):
            with torch.no_grad():
                features.append(self.classifier.features(part))
                answers.append(self.classifier.last(features[-1]).softmax(dim=1))
            yield Pulse()
        p = torch.cat(answers)
        sure, guess = (one.cpu().numpy() for one in p.max(dim=1))
        counts = np.bincount(guess, minlength=self.modes)
        found.shares = counts / len(guess)
        found.confident = np.bincount(guess, sure, minlength=self.modes) / np.maximum(counts, 1)
        found.values["images/confidence"] = float(sure.mean())
        clear = np.bincount(guess[sure >= CLEAR], minlength=self.modes) / len(guess)
        found.values["modes/covered"] = float(covered(clear))
        found.values["images/score"] = float(score(p))
        found.values["images/frechet"] = frechet(self.mean, self.covariance, *moments(torch.cat(features)))
        yield Pulse()
        yield from self._nearest(made.flatten(1)[:NEIGHBOURS], found)

    @torch.no_grad()
    def nearest_mode(self, made: Tensor) -> Array:
        guess: Array = self.classifier(made.flatten(1)).argmax(dim=1).to(torch.uint8).cpu().numpy()
        return guess

    def _nearest(self, x: Tensor, found: Findings) -> Iterator[Event]:
        """The training image at the least Euclidean distance from each sample."""
        best = torch.full((len(x),), torch.inf, device=x.device)
        rows = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        size = 10 * CHUNK
        for start in range(0, len(self.rows), size):
            apart = self.squares[start : start + size] - 2 * x @ encoded(self.rows[start : start + size]).T
            least, row = apart.min(dim=1)
            rows = torch.where(least < best, row + start, rows)
            best = torch.minimum(best, least)
            yield Pulse()
        found.nearest = rows.cpu().numpy()


#: Samples that are shown beside the nearest real image.
NEIGHBOURS = 10


def moments(features: Tensor) -> tuple[Array, Array]:
    """Mean (d,) and covariance (d, d) of features (n, d)."""
    values = features.double().cpu().numpy()
    return values.mean(axis=0), np.cov(values, rowvar=False)


def frechet(mean: Array, covariance: Array, other_mean: Array, other_covariance: Array) -> float:
    """‖μ₁ - μ₂‖² + Tr(C₁ + C₂ - 2 (C₁C₂)^½), Heusel et al., eq. 6."""
    # Tr (C₁C₂)^½ is the sum of the roots of the eigenvalues of C₁^½ C₂ C₁^½, which is symmetric.
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    crossed = np.sqrt(np.linalg.eigvalsh(root @ other_covariance @ root).clip(0)).sum()
    apart = float(((mean - other_mean) ** 2).sum())
    return max(apart + float(np.trace(covariance) + np.trace(other_covariance) - 2 * crossed), 0.0)


def score(p: Tensor) -> Tensor:
    """exp E KL(p(y|x) ‖ p(y)) of class probabilities (n, classes): from 1, the worst, to the number of classes."""
    p = p.double().clamp_min(1e-12)
    return (p * (p.log() - p.mean(dim=0, keepdim=True).log())).sum(dim=1).mean().exp()
