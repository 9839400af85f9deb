"""Skip-gram with negative sampling: two vectors a word, one as a centre and one as a neighbour.

T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean. Distributed representations of words and phrases and their
compositionality. NeurIPS 2013. A centre word w_I and a true neighbour w_O are pulled together, w_I and k random words
are pushed apart; equation 4, with v the vectors of centres (W_in) and v' those of neighbours (W_out):

    log σ(v'_{w_O} · v_{w_I}) + Σ_i log σ(−v'_{w_i} · v_{w_I})

Random words come with probability ∝ count^(3/4) (section 2.2); frequent words are left out at random (section 2.3).

Differs from the paper: it makes a step for each pair, here a batch of pairs sees the same vectors and its steps are
added up. As in the authors' program, a random word that happens to be the true neighbour is left out, and the
probability to keep a word is another formula than equation 5. gensim does both as well.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.algorithms.word2vec.config import Word2VecConfig
from core.events import Array


def scores(W_in: Tensor, W_out: Tensor, centre: Tensor, targets: Tensor) -> Tensor:
    """v'_w · v_{w_I} for each target w.

    Args:
        W_in, W_out: (V, N).
        centre: int64 (B,). targets: int64 (B, 1 + k), the true neighbour first.

    Returns:
        (B, 1 + k).
    """
    return torch.einsum("bn,bkn->bk", W_in[centre], W_out[targets])


def loss(W_in: Tensor, W_out: Tensor, centre: Tensor, targets: Tensor) -> Tensor:
    """Equation 4 negated, of each pair: (B,). A step needs only its derivatives, :func:`gradients`."""
    s = scores(W_in, W_out, centre, targets)  # (B, 1 + k)
    return -(F.logsigmoid(_signs(s) * s) * _mask(targets)).sum(dim=1)


def gradients(W_in: Tensor, W_out: Tensor, centre: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The derivatives of each pair's loss: by v_{w_I}, (B, N); by each v'_w, (B, 1 + k, N); by each score, (B, 1 + k).

    With g = σ(score) − 1 for the true neighbour and σ(score) for a random word they are Σ g·v' and g·v.
    """
    v, v_out = W_in[centre], W_out[targets]  # (B, N), (B, 1 + k, N)
    s = scores(W_in, W_out, centre, targets)
    label = (_signs(s) + 1) / 2  # 1 for the true neighbour, 0 for the random words
    g = (torch.sigmoid(s) - label) * _mask(targets)  # (B, 1 + k)
    return torch.einsum("bk,bkn->bn", g, v_out), g[:, :, None] * v[:, None, :], g


def sgd_step(W_in: Tensor, W_out: Tensor, centre: Tensor, targets: Tensor, lr: float) -> Tensor:
    """One step down the sum of the pairs' losses, in place; only rows that occur change. Returns dL/dscore."""
    by_centre, by_target, g = gradients(W_in, W_out, centre, targets)
    W_in.index_add_(0, centre, by_centre, alpha=-lr)
    W_out.index_add_(0, targets.reshape(-1), by_target.reshape(-1, W_out.shape[1]), alpha=-lr)  # (B·(1 + k), N)
    return g


def init_matrices(words: int, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """W_in uniform in ±1/(2N), W_out zero, as the authors' program begins; each (V, N)."""
    return (torch.rand((words, size), generator=generator) - 0.5) / size, torch.zeros(words, size)


def noise_distribution(counts: Array, exponent: float) -> Array:
    """P_n(w) ∝ count^exponent, float64 (V,): how often each word is drawn as a negative."""
    weight = counts.astype(np.float64) ** exponent
    share: Array = weight / weight.sum()
    return share


def keep_probability(counts: Array, sample: float) -> Array:
    """Probability that each word is kept where it occurs, float64 (V,): (√(f/t) + 1)·t/f, at most 1, f its share.

    Args:
        sample: the threshold t; 0 keeps everything.
    """
    if not sample:
        return np.ones(len(counts))
    ratio = sample * counts.sum() / counts.astype(np.float64)
    probability: Array = np.minimum(np.sqrt(ratio) + ratio, 1.0)
    return probability


def learning_rate(config: Word2VecConfig, epochs: float) -> float:
    """The rate after ``epochs`` passes: it falls evenly from ``lr`` to ``lr_end`` over the whole run."""
    return max(config.lr_end, config.lr - (config.lr - config.lr_end) * (epochs / config.epochs))


def _signs(scores: Tensor) -> Tensor:
    """+1 for the true neighbour, −1 for the random words: (B, 1 + k)."""
    sign = -torch.ones_like(scores)
    sign[:, 0] = 1
    return sign


def _mask(targets: Tensor) -> Tensor:
    """False where a random word is the true neighbour: (B, 1 + k)."""
    counts = targets != targets[:, :1]
    counts[:, 0] = True
    return counts
