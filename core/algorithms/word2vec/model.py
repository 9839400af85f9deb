"""Skip-gram with negative sampling, written out: two vectors a word, one as a centre and one as a neighbour.

T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean. Distributed representations of words and phrases and their
compositionality. NeurIPS 2013. A centre word w_I and a true neighbour w_O are pulled together, w_I and k random words
are pushed apart; equation 4, with v the vectors of centres (E) and v' those of neighbours (O):

    log σ(v'_{w_O} · v_{w_I}) + Σ_i log σ(−v'_{w_i} · v_{w_I})

The paper makes a step for each pair; here a batch of pairs sees the same vectors and its steps are added up. A random
word that happens to be the true neighbour is left out, as in the authors' program.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def scores(E: Tensor, O: Tensor, centre: Tensor, targets: Tensor) -> Tensor:  # noqa: E741
    """v'_w · v_{w_I} for each target w.

    Args:
        E, O: (V, N).
        centre: int64 (B,). targets: int64 (B, 1 + k), the true neighbour first.

    Returns:
        (B, 1 + k).
    """
    return torch.einsum("bn,bkn->bk", E[centre], O[targets])


def loss(E: Tensor, O: Tensor, centre: Tensor, targets: Tensor) -> Tensor:  # noqa: E741
    """Equation 4 with its sign turned, of each pair: (B,)."""
    s, sign, counts = scores(E, O, centre, targets), _signs(targets, E.dtype), _counting(targets)
    return -(F.logsigmoid(sign * s) * counts).sum(dim=1)


def gradients(E: Tensor, O: Tensor, centre: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # noqa: E741
    """The derivatives of each pair's loss: by v_{w_I}, (B, N); by each v'_w, (B, 1 + k, N); by each score, (B, 1 + k).

    With g = σ(score) − 1 for the true neighbour and σ(score) for a random word they are Σ g·v' and g·v.
    """
    v, v_out = E[centre], O[targets]
    s = torch.einsum("bn,bkn->bk", v, v_out)
    truth = (_signs(targets, E.dtype) + 1) / 2
    g = (torch.sigmoid(s) - truth) * _counting(targets)
    return torch.einsum("bk,bkn->bn", g, v_out), g[:, :, None] * v[:, None, :], g


def descend(E: Tensor, O: Tensor, centre: Tensor, targets: Tensor, rate: float) -> Tensor:  # noqa: E741
    """One step down the sum of the pairs' losses, in place; only rows that occur are touched. Returns dL/dscore."""
    by_centre, by_target, g = gradients(E, O, centre, targets)
    E.index_add_(0, centre, by_centre, alpha=-rate)
    O.index_add_(0, targets.reshape(-1), by_target.reshape(-1, O.shape[1]), alpha=-rate)  # (B·(1 + k), N)
    return g


def initial(words: int, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """E uniform in ±1/(2N), O zero, as the authors' program begins."""
    return (torch.rand((words, size), generator=generator) - 0.5) / size, torch.zeros(words, size)


def _signs(targets: Tensor, dtype: torch.dtype) -> Tensor:
    """+1 for the true neighbour, −1 for the random words: (1 + k,)."""
    sign = torch.full((targets.shape[1],), -1.0, dtype=dtype, device=targets.device)
    sign[0] = 1.0
    return sign


def _counting(targets: Tensor) -> Tensor:
    """False where a random word is the true neighbour: (B, 1 + k)."""
    counts = targets != targets[:, :1]
    counts[:, 0] = True
    return counts
