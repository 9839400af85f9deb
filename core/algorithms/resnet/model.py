"""A residual network: every block computes a change F(x) and adds it to its input, so that a block with nothing
to do only has to be zero. A plain network is the same without the addition: every block has to rebuild all that it
passes on.

- K. He, X. Zhang, S. Ren, J. Sun. Deep residual learning for image recognition. CVPR 2016 (arXiv 2015): y = F(x) + x
  (eq. 1), a shortcut that changes the shape (eq. 2; A and B of section 3.3), the networks of 6n + 2 layers for small
  images (section 4.2).
- K. He, X. Zhang, S. Ren, J. Sun. Identity mappings in deep residual networks. ECCV 2016: pre-activation (fig. 4e).
- G. Huang, Y. Sun, Z. Liu, D. Sedra, K. Weinberger. Deep networks with stochastic depth. ECCV 2016: a step skips blocks
  at random (eq. 2), later ones more often (eq. 4), and a test weighs each branch by its probability (eq. 5).
- K. He, X. Zhang, S. Ren, J. Sun. Delving deep into rectifiers. ICCV 2015: initial weights, eq. 10.
- P. Goyal et al. Accurate, large minibatch SGD. 2017: γ = 0 in the last batch norm of a branch, section 5.1.

Differs from 2015 in the first width and stride, which a person may choose, and in that it runs without batch norm, too:
convolutions then have a bias. The shortcut of a block that changes the shape is taken from x itself in either order,
and that of B ends with a batch norm of its own.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Sizes(NamedTuple):
    """How large numbers are in a block, each a scalar: root mean squares of what the shortcut passes on and of F(x),
    and the standard deviation of the block's output."""

    shortcut: Tensor
    branch: Tensor
    spread: Tensor


