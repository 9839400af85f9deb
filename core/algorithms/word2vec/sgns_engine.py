"""Skip-gram with negative sampling in PyTorch: draws pairs and negatives for the steps of ``model.py``.

An epoch's pairs are drawn at its beginning: words left out by chance (Mikolov et al. 2013, section 2.3), then for each
centre all words within its window, and the pairs are shuffled. All epochs have as many pairs as the first, so that the
number of steps is known beforehand.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.model import init_matrices, keep_probability, noise_distribution
from core.algorithms.word2vec.text import Text
from core.algorithms.word2vec.vocabulary import build_vocabulary
from core.events import Array
from core.training import generator, seed_of


class SGNSEngine:
    """Both matrices, and the pairs and negatives that they are trained on.

    Attributes:
        vocabulary: the words.
        steps_per_epoch: each step takes a batch of pairs.
        W_in, W_out: float32 (V, N), the vectors as centre and as neighbour.
        last_batch: centre (B,), targets (B, 1 + k) and dL/dscore (B, 1 + k) of the last step, where there was one.
        words_trained: pairs of the last step.
    """

    def __init__(self, config: Word2VecConfig, text: Text, device: str) -> None:
        self.config, self.device = config, torch.device(device)
        self.vocabulary = build_vocabulary(text.word_counts, config.min_count)
        index = self.vocabulary.index
        rows = [(index[w], i) for i, words in enumerate(text.corpus.sentences) for w in words if w in index]
        self._words, self._passage = np.array(rows, np.int64).reshape(-1, 2).T
        self._keep_probability = keep_probability(self.vocabulary.counts, config.sample)
        self._cumulative = np.cumsum(noise_distribution(self.vocabulary.counts, config.exponent))
        matrices = init_matrices(len(self.vocabulary), config.size, generator(config.seed, "vectors"))
        self.W_in, self.W_out = (matrix.to(self.device) for matrix in matrices)
        self._rng = np.random.default_rng(seed_of(config.seed, "negatives"))
        self._epoch, self._pairs = 0, self._draw_pairs(0)
        self._n_pairs = len(self._pairs)
        self.steps_per_epoch = max(1, -(-self._n_pairs // config.batch_size))
        self.last_batch: tuple[Array, Array, Array] | None = None
        self.words_trained = 0

    @property
    def vectors(self) -> Array:
        """Vectors of the words as centres, float32 (V, N)."""
        found: Array = self.W_in.cpu().numpy()
        return found

    @property
    def outputs(self) -> Array:
        """Vectors of the words as neighbours, float32 (V, N)."""
        found: Array = self.W_out.cpu().numpy()
        return found

    def next_pairs(self, epoch: int, batch: int) -> tuple[Tensor, Tensor]:
        """Centres and true neighbours of a batch of this epoch: int64 (B,) each."""
        if epoch != self._epoch:
            # Repeated or cut to the first epoch's number of pairs.
            self._epoch, self._pairs = epoch, np.resize(self._draw_pairs(epoch), (self._n_pairs, 2))
        pairs = self._pairs[batch * self.config.batch_size : (batch + 1) * self.config.batch_size]
        return self._tensor(pairs[:, 0]), self._tensor(pairs[:, 1])

    def draw_negatives(self, pairs: int) -> Tensor:
        """Random words for so many pairs, int64 (B, k), drawn from
        :func:`~core.algorithms.word2vec.model.noise_distribution`."""
        drawn = np.searchsorted(self._cumulative, self._rng.random((pairs, self.config.negative)), side="right")
        return self._tensor(np.minimum(drawn, len(self.vocabulary) - 1))

    def record_batch(self, centre: Tensor, targets: Tensor, g: Tensor) -> None:
        """Keep the batch of the last step for the snapshots."""
        self.last_batch = (centre.cpu().numpy(), targets.cpu().numpy(), g.cpu().numpy())
        self.words_trained = len(centre)

    def _tensor(self, array: Array) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def _draw_pairs(self, epoch: int) -> Array:
        """Pairs (centre, neighbour) of an epoch, shuffled: int64 (P, 2)."""
        rng = np.random.default_rng(seed_of(self.config.seed, "pairs", epoch))
        kept = rng.random(len(self._words)) < self._keep_probability[self._words]
        words, passage = self._words[kept], self._passage[kept]
        width = self.config.window
        reach = rng.integers(1, width + 1, len(words)) if self.config.shrink else np.full(len(words), width)
        found = []
        for d in range(1, width + 1):
            same = passage[d:] == passage[:-d]
            left, right = words[:-d], words[d:]
            forward, back = same & (reach[:-d] >= d), same & (reach[d:] >= d)
            found += [np.stack([left[forward], right[forward]], 1), np.stack([right[back], left[back]], 1)]
        pairs = np.concatenate(found)
        return pairs[rng.permutation(len(pairs))]

    def state_dict(self) -> dict[str, Any]:
        """Both matrices and the random generator; the pairs of an epoch follow from its number."""
        last = None if self.last_batch is None else [np.array(a) for a in self.last_batch]
        return {"vectors": self.W_in, "outputs": self.W_out, "rng": self._rng.bit_generator.state, "last": last}

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        self.load_matrices(tree)
        self._rng.bit_generator.state = tree["rng"]
        last = tree["last"]
        self.last_batch = None if last is None else tuple(np.array(a) for a in last)  # type: ignore[assignment]

    def load_matrices(self, tree: Mapping[str, Any]) -> None:
        """Both matrices alone, from what :meth:`state_dict` returned."""
        self.W_in.copy_(torch.as_tensor(tree["vectors"]))
        if "outputs" in tree:  # a recording has none
            self.W_out.copy_(torch.as_tensor(tree["outputs"]))
