"""The networks written out a second time, from their weights alone: every convolution a sum over shifted pictures,
batch norm by its formula, the shortcut of zeros entry by entry. No module of the algorithm, none of torch.nn."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
EPSILON = 1e-5


def convolved(x: Tensor, W: Tensor, stride: int) -> Tensor:
    """Σ over the kernel's places of W at that place times the picture shifted there."""
    n, _, height, width = x.shape
    k = W.shape[2]
    rim = k // 2
    padded = torch.zeros(n, x.shape[1], height + 2 * rim, width + 2 * rim, dtype=x.dtype)
    padded[:, :, rim : rim + height, rim : rim + width] = x
    y = torch.zeros(n, W.shape[0], height, width, dtype=x.dtype)
    for i in range(k):
        for j in range(k):
            y = y + torch.einsum("oc,nchw->nohw", W[:, :, i, j], padded[:, :, i : i + height, j : j + width])
    return y[:, :, ::stride, ::stride]


def normed(x: Tensor, weights: Weights, name: str, *, training: bool) -> Tensor:
    """Batch norm by the batch's statistics, or by the running ones; nothing where there is none."""
    if f"{name}.weight" not in weights:
        return x
    if training:
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        variance = ((x - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
    else:
        mean, variance = (weights[f"{name}.running_{kind}"].view(1, -1, 1, 1) for kind in ("mean", "var"))
    gamma, beta = (weights[f"{name}.{kind}"].view(1, -1, 1, 1) for kind in ("weight", "bias"))
    return gamma * (x - mean) / (variance + EPSILON).sqrt() + beta


def layer(x: Tensor, weights: Weights, name: str, stride: int) -> Tensor:
    y = convolved(x, weights[f"{name}.weight"], stride)
    bias = weights.get(f"{name}.bias")
    return y if bias is None else y + bias.view(1, -1, 1, 1)


def rectified(x: Tensor) -> Tensor:
    return x * (x > 0)


def block(
    x: Tensor, weights: Weights, name: str, stride: int, *, residual: bool, pre: bool, training: bool, gate: float = 1
) -> Tensor:
    """h(x) + gate·F(x), or F(x), in the order of 2015 or 2016."""
    norm = {"training": training}
    if pre:
        y = layer(rectified(normed(x, weights, f"{name}.norm1", **norm)), weights, f"{name}.conv1", stride)
        y = layer(rectified(normed(y, weights, f"{name}.norm2", **norm)), weights, f"{name}.conv2", 1)
    else:
        y = rectified(normed(layer(x, weights, f"{name}.conv1", stride), weights, f"{name}.norm1", **norm))
        y = normed(layer(y, weights, f"{name}.conv2", 1), weights, f"{name}.norm2", **norm)
    if residual:
        y = gate * y + shortcut(x, weights, name, stride, y, training=training)
    return y if pre else rectified(y)


def shortcut(x: Tensor, weights: Weights, name: str, stride: int, like: Tensor, *, training: bool) -> Tensor:
    """x where the shape stays; by B the 1×1 convolution with its norm; by A every other pixel, and channels of 0."""
    if x.shape == like.shape:
        return x
    if f"{name}.projection.0.weight" in weights:
        return normed(
            layer(x, weights, f"{name}.projection.0", stride), weights, f"{name}.projection.1", training=training
        )
    y = torch.zeros_like(like)
    for i in range(like.shape[2]):
        for j in range(like.shape[3]):
            y[:, : x.shape[1], i, j] = x[:, :, i * stride, j * stride]
    return y


def logits(
    x: Tensor,
    weights: Weights,
    *,
    n: int,
    stride: int,
    residual: bool,
    pre: bool = False,
    training: bool = True,
    gates: Sequence[float] | None = None,
) -> Tensor:
    """The whole network on standardised pictures."""
    x = rectified(normed(layer(x, weights, "conv", stride), weights, "norm", training=training))
    for i in range(3 * n):
        halved = 2 if i in (n, 2 * n) else 1
        gate = 1.0 if gates is None else gates[i]
        x = block(x, weights, f"blocks.{i}", halved, residual=residual, pre=pre, training=training, gate=gate)
    if pre:
        x = rectified(normed(x, weights, "last_norm", training=training))
    return x.mean(dim=(2, 3)) @ weights["linear.weight"].T + weights["linear.bias"]


def cross_entropy(z: Tensor, y: Tensor) -> Tensor:
    """Mean of log Σ exp z - z_y."""
    return (z.exp().sum(dim=1).log() - z[torch.arange(len(y)), y]).mean()
