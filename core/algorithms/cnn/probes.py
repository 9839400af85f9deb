"""Try the trained network: draw for it, move and cover its pictures, look at one unit, and fool it."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.algorithms.cnn.explain import recorded, smallest_change
from core.algorithms.cnn.metrics import evaluating, logits
from core.algorithms.cnn.requests import CANVAS, DrawRequest, FoolRequest, InsideRequest, MoveRequest
from core.algorithms.cnn.snapshots import followed
from core.algorithms.cnn.train import CNN, as_numbers
from core.augmentation import moved, turned
from core.drawn_picture import ink
from core.events import Array, Event, Snapshot
from core.experiment import Request
from core.figures import quantised

#: MNIST's digits fill 20 of 28 pixels, about their centre of mass.
BOX, SIDE = 20, 28
#: Ink that counts as such, of 255.
FAINT = 16
#: Side of the covering patch as a share of the picture's.
PATCH = 0.25
TURN = 15.0  # degrees of one key
#: Test pictures among which those that excite a map most are found, and how many are shown.
SEARCHED, EXCITING = 500, 9


def centred(drawing: Array, side: int) -> Tensor:
    """A drawing as MNIST's digits are prepared: its ink in a box of 20/28 of the picture, its proportions kept, about
    its centre of mass.

    Args:
        drawing: uint8 (rows, columns), 0 paper.

    Returns:
        Float32 (side, side) from 0 to 1, all 0 where there is no ink.
    """
    rows, columns = (np.flatnonzero((drawing > FAINT).any(axis=axis)) for axis in (1, 0))
    picture = torch.zeros(side, side)
    if not len(rows):
        return picture
    cut = torch.from_numpy(drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]).float() / 255
    scale = BOX / SIDE * side / max(cut.shape)
    size = [max(1, round(n * scale)) for n in cut.shape]
    cut = F.interpolate(cut[None, None], size=size, mode="bilinear", antialias=True, align_corners=False)[0, 0]
    mass = cut.sum()
    centre = [float((cut.sum(dim=1 - d) * torch.arange(size[d])).sum() / mass) for d in (0, 1)]
    top, left = (min(max(round(side / 2 - middle), 0), side - n) for middle, n in zip(centre, size, strict=True))
    picture[top : top + size[0], left : left + size[1]] = cut.clamp(0, 1)
    return picture


def draw(s: CNN, requests: Iterator[DrawRequest]) -> Iterator[dict[str, Array]]:
    """What the network makes of a drawing while it is drawn."""
    channels, side, _ = s.config.image_shape
    for request in requests:
        x = centred(ink(request.drawing, CANVAS), side).expand(1, channels, side, side)
        yield followed(s, x.to(s.device))


def varied(x: Tensor, right: int, down: int, degrees: float, blur: int) -> Tensor:
    """A picture (1, channels, height, width) turned, blurred and then moved; what comes in from outside is black."""
    x = turned(x, torch.tensor([degrees], device=x.device)) if degrees else x
    for _ in range(blur):  # a mean of 3 × 3, and of itself again
        x = F.avg_pool2d(x, 3, stride=1, padding=1)
    return moved(x, torch.tensor([right], device=x.device), torch.tensor([down], device=x.device))


class MovedPicture:
    """A test picture that is being changed, and what covering each place of it did."""

    def __init__(self, s: CNN) -> None:
        self.s, self.row = s, min(s.config.picture, len(s.x_test) - 1)
        self.restore()

    def restore(self) -> None:
        self.right = self.down = self.blur = 0
        self.degrees = 0.0
        self.patch: tuple[int, int] | None = None
        self.original = as_numbers(self.s.x_test[self.row : self.row + 1])
        self.uncovered()

    def uncovered(self) -> None:
        """Begin the occlusion map anew: the picture is another."""
        self.covered = np.full(self.original.shape[2:], np.nan, np.float32)

    def apply(self, request: MoveRequest) -> None:
        """Make one change."""
        height, width = self.original.shape[2:]
        step = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}.get(request.act)
        if request.act == "next":
            self.row = (self.row + 1) % len(self.s.x_test)
        if request.act in ("next", "restore"):
            self.restore()
        elif request.act == "cover":  # the next place, row by row
            side = self.side
            last = [n // side * side for n in self.patch] if self.patch else [-side, 0]
            x, y = (last[0] + side, last[1]) if last[0] + 2 * side <= width else (0, last[1] + side)
            self.patch = (x, y if y + side <= height else 0)
        elif 0 <= request.x < width and 0 <= request.y < height:
            x, y = (int(v - self.side / 2 + 0.5) for v in (request.x, request.y))
            self.patch = (min(max(x, 0), width - self.side), min(max(y, 0), height - self.side))
        elif request.act != "none":
            if step:
                self.right, self.down = self.right + step[0], self.down + step[1]
            self.degrees += {"turn": TURN, "back": -TURN}.get(request.act, 0.0)
            self.blur = (self.blur + 1) % 6 if request.act == "blur" else self.blur
            self.patch = None
            self.uncovered()

    @property
    def side(self) -> int:
        """Side of the patch in pixels."""
        return max(1, round(PATCH * self.original.shape[2]))

    def arrays(self) -> dict[str, Array]:
        """Both pictures, the probabilities before and after, and the occlusion map so far."""
        s = self.s
        x = varied(self.original, self.right, self.down, self.degrees, self.blur)
        whole = x
        patch = np.zeros(0, np.float32)
        if self.patch is not None:
            left, top = self.patch
            x = x.clone()
            x[..., top : top + self.side, left : left + self.side] = s.mean  # what says nothing of any class
            patch = np.array([left, top, self.side, self.side], np.float32)
        before, plain, after = logits(s, torch.cat([self.original, whole, x])).softmax(dim=1).cpu().numpy()
        best = int(plain.argmax())
        if self.patch is not None:
            place = self.covered[top : top + self.side, left : left + self.side]
            # Where patches overlap, the newest counts.
            place[:] = max(0.0, float(plain[best] - after[best]))
        return {
            "image": as_bytes(x[0]),
            "original": as_bytes(whole[0]),
            "before": before,
            "probability": after,
            "covered": self.covered.copy(),
            "patch": patch,
            "of": np.array([best], np.int16),
            "true": np.array([int(s.y_test[self.row])], np.int16),
        }


def move(s: CNN, requests: Iterator[MoveRequest]) -> Iterator[dict[str, Array]]:
    """Shift, turn, blur or cover a test picture."""
    picture = MovedPicture(s)
    for request in requests:
        picture.apply(request)
        yield picture.arrays()


class Unit:
    """One unit of one map of one layer, for one test picture.

    Attributes:
        names: of the layers that have maps. layer, channel, place: the unit's; the place counts row by row.
    """

    def __init__(self, s: CNN) -> None:
        self.s, self.row = s, min(s.config.picture, len(s.x_test) - 1)
        self.searched = s.x_test[:SEARCHED]
        kinds = {"convolution", "pooling"}
        self.names = [f"{layer.kind}{layer.number}" for layer in s.config.layers() if layer.kind in kinds]
        self.sizes = [layer for layer in s.config.layers() if layer.kind in kinds]
        self.layer = self.channel = 0
        self.best: dict[int, tuple[Tensor, Tensor]] = {}
        self.place = self._strongest()

    def maps(self, x: Tensor) -> Tensor:
        """The maps of the layer for pictures, (n, channels, h, w)."""
        with torch.no_grad(), evaluating(self.s), recorded(self.s.model) as record:
            self.s.model(self.s.inputs(x))
        return record.outputs[self.names[self.layer]]

    def _strongest(self) -> int:
        return int(self.maps(self.s.x_test[self.row : self.row + 1])[0, self.channel].argmax())

    def apply(self, request: InsideRequest) -> None:
        """Go to another unit."""
        channels, rows, columns = self.sizes[self.layer].shape
        y, x = divmod(self.place, columns)
        match request.act:
            case "left" | "right":
                x = (x + (1 if request.act == "right" else -1)) % columns
            case "up" | "down":
                y = (y + (1 if request.act == "down" else -1)) % rows
        self.place = y * columns + x
        if request.act == "channel":
            self.channel = (self.channel + 1) % channels
        elif request.act == "layer":
            self.layer, self.channel = (self.layer + 1) % len(self.names), 0
        elif request.act == "next":
            self.row = (self.row + 1) % len(self.s.x_test)
        elif request.act == "none" and 0 <= request.unit < rows * columns:
            self.place = request.unit
        if request.act in ("channel", "layer", "next"):
            self.place = self._strongest()

    def window(self, place: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom pixel of what a unit sees, as far as it lies in the picture."""
        size = self.sizes[self.layer]
        height, width = self.s.config.image_shape[1:]
        y, x = divmod(place, size.shape[2])
        left, top = (size.start + size.jump * n for n in (x, y))
        return max(left, 0), max(top, 0), min(left + size.field, width), min(top + size.field, height)

    def exciting(self) -> Array:
        """The patches of test pictures that excite this map most, one a picture, uint8 (n, channels, field, field);
        what lies outside a picture is black."""
        if self.layer not in self.best:  # of all channels at once: (500, channels)
            self.best[self.layer] = self.maps(self.searched).flatten(2).max(dim=2)
        value, place = self.best[self.layer]
        size, found = self.sizes[self.layer], []
        rim = max(0, -size.start) + size.field
        for row in value[:, self.channel].topk(min(EXCITING, len(value))).indices.tolist():
            y, x = divmod(int(place[row, self.channel]), size.shape[2])
            left, top = (size.start + size.jump * n + rim for n in (x, y))
            wide = F.pad(self.s.seen(self.searched[row : row + 1])[0], (rim, rim, rim, rim))
            found.append(wide[:, top : top + size.field, left : left + size.field])
        return torch.stack(found).cpu().numpy()

    def arrays(self) -> dict[str, Array]:
        """The picture, the map, the unit and its patch."""
        s = self.s
        x = s.x_test[self.row : self.row + 1]
        chosen = self.maps(x)[0, self.channel].nan_to_num().cpu().numpy()
        high, size = max(float(np.abs(chosen).max()), 1e-6), self.sizes[self.layer]
        signed = float(chosen.min()) < -1e-3 * high
        left, top, right, bottom = self.window(self.place)
        return {
            "image": s.seen(x)[0].cpu().numpy(),
            "map": quantised(chosen, -high if signed else 0.0, high),
            "signed": np.array([signed], np.uint8),
            "unit": np.array(divmod(self.place, size.shape[2]), np.int32),
            "patch": np.array([left, top, right - left, bottom - top], np.float32),
            "field": np.array([size.field], np.int32),
            "channel": np.array([self.channel, size.shape[0]], np.int32),
            "layer": np.frombuffer(self.names[self.layer].encode(), np.uint8).copy(),
            "patches": self.exciting(),
        }


