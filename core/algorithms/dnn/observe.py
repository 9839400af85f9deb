"""What the panels show of a state: small arrays, made without touching the state or any random generator."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from core.algorithms.dnn.measure import FLAT_SLOPE, forward, slopes
from core.algorithms.dnn.model import ACTIVATIONS
from core.algorithms.dnn.state import State
from core.events import Array, Event, Snapshot
from core.figures import quantised

SIDE = 96  # of the boundary's grid
LINE = 256  # places of a curve
UNITS = 10  # shown of a layer
POINTS = 400  # drawn of each part
MISTAKES = 24
BINS = 40
LARGE = 1e30  # what is beyond is drawn as this, what is no number as 0: the training itself says that it diverged
MAP_BYTES = 11_000  # for all units' maps together: more units, coarser maps


@dataclass(slots=True)
class Plane:
    """The plane that is drawn: the data itself in two dimensions, else its first two principal components.

    Attributes:
        train, test: the first rows of each part on the plane, (n, 2); for one feature (n, 1).
        extent: (left, right, bottom, top).
        grid: network inputs of SIDE×SIDE places, top row first; of LINE places for one feature.
        share: of the training part's variance that the plane shows.
        looks: times it was drawn.
    """

    train: Array
    test: Array
    extent: tuple[float, float, float, float]
    grid: Tensor
    share: float
    looks: int = 0


def observe(state: State, everything: bool = True) -> Iterator[Event]:
    """The boundary at each look, the other panels in turn; at step 0 also the data, which never change."""
    plane = plane_of(state)
    plane.looks += 1
    if state.step == 0:
        yield Snapshot(0, "data", data_arrays(state, plane))
    sums: list[Tensor] = []
    outputs = forward(state, plane.grid, sums)
    yield Snapshot(state.step, "boundary", boundary_arrays(state, outputs))
    if everything or plane.looks % 2:
        yield Snapshot(state.step, "neurons", neuron_arrays(state, plane, sums, outputs))
    if not everything and plane.looks % 2:
        return
    yield Snapshot(state.step, "activations", activation_arrays(state))
    if state.data.classes and state.predicted is not None:
        yield Snapshot(state.step, "confusion", {"counts": confusion(state)})
        if state.data.image:
            yield Snapshot(state.step, "mistakes", mistake_arrays(state))


def plane_of(state: State) -> Plane:
    """The state's plane, made once."""
    if not isinstance(state.plane, Plane):
        state.plane = make_plane(state)
    return state.plane


def make_plane(state: State) -> Plane:
    data = state.data
    features = data.x_train.shape[1]
    share = 1.0
    if features <= 2:
        train, test = data.x_train[:POINTS], data.x_test[:POINTS]
        around = np.concatenate([data.x_train, data.x_test])
    else:
        # On at most 2,000 rows: a covariance of 784 columns is known well enough from them.
        sample = standardised(state, data.x_train[:2000])
        middle = sample.mean(axis=0)
        variances, vectors = np.linalg.eigh(np.cov(sample - middle, rowvar=False).astype(np.float64))
        axes = vectors[:, [-1, -2]].T.astype(np.float32)  # (2, features), the largest variance first
        axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
        share = float(variances[-2:].sum() / max(variances.sum(), 1e-12))
        train = (sample[:POINTS] - middle) @ axes.T
        test = (standardised(state, data.x_test[:POINTS]) - middle) @ axes.T
        around = np.concatenate([train, test])
    low, high = around.min(axis=0), around.max(axis=0)
    rim = 0.08 * (high - low) + 1e-6
    low, high = low - rim, high + rim
    across = np.linspace(low[0], high[0], SIDE, dtype=np.float32)
    if features == 1:
        extent = (float(low[0]), float(high[0]), 0.0, 0.0)
        places = np.linspace(low[0], high[0], LINE, dtype=np.float32)[:, None]
        return Plane(train, test, extent, state.encode(tensor(places, state)), share)
    up = np.linspace(high[1], low[1], SIDE, dtype=np.float32)
    places = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    grid = state.encode(tensor(places, state)) if features == 2 else tensor(middle + places @ axes, state)
    return Plane(train, test, (float(low[0]), float(high[0]), float(low[1]), float(high[1])), grid, share)


def tensor(values: Array, state: State) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(state.device)


def standardised(state: State, x: Array) -> Array:
    result: Array = (x.astype(np.float32) - state.mean.cpu().numpy()) / state.deviation.cpu().numpy()
    return result


def data_arrays(state: State, plane: Plane) -> dict[str, Array]:
    """The points of both parts on the plane with their class or value, the plane's extent and its variance share."""
    answer = np.uint8 if state.data.classes else np.float32
    y = state.data.y_train
    return {
        "train": plane.train.astype(np.float32),
        "test": plane.test.astype(np.float32),
        "train_y": state.data.y_train[: len(plane.train)].astype(answer),
        "test_y": state.data.y_test[: len(plane.test)].astype(answer),
        "extent": np.array(plane.extent, np.float32),
        "share": np.array([plane.share], np.float32),
        "range": np.array([y.min(), y.max()], np.float32),  # of all points, not of those that are drawn alone
    }


