"""Augmentation: each training picture is varied anew each time it is used, so that it cannot be learned by heart.

Shifts and flips are those of Krizhevsky et al. (2012, section 4.1) and He et al. (2016, section 4.2). Here a picture
that is moved or turned leaves black behind.
"""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Variation(Protocol):
    """By how much pictures are varied; :class:`~core.image_config.ImageConfig` is one.

    Attributes:
        shift: pixels at most, along each axis.
        rotate: degrees at most.
        flip: whether a picture is mirrored with a chance of one half.
        pixel_noise: standard deviation.
    """

    @property
    def shift(self) -> int: ...
    @property
    def rotate(self) -> float: ...
    @property
    def flip(self) -> bool: ...
    @property
    def pixel_noise(self) -> float: ...


def augment(x: Tensor, by: Variation, generator: torch.Generator) -> Tensor:
    """Pictures flipped, turned, moved and covered with noise, each by numbers of its own; ``x`` where ``by`` is 0.

    Args:
        x: (n, channels, height, width) of 0 to 1; height and width are the same.
        generator: draws the numbers, on its own device. One on the CPU gives the same for every device.
    """
    if by.flip:
        mirrored = torch.rand(len(x), generator=generator, device=generator.device) < 0.5
        x = torch.where(mirrored.to(x.device)[:, None, None, None], x.flip(3), x)
    if by.rotate:
        share = 2 * torch.rand(len(x), generator=generator, device=generator.device) - 1
        x = turned(x, share.to(x) * by.rotate)
    if by.shift:
        size = (2, len(x))
        right, down = torch.randint(-by.shift, by.shift + 1, size, generator=generator, device=generator.device)
        x = moved(x, right.to(x.device), down.to(x.device))
    if by.pixel_noise:
        noise = torch.randn(x.shape, generator=generator, device=generator.device).to(x)
        x = (x + by.pixel_noise * noise).clamp(0, 1)
    return x


def moved(x: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Pictures (n, c, h, w), each moved by whole pixels: ``right`` and ``down``, int64 (n,), may be negative."""
    n, c, h, w = x.shape
    rows = torch.arange(h, device=x.device) - down[:, None]  # (n, h): where each row comes from
    columns = torch.arange(w, device=x.device) - right[:, None]  # (n, w)
    inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None]  # (n, h, w)
    source = rows.clamp(0, h - 1)[:, :, None] * w + columns.clamp(0, w - 1)[:, None]  # (n, h, w)
    source = source.view(n, 1, h * w).expand(n, c, h * w)
    return x.reshape(n, c, h * w).gather(2, source).view(n, c, h, w) * inside[:, None]


def turned(x: Tensor, degrees: Tensor) -> Tensor:
    """Square pictures (n, c, h, h), each turned about its middle, counter-clockwise: ``degrees`` (n,)."""
    angle = torch.deg2rad(degrees)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # From a place in the turned picture to where it comes from. y runs downwards.
    theta = torch.stack([cos, -sin, zero, sin, cos, zero], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
