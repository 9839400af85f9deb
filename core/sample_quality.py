"""How good generated samples are, by judges that a model never sees in training.

Points of the plane are judged by the mixture itself: which mode each is nearest to, and whether it lies within 3σ.
Images are judged by a small classifier, trained on the same images and their labels: in which classes samples fall, how
sure it is of them, the Inception-style score and the Fréchet distance of its features. The formulas are those of the
famous scores, the classifier is ours: the numbers compare runs on one data set here, not papers. A data set has one
judge and one test part, whatever a run's seed. Of 1,000 samples the Fréchet distance comes out too large: as many real
training images of MNIST's 5,000 have 1.5 to 2.5, all 4,000 of them 1.2.

- T. Salimans et al. Improved techniques for training GANs. NeurIPS 2016, section 4: exp E KL(p(y|x) ‖ p(y)).
- M. Heusel et al. GANs trained by a two time-scale update rule. NeurIPS 2017, eq. 6: the Fréchet distance.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.data.cache import report_progress
from core.data.dataset import Dataset
from core.data.mixtures import Mixture, covered, judged
from core.events import Array, Event, Pulse
from core.samplers import encode
from core.training import generator
from core.words import N_

LEARNING = N_("Training a small classifier that judges the images")
#: Features of the classifier; rows of a forward pass, after which the driver gets a Pulse.
FEATURES, CHUNK = 64, 500
#: How sure the classifier has to be of a sample that is to count as one of its class.
CLEAR = 0.5
#: Samples that are shown beside the nearest real image.
NEIGHBOURS = 10
#: Updates of the classifier, and of how many images each.
STEPS, BATCH = 500, 100


@dataclass
class Judgement:
    """What was found of generated samples.

    Attributes:
        metrics: by name.
        shares: part of the samples near each mode, or in each class, (modes,), summing to 1.
        confidence: for images, the classifier's mean certainty of each class's samples, 0 where there are none.
        nearest: for images, the training images, as bytes (NEIGHBOURS, 28, 28), that the first samples are nearest to.
    """

    metrics: dict[str, float]
    shares: Array
    confidence: Array = field(default_factory=lambda: np.zeros(0))
    nearest: Array = field(default_factory=lambda: np.zeros((0, 28, 28), np.uint8))


class MixtureJudge:
    """Compares points of the plane, (n, 2), with the mixture that they are to imitate."""

    def __init__(self, mixture: Mixture) -> None:
        self.mixture = mixture

    def evaluate(self, samples: Tensor) -> Generator[Event, None, Judgement]:
        """What is found of the samples, as this generator's value."""
        modes, good = judged(self.mixture, samples.cpu().numpy())
        yield Pulse()
        near, hits = (np.bincount(m, minlength=self.mixture.count) / len(modes) for m in (modes, modes[good]))
        return Judgement({"modes/covered": float(covered(hits)), "modes/quality": float(good.mean())}, near)

    def nearest_mode(self, samples: Tensor) -> Array:
        """The mode that each sample is nearest to, uint8 (n,)."""
        return judged(self.mixture, samples.cpu().numpy())[0].astype(np.uint8)


