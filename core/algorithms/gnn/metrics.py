"""What is measured on a schedule of steps: losses and scores of the three parts, and how smooth a graph is.

Smoothness is how alike joined nodes, and any two nodes, have become from layer to layer; both figures are relative to
the norm of a layer's output, so that small weights alone do not count as smooth.

- C. Cai, Y. Wang. A note on over-smoothing for graph neural networks. 2020: the Dirichlet energy, definition 3.1.
"""

import math
from collections.abc import Iterator

import scipy.sparse
import torch
from torch import Tensor

from core.algorithms.gnn.diagnoses import DIAGNOSE_EVERY, DIAGNOSES, Evaluation, Evidence
from core.algorithms.gnn.model import Edges
from core.algorithms.gnn.tasks import Evaluated
from core.algorithms.gnn.train import GNNTraining
from core.data import graphs_csv
from core.events import Event, Note, Scalars
from core.experiment import Diverged


@torch.no_grad()
def evaluate(s: GNNTraining) -> Evaluated:
    """Outputs for all the data with the present parameters. Called through ``s.cached_at_step``."""
    s.model.eval()
    try:
        return s.task.evaluate(s.model)
    finally:
        s.model.train()


def log_metrics(s: GNNTraining) -> Iterator[Event]:
    """Losses and scores of the three parts, the best epoch so far, and diagnoses.

    Raises:
        Diverged: the loss is not finite.
    """
    if s.step == 0 and s.config.data == "pasted" and s.graph is not None:
        yield from removed_edges(s)
    evaluated, score = s.cached_at_step(evaluate), s.task.score_name
    values = dict(evaluated.values)
    if not math.isfinite(values["train/loss"]):
        raise Diverged(f"the training loss is {values['train/loss']}")
    losses = values["train/loss"], values["val/loss"]
    scores = values[f"train/{score}"], values[f"val/{score}"], values[f"test/{score}"]
    s.history.append(Evaluation(s.step, *losses, *scores, pairwise_distance(evaluated.representation)))
    values[f"chosen/{score}"] = s.chosen_epoch.test_score
    yield Scalars(s.step, values)
    if len(s.history) % DIAGNOSE_EVERY == 1:
        deep = s.graph is not None and s.config.depth > 2 and s.config.model != "mlp"
        yield from s.diagnose(DIAGNOSES, Evidence(s.history, deep))


def removed_edges(s: GNNTraining) -> Iterator[Event]:
    """A note of what was left out of a person's edges."""
    found = graphs_csv.parse(s.config.edge_list, s.config.node_table)
    if found.loops or found.doubles:
        yield Note(0, "tidied", {"loops": found.loops, "doubles": found.doubles, "edges": found.edges.shape[1]})


def dirichlet_energy(h: Tensor, edges: Edges) -> float:
    """How much joined nodes differ, as a share of the squared norm: tr(Hᵀ (I − Â) H) / ‖H‖², in [0, 2).

    Args:
        h: a layer's output, or the features, (n, units); may be sparse by rows.
    """
    if h.layout == torch.sparse_csr:
        return _sparse_energy(h, edges)
    i, j = edges.edge_index_with_loops
    mixed = torch.zeros_like(h).index_add(0, j, h[i] * edges.edge_weight[:, None])  # Â H
    return float((h * (h - mixed)).sum() / h.square().sum().clamp_min(1e-30))


def _sparse_energy(x: Tensor, edges: Edges) -> float:
    """The same without making a dense matrix of what is mixed: 1 − Σ Â_ij x_i · x_j / ‖X‖²."""
    n = x.shape[0]
    parts = (x.values(), x.col_indices(), x.crow_indices())
    X = scipy.sparse.csr_array(tuple(part.cpu().numpy() for part in parts), shape=tuple(x.shape))
    weight, (i, j) = edges.edge_weight.cpu().numpy(), edges.edge_index_with_loops.cpu().numpy()
    hat = scipy.sparse.csr_array((weight, (j, i)), shape=(n, n))
    return float(1 - X.multiply(hat @ X).sum() / max(X.multiply(X).sum(), 1e-30))


def pairwise_distance(h: Tensor) -> float:
    """How far two nodes are apart on average, as a share of their length: the root of mean ‖h_i − h_j‖² / mean 2‖h‖².

    1 where nodes point anywhere, 0 where all are the same.
    """
    if h.layout == torch.sparse_csr:
        middle = h.values().new_zeros(h.shape[1]).index_add(0, h.col_indices(), h.values()) / h.shape[0]
        length = h.values().square().sum() / h.shape[0]
        return float(((length - middle.square().sum()).clamp_min(0) / length.clamp_min(1e-30)).sqrt())
    length = h.square().sum(dim=1).mean()
    apart = length - h.mean(dim=0).square().sum()
    return float((apart.clamp_min(0) / length.clamp_min(1e-30)).sqrt())
