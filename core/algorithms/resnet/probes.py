"""Two probes of the trained networks: cut and swap their blocks, and look at the loss around their weights.

- A. Veit, M. Wilber, S. Belongie. Residual networks behave like ensembles of relatively shallow networks. NeurIPS 2016:
  one block cut at a time (section 4.1), blocks that change places (section 4.2).
- H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein. Visualizing the loss landscape of neural nets. NeurIPS 2018: random
  directions, each filter as long as the network's own (section 4). Theirs go by batch norm's running statistics; these
  by those of the batch, because that is the loss which the training makes small.
"""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.algorithms.resnet.metrics import predictor
from core.algorithms.resnet.model import ResNet, batch_statistics
from core.algorithms.resnet.requests import REACH, CutRequest, SurfaceRequest
from core.algorithms.resnet.train import ResNetTraining
from core.events import Array, Event, Snapshot
from core.experiment import overtaken
from core.training import seed_of

#: Test pictures that a cut network is evaluated on, and training pictures whose loss makes a surface.
TESTED, TRAINED = 1000, 128
#: Points a side of a surface; those of a coarser grid come first. Points from one picture of it to the next.
SIDE, COARSEST, PIECE = 17, 8, 12
NONE = -1


class BlockEditor:
    """The networks with some blocks cut or in other places.

    Attributes:
        cursor: the block that the keys act on. held: the first of two to be swapped, or :data:`NONE`.
        cut: blocks that are cut. order: which block stands at each place.
        whole: accuracy (networks,) of the networks as trained. each: (networks, 3n) with one block cut, NaN where not
            tried.
    """

    def __init__(self, s: ResNetTraining) -> None:
        self.s, self.nets = s, s.nets
        self.blocks = 3 * s.config.n
        self.cursor, self.held = 0, NONE
        self.each = np.full((len(self.nets), self.blocks), np.nan, np.float32)
        self.as_trained = {name: list(net.blocks) for name, net in self.nets.items()}
        self.restore()
        self.whole = self.now = self.accuracy(set())

    def restore(self) -> None:
        self.cut: set[int] = set()
        self.order = list(range(self.blocks))
        self.held = NONE
        self._place()

    def _place(self) -> None:
        for name, net in self.nets.items():
            net.blocks = nn.ModuleList(self.as_trained[name][i] for i in self.order)  # type: ignore[assignment]

    def apply(self, request: CutRequest) -> bool:
        """Make one change; whether the networks are others now."""
        if request.act in ("next", "back"):
            self.cursor = (self.cursor + (1 if request.act == "next" else -1)) % self.blocks
        elif request.act == "swap":
            return self._swap()
        elif request.act == "restore":
            self.restore()
            return True
        elif request.act == "cut" or (request.act == "none" and 0 <= request.block < self.blocks):
            self.cursor = self.cursor if request.act == "cut" else request.block
            self.cut ^= {self.cursor}
            return True
        return False

    def _swap(self) -> bool:
        """Hold the block at the cursor, or swap it with the one that is held, where both have one shape."""
        first, second, self.held = self.held, self.cursor, NONE
        if first == NONE or not self.alike(first, second):
            self.held = second
            return False
        self.order[first], self.order[second] = self.order[second], self.order[first]
        self._place()
        return first != second

    def alike(self, first: int, second: int) -> bool:
        """Whether two places take blocks of one shape: of one stage, and not the one that begins it by halving."""
        a, b = (next(iter(self.nets.values())).blocks[i] for i in (first, second))
        return a.keeps_shape and b.keeps_shape and a.n_out == b.n_out

    def accuracy(self, cut: set[int]) -> Array:
        """Share of the first test pictures that each network classifies correctly, (networks,)."""
        x, y = self.s.x_test[:TESTED], self.s.y_test[:TESTED]
        found = []
        for net in self.nets.values():
            gates = [0.0 if i in cut else gate for i, gate in enumerate(net.survival)]
            found.append(float((predictor(self.s, net, gates)(x).argmax(dim=1) == y).float().mean()))
        return np.array(found, np.float32)

    def cut_each(self) -> Iterator[None]:
        """Cut one block after another, of the networks as they stand; yields after each."""
        self.each[:] = np.nan
        for i in range(self.blocks):
            self.each[:, i] = self.accuracy(self.cut | {i})
            yield

    def arrays(self) -> dict[str, Array]:
        return {
            "at": np.array([self.cursor, self.held], np.int32),
            "cut": np.array(sorted(self.cut), np.int32),
            "moved": np.array([i for i, block in enumerate(self.order) if i != block], np.int32),
            "accuracy": np.stack([self.whole, self.now]).astype(np.float32),
            "each": np.nan_to_num(self.each, nan=-1.0),
        }


