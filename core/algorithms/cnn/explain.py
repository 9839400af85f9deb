"""Why the network answers as it does: what each layer puts out, where it looks, and what would change its mind.

- Grad-CAM: R. Selvaraju et al. Grad-CAM: visual explanations from deep networks via gradient-based localization. ICCV
  2017. α_k is the mean over all places of the gradient of a class's logit by map k (eq. 1), and the picture is
  ReLU(Σ_k α_k A_k) (eq. 2).
- FGSM: I. Goodfellow, J. Shlens, C. Szegedy. Explaining and harnessing adversarial examples. ICLR 2015: x + ε·sign(∇_x
  loss), section 4. Here with the smallest ε, in steps of a grey level, that changes the prediction; the loss is that of
  the class predicted before, which for a picture that is classified rightly is its own.
- What excites a unit most: M. Zeiler, R. Fergus. Visualizing and understanding convolutional networks. ECCV 2014, with
  the patches of the pictures themselves and no deconvolution.

The functions take networks in ``eval`` mode and change nothing in them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.algorithms.cnn.model import ACTIVATIONS, Network, Squash, Subsampling

#: Levels of grey of a pixel: FGSM's ε is a multiple of one.
LEVELS = 255


@dataclass(slots=True)
class Outputs:
    """What the layers of a network put out in one forward pass, by name, first to last.

    Attributes:
        inputs: what the activation of each convolution and hidden dense layer gets.
        outputs: what it makes of that; and what each pooling puts out.
    """

    inputs: dict[str, Tensor] = field(default_factory=dict)
    outputs: dict[str, Tensor] = field(default_factory=dict)


@contextmanager
def recorded(network: Network) -> Iterator[Outputs]:
    """Record the layers of each forward pass inside the ``with``: ``convolution1``, ``pooling1``, …, ``dense1``, …"""
    record = Outputs()
    handles = []
    for part, names in ((network.features, "convolution"), (network.head, "dense")):
        for name, module in part.named_children():
            number = name[len(name.rstrip("0123456789")) :]
            if name.startswith("activation"):
                handles.append(module.register_forward_hook(_recorder(record, f"{names}{number}", True)))
            elif name.startswith("squash" if f"squash{number}" in part._modules else "pooling"):
                handles.append(module.register_forward_hook(_recorder(record, f"pooling{number}", False)))
    try:
        yield record
    finally:
        for handle in handles:
            handle.remove()


def _recorder(record: Outputs, name: str, activation: bool) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def hook(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if activation:
            record.inputs[name] = args[0]
        record.outputs[name] = output

    return hook


def slope_of(network: Network) -> nn.Module:
    """The activation of the hidden layers."""
    kinds = (*ACTIVATIONS.values(), Squash)
    return next(m for m in network.modules() if isinstance(m, kinds) and not isinstance(m, Subsampling))


def slopes(activation: nn.Module, z: Tensor) -> Tensor:
    """The derivative of an activation at each ``z``, of the same shape."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        return torch.autograd.grad(activation(z).sum(), z)[0]


def grad_cam(network: Network, x: Tensor, classes: Tensor) -> Tensor:
    """Where the last convolution's maps speak for a class: the last one that has more than one place.

    Args:
        x: pictures as the network takes them, (n, channels, height, width).
        classes: one for each, (n,) of int64.

    Returns:
        (n, h, w), the size of the last convolution's maps, not negative, in the units of the logit.
    """
    with torch.enable_grad(), recorded(network) as record:
        # A frozen network's maps have no gradient unless the picture wants one.
        logits = network(x.detach().requires_grad_())
        convolutions = [a for name, a in record.outputs.items() if name.startswith("convolution")]
        # LeNet-5's last one has a single place.
        maps = next((a for a in reversed(convolutions) if a.shape[-1] > 1), convolutions[-1])
        chosen = logits.gather(1, classes[:, None]).sum()  # a picture's logit depends on no other picture
        gradient = torch.autograd.grad(chosen, maps)[0]
    alpha = gradient.mean(dim=(2, 3), keepdim=True)  # eq. 1, (n, k, 1, 1)
    return F.relu((alpha * maps.detach()).sum(dim=1))  # eq. 2


def sign_of_gradient(logits_of: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
    """sign(∇_x loss) for pictures ``x`` (n, …) with the classes ``y`` (n,)."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(F.cross_entropy(logits_of(x), y, reduction="sum"), x)[0].sign()


def smallest_change(
    logits_of: Callable[[Tensor], Tensor], x: Tensor, largest: int = 128, chunk: int = 32
) -> tuple[int, Tensor, Tensor]:
    """The smallest FGSM step that changes the prediction of one picture.

    Args:
        logits_of: logits of pictures with pixels from 0 to 1.
        x: the picture, (channels, height, width).
        largest: the largest step tried, in grey levels.

    Returns:
        ε in grey levels of 255 (0 where none up to ``largest`` does it); the changed picture, within 0 to 1; the sign
        of the gradient, of the same shape.
    """
    with torch.no_grad():
        before = logits_of(x[None]).argmax(dim=1)
    direction = sign_of_gradient(logits_of, x[None], before)[0]
    with torch.no_grad():
        for first in range(1, largest + 1, chunk):
            levels = torch.arange(first, min(first + chunk, largest + 1), device=x.device)
            tried = (x + direction * (levels / LEVELS).view(-1, 1, 1, 1)).clamp(0, 1)
            changed = (logits_of(tried).argmax(dim=1) != before).nonzero()
            if len(changed):
                return int(levels[changed[0, 0]]), tried[changed[0, 0]], direction
    return 0, x, direction