def inside(s: CNN, requests: Iterator[InsideRequest]) -> Iterator[dict[str, Array]]:
    """Look at one unit after the other."""
    unit = Unit(s)
    for request in requests:
        unit.apply(request)
        yield unit.arrays()


def fool(s: CNN, requests: Iterator[FoolRequest]) -> Iterator[dict[str, Array]]:
    """The smallest step along the sign of the loss's gradient that changes the prediction, for one test picture after
    the other; the loss is that of the predicted class, so that a misclassified picture changes as well."""
    row = min(s.config.picture, len(s.x_test) - 1)
    for request in requests:
        row = (row + {"next": 1, "before": -1}.get(request.act, 0)) % len(s.x_test)
        x = as_numbers(s.x_test[row])
        with evaluating(s):
            epsilon, changed, direction = smallest_change(lambda x: s.model(s.inputs(x)), x)
        before, after = logits(s, torch.stack([x, changed])).softmax(dim=1).cpu().numpy()
        yield {
            "image": as_bytes(x),
            "step": as_bytes((direction + 1) / 2),
            "changed": as_bytes(changed),
            "epsilon": np.array([epsilon], np.int16),
            "before": before,
            "probability": after,
            "true": np.array([int(s.y_test[row])], np.int16),
        }


def as_bytes(x: Tensor) -> Array:
    """A picture from 0 to 1 as uint8."""
    found: Array = (x.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    return found


PROBES: dict[str, Callable[[CNN, Iterator[Any]], Iterator[dict[str, Array]]]] = {
    "draw": draw,
    "move": move,
    "inside": inside,
    "fool": fool,
}


def probe(s: CNN, name: str, requests: Iterator[Request]) -> Iterator[Event]:
    """Answer until the session is closed."""
    for arrays in PROBES[name](s, requests):
        yield Snapshot(s.step, name, arrays)
