"""What the panels of the perceptron draw: small arrays, made without changing the state or a random generator."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from core.algorithms.dnn.metrics import FLAT_SLOPE, forward, slopes
from core.algorithms.dnn.model import ACTIVATIONS
from core.algorithms.dnn.train import DNN
from core.events import Array
from core.figures import quantised

SIDE = 96  # of the boundary's grid
LINE = 256  # places of a curve
UNITS = 10  # shown of a layer
POINTS = 400  # drawn of each part
MISTAKES = 24
BINS = 40
LARGE = 1e30  # what is beyond is drawn as this, what is not a number as 0: the run ends as diverged anyway
MAP_BYTES = 11_000  # for all units' maps together: more units, coarser maps


@dataclass(slots=True)
class Plane:
    """The plane that is drawn: the data itself in two dimensions, else its first two principal components.

    Attributes:
        train, test: the first rows of each part on the plane, (n, 2); for one feature (n, 1).
        extent: (left, right, bottom, top).
        grid: network inputs of SIDE×SIDE places, top row first; of LINE places for one feature.
        share: of the training part's variance that the plane shows.
    """

    train: Array
    test: Array
    extent: tuple[float, float, float, float]
    grid: Tensor
    share: float


def make_plane(s: DNN) -> Plane:
    """The plane of a data set."""
    data = s.data
    features = data.x_train.shape[1]
    share = 1.0
    if features <= 2:
        train, test = data.x_train[:POINTS], data.x_test[:POINTS]
        around = np.concatenate([data.x_train, data.x_test])
    else:
        # On at most 2,000 rows: a covariance of 784 columns is known well enough from them.
        sample = standardised(s, data.x_train[:2000])
        middle = sample.mean(axis=0)
        variances, vectors = np.linalg.eigh(np.cov(sample - middle, rowvar=False).astype(np.float64))
        axes = vectors[:, [-1, -2]].T.astype(np.float32)  # (2, features), the largest variance first
        axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
        share = float(variances[-2:].sum() / max(variances.sum(), 1e-12))
        train = (sample[:POINTS] - middle) @ axes.T
        test = (standardised(s, data.x_test[:POINTS]) - middle) @ axes.T
        around = np.concatenate([train, test])
    low, high = around.min(axis=0), around.max(axis=0)
    rim = 0.08 * (high - low) + 1e-6
    low, high = low - rim, high + rim
    across = np.linspace(low[0], high[0], SIDE, dtype=np.float32)
    if features == 1:
        extent = (float(low[0]), float(high[0]), 0.0, 0.0)
        places = np.linspace(low[0], high[0], LINE, dtype=np.float32)[:, None]
        return Plane(train, test, extent, s.encode(tensor(places, s)), share)
    up = np.linspace(high[1], low[1], SIDE, dtype=np.float32)
    places = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    grid = s.encode(tensor(places, s)) if features == 2 else tensor(middle + places @ axes, s)
    return Plane(train, test, (float(low[0]), float(high[0]), float(low[1]), float(high[1])), grid, share)


def tensor(values: Array, s: DNN) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(s.device)


def standardised(s: DNN, x: Array) -> Array:
    result: Array = (x.astype(np.float32) - s.x_mean.cpu().numpy()) / s.x_std.cpu().numpy()
    return result


def data(s: DNN) -> dict[str, Array]:
    """The points of both parts on the plane with their class or value, the plane's extent and its variance share."""
    plane = s.cached(make_plane)
    answer = np.uint8 if s.data.classes else np.float32
    y = s.data.y_train
    return {
        "train": plane.train.astype(np.float32),
        "test": plane.test.astype(np.float32),
        "train_y": s.data.y_train[: len(plane.train)].astype(answer),
        "test_y": s.data.y_test[: len(plane.test)].astype(answer),
        "extent": np.array(plane.extent, np.float32),
        "share": np.array([plane.share], np.float32),
        "range": np.array([y.min(), y.max()], np.float32),  # of all points, not of those that are drawn alone
    }


def grid_forward(s: DNN) -> tuple[list[Tensor], Tensor]:
    """Sums of the hidden layers and outputs over the plane's grid."""
    pre_activations: list[Tensor] = []
    outputs = forward(s, s.cached(make_plane).grid, pre_activations)
    return pre_activations, outputs


def boundary(s: DNN) -> dict[str, Array]:
    """Class and confidence of each place, or its value."""
    _, outputs = s.cached_at_step(grid_forward)
    if s.data.classes:
        # The largest of a softmax is 1 / Σ exp(z - max z).
        best, guess = outputs.max(dim=1)
        confidence = (outputs - best[:, None]).exp().sum(dim=1).reciprocal_()
        return {
            "class": guess.to(torch.uint8).cpu().numpy().reshape(SIDE, SIDE),
            # from a guess at random to certainty
            "confidence": quantised(confidence.cpu().numpy(), 1 / outputs.shape[1], 1.0).reshape(SIDE, SIDE),
        }
    values = outputs[:, 0].cpu().numpy() * s.y_std + s.y_mean
    if s.data.x_train.shape[1] == 1:
        return {"curve": values.astype(np.float32)}
    y = s.data.y_train
    return {"surface": quantised(values, float(y.min()), float(y.max())).reshape(SIDE, SIDE)}


