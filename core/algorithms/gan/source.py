"""Where real samples come from: a mixture in the plane, which is sampled anew for each batch, or a data set of images.

Samples are drawn with replacement, so there are no epochs: a batch is a batch of the data's distribution, as in
algorithm 1 of 2014.
"""

import torch
from torch import Tensor

from core.data.dataset import Dataset
from core.data.mixtures import Mixture


class Plane:
    """Points of a mixture in the plane: one of its skeleton, and noise."""

    def __init__(self, mixture: Mixture, device: str) -> None:
        self.mixture = mixture
        self.skeleton = torch.from_numpy(mixture.skeleton).to(device)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """New points (n, 2), on the generator's device."""
        rows = torch.randint(len(self.skeleton), (n,), generator=generator, device=generator.device)
        noise = torch.randn(n, 2, generator=generator, device=generator.device)
        return torch.add(self.skeleton.index_select(0, rows), noise, alpha=self.mixture.sigma)


class Images:
    """Images of a training part, which stay bytes, a quarter of the memory, until they are sampled."""

    def __init__(self, data: Dataset, device: str, *, convolutional: bool) -> None:
        self.pixels = torch.from_numpy(data.x_train).to(device)
        self.shape = (1, 28, 28) if convolutional else (784,)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Images (n, 784) or (n, 1, 28, 28) in -1 … 1, on the generator's device."""
        rows = torch.randint(len(self.pixels), (n,), generator=generator, device=generator.device)
        return encode(self.pixels.index_select(0, rows)).reshape(n, *self.shape)


def encode(pixels: Tensor) -> Tensor:
    """Pixels 0 … 255 as a network takes them, -1 … 1."""
    return pixels.float() / 127.5 - 1