class ImageJudge:
    """Compares images, (n, 784) or (n, 1, 28, 28), with the data set that they are to imitate, by a classifier.

    Attributes:
        mean, covariance: of the classifier's features of at most 5,000 test images.
    """

    def __init__(self, data: Dataset, classifier: nn.Sequential, device: str) -> None:
        self.data, self.classifier = data, classifier.to(device)
        self.pixels = torch.from_numpy(data.x_train).to(device)
        self.squared_norms = torch.cat([encode(rows).square().sum(dim=1) for rows in torch.split(self.pixels, CHUNK)])
        self.mean, self.covariance = moments(self.features(encode(torch.from_numpy(data.x_test[:5000]).to(device))))

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """The classifier's last hidden layer (n, FEATURES) for images (n, 784)."""
        found: Tensor = self.classifier[:-1](x)
        return found

    def evaluate(self, samples: Tensor) -> Generator[Event, None, Judgement]:
        """What is found of the samples, as this generator's value."""
        x, n_classes = samples.flatten(1), len(self.data.classes)
        chunks: list[Tensor] = []
        for rows in torch.split(x, CHUNK):
            chunks.append(self.features(rows))
            yield Pulse()
        features = torch.cat(chunks)
        with torch.no_grad():
            p = self.classifier[-1](features).softmax(dim=1)
        confidence, predicted = (column.cpu().numpy() for column in p.max(dim=1))
        counts = np.bincount(predicted, minlength=n_classes)
        clear = np.bincount(predicted[confidence >= CLEAR], minlength=n_classes) / len(predicted)
        metrics = {
            "images/confidence": float(confidence.mean()),
            "modes/covered": float(covered(clear)),
            "images/score": float(score(p)),
            "images/frechet": frechet(self.mean, self.covariance, *moments(features)),
        }
        yield Pulse()
        rows = yield from self.nearest_rows(x[:NEIGHBOURS])
        return Judgement(
            metrics,
            shares=counts / len(predicted),
            confidence=np.bincount(predicted, confidence, minlength=n_classes) / np.maximum(counts, 1),
            nearest=self.pixels[rows].cpu().numpy().reshape(-1, 28, 28),
        )

    @torch.no_grad()
    def nearest_mode(self, samples: Tensor) -> Array:
        """The class that is predicted for each sample, uint8 (n,)."""
        predicted: Array = self.classifier(samples.flatten(1)).argmax(dim=1).to(torch.uint8).cpu().numpy()
        return predicted

    def nearest_rows(self, x: Tensor) -> Generator[Event, None, Tensor]:
        """The training image at the least Euclidean distance from each of ``x`` (n, 784), int64 (n,)."""
        best = torch.full((len(x),), torch.inf, device=x.device)
        rows = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        size = 10 * CHUNK
        for start in range(0, len(self.pixels), size):
            chunk = encode(self.pixels[start : start + size])
            distance = self.squared_norms[start : start + size] - 2 * x @ chunk.T  # less ‖x‖², the same for all
            least, row = distance.min(dim=1)
            rows = torch.where(least < best, row + start, rows)
            best = torch.minimum(best, least)
            yield Pulse()
        return rows


def make_classifier(n_classes: int) -> nn.Sequential:
    """784 pixels to 64 features to the classes."""
    return nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, FEATURES), nn.ReLU(), nn.Linear(FEATURES, n_classes)
    )


def train_classifier(data: Dataset, seed: int) -> nn.Sequential:
    """The classifier of a data set, trained on its training part: the same seed gives the same one."""
    rng = generator(seed, "classifier")
    model = make_classifier(len(data.classes))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=rng)
            nn.init.zeros_(layer.bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    for step in range(STEPS):
        rows = torch.randint(len(x), (BATCH,), generator=rng)
        loss = F.cross_entropy(model(encode(x[rows])), y[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % 50 == 0:
            report_progress(LEARNING, step / STEPS)
    return model


def moments(features: Tensor) -> tuple[Array, Array]:
    """Mean (d,) and covariance (d, d) of features (n, d)."""
    values = features.double().cpu().numpy()
    return values.mean(axis=0), np.cov(values, rowvar=False)


def frechet(mean: Array, covariance: Array, other_mean: Array, other_covariance: Array) -> float:
    """‖μ₁ - μ₂‖² + Tr(C₁ + C₂ - 2 (C₁C₂)^½), Heusel et al., eq. 6."""
    # Tr (C₁C₂)^½ is the sum of the roots of the eigenvalues of C₁^½ C₂ C₁^½, which is symmetric.
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ other_covariance @ root).clip(0)).sum()
    squared = float(((mean - other_mean) ** 2).sum())
    return max(squared + float(np.trace(covariance) + np.trace(other_covariance) - 2 * cross), 0.0)


def score(p: Tensor) -> Tensor:
    """exp E KL(p(y|x) ‖ p(y)) of class probabilities (n, classes): from 1, the worst, to the number of classes."""
    p = p.double().clamp_min(1e-12)
    return (p * (p.log() - p.mean(dim=0, keepdim=True).log())).sum(dim=1).mean().exp()
