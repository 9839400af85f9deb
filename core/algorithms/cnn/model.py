"""A convolutional network: one small window of weights is moved over the whole picture, and so in every layer.

A unit sees only a patch, and all units of a map have the same weights: a stroke is found wherever it stands, with a
hundredth of the weights that a dense layer has. Pooling keeps the strongest of neighbouring units and halves the map,
so that the next layer sees more of the picture and cares less where exactly something is.

- Y. LeCun, L. Bottou, Y. Bengio, P. Haffner. Gradient-based learning applied to document recognition. Proc. IEEE 86
  (1998): section II, LeNet-5 (figure 2, table I) and its squashing function (appendix A).
- A. Krizhevsky, I. Sutskever, G. Hinton. ImageNet classification with deep convolutional neural networks. NeurIPS
  2012: ReLU, max pooling, dropout before the dense layers.
- M. Lin, Q. Chen, S. Yan. Network in network. ICLR 2014: global average pooling instead of dense layers (section 3.2).
- K. He, X. Zhang, S. Ren, J. Sun. Delving deep into rectifiers. ICCV 2015: initial weights, eq. 10.

LeNet-5 here has the paper's layers, table, squashing function and initial weights. It differs in its last layer, ten
linear units under a softmax instead of distances to drawn characters (eq. 7), and so in its loss; and it takes whatever
optimiser is chosen instead of the diagonal Levenberg-Marquardt method.
"""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import skip_init

from core.algorithms.cnn.config import CNNConfig
from core.algorithms.cnn.sizes import LENET_SIDE, LENET_TABLE, POOL

NEGATIVE_SLOPE = 0.01

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
}


