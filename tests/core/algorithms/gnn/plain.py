"""Cora by a GCN as PyTorch Geometric's own example has it (``examples/gcn.py``): Tenfold's is measured by it.

``python -m tests.core.algorithms.gnn.plain`` runs both in turns, after a warm-up, and prints the seconds and the
processor time of each, without the reading of the data. It is no test: times are not asserted.
"""

import time

import torch
from torch.nn import functional as F
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv
from torch_geometric.utils import index_to_mask, to_undirected

from core.algorithms.gnn.tasks import PARTS
from core.data.graphs import Graph
from core.data.planetoid import planetoid

EPOCHS = 200


class GCN(torch.nn.Module):
    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = GCNConv(inputs, hidden, cached=True)
        self.conv2 = GCNConv(hidden, outputs, cached=True)

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        x = F.dropout(x, p=0.5, training=self.training)
        x = self.conv1(x, edge_index).relu()
        x = F.dropout(x, p=0.5, training=self.training)
        return self.conv2(x, edge_index)


def plain(data, seed: int) -> float:
    """Test accuracy of the epoch that validation chose."""
    torch.manual_seed(seed)
    model = GCN(data.num_features, 16, int(data.y.max()) + 1)
    optimizer = torch.optim.Adam(
        [{"params": model.conv1.parameters(), "weight_decay": 5e-4}, {"params": model.conv2.parameters()}], lr=0.01
    )
    best = chosen = 0.0
    for _ in range(EPOCHS):
        model.train()
        optimizer.zero_grad()
        out = model(data.x, data.edge_index)
        F.cross_entropy(out[data.train_mask], data.y[data.train_mask]).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            pred = model(data.x, data.edge_index).argmax(dim=-1)
        val, test = (float((pred[mask] == data.y[mask]).float().mean()) for mask in (data.val_mask, data.test_mask))
        if val > best:
            best, chosen = val, test
    return chosen


def ours(seed: int) -> float:
    from tests.core.algorithms.gnn.training import run, start

    return run(start({"data": "cora", "seed": seed}), EPOCHS).last("chosen/accuracy")


def as_pyg_has_it(graph: Graph) -> Data:
    """The graph as ``Planetoid`` with ``NormalizeFeatures`` gives it."""
    masks = {f"{part}_mask": index_to_mask(torch.from_numpy(getattr(graph, part)), graph.n) for part in PARTS}
    edges = to_undirected(torch.from_numpy(graph.edges))
    return Data(x=torch.from_numpy(graph.x.dense()), edge_index=edges, y=torch.from_numpy(graph.y), **masks)


if __name__ == "__main__":
    torch.set_num_threads(1)
    ours(0)
    cora = as_pyg_has_it(planetoid("cora"))
    plain(cora, 0)
    for seed in (1, 2, 3):
        for name, train in (("PyG's example", lambda seed: plain(cora, seed)), ("Tenfold", ours)):
            began, used = time.perf_counter(), time.process_time()
            reached = train(seed)
            print(
                f"{name}: {time.perf_counter() - began:.2f} s, processor {time.process_time() - used:.2f} s, "
                f"test accuracy {reached:.3f}",
                flush=True,
            )
