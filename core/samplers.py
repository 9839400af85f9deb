"""Where models that generate get real samples: a mixture in the plane, sampled anew for each batch, or a set of images.

Samples are drawn with replacement, so there are no epochs: a batch is a batch of the data's distribution.
"""

import torch
from torch import Tensor

from core.data.dataset import Dataset
from core.data.mixtures import Mixture
from core.events import Array


class MixtureSampler:
    """Points of a mixture in the plane: one of its skeleton, and noise."""

    def __init__(self, mixture: Mixture, device: str) -> None:
        self.mixture = mixture
        self.skeleton = torch.from_numpy(mixture.skeleton).to(device)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """New points (n, 2), on the generator's device."""
        rows = torch.randint(len(self.skeleton), (n,), generator=generator, device=generator.device)
        noise = torch.randn(n, 2, generator=generator, device=generator.device)
        return torch.add(self.skeleton.index_select(0, rows), noise, alpha=self.mixture.sigma)


class ImageSampler:
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


def to_bytes(images: Tensor) -> Array:
    """Images (n, 784) or (n, 1, 28, 28) in -1 … 1 as pixels 0 … 255, uint8 (n, 28, 28)."""
    pixels: Array = ((images + 1) * 127.5).clamp(0, 255).round().to(torch.uint8).cpu().numpy()
    return pixels.reshape(-1, 28, 28)
