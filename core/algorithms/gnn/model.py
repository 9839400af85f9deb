"""Graph networks: in each layer every node receives messages from its neighbours, so L layers reach over L edges.

A layer transforms the features and mixes those of neighbours; the papers differ in how they mix: by degree (GCN), as a
mean beside the node itself (GraphSAGE), by attention that is learned (GAT), or as a sum, which forgets nothing (GIN).
Too many layers mix until all nodes have the same output, which is called over-smoothing; the remedies are here as well.

- T. N. Kipf, M. Welling. Semi-supervised classification with graph convolutional networks. ICLR 2017: the layer
  H' = σ(D̃^-1/2 (A + I) D̃^-1/2 H W), eq. 2; the network of two of them, eq. 9.
- W. L. Hamilton, R. Ying, J. Leskovec. Inductive representation learning on large graphs. NeurIPS 2017: algorithm 1.
- P. Veličković et al. Graph attention networks. ICLR 2018: attention, eq. 3; heads side by side, eq. 5; the last layer
  has one head, so that the mean of eq. 6 is that head.
- K. Xu, W. Hu, J. Leskovec, S. Jegelka. How powerful are graph neural networks? ICLR 2019: eq. 4.1; readout, eq. 4.2.
- K. Xu et al. Representation learning on graphs with jumping knowledge networks. ICML 2018: section 4, concatenation.
- L. Zhao, L. Akoglu. PairNorm: tackling oversmoothing in GNNs. ICLR 2020: eqs. 10, 11 (per node, "SI").

The layers are PyTorch Geometric's. Differs from the papers: GraphSAGE takes all neighbours instead of a sample of them
and does not scale each node's output to length 1 (algorithm 1, line 7); GraphSAGE and GIN, which mix before they
transform, first pass sparse features through a linear layer, for the sparse matrix would be dense after mixing; GIN has
no batch norm, and its readout takes the last layer alone instead of all (eq. 4.2). PairNorm centres over all nodes of
the batch: where whole graphs are classified, a graph's output depends on the others of its batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn import (
    GATConv,
    GCNConv,
    GINConv,
    JumpingKnowledge,
    PairNorm,
    SAGEConv,
    global_add_pool,
    global_max_pool,
    global_mean_pool,
)
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from core.algorithms.gnn.config import GNNConfig

_READOUT = {"mean": global_mean_pool, "max": global_max_pool, "sum": global_add_pool}
#: Layers that mix before they transform.
_MIX_FIRST = ("sage", "gin")


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges as the layers take them.

    Attributes:
        edge_index: (2, 2m), each edge in both directions.
        edge_index_with_loops: (2, 2m + n), and each node joined to itself.
        edge_weight: (2m + n,) of ``edge_index_with_loops``: 1/sqrt(d̃_i d̃_j), the entries of D̃^-1/2 (A + I) D̃^-1/2.
    """

    edge_index: Tensor
    edge_index_with_loops: Tensor
    edge_weight: Tensor

    @classmethod
    def of(cls, pairs: Tensor, n: int) -> "Edges":
        """Those of undirected ``pairs`` (2, m), each given once, on ``n`` nodes."""
        edge_index = torch.cat([pairs, pairs.flip(0)], dim=1)  # (2, 2m)
        edge_index_with_loops, edge_weight = gcn_norm(edge_index, None, n)
        return cls(edge_index, edge_index_with_loops, cast(Tensor, edge_weight))

    @property
    def pairs(self) -> Tensor:
        """Each edge once, (2, m)."""
        return self.edge_index[:, : self.edge_index.shape[1] // 2]


class Dropout(nn.Module):
    """Dropout by a generator of its own, whose state is part of a checkpoint.

    Attributes:
        p: chance of an entry to be zeroed in training.
    """

    def __init__(self, p: float, generator: torch.Generator) -> None:
        super().__init__()
        self.p, self.generator = p, generator

    def forward(self, x: Tensor) -> Tensor:
        """``x`` with entries zeroed and the others scaled up, so that the expected value stays.

        Of a sparse matrix only the entries that are there are drawn: the others are 0 either way.
        """
        if not self.training or self.p == 0:
            return x
        if x.layout == torch.sparse_csr:
            parts = x.crow_indices(), x.col_indices(), self.forward(x.values())
            return torch.sparse_csr_tensor(*parts, x.shape, check_invariants=False)  # only the values are new
        kept = torch.rand(x.shape, generator=self.generator, device=x.device) >= self.p
        return x * kept / (1 - self.p)


class Attention(GATConv):  # type: ignore[misc]
    """PyG's layer with its dropout drawn by our generator; keeps the attention of the last evaluation as ``alpha``."""

    def __init__(self, in_channels: int, units: int, heads: int, dropout: Dropout, *, concat: bool) -> None:
        super().__init__(in_channels, units, heads, concat=concat, add_self_loops=False)
        self.alpha_dropout = dropout  # PyG's own "dropout" is a number
        self.alpha: Tensor | None = None

    def edge_update(  # type: ignore[no-untyped-def]
        self, alpha_j: Tensor, alpha_i, edge_attr, index: Tensor, ptr, dim_size
    ) -> Tensor:
        alpha = super().edge_update(alpha_j, alpha_i, edge_attr, index, ptr, dim_size)
        if not self.training:
            self.alpha = alpha.detach()
        return cast(Tensor, self.alpha_dropout(alpha))


class GNN(nn.Module):
    """features -> layers, each followed by remedy, activation and dropout -> logits.

    Args:
        in_channels: features of a node.
        out_channels: classes, or units of a node's embedding for links.
        sparse: whether the features are a sparse matrix.
        generator: draws the dropout masks.
    """

    def __init__(
        self,
        config: GNNConfig,
        in_channels: int,
        out_channels: int,
        generator: torch.Generator,
        *,
        sparse: bool = False,
    ) -> None:
        super().__init__()
        self.kind, self.remedy = config.model, config.remedy
        self.dropout = Dropout(config.dropout, generator)
        width = config.hidden * (config.heads if config.model == "gat" else 1)
        self.input_projection: nn.Module | None = None
        if sparse and config.model in _MIX_FIRST:
            self.input_projection = nn.Linear(in_channels, width, bias=False)
            in_channels = width
        # The last layer is the classifier itself, as in the papers, unless a head follows.
        has_head = config.task == "graphs" or config.remedy == "jumping"
        self.layers = nn.ModuleList()
        for i in range(config.depth):
            last = i == config.depth - 1 and not has_head
            widths = in_channels if i == 0 else width, out_channels if last else width
            self.layers.append(self._layer(config, *widths, last))
        self.norm = PairNorm(scale_individually=True) if config.remedy == "pairnorm" else None
        self.jump = JumpingKnowledge("cat") if config.remedy == "jumping" else None
        self.readout = _READOUT[config.readout]
        read_width = width * config.depth if config.remedy == "jumping" else width
        self.head = nn.Linear(read_width, out_channels) if has_head else None
        self.act: Callable[[Tensor], Tensor] = F.elu if config.model == "gat" else F.relu

    def _layer(self, config: GNNConfig, in_channels: int, out_channels: int, last: bool) -> Any:
        match config.model:
            case "gcn":
                return GCNConv(in_channels, out_channels, normalize=False, add_self_loops=False)  # Edges has done both
            case "sage":
                return SAGEConv(in_channels, out_channels, aggr=config.aggregation)
            case "gat":
                heads = 1 if last else config.heads
                return Attention(in_channels, out_channels // heads, heads, self.dropout, concat=not last)
            case "gin":
                inner = nn.Sequential(
                    nn.Linear(in_channels, config.hidden), nn.ReLU(), nn.Linear(config.hidden, out_channels)
                )
                return GINConv(inner, train_eps=True)
        return nn.Linear(in_channels, out_channels)

    def _propagate(self, layer: Any, x: Tensor, edges: Edges) -> Tensor:
        """One layer: (n, its inputs) -> (n, its outputs)."""
        match self.kind:
            case "mlp":
                out = layer(x)
            case "gcn":
                out = layer(x, edges.edge_index_with_loops, edges.edge_weight)
            case "gat":
                out = layer(x, edges.edge_index_with_loops)
            case _:
                out = layer(x, edges.edge_index)
        return cast(Tensor, out)

    def forward(self, x: Tensor, edges: Edges, batch: Tensor | None = None, num_graphs: int = 0) -> Tensor:
        """Logits (n, out_channels); for whole graphs (num_graphs, out_channels).

        Args:
            x: features (n, in_channels), dense or sparse by rows.
            batch: for whole graphs, the number of each node's graph, (n,).
        """
        return self.logits(self.layer_outputs(x, edges), batch, num_graphs)

    def layer_outputs(self, x: Tensor, edges: Edges) -> list[Tensor]:
        """Output of each layer, (n, its units), for features ``x`` (n, in_channels)."""
        if self.input_projection is not None:
            x = self.input_projection(self.dropout(x))
        outputs: list[Tensor] = []
        for i, layer in enumerate(self.layers):
            # What the projection takes has had its dropout.
            inputs = x if i == 0 and self.input_projection is not None else self.dropout(x)
            z = self._propagate(layer, inputs, edges)
            if i < len(self.layers) - 1 or self.head is not None:
                if self.norm is not None:
                    z = self.norm(z)
                z = self.act(z)
                if self.remedy == "residual" and z.shape == x.shape and x.layout == torch.strided:
                    z = x + z
            outputs.append(z)
            x = z
        return outputs

    def logits(self, outputs: list[Tensor], batch: Tensor | None = None, num_graphs: int = 0) -> Tensor:
        """Logits from the outputs of the layers; arguments and shape as for :meth:`forward`."""
        x = outputs[-1] if self.jump is None else self.jump(outputs)  # (n, read_width)
        if batch is not None:
            x = self.readout(x, batch, num_graphs)  # (num_graphs, read_width)
        return x if self.head is None else cast(Tensor, self.head(self.dropout(x)))

    def attention(self) -> list[Tensor]:
        """Attention over ``edge_index_with_loops`` in the last evaluation, (2m + n, heads) for each layer."""
        return [layer.alpha for layer in self.layers if isinstance(layer, Attention) and layer.alpha is not None]

    @property
    def first_layer(self) -> list[nn.Parameter]:
        """Parameters of the first layer, the one that the features enter."""
        return list((self.input_projection or self.layers[0]).parameters())


def link_scores(z: Tensor, pairs: Tensor) -> Tensor:
    """Logits (k,) that each pair is joined: z_u · z_v (T. N. Kipf, M. Welling. Variational graph auto-encoders. 2016,
    eq. 2), for embeddings ``z`` (n, d) and ``pairs`` (2, k)."""
    return (z[pairs[0]] * z[pairs[1]]).sum(dim=1)