def neurons(s: DNN) -> dict[str, Array]:
    """A small map of each unit (first :data:`UNITS` of a layer), the weights between them, and the layers' widths.

    A map is uint8 with 128 for 0, one scale for a layer. Layer 0 are the inputs, where they are few enough to show.
    """
    plane = s.cached(make_plane)
    pre_activations, outputs = s.cached_at_step(grid_forward)
    act, _ = ACTIVATIONS[s.config.activation]
    identity, _ = ACTIVATIONS["identity"]
    columns = [plane.grid, *pre_activations, outputs]
    activations = [
        identity,
        *[act] * len(pre_activations),
        partial(torch.softmax, dim=-1) if s.data.classes else identity,
    ]
    widths = [column.shape[1] for column in columns]
    shown = [min(n, UNITS) for n in widths]
    if widths[0] > UNITS:
        shown[0] = 0
    flat = s.data.x_train.shape[1] == 1
    side = LINE if flat else SIDE
    pixels = {s: math.ceil(side / s) ** (1 if flat else 2) for s in (2, 3, 4, 6, 8)}
    stride = next((s for s, n in pixels.items() if sum(shown) * n <= MAP_BYTES), 8)
    arrays: dict[str, Array] = {"widths": np.array(widths, np.int32), "shown": np.array(shown, np.uint8)}
    for i, (column, n) in enumerate(zip(columns, shown, strict=True)):
        if n:
            places = column.view(1, side, -1) if flat else column.view(side, side, -1)[::stride]
            units = activations[i](places[:, ::stride])[..., :n]  # (rows, columns, n)
            maps = units.permute(2, 0, 1).nan_to_num().cpu().numpy()
            high = min(max(float(np.abs(maps).max()), 1e-6), LARGE)
            arrays[f"maps_{i}"] = quantised(maps, -high, high)
    for i, W in enumerate(s.model.weights):
        if shown[i] and shown[i + 1]:
            drawn = W.detach()[: shown[i + 1], : shown[i]].clamp(-6e4, 6e4)  # as far as float16 goes
            arrays[f"weights_{i}"] = drawn.to(torch.float16).cpu().numpy()
    return arrays


def activations(s: DNN) -> dict[str, Array]:
    """For up to 256 training rows: how often each activation occurs, a row a layer; dead units, flat slopes.

    Without a hidden layer: how often each output occurs, and nothing of units.
    """
    act, _ = ACTIVATIONS[s.config.activation]
    pre_activations: list[Tensor] = []
    outputs = forward(s, s.x_train[:256], pre_activations)
    hidden = list(pre_activations)
    if not pre_activations:  # no hidden layer: what the outputs are, which have no slope to be flat
        pre_activations, act = [outputs], ACTIVATIONS["identity"][0]
    values = [act(z).cpu().nan_to_num(0.0).clamp_(-LARGE, LARGE) for z in pre_activations]
    ends = [np.quantile(v.numpy(), (0.005, 0.995)) for v in values]
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    if high - low < 1e-3:
        high = low + max(1e-3, 1e-3 * abs(low))
    counts = [v.clamp(low, high).histc(BINS, low, high) / v.numel() for v in values]
    flat = [(d.abs() < FLAT_SLOPE).cpu().numpy() for d in slopes(s, hidden)]
    return {
        "share": torch.stack(counts).to(torch.float16).numpy(),
        "range": np.array([low, high], np.float32),
        "dead": np.array([f.all(axis=0).mean() for f in flat], np.float32),
        "saturated": np.array([f.mean() for f in flat], np.float32),
    }


def confusion(s: DNN) -> dict[str, Array] | None:
    """Test rows by true class (row) and predicted class (column), as of the last evaluation."""
    if s.predictions is None:
        return None
    n_classes = len(s.data.classes)
    pairs = s.data.y_test[: len(s.predictions)] * n_classes + s.predictions
    counts = np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
    return {"counts": counts.astype(np.int32)}


def mistakes(s: DNN) -> dict[str, Array] | None:
    """The first test images that were taken for another class, with both classes, and how many there are."""
    if s.predictions is None or not s.data.image:
        return None
    y = s.data.y_test[: len(s.predictions)]
    wrong = np.flatnonzero(y != s.predictions)
    first = wrong[:MISTAKES]
    images = s.data.x_test[first].reshape(len(first), *s.data.image)
    if images.dtype != np.uint8:
        images = quantised(images, 0.0, float(s.data.x_train.max()))
    return {
        "images": images,
        "true": y[first].astype(np.uint8),
        "guessed": s.predictions[first],
        "wrong": np.array([len(wrong), len(s.predictions)], np.int32),
    }


STATIC_SNAPSHOTS = {"data": data}
SNAPSHOTS = {
    "boundary": boundary,
    "neurons": neurons,
    "activations": activations,
    "confusion": confusion,
    "mistakes": mistakes,
}
