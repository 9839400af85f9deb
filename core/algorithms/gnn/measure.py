"""What is measured on the way, on a schedule of steps: losses and scores of the three parts, and how smooth a graph is.

Smoothness says how alike joined nodes, and any two nodes, have become from layer to layer; both figures are relative to
the length of what a layer says, so that small weights alone do not count as smooth.

- C. Cai, Y. Wang. A note on over-smoothing for graph neural networks. 2020: the Dirichlet energy, definition 3.1.
"""

import math
from collections.abc import Iterator

import scipy.sparse
import torch
from torch import Tensor

from core.algorithms.gnn.diagnoses import DIAGNOSE_EVERY, DIAGNOSES, Evaluation, Evidence
from core.algorithms.gnn.model import Edges
from core.algorithms.gnn.state import Chosen, State
from core.events import Event, Note, Scalars
from core.experiment import Diverged
from core.metrics import newly_diagnosed

#: Up to this step every one is told; then every second, from twice as many on every fourth, and so on.
DENSE = 512
#: Graphs are looked at all together, which takes longer than an update on a batch of them.
APART = 8


def told(state: State) -> bool:
    """Whether anything is told after ``state.step`` updates: by the count of steps alone."""
    spacing = 1 << max(0, state.step.bit_length() - DENSE.bit_length() + 1)
    return state.step % max(spacing, APART if state.config.task == "graphs" else 1) == 0


def report(state: State) -> Iterator[Event]:
    """What is to be told after ``state.step`` updates.

    Raises:
        Diverged: the loss is no longer a number.
    """
    seen, score = state.look(), state.task.score
    values = dict(seen.values)
    if not math.isfinite(values["train/loss"]):
        raise Diverged(f"the training loss is {values['train/loss']}")
    reached, loss = values[f"val/{score}"], values["val/loss"]
    if (reached, -loss) > (state.chosen.score, -state.chosen.loss):
        state.chosen = Chosen(state.step, reached, loss, values[f"test/{score}"])
    values[f"chosen/{score}"] = state.chosen.test
    inner = seen.hidden[:-1] or seen.hidden
    distance = pairwise_distance(inner[-1])
    yield Scalars(state.step, values)
    if state.history and state.history[-1].step == state.step:
        state.history.pop()  # a training that is taken up again at this step looks anew
    found = Evaluation(state.step, values["train/loss"], values["val/loss"], values[f"train/{score}"], distance)
    state.history.append(found)
    if len(state.history) % DIAGNOSE_EVERY == 1:
        deep = state.graph is not None and state.config.depth > 2 and state.config.model != "mlp"
        for diagnosis, reasons in newly_diagnosed(DIAGNOSES, Evidence(state.history, deep), state.active).items():
            yield Note(state.step, diagnosis, reasons)


def dirichlet_energy(h: Tensor, edges: Edges) -> float:
    """How much joined nodes differ, as a share of the length of what is said: tr(Hᵀ (I − Â) H) / ‖H‖², in [0, 2).

    Args:
        h: what a layer says, or the features, (n, units); may be sparse by rows.
    """
    if h.layout == torch.sparse_csr:
        return _sparse_energy(h, edges)
    i, j = edges.looped
    mixed = torch.zeros_like(h).index_add(0, j, h[i] * edges.weight[:, None])  # Â H
    return float((h * (h - mixed)).sum() / h.square().sum().clamp_min(1e-30))


def _sparse_energy(x: Tensor, edges: Edges) -> float:
    """The same without making a dense matrix of what is mixed: 1 − Σ Â_ij x_i · x_j / ‖X‖²."""
    n = x.shape[0]
    parts = (x.values(), x.col_indices(), x.crow_indices())
    X = scipy.sparse.csr_array(tuple(part.cpu().numpy() for part in parts), shape=tuple(x.shape))
    weight, (i, j) = edges.weight.cpu().numpy(), edges.looped.cpu().numpy()
    hat = scipy.sparse.csr_array((weight, (j, i)), shape=(n, n))
    return float(1 - X.multiply(hat @ X).sum() / max(X.multiply(X).sum(), 1e-30))


def pairwise_distance(h: Tensor) -> float:
    """How far two nodes are apart on average, as a share of their length: the root of mean ‖h_i − h_j‖² / mean 2‖h‖².

    1 where nodes point anywhere, 0 where all say the same.
    """
    if h.layout == torch.sparse_csr:
        middle = h.values().new_zeros(h.shape[1]).index_add(0, h.col_indices(), h.values()) / h.shape[0]
        length = h.values().square().sum() / h.shape[0]
        return float(((length - middle.square().sum()).clamp_min(0) / length.clamp_min(1e-30)).sqrt())
    length = h.square().sum(dim=1).mean()
    apart = length - h.mean(dim=0).square().sum()
    return float((apart.clamp_min(0) / length.clamp_min(1e-30)).sqrt())
