"""What follows from the settings of a network before it is built: its layers' shapes, parameters and receptive fields.

A convolution of kernel k, stride s and padding p makes ⌊(n + 2p - k)/s⌋ + 1 units of n in a row; pooling does the same
with k = s = 2. A unit sees a patch of the picture, its receptive field: r grows by (k - 1)·j at each layer, where the
jump j, the distance in pixels between two neighbouring units' patches, is multiplied by s.
"""

from dataclasses import dataclass
from math import prod

#: Side of the pooling window, and its stride.
POOL = 2

#: Maps of LeNet-5's S2 that each map of C3 reads (LeCun et al. 1998, table I).
LENET_TABLE = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip
#: Side of the pictures that LeNet-5 reads: smaller ones get a rim.
LENET_SIDE = 32


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a network.

    Attributes:
        kind: ``convolution``, ``pooling``, ``average`` (over all places), ``dense`` or ``output``.
        number: counts the layers of a kind from 1.
        shape: channels, height and width of what it puts out; dense layers are 1 × 1.
        parameters, multiplications: of the layer, the latter for one picture.
        field: side in pixels of the patch of the picture that a unit sees.
        jump: pixels from one unit's patch to its neighbour's.
        start: first pixel of the first unit's patch; negative where it begins in the padding.
    """

    kind: str
    number: int
    shape: tuple[int, int, int]
    parameters: int
    multiplications: int
    field: int
    jump: int
    start: int

    @property
    def units(self) -> int:
        """Numbers that it puts out for one picture."""
        return prod(self.shape)


class TooSmall(ValueError):
    """A layer would have no unit left.

    Attributes:
        kind, number: of that layer.
        side: the shorter side of what it gets.
    """

    def __init__(self, kind: str, number: int, side: int) -> None:
        super().__init__(f"{kind} {number} has no unit left of {side}")
        self.kind, self.number, self.side = kind, number, side


class _Stack:
    """Layers one upon another, each made from the shape and the receptive field of the last."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.layers: list[Layer] = []
        self.shape, self.field, self.jump, self.start = shape, 1, 1, 0

    def add(self, kind: str, shape: tuple[int, int, int], parameters: int, multiplications: int) -> None:
        number = 1 + sum(layer.kind == kind for layer in self.layers)
        self.layers.append(Layer(kind, number, shape, parameters, multiplications, self.field, self.jump, self.start))
        self.shape = shape

    def window(self, kind: str, kernel: int, stride: int, padding: int) -> tuple[int, int]:
        """Move a window over the maps; height and width of what comes out."""
        _, *sides = self.shape
        height, width = ((n + 2 * padding - kernel) // stride + 1 for n in sides)
        if min(height, width) < 1:
            number = 1 + sum(layer.kind == kind for layer in self.layers)
            raise TooSmall(kind, number, min(sides))
        self.start -= padding * self.jump
        self.field += (kernel - 1) * self.jump
        self.jump *= stride
        return height, width

    def convolution(self, channels: int, kernel: int, stride: int, padding: int, more: int = 0, maps: int = 0) -> None:
        """``more``: parameters of a batch norm; ``maps``: pairs of maps that are joined, where not all are."""
        before = self.shape[0]
        height, width = self.window("convolution", kernel, stride, padding)
        weights = (maps or before * channels) * kernel**2
        self.add("convolution", (channels, height, width), weights + channels + more, weights * height * width)

    def pooling(self, parameters: int = 0) -> None:
        channels = self.shape[0]
        height, width = self.window("pooling", POOL, POOL, 0)
        self.add("pooling", (channels, height, width), parameters, channels * height * width if parameters else 0)

    def average(self) -> None:
        channels, height, width = self.shape
        self.field += (max(height, width) - 1) * self.jump
        self.add("average", (channels, 1, 1), 0, 0)

    def dense(self, units: int, kind: str = "dense") -> None:
        inputs = prod(self.shape)
        self.field += (max(self.shape[1:]) - 1) * self.jump
        self.add(kind, (units, 1, 1), (inputs + 1) * units, inputs * units)


def convolutional(
    image: tuple[int, int, int],
    blocks: tuple[int, ...],
    *,
    kernel: int,
    stride: int,
    padding: int,
    pooling: bool,
    batch_norm: bool,
    dense: tuple[int, ...] | None,
    outputs: int,
) -> tuple[Layer, ...]:
    """Layers of a network of convolutional blocks.

    Args:
        image: channels, height and width of a picture.
        blocks: channels of each block.
        dense: units of the layers between the last block and the outputs; ``None`` for a mean over all places instead.

    Raises:
        TooSmall: a layer would have no unit.
    """
    stack = _Stack(image)
    for channels in blocks:
        stack.convolution(channels, kernel, stride, padding, 2 * channels if batch_norm else 0)
        if pooling:
            stack.pooling()
    if dense is None:
        stack.average()
    for units in dense or ():
        stack.dense(units)
    stack.dense(outputs, "output")
    return tuple(stack.layers)


def perceptron(image: tuple[int, int, int], outputs: int, parameters: int) -> tuple[Layer, ...]:
    """Layers of a perceptron with one hidden layer and, as nearly as can be, so many parameters."""
    width = max(1, round((parameters - outputs) / (prod(image) + 1 + outputs)))
    stack = _Stack(image)
    stack.dense(width)
    stack.dense(outputs, "output")
    return tuple(stack.layers)


def lenet5(image: tuple[int, int, int], outputs: int) -> tuple[Layer, ...]:
    """Layers of LeNet-5 (LeCun et al. 1998, figure 2): C1, S2, C3, S4, C5, F6, outputs."""
    rim = (LENET_SIDE - image[1]) // 2
    stack = _Stack(image)
    stack.convolution(6, 5, 1, rim)
    stack.pooling(2 * 6)
    stack.convolution(16, 5, 1, 0, maps=sum(map(len, LENET_TABLE)))
    stack.pooling(2 * 16)
    stack.convolution(120, 5, 1, 0)
    stack.dense(84)
    stack.dense(outputs, "output")
    return tuple(stack.layers)
