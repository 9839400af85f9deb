"""What the panels of the convolutional network draw: small arrays, made without changing the state."""

import math

import numpy as np
import torch
from torch import Tensor

from core import classification
from core.algorithms.cnn.explain import grad_cam, recorded
from core.algorithms.cnn.metrics import evaluating, logits
from core.algorithms.cnn.train import CNN
from core.events import Array
from core.figures import quantised
from core.projection import AlignedFrames, principal_components, scaled

PICTURES = 24  # test pictures to choose from
MAPS = 16  # feature maps shown of a layer
UNITS = 128  # shown of a dense layer
FILTERS = 32  # shown of the first layer
MAPPED = 300  # test pictures on the map
LOOKED_AT = 8  # pictures with a Grad-CAM
DENSE_COLUMNS = 4


def data(s: CNN) -> dict[str, Array]:
    """The first test pictures with their classes, the first pixels of which the network gets, and the class names."""
    return {
        "images": s.seen(s.x_test[:PICTURES]).cpu().numpy(),
        "true": s.data.y_test[:PICTURES].astype(np.uint8),
        "mapped": s.data.y_test[:MAPPED].astype(np.uint8),
        "classes": np.frombuffer("\n".join(s.data.classes).encode(), np.uint8).copy(),
    }


def journey(s: CNN) -> dict[str, Array]:
    """The chosen test picture and what each layer makes of it."""
    row = min(s.config.picture, len(s.x_test) - 1)
    return followed(s, s.x_test[row : row + 1]) | {"true": np.array([int(s.data.y_test[row])], np.int16)}


@torch.no_grad()
def followed(s: CNN, x: Tensor) -> dict[str, Array]:
    """One picture on its way through the network.

    Args:
        x: (1, channels, height, width), uint8 or from 0 to 1.

    Returns:
        ``image`` uint8 (channels, height, width) as the network gets it; for each layer ``maps_0``, … uint8 (n, h, w),
        n at most :data:`MAPS`, scaled to the largest of its layer, with ``signed``: whether 128 stands for 0, or 0 for
        0 and the brightness is the root; ``channels`` of each layer;
        ``probability`` (classes,).
    """
    with evaluating(s), recorded(s.model) as record:
        probability = s.model(s.inputs(x)).softmax(dim=1)[0]
    image = s.seen(x)[0]
    image = image if image.dtype == torch.uint8 else (image * 255).round().to(torch.uint8)
    arrays: dict[str, Array] = {"image": image.cpu().numpy(), "probability": probability.cpu().numpy()}
    signed, channels = [], []
    for i, output in enumerate(record.outputs.values()):
        maps = output[0].nan_to_num().cpu().numpy()
        channels.append(len(maps))
        if maps.ndim == 1:  # units of a dense layer, in columns
            units = maps[:UNITS]
            rows = math.ceil(len(units) / DENSE_COLUMNS)
            maps = np.pad(units, (0, rows * DENSE_COLUMNS - len(units))).reshape(1, rows, DENSE_COLUMNS)
        else:
            maps = maps[:MAPS]
        low, high = float(maps.min()), max(float(np.abs(maps).max()), 1e-6)
        signed.append(low < -1e-3 * high)  # GELU and leaky ReLU go a little below 0
        # The root brings out what is faint beside a layer's largest number.
        bright = maps / high if signed[-1] else np.sqrt(np.maximum(maps, 0) / high)
        arrays[f"maps_{i}"] = quantised(bright, -1.0 if signed[-1] else 0.0, 1.0)
    names = "\n".join(record.outputs)
    return arrays | {
        "signed": np.array(signed, np.uint8),
        "channels": np.array(channels, np.int32),
        "layers": np.frombuffer(names.encode(), np.uint8).copy(),
    }


def pictures(s: CNN) -> dict[str, Array]:
    """What the first test pictures are taken for, and which is followed."""
    guessed = logits(s, s.x_test[:PICTURES]).argmax(dim=1)
    return {
        "guessed": guessed.to(torch.uint8).cpu().numpy(),
        "chosen": np.array([min(s.config.picture, len(s.x_test) - 1)], np.int32),
    }


def filters(s: CNN) -> dict[str, Array]:
    """The first layer's weights, uint8 (n, channels, h, w), 128 for 0, one scale for all.

    Of a perceptron each unit's weights, with the pixels back where they belong.
    """
    first = next(p for name, p in s.model.named_parameters() if name.endswith("weight")).detach()
    if first.dim() == 2:
        first = first.view(len(first), *s.config.image_shape)
        if s.places is not None:
            back = torch.argsort(s.places)
            first = first.flatten(2)[..., back].view_as(first)
    W = first[:FILTERS].nan_to_num().cpu().numpy()
    high = max(float(np.abs(W).max()), 1e-6)
    return {"filters": quantised(W, -high, high), "channels": np.array([len(first)], np.int32)}


def where_it_looks(s: CNN) -> dict[str, Array] | None:
    """Grad-CAM of the predicted class for the first test pictures, uint8 (n, h, w), each scaled to its own largest."""
    if not s.config.has_convolutions:
        return None
    x = s.x_test[:LOOKED_AT]
    guessed = logits(s, x).argmax(dim=1)
    with evaluating(s):
        maps = grad_cam(s.model, s.inputs(x), guessed).nan_to_num()
    maps = maps / maps.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    return {"maps": quantised(maps.cpu().numpy(), 0.0, 1.0), "guessed": guessed.to(torch.uint8).cpu().numpy()}


def frames(s: CNN) -> AlignedFrames:
    """What aligns one frame of the map with the next."""
    return AlignedFrames(2)


@torch.no_grad()
def last_hidden(s: CNN) -> dict[str, Array]:
    """Places of the first test pictures, (n, 2), on the first two principal components of what the outputs read."""
    held: list[Tensor] = []
    handle = s.model.head.output.register_forward_pre_hook(lambda _, args: held.append(args[0]))  # type: ignore[union-attr]
    try:
        guessed = logits(s, s.x_test[:MAPPED]).argmax(dim=1)
    finally:
        handle.remove()
    x = held[0].nan_to_num().cpu().numpy()
    if x.shape[1] > len(x):  # the rows of R lie as the pictures do, in as few dimensions as there are pictures
        x = np.linalg.qr(x.T)[1].T
    places, share = principal_components(x, 2)
    return {
        "places": s.cached(frames).add(np.arange(len(x)), scaled(places)).astype(np.float32),
        "guessed": guessed.to(torch.uint8).cpu().numpy(),
        "share": np.array([share], np.float32),
    }


def confusion(s: CNN) -> dict[str, Array] | None:
    """Test pictures by true class (row) and predicted class (column), as of the last evaluation."""
    return None if s.evaluated is None else classification.confusion(s.evaluated, s.data.y_test)


def mistakes(s: CNN) -> dict[str, Array] | None:
    """The misclassified test pictures of the last evaluation, the most confident first."""
    return None if s.evaluated is None else classification.mistakes(s.data.x_test, s.data.y_test, s.evaluated)


STATIC_SNAPSHOTS = {"data": data}
SNAPSHOTS = {
    "journey": journey,
    "pictures": pictures,
    "filters": filters,
    "where": where_it_looks,
    "map": last_hidden,
    "confusion": confusion,
    "mistakes": mistakes,
}
