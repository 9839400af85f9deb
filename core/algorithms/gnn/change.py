"""Change the graph under a trained network, and see what it then says: before and after.

The network stays as it was trained. An edge that comes or goes changes how messages flow, and with it the degrees that
weigh them; a node without its features has nothing to say but what it hears.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from core.algorithms.gnn.asked import Change
from core.algorithms.gnn.model import Edges
from core.algorithms.gnn.observe import heard, hops_from, lines, reach, scenery_of
from core.algorithms.gnn.state import State
from core.algorithms.gnn.tasks import NodeTask
from core.events import Array, Event, Snapshot

#: Nothing is chosen.
NOBODY = -1


class Bench:
    """A graph that is being changed.

    Attributes:
        cursor, chosen: places among the drawn nodes; the second may be nobody.
        turned: pairs (lower first) that are joined now and were not, or the other way round.
        mute: nodes whose features are taken away.
    """

    def __init__(self, state: State) -> None:
        assert isinstance(state.task, NodeTask)
        self.state, self.task, self.scenery = state, state.task, scenery_of(state)
        self.joined = {(int(u), int(v)) for u, v in state.task.graph.edges.T}
        self.cursor, self.chosen = 0, NOBODY
        self.restore()
        self.before = self.said()

    def restore(self) -> None:
        self.turned: set[tuple[int, int]] = set()
        self.mute: set[int] = set()

    def touch(self, asked: Change) -> None:
        """Do what is asked."""
        k = len(self.scenery.shown)
        if asked.act == "restore":
            self.restore()
        elif asked.act in ("next", "back"):
            self.cursor = (self.cursor + (1 if asked.act == "next" else -1)) % k
        elif asked.act == "feature":
            node = self.chosen if self.chosen != NOBODY else self.cursor
            self.mute ^= {int(self.scenery.shown[node])}
        elif asked.act == "take" or 0 <= asked.node < k:
            self.cursor = self.cursor if asked.act == "take" else asked.node
            self._take()

    def _take(self) -> None:
        """The first node that is taken is chosen; the next is joined to it or parted from it; itself lets go."""
        if self.chosen in (NOBODY, self.cursor):
            self.chosen = NOBODY if self.chosen == self.cursor else self.cursor
            return
        u, v = sorted(int(self.scenery.shown[i]) for i in (self.chosen, self.cursor))
        self.turned ^= {(u, v)}

    def pairs(self) -> list[tuple[int, int]]:
        """Edges as they are now."""
        return sorted(self.joined ^ self.turned)

    @torch.no_grad()
    def said(self) -> Array:
        """Probability of each class for every node, float32 (n, classes)."""
        pairs = torch.tensor(self.pairs(), dtype=torch.int64, device=self.state.device).reshape(-1, 2).T
        x = self.task.x
        if self.mute:
            x = muted(x, sorted(self.mute))
        self.state.model.eval()
        out = self.state.model(x, Edges.of(pairs.contiguous(), self.task.graph.n))
        found: Array = out.softmax(dim=1).cpu().numpy()
        return found

    def arrays(self) -> dict[str, Array]:
        """The picture: guesses before and after, and what was changed."""
        after, shown = self.said(), self.scenery.shown
        place_of = {int(node): i for i, node in enumerate(shown)}
        arrays = {
            "before": self.before[shown].argmax(axis=1).astype(np.uint8),
            "after": after[shown].argmax(axis=1).astype(np.uint8),
            "moved": np.array([int((after.argmax(axis=1) != self.before.argmax(axis=1)).sum())], np.int32),
            "at": np.array([self.cursor, self.chosen], np.int32),
            "mute": np.array([place_of[node] for node in sorted(self.mute)], np.int32),
        }
        node = int(shown[self.chosen if self.chosen != NOBODY else self.cursor])
        arrays["shares"] = np.stack([self.before[node], after[node]]).astype(np.float32)
        for name, turned in (("added", self.turned - self.joined), ("removed", self.turned & self.joined)):
            ends = np.array([[place_of[u], place_of[v]] for u, v in sorted(turned)], np.int64).reshape(-1, 2).T
            arrays[f"{name}_x"], arrays[f"{name}_y"] = lines(self.scenery.place, ends)
        return arrays


def muted(x: Tensor, nodes: list[int]) -> Tensor:
    """Features (n, d), dense or sparse by rows, with those of some nodes all 0."""
    silent = torch.zeros(x.shape[0], dtype=torch.bool, device=x.device)
    silent[nodes] = True
    if x.layout != torch.sparse_csr:
        return x.masked_fill(silent[:, None], 0)
    starts = x.crow_indices()
    row = torch.repeat_interleave(torch.arange(x.shape[0], device=x.device), starts[1:] - starts[:-1])
    parts = starts, x.col_indices(), x.values().masked_fill(silent[row], 0)
    return torch.sparse_csr_tensor(*parts, x.shape, check_invariants=False)  # only the values are new


def probe(state: State, name: str, requests: Iterator[Change]) -> Iterator[Event]:
    """Change the graph, or ask whom a node hears, until the person leaves."""
    if name == "reach":
        yield from reached(state, name, requests)
        return
    bench = Bench(state)
    for asked in requests:
        bench.touch(asked)
        yield Snapshot(state.step, name, bench.arrays())


def reached(state: State, name: str, requests: Iterator[Change]) -> Iterator[Event]:
    """The receptive field of the node that is clicked, or walked to."""
    shown = scenery_of(state).shown
    at = int(np.abs(shown - state.config.node).argmin())
    for asked in requests:
        if asked.act in ("next", "back"):
            at = (at + (1 if asked.act == "next" else -1)) % len(shown)
        elif 0 <= asked.node < len(shown):
            at = asked.node
        node = int(shown[at])
        yield Snapshot(state.step, name, heard(hops_from(state, node), shown, node, reach(state)))