def boundary_arrays(state: State, outputs: Tensor) -> dict[str, Array]:
    """Class and confidence of each place, or its value."""
    if state.data.classes:
        # The largest of a softmax is 1 / Σ exp(z - max z).
        best, guess = outputs.max(dim=1)
        confidence = (outputs - best[:, None]).exp_().sum(dim=1).reciprocal_()
        return {
            "class": guess.to(torch.uint8).cpu().numpy().reshape(SIDE, SIDE),
            # from a guess at random to certainty
            "confidence": quantised(confidence.cpu().numpy(), 1 / outputs.shape[1], 1.0).reshape(SIDE, SIDE),
        }
    values = outputs[:, 0].cpu().numpy() * state.y_deviation + state.y_mean
    if state.data.x_train.shape[1] == 1:
        return {"curve": values.astype(np.float32)}
    y = state.data.y_train
    return {"surface": quantised(values, float(y.min()), float(y.max())).reshape(SIDE, SIDE)}


def neuron_arrays(state: State, plane: Plane, sums: list[Tensor], outputs: Tensor) -> dict[str, Array]:
    """A small map of each unit (first :data:`UNITS` of a layer), the weights between them, and the layers' widths.

    A map is uint8 with 128 for 0, one scale for a layer. Layer 0 are the inputs, where they are few enough to show.
    """
    act, _ = ACTIVATIONS[state.config.activation]
    identity, _ = ACTIVATIONS["identity"]
    columns = [plane.grid, *sums, outputs]
    bends = [identity, *[act] * len(sums), partial(torch.softmax, dim=-1) if state.data.classes else identity]
    widths = [column.shape[1] for column in columns]
    shown = [min(n, UNITS) for n in widths]
    if widths[0] > UNITS:
        shown[0] = 0
    flat = state.data.x_train.shape[1] == 1
    side = LINE if flat else SIDE
    pixels = {s: math.ceil(side / s) ** (1 if flat else 2) for s in (2, 3, 4, 6, 8)}
    stride = next((s for s, n in pixels.items() if sum(shown) * n <= MAP_BYTES), 8)
    arrays: dict[str, Array] = {"widths": np.array(widths, np.int32), "shown": np.array(shown, np.uint8)}
    for i, (column, n) in enumerate(zip(columns, shown, strict=True)):
        if n:
            places = column.view(1, side, -1) if flat else column.view(side, side, -1)[::stride]
            units = bends[i](places[:, ::stride])[..., :n]  # (rows, columns, n)
            maps = units.permute(2, 0, 1).nan_to_num().cpu().numpy()
            high = min(max(float(np.abs(maps).max()), 1e-6), LARGE)
            arrays[f"maps_{i}"] = quantised(maps, -high, high)
    for i, W in enumerate(state.model.weights):
        if shown[i] and shown[i + 1]:
            drawn = W.detach()[: shown[i + 1], : shown[i]].clamp(-6e4, 6e4)  # as far as float16 goes
            arrays[f"weights_{i}"] = drawn.to(torch.float16).cpu().numpy()
    return arrays


def activation_arrays(state: State) -> dict[str, Array]:
    """For up to 256 training rows: how often each activation occurs, a row a layer; dead units, flat slopes.

    Without a hidden layer: how often each output occurs, and nothing of units.
    """
    act, _ = ACTIVATIONS[state.config.activation]
    sums: list[Tensor] = []
    outputs = forward(state, state.x_train[:256], sums)
    hidden = list(sums)
    if not sums:  # no hidden layer: what the outputs are, which have no slope to be flat
        sums, act = [outputs], ACTIVATIONS["identity"][0]
    values = [act(z).cpu().nan_to_num(0.0).clamp_(-LARGE, LARGE) for z in sums]
    ends = [np.quantile(v.numpy(), (0.005, 0.995)) for v in values]
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    if high - low < 1e-3:
        high = low + max(1e-3, 1e-3 * abs(low))
    counts = [v.clamp(low, high).histc(BINS, low, high) / v.numel() for v in values]
    flat = [(d.abs() < FLAT_SLOPE).cpu().numpy() for d in slopes(state, hidden)]
    return {
        "share": torch.stack(counts).to(torch.float16).numpy(),
        "range": np.array([low, high], np.float32),
        "dead": np.array([f.all(axis=0).mean() for f in flat], np.float32),
        "saturated": np.array([f.mean() for f in flat], np.float32),
    }


def confusion(state: State) -> Array:
    """Test rows by true class (row) and guessed class (column), as the last evaluation saw them."""
    guessed = state.predicted
    classes = len(state.data.classes)
    if guessed is None:
        return np.zeros((classes, classes), np.int32)
    pairs = state.data.y_test[: len(guessed)] * classes + guessed
    result: Array = np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.int32)
    return result


def mistake_arrays(state: State) -> dict[str, Array]:
    """The first test images that were taken for another class, with both classes, and how many there are."""
    guessed = state.predicted if state.predicted is not None else np.zeros(0, np.uint8)
    y = state.data.y_test[: len(guessed)]
    wrong = np.flatnonzero(y != guessed)
    first = wrong[:MISTAKES]
    images = state.data.x_test[first].reshape(len(first), *(state.data.image or (1, 1)))
    if images.dtype != np.uint8:
        images = quantised(images, 0.0, float(state.data.x_train.max()))
    return {
        "images": images,
        "true": y[first].astype(np.uint8),
        "guessed": guessed[first],
        "wrong": np.array([len(wrong), len(guessed)], np.int32),
    }