def probe(s: ResNetTraining, name: str, requests: Iterator[CutRequest | SurfaceRequest]) -> Iterator[Event]:
    """The editor of blocks, or the loss surface, until the session is closed."""
    if name == "surface":
        yield from surfaces(s, name, requests)  # type: ignore[arg-type]
        return
    editor = BlockEditor(s)
    for request in requests:
        assert isinstance(request, CutRequest)
        if editor.apply(request):
            editor.now = editor.accuracy(editor.cut)
        if request.act == "each":
            for _ in editor.cut_each():
                yield Snapshot(s.step, name, editor.arrays())
                if overtaken(requests):
                    break
        yield Snapshot(s.step, name, editor.arrays())


def surfaces(s: ResNetTraining, name: str, requests: Iterator[SurfaceRequest]) -> Iterator[Event]:
    """The loss around the weights of each network, piece by piece: a coarse grid first, then the points between."""
    number, reach = 0, REACH.index(1.0)
    for request in requests:
        number += request.act == "again"
        reach = min(max(reach + {"wider": 1, "narrower": -1}.get(request.act, 0), 0), len(REACH) - 1)
        places = np.linspace(-REACH[reach], REACH[reach], SIDE)
        loss = np.full((len(s.networks), SIDE, SIDE), np.nan, np.float32)
        planes = [LossPlane(s, net, number) for net in s.nets.values()]
        for done, (row, column) in enumerate(coarse_to_fine(), start=1):
            for i, plane in enumerate(planes):
                loss[i, row, column] = plane.loss(places[column], places[row])
            if done % PIECE == 0 or done == SIDE**2:
                about = np.array([done / SIDE**2, REACH[reach], number], np.float32)
                yield Snapshot(s.step, name, {"loss": loss.copy(), "about": about})
                if overtaken(requests):
                    break


def coarse_to_fine() -> list[tuple[int, int]]:
    """All places of the grid: its middle, then those of ever finer grids."""
    places, step = [(SIDE // 2, SIDE // 2)], COARSEST
    while step:
        grid = [(row, column) for row in range(0, SIDE, step) for column in range(0, SIDE, step)]
        places += [place for place in grid if place not in places]
        step //= 2
    return places


class LossPlane:
    """The training loss on the plane θ + a·δ + b·η through a network's weights θ.

    δ and η are drawn at random, the same for each call with a ``number``; of each filter, δ is as long as θ
    (filter-wise normalised, section 4). Batch norm and biases stay as they are.
    """

    def __init__(self, s: ResNetTraining, net: ResNet, number: int) -> None:
        self.net = copy.deepcopy(net).requires_grad_(False)
        self.x, self.y = s.inputs(s.x_train[:TRAINED]), s.y_train[:TRAINED]
        self.weights = [p for p in self.net.parameters() if p.dim() > 1]
        self.centre = [W.clone() for W in self.weights]
        rng = torch.Generator().manual_seed(seed_of(s.config.seed, "loss surface", number))
        self.delta, self.eta = ([filter_normalised(W, rng) for W in self.weights] for _ in range(2))

    @torch.no_grad()
    def loss(self, a: float, b: float) -> float:
        for W, centre, delta, eta in zip(self.weights, self.centre, self.delta, self.eta, strict=True):
            W.copy_(centre + a * delta + b * eta)
        with batch_statistics(self.net):
            return F.cross_entropy(self.net(self.x), self.y).item()


def filter_normalised(W: Tensor, rng: torch.Generator) -> Tensor:
    """A random direction for weights W (filters, …): d_i ‖W_i‖ / ‖d_i‖ for each filter i."""
    d = torch.randn(W.shape, generator=rng).to(W.device)
    axes = tuple(range(1, W.dim()))
    length, drawn = (torch.linalg.vector_norm(each, dim=axes, keepdim=True) for each in (W, d))
    direction: Tensor = d * length / drawn
    return direction