class Block(nn.Module):
    """Two convolutions of 3×3: y = h(x) + F(x), or without the addition y = F(x).

    Args:
        n_in, n_out, stride: channels of input and output, and stride of the first convolution.
        residual: whether the input is added.
        pre_activation: F is norm, ReLU, convolution twice; else convolution and norm twice with a ReLU between, and
            another after the addition.
        first: the block's input has passed norm and ReLU already.
        projection: the shortcut of a block that changes the shape is a convolution of 1×1 (B); else it takes every
            other pixel and pads channels with zeros (A).
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        stride: int,
        *,
        residual: bool,
        pre_activation: bool,
        first: bool,
        batch_norm: bool,
        projection: bool,
    ) -> None:
        super().__init__()
        self.residual, self.pre_activation, self.stride, self.n_out = residual, pre_activation, stride, n_out
        self.keeps_shape = stride == 1 and n_in == n_out
        self.conv1 = convolution(n_in, n_out, 3, stride, bias=not batch_norm)
        self.conv2 = convolution(n_out, n_out, 3, 1, bias=not batch_norm)
        norms = (None if first else n_in, n_out) if pre_activation else (n_out, n_out)
        self.norm1, self.norm2 = (nn.BatchNorm2d(n) if batch_norm and n else nn.Identity() for n in norms)
        self.projection: nn.Sequential | None = None
        if residual and projection and not self.keeps_shape:
            norm = nn.BatchNorm2d(n_out) if batch_norm else nn.Identity()
            self.projection = nn.Sequential(convolution(n_in, n_out, 1, stride, bias=not batch_norm), norm)

    def branch(self, x: Tensor) -> Tensor:
        """F(x)."""
        if self.pre_activation:
            x = self.conv1(F.relu(self.norm1(x)))
            result: Tensor = self.conv2(F.relu(self.norm2(x)))
        else:
            x = F.relu(self.norm1(self.conv1(x)))
            result = self.norm2(self.conv2(x))
        return result

    def shortcut(self, x: Tensor) -> Tensor:
        """h(x): x itself where the shape stays, else by A or B."""
        if self.keeps_shape:
            return x
        if self.projection is not None:
            projected: Tensor = self.projection(x)  # W_s x, eq. 2
            return projected
        added = self.n_out - x.shape[1]
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, added))

    def forward(self, x: Tensor, gate: float = 1.0, sizes: list[Sizes] | None = None) -> Tensor:
        """y (n, n_out, …) for x (n, n_in, …).

        Args:
            gate: weight of F(x). At 0 the branch is not even computed, and a plain block is a shortcut.
            sizes: receives this block's.
        """
        if not gate:
            branch, y = x.new_zeros(()), self.shortcut(x)
        else:
            branch = self.branch(x)
            y = torch.add(self.shortcut(x), branch, alpha=gate) if self.residual else branch
        if not self.pre_activation:
            y = F.relu(y)
        if sizes is not None:
            sizes.append(Sizes(self.shortcut(x).square().mean().sqrt(), branch.square().mean().sqrt(), y.std()))
        return y


class ResNet(nn.Module):
    """A convolution, three stages of n blocks each, global average pooling, a linear layer.

    Args:
        channels, classes: of the images and of the logits.
        n: blocks a stage; width, stride: channels of the first stage, stride of the first convolution.
        drop: chance that a training step skips the last block's branch (stochastic depth).

    Attributes:
        blocks: the 3n blocks, first to last.
        survival: probability that a step keeps each block's branch.
    """

    blocks: list[Block]

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        n: int,
        width: int,
        stride: int,
        residual: bool,
        pre_activation: bool = False,
        batch_norm: bool = True,
        projection: bool = False,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.residual, self.pre_activation = residual, pre_activation
        self.conv = convolution(channels, width, 3, stride, bias=not batch_norm)
        self.norm = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
        blocks: list[Block] = []
        n_in = width
        for stage in range(3):
            for i in range(n):
                n_out, halves = width * 2**stage, stage > 0 and i == 0
                block = Block(
                    n_in,
                    n_out,
                    2 if halves else 1,
                    residual=residual,
                    pre_activation=pre_activation,
                    first=not blocks,
                    batch_norm=batch_norm,
                    projection=projection,
                )
                blocks.append(block)
                n_in = n_out
        self.blocks = nn.ModuleList(blocks)  # type: ignore[assignment]
        # Before the pooling, where the last block's sum has passed no norm and ReLU yet.
        self.last_norm = nn.BatchNorm2d(n_in) if pre_activation and batch_norm else nn.Identity()
        self.linear: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, classes)  # type: ignore[no-untyped-call]
        L = len(blocks)
        self.survival = [1 - (i + 1) / L * drop if residual else 1.0 for i in range(L)]  # p_l of 2016, eq. 4

    def forward(self, x: Tensor, gates: Sequence[float] | None = None, sizes: list[Sizes] | None = None) -> Tensor:
        """Logits (n, classes) for images (n, channels, height, width).

        Args:
            gates: weight of each block's branch; as at a test where ``None``, that is its probability to be kept.
            sizes: receives those of each block.
        """
        x = F.relu(self.norm(self.conv(x)))
        for block, gate in zip(self.blocks, self.survival if gates is None else gates, strict=True):
            x = block(x, gate, sizes)
        if self.pre_activation:
            x = F.relu(self.last_norm(x))
        logits: Tensor = self.linear(x.mean(dim=(2, 3)))
        return logits

    @property
    def weights(self) -> list[list[Tensor]]:
        """The weights of the first convolution, of both of each block, and of the linear layer: 3n + 2 entries."""
        return [
            [self.conv.weight],
            *([block.conv1.weight, block.conv2.weight] for block in self.blocks),
            [self.linear.weight],
        ]


def convolution(n_in: int, n_out: int, kernel: int, stride: int, *, bias: bool) -> nn.Conv2d:
    """A convolution whose maps lose no rim. skip_init: its weights are drawn by :func:`initialise`."""
    made: nn.Conv2d = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Conv2d, n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=bias
    )
    return made


@torch.no_grad()
def initialise(net: ResNet, generator: torch.Generator, *, zero_gamma: bool = False) -> None:
    """Draw the weights: of a convolution normal with variance 2/n_in (2015, eq. 10), of the linear layer 1/n_in.

    A residual and a plain network get the same from generators that stand alike: projections, which only the former
    has, are drawn last.

    Args:
        generator: of the CPU, so that a seed gives the same weights on every device.
        zero_gamma: in a residual network γ of the last batch norm of each branch becomes 0.
    """
    layers: list[Any] = [net.conv, *(conv for block in net.blocks for conv in (block.conv1, block.conv2)), net.linear]
    layers += [block.projection[0] for block in net.blocks if block.projection is not None]
    for layer in layers:
        n_in, gain = layer.weight[0].numel(), 1 if layer is net.linear else 2
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * math.sqrt(gain / n_in))
        if layer.bias is not None:
            layer.bias.zero_()
    if zero_gamma and net.residual:
        for block in net.blocks:
            block.norm2.weight.zero_()  # type: ignore[operator]


def sample_gates(net: ResNet, generator: torch.Generator) -> list[float]:
    """For a training step, 1 for each block whose branch is kept and 0 for each that is skipped: b_l of 2016, eq. 2."""
    if min(net.survival) == 1:
        return net.survival
    drawn = torch.rand(len(net.survival), generator=generator).tolist()
    return [float(u < p) for u, p in zip(drawn, net.survival, strict=True)]


@contextmanager
def batch_statistics(net: ResNet) -> Iterator[None]:
    """Batch norm goes by the batch's statistics, as in training, and leaves its running ones as they are."""
    norms, training = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)], net.training
    net.train()
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
        net.train(training)