class Dropout(nn.Module):
    """Zeroes each unit with probability ``p`` in training; its ``generator`` is part of a checkpoint."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.p, self.generator = 0.0, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.p
        return x * kept / (1 - self.p)  # so that the expected value stays


class Squash(nn.Module):
    """f(a) = 1.7159 tanh(2a/3): f(±1) = ±1 (LeCun et al. 1998, appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(2 / 3 * x)


class Subsampling(nn.Module):
    """LeNet-5's pooling: the sum of 2 × 2 units, times a weight of the map, plus a bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (POOL**2 * F.avg_pool2d(x, POOL)) + self.bias


class PartialConvolution(nn.Conv2d):
    """LeNet-5's C3: a convolution in which each map reads only some of the maps before it.

    Args:
        table: for each map the numbers of those that it reads.
    """

    joined: Tensor

    def __init__(self, channels: int, table: tuple[tuple[int, ...], ...], kernel: int) -> None:
        super().__init__(channels, len(table), kernel)
        joined = torch.zeros(len(table), channels, 1, 1)
        for row, maps in enumerate(table):
            joined[row, list(maps)] = 1
        self.register_buffer("joined", joined, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.joined, self.bias)


class Network(nn.Module):
    """features (convolutions) -> head (what reads their maps) -> logits.

    Args:
        frozen: the convolutions are not trained, nor their batch norm.
    """

    def __init__(self, features: nn.Sequential, head: nn.Sequential, *, frozen: bool) -> None:
        super().__init__()
        self.features, self.head, self.frozen = features, head, frozen
        if frozen:
            features.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes) of pictures (n, channels, height, width)."""
        logits: Tensor = self.head(self.features(x))
        return logits

    def train(self, mode: bool = True) -> "Network":
        super().train(mode)
        if self.frozen:
            self.features.eval()
        return self

    @property
    def weights(self) -> list[Tensor]:
        """W of each convolution and dense layer that is trained, first to last."""
        layers = [m for m in self.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        return [layer.weight for layer in layers if layer.weight.requires_grad]


def make_network(config: CNNConfig, generator: torch.Generator, dropout: Dropout) -> Network:
    """The network of the settings.

    Args:
        generator: of the CPU, draws the initial weights, so that a seed gives the same on every device.
        dropout: stands wherever the network has dropout.
    """
    channels = config.image_shape[0]
    if config.network == "lenet5":
        network = Network(*lenet5(channels, config.image_shape[1], config.outputs), frozen=config.frozen)
        initialise_uniformly(network, generator)
        return network
    layers = config.layers()
    hidden = [layer.shape[0] for layer in layers if layer.kind == "dense"]
    if config.network == "mlp":
        features, units = nn.Sequential(), math.prod(config.image_shape)
    else:
        features = blocks(config, channels)
        last = next(layer for layer in reversed(layers) if layer.kind in ("convolution", "pooling", "average"))
        units = last.units
    head = dense_layers(units, hidden, config.outputs, config.activation, dropout)
    if config.network == "cnn":
        # The maps are averaged, where there are no dense layers to read them, and some of them left out.
        reduce = nn.AdaptiveAvgPool2d(1) if config.head == "average" else nn.Identity()
        head = nn.Sequential(OrderedDict(average=reduce, dropout=dropout, **head._modules))
    network = Network(features, head, frozen=config.frozen and config.has_convolutions)
    initialise(network, config.activation, generator)
    return network


def blocks(config: CNNConfig, channels: int) -> nn.Sequential:
    """Blocks of convolution, batch norm, activation and pooling."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for i, maps in enumerate(config.blocks, start=1):
        # skip_init: nn.Conv2d would draw weights of its own, from the global generator, for nothing.
        shape = {"kernel_size": config.kernel, "stride": config.stride, "padding": config.padding}
        parts[f"convolution{i}"] = skip_init(nn.Conv2d, channels, maps, **shape)  # type: ignore[no-untyped-call]
        if config.batch_norm:
            parts[f"norm{i}"] = nn.BatchNorm2d(maps)
        parts[f"activation{i}"] = ACTIVATIONS[config.activation]()
        if config.pooling != "none":
            parts[f"pooling{i}"] = nn.MaxPool2d(POOL) if config.pooling == "max" else nn.AvgPool2d(POOL)
        channels = maps
    return nn.Sequential(parts)


def dense_layers(units: int, hidden: list[int], outputs: int, activation: str, dropout: Dropout) -> nn.Sequential:
    """Dense layers over all units, with dropout after each: the head of a network, or a whole perceptron."""
    parts: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for i, width in enumerate(hidden, start=1):
        parts[f"dense{i}"] = skip_init(nn.Linear, units, width)  # type: ignore[no-untyped-call]
        parts[f"activation{i}"] = ACTIVATIONS[activation]()
        parts[f"dropout{i}"] = dropout
        units = width
    parts["output"] = skip_init(nn.Linear, units, outputs)  # type: ignore[no-untyped-call]
    return nn.Sequential(parts)


def lenet5(channels: int, side: int, outputs: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Features and head of LeNet-5 (figure 2): 60,000 parameters on grey pictures, and those of the outputs."""
    rim = (LENET_SIDE - side) // 2
    features = OrderedDict(
        convolution1=skip_init(nn.Conv2d, channels, 6, 5, padding=rim),  # type: ignore[no-untyped-call]
        activation1=Squash(),
        pooling1=Subsampling(6),
        squash1=Squash(),
        convolution2=PartialConvolution(6, LENET_TABLE, 5),
        activation2=Squash(),
        pooling2=Subsampling(16),
        squash2=Squash(),
        convolution3=skip_init(nn.Conv2d, 16, 120, 5),  # type: ignore[no-untyped-call]
        activation3=Squash(),
    )
    head = OrderedDict(
        flatten=nn.Flatten(),
        dense1=skip_init(nn.Linear, 120, 84),  # type: ignore[no-untyped-call]
        activation1=Squash(),
        output=skip_init(nn.Linear, 84, outputs),  # type: ignore[no-untyped-call]
    )
    return nn.Sequential(features), nn.Sequential(head)


@torch.no_grad()
def initialise(network: Network, activation: str, generator: torch.Generator) -> None:
    """Draw weights of deviation gain/√n_in: √2 for rectifiers (He et al., eq. 10), 1 for the outputs; biases are 0."""
    slope = NEGATIVE_SLOPE if activation == "leaky_relu" else None
    gain = nn.init.calculate_gain("relu" if activation == "gelu" else activation, slope)  # type: ignore[arg-type]
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            output = layer is network.head.output
            deviation = (1.0 if output else gain) / math.sqrt(layer.weight[0].numel())
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * deviation)
            layer.bias.zero_()  # type: ignore[union-attr]


@torch.no_grad()
def initialise_uniformly(network: Network, generator: torch.Generator) -> None:
    """Draw the weights of LeNet-5: uniform between ±2.4/F, where F is the number of a unit's inputs (appendix A).

    Biases start at 0, the weights of the sub-sampling at 1/4, which makes it a mean.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            joined = layer.joined if isinstance(layer, PartialConvolution) else torch.ones(())
            inputs = joined.expand_as(layer.weight).flatten(1).sum(dim=1)  # of a unit of each map
            drawn = torch.rand(layer.weight.shape, generator=generator) * 2 - 1
            layer.weight.copy_(drawn * (2.4 / inputs).view(-1, *[1] * (layer.weight.dim() - 1)))
            layer.bias.zero_()  # type: ignore[union-attr]
        elif isinstance(layer, Subsampling):
            layer.weight.fill_(1 / POOL**2)
