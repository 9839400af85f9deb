"""A multilayer perceptron: every layer takes weighted sums of the one before and passes each through an activation.

Without a non-linear activation all layers would collapse into one, and a line is all that could be drawn; with it, the
layers fold the plane until a line is enough. The weights are found by walking down the gradient of a loss,
which the chain rule carries from the output back to the first layer.

- D. E. Rumelhart, G. E. Hinton, R. J. Williams. Learning representations by back-propagating errors. Nature 323
  (1986): a unit's sum (eq. 1), its activation (eq. 2), the error (eq. 3), its gradient layer by layer (eqs. 4-7),
  the step (eq. 8) and momentum (eq. 9).
- X. Glorot, Y. Bengio. Understanding the difficulty of training deep feedforward neural networks. AISTATS 2010: the
  "normalized initialization", eq. 16.
- K. He, X. Zhang, S. Ren, J. Sun. Delving deep into rectifiers. ICCV 2015: the variance that rectifiers need, eq. 10
  forward (eq. 14 backward), and eq. 15 for a slope on the negative side.

Differs from 1986: any of eight activations instead of the logistic function alone, mini-batches instead of all
examples, softmax with cross-entropy for classes, and weights drawn by the later papers. The gradient is PyTorch's.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NEGATIVE_SLOPE = 0.01

#: name -> (the activation, its derivative); both take the sum z of any shape.
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "sigmoid": (torch.sigmoid, lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),
    "tanh": (torch.tanh, lambda z: 1 - torch.tanh(z) ** 2),
    "relu": (torch.relu, lambda z: (z > 0).to(z.dtype)),
    "leaky_relu": (
        lambda z: F.leaky_relu(z, NEGATIVE_SLOPE),
        lambda z: torch.where(z > 0, 1.0, NEGATIVE_SLOPE).to(z.dtype),
    ),
    "elu": (F.elu, lambda z: torch.where(z > 0, 1.0, z.clamp(max=0).exp())),
    "silu": (F.silu, lambda z: torch.sigmoid(z) * (1 + z * (1 - torch.sigmoid(z)))),
    "gelu": (F.gelu, lambda z: torch.special.ndtr(z) + z * torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)),
    "identity": (lambda z: z, torch.ones_like),
}


class MLP(nn.Module):
    """inputs -> hidden layers (sum, batch norm, activation, dropout) -> outputs (logits, or values).

    Args:
        widths: units of each layer, inputs first, outputs last; two numbers make a linear model.
        activation: name in :data:`ACTIVATIONS`.
        batch_norm: normalise each hidden pre-activation over the batch.
        generator: draws the dropout masks; its state is part of a checkpoint.
    """

    def __init__(
        self, widths: tuple[int, ...], activation: str, *, batch_norm: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        # skip_init: nn.Linear would draw weights of its own, from the global generator, for nothing.
        self.layers = nn.ModuleList(nn.utils.skip_init(nn.Linear, n, m) for n, m in pairs)  # type: ignore[no-untyped-call]
        self.norms = nn.ModuleList(nn.BatchNorm1d(m) for _, m in pairs[:-1]) if batch_norm else None
        self.activation = activation
        self.generator = generator
        self.dropout = 0.0

    def forward(self, x: Tensor, pre_activations: list[Tensor] | None = None) -> Tensor:
        """Outputs (n, widths[-1]) for inputs (n, widths[0]).

        ``pre_activations`` receives z of each hidden layer, (n, width).
        """
        act, _ = ACTIVATIONS[self.activation]
        *hidden, output = self.layers
        for i, layer in enumerate(hidden):
            z = layer(x)  # z = W x + b, eq. 1 of 1986
            if self.norms is not None:
                z = self.norms[i](z)
            if pre_activations is not None:
                pre_activations.append(z)
            x = act(z)
            if self.training and self.dropout > 0:
                kept = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.dropout
                x = x * kept / (1 - self.dropout)  # so that the expected value stays
        result: Tensor = output(x)
        return result

    @property
    def weights(self) -> list[nn.Parameter]:
        """W of each layer (units, inputs), first to last."""
        return [layer.weight for layer in self.layers]  # type: ignore[misc]


@torch.no_grad()
def initialise(model: MLP, how: str, scale: float, generator: torch.Generator) -> None:
    """Draw the weights of every layer; biases become 0.

    Args:
        how: ``xavier``: uniform with variance 2/(n_in + n_out), Glorot & Bengio eq. 16; ``kaiming``: normal with
            variance 2/n_in, He et al. eq. 10, or 2/((1 + a²) n_in) for leaky ReLU, eq. 15; ``normal``: of deviation
            ``scale``; ``zeros``.
        generator: of the CPU, so that a seed gives the same weights on every device.
    """
    for layer in model.layers:
        W: Tensor = layer.weight  # type: ignore[assignment]
        n_out, n_in = W.shape
        match how:
            case "xavier":
                limit = math.sqrt(6 / (n_in + n_out))
                drawn = (torch.rand(n_out, n_in, generator=generator) * 2 - 1) * limit
            case "kaiming":
                a = NEGATIVE_SLOPE if model.activation == "leaky_relu" else 0.0
                drawn = torch.randn(n_out, n_in, generator=generator) * math.sqrt(2 / ((1 + a**2) * n_in))
            case "normal":
                drawn = torch.randn(n_out, n_in, generator=generator) * scale
            case _:
                drawn = torch.zeros(n_out, n_in)
        W.copy_(drawn)
        layer.bias.zero_()  # type: ignore[operator]


def loss_function(outputs: Tensor, y: Tensor, criterion: str) -> Tensor:
    """Mean loss of a batch, a scalar.

    Args:
        outputs: (n, classes) logits for class numbers ``y`` (n,) of int64, or (n, 1) for values ``y`` (n,).
        criterion: ``cross_entropy``; ``squared``: mean of Σ_k (softmax(outputs)_k - [k = y])², or of (output - y)²,
            without the ½ of eq. 3; ``absolute``; ``huber`` with δ = 1.
    """
    if criterion == "cross_entropy":
        return F.cross_entropy(outputs, y)
    if y.dtype == torch.int64:
        return (outputs.softmax(dim=1) - F.one_hot(y, outputs.shape[1])).square().sum(dim=1).mean()
    error = outputs[:, 0] - y
    if criterion == "squared":
        return error.square().mean()
    if criterion == "absolute":
        return error.abs().mean()
    return torch.where(error.abs() <= 1, 0.5 * error.square(), error.abs() - 0.5).mean()


@torch.no_grad()
def add_penalty_gradients(model: MLP, l1: float, l2: float) -> None:
    """Add the gradients of λ₁·Σ|w| and λ₂/2·Σw² to those of the loss; biases are not penalised.

    Not a term of the loss, so that losses with and without a penalty can be compared; AdamW decays by itself.
    """
    if not (l1 or l2):
        return
    for W in model.weights:
        assert W.grad is not None
        if l2:
            W.grad.add_(W, alpha=l2)
        if l1:
            W.grad.add_(W.sign(), alpha=l1)
