"""The layers against the formulas of their papers, written out densely; and what no graph network may depend on."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from core.algorithms.gnn.config import GNNConfig
from core.algorithms.gnn.metrics import dirichlet_energy, pairwise_distance
from core.algorithms.gnn.model import GNN, Dropout, Edges, link_scores
from core.algorithms.gnn.tasks import auc, drop_edges

KINDS = ("gcn", "sage", "gat", "gin", "mlp")
N = 12


def graph(seed: int = 0, n: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    """(A, pairs): a random graph with at least one node that has no edge."""
    draw = torch.Generator().manual_seed(seed)
    A = torch.triu((torch.rand(n, n, generator=draw) < 0.3).double(), 1)
    A[:, -1] = A[-1] = 0
    pairs = A.nonzero().T
    return A + A.T, pairs


def network(sparse: bool = False, **settings) -> GNN:
    torch.manual_seed(1)
    model = GNN(GNNConfig(**settings), 5, 3, torch.Generator().manual_seed(2), sparse=sparse).double()
    for p in model.parameters():  # biases begin as 0, which would hide them
        p.data += 0.1 * torch.randn(p.shape, dtype=torch.float64)
    return model.eval()


def edges_of(pairs: torch.Tensor, n: int = N) -> Edges:
    edges = Edges.of(pairs, n)
    return Edges(edges.edge_index, edges.edge_index_with_loops, edges.edge_weight.double())


def x_of(seed: int = 3) -> torch.Tensor:
    return torch.randn(N, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_gcn_layer_is_the_dense_formula():
    """Kipf & Welling, eq. 2: D̃^-1/2 (A + I) D̃^-1/2 X W + b."""
    A, pairs = graph()
    loops = A + torch.eye(N, dtype=torch.float64)
    d = loops.sum(dim=1)
    hat = loops / (d[:, None] * d[None]).sqrt()
    model, X = network(depth=1, model="gcn"), x_of()
    layer = model.layers[0]
    edges = Edges.of(pairs, N)
    dense = hat @ X @ layer.lin.weight.T + layer.bias
    assert (model(X, edges_of(pairs)) - dense).abs().max() < 1e-6
    looped = torch.zeros(N, N)
    looped[edges.edge_index_with_loops[1], edges.edge_index_with_loops[0]] = edges.edge_weight
    assert (looped - hat).abs().max() < 1e-6


@pytest.mark.parametrize("how", ["mean", "max", "sum"])
def test_a_graphsage_layer_joins_itself_to_its_neighbours(how):
    A, pairs = graph()
    model, X = network(depth=1, model="sage", aggregation=how), x_of()
    layer = model.layers[0]
    pooled = torch.zeros_like(X)
    for i in range(N):
        rows = X[A[i] > 0]
        if len(rows):
            pooled[i] = {"mean": rows.mean(0), "max": rows.amax(0), "sum": rows.sum(0)}[how]
    dense = pooled @ layer.lin_l.weight.T + layer.lin_l.bias + X @ layer.lin_r.weight.T
    assert (model(X, edges_of(pairs)) - dense).abs().max() < 1e-9


def test_a_gat_layer_attends_as_in_its_paper():
    """Veličković et al., eqs. 1 to 3, one head, over the neighbours and the node itself."""
    A, pairs = graph()
    model, X = network(depth=1, model="gat"), x_of()
    layer = model.layers[0]
    H = X @ layer.lin.weight.T
    e = F.leaky_relu((H @ layer.att_dst[0, 0])[:, None] + (H @ layer.att_src[0, 0])[None], 0.2)
    alpha = e.masked_fill(A + torch.eye(N) == 0, -math.inf).softmax(dim=1)
    assert (model(X, edges_of(pairs)) - (alpha @ H + layer.bias)).abs().max() < 1e-9
    seen = torch.zeros(N, N, dtype=torch.float64)
    source, target = edges_of(pairs).edge_index_with_loops
    seen[target, source] = model.attention()[0][:, 0]
    assert (seen - alpha).abs().max() < 1e-9, "what is shown is the attention"


def test_a_gin_layer_sums():
    """Xu et al., eq. 4.1: MLP((1 + ε) x + Σ x_j)."""
    A, pairs = graph()
    model, X = network(depth=1, model="gin"), x_of()
    layer = model.layers[0]
    assert (model(X, edges_of(pairs)) - layer.nn((1 + layer.eps) * X + A @ X)).abs().max() < 1e-9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("remedy", ["none", "residual", "pairnorm", "jumping"])
def test_permuting_the_nodes_permutes_the_output(kind, remedy):
    _, pairs = graph()
    model, X = network(depth=3, model=kind, remedy=remedy, hidden=6, heads=2), x_of()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(5))
    back = order.argsort()
    moved = torch.sort(back[pairs], dim=0).values
    assert (model(X, edges_of(pairs))[order] - model(X[order], edges_of(moved))).abs().max() < 1e-9


def test_the_control_uses_no_edges_and_the_others_do():
    _, pairs = graph()
    X = x_of()
    none = torch.zeros((2, 0), dtype=torch.int64)
    for kind in KINDS:
        model = network(depth=2, model=kind)
        apart = (model(X, edges_of(pairs)) - model(X, edges_of(none))).abs().max()
        assert (apart == 0) == (kind == "mlp"), kind


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_messages_reach_as_many_edges_far_as_there_are_layers(depth):
    line = torch.stack([torch.arange(N - 1), torch.arange(1, N)])
    model, X = network(depth=depth, model="gcn"), x_of().requires_grad_()
    model(X, edges_of(line))[0].sum().backward()
    reached = X.grad.abs().sum(dim=1) > 0
    assert reached.tolist() == [i <= depth for i in range(N)]


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_features_give_what_dense_ones_give(kind):
    _, pairs = graph()
    model, X = network(sparse=True, depth=2, model=kind), x_of().relu()
    assert torch.allclose(model(X.to_sparse_csr(), edges_of(pairs)), model(X, edges_of(pairs)))


def test_dropout_of_sparse_features_keeps_the_mean_and_the_zeros():
    drop = Dropout(0.4, torch.Generator().manual_seed(0))
    X = (torch.rand(60, 50, generator=torch.Generator().manual_seed(1)) < 0.1).float()
    dropped = torch.stack([drop(X.to_sparse_csr()).to_dense() for _ in range(400)])
    assert (dropped[:, X == 0] == 0).all()
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
    assert (dropped.mean(dim=0)[X > 0] - 1).abs().mean() < 0.05


def test_edges_are_left_out_in_both_directions_and_weights_follow():
    _, pairs = graph()
    whole = Edges.of(pairs, N)
    some = drop_edges(whole, N, 0.5, torch.Generator().manual_seed(0))
    m = some.pairs.shape[1]
    assert 0 < m < pairs.shape[1] and torch.equal(whole.pairs, pairs)
    assert torch.equal(some.edge_index[:, :m], some.edge_index[:, m:].flip(0))
    B = torch.zeros(N, N)
    B[some.edge_index_with_loops[1], some.edge_index_with_loops[0]] = some.edge_weight
    loops = torch.zeros(N, N)
    loops[some.edge_index[1], some.edge_index[0]] = 1
    loops += torch.eye(N)
    d = loops.sum(dim=1)
    assert torch.allclose(B, loops / (d[:, None] * d[None]).sqrt())
    assert drop_edges(whole, N, 0.0, torch.Generator()) is whole


def test_area_under_the_curve_is_scikit_learns():
    rng = np.random.default_rng(0)
    for ties in (False, True):
        joined, apart = rng.normal(0.5, 1, 300), rng.normal(0, 1, 200)
        if ties:
            joined, apart = joined.round(), apart.round()
        truth = np.r_[np.ones(300), np.zeros(200)]
        assert auc(joined, apart) == pytest.approx(roc_auc_score(truth, np.r_[joined, apart]), abs=1e-12)


def test_links_are_scored_by_their_inner_product():
    z = torch.randn(4, 3)
    assert torch.allclose(link_scores(z, torch.tensor([[0, 1], [2, 3]])), torch.stack([z[0] @ z[2], z[1] @ z[3]]))


def test_dirichlet_energy_is_the_quadratic_form_and_falls_as_a_layer_mixes():
    A, pairs = graph()
    loops = A + torch.eye(N, dtype=torch.float64)
    d = loops.sum(dim=1)
    L = torch.eye(N, dtype=torch.float64) - loops / (d[:, None] * d[None]).sqrt()
    H = x_of()
    edges = edges_of(pairs)
    assert dirichlet_energy(H, edges) == pytest.approx(float((H.T @ L @ H).trace() / H.square().sum()), abs=1e-6)
    half = sum(
        float(((H[i] / d[i].sqrt() - H[j] / d[j].sqrt()) ** 2).sum()) for i, j in pairs.T.tolist()
    )  # Cai & Wang, definition 3.1
    assert dirichlet_energy(H, edges) == pytest.approx(half / float(H.square().sum()), abs=1e-6)
    X = H.relu()
    assert dirichlet_energy(X.to_sparse_csr(), edges) == pytest.approx(dirichlet_energy(X, edges), abs=1e-6)
    assert pairwise_distance(X.to_sparse_csr()) == pytest.approx(pairwise_distance(X), abs=1e-6)
    mixed = (torch.eye(N, dtype=torch.float64) - L) @ H
    assert dirichlet_energy(mixed, edges) < dirichlet_energy(H, edges)


def test_mean_distance_is_that_of_all_pairs():
    H = x_of()
    square = torch.cdist(H, H).square().mean()
    assert pairwise_distance(H) == pytest.approx(float((square / (2 * H.square().sum(1).mean())).sqrt()), abs=1e-9)
    assert pairwise_distance(torch.ones(5, 3)) == 0


def test_jumping_knowledge_reads_every_layer():
    model = network(depth=3, remedy="jumping", hidden=4)
    assert model.head.in_features == 12


def test_pairnorm_keeps_every_node_at_one_length():
    _, pairs = graph()
    model = network(depth=6, remedy="pairnorm", hidden=8)
    model.act = lambda x: x
    for output in model.layer_outputs(x_of(), edges_of(pairs))[:-1]:
        assert torch.allclose(output.norm(dim=1), torch.ones(N, dtype=torch.float64), atol=1e-3)


@pytest.mark.parametrize("how", ["mean", "max", "sum"])
def test_a_graph_is_read_from_its_own_nodes_alone(how):
    model = network(task="graphs", readout=how, depth=2, model="gin")
    _, pairs = graph()
    X = x_of()
    two = torch.cat([pairs, pairs + N], dim=1)
    member = torch.arange(2).repeat_interleave(N)
    alone = model(X, edges_of(pairs), torch.zeros(N, dtype=torch.int64), 1)
    both = model(torch.cat([X, 2 * X]), edges_of(two, 2 * N), member, 2)
    assert torch.allclose(alone[0], both[0])
    assert not torch.allclose(alone[0], both[1])
