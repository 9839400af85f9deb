"""Skip-gram with negative sampling in PyTorch: draws pairs and negatives, and makes the steps of ``model.py``.

An epoch's pairs are drawn at its beginning: words left out by chance (Mikolov et al. 2013, section 2.3), then for each
centre all words within its window, and the pairs are shuffled. All epochs have as many pairs as the first, so that the
number of steps is known beforehand.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from core.algorithms.word2vec import model
from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.text import Text
from core.algorithms.word2vec.vocabulary import counted, keeping, learning_rate, noise
from core.events import Array
from core.training import generator, seed_of


class SGNSEngine:
    """Both matrices between two steps, and what was drawn for the last one.

    Attributes:
        vocabulary: the words.
        per_epoch: steps of an epoch, each with a batch of pairs.
        E, O: float32 (V, N), the vectors as centre and as neighbour.
        last: centre (B,), targets (B, 1 + k) and dL/dscore (B, 1 + k) of the last step, where there was one.
        trained: pairs of the last step.
    """

    def __init__(self, config: Word2VecConfig, text: Text, device: str) -> None:
        self.config, self.device = config, torch.device(device)
        self.vocabulary = counted(text.tally, config.min_count)
        index = self.vocabulary.index
        places = [(index[w], i) for i, words in enumerate(text.corpus.sentences) for w in words if w in index]
        self._words, self._passage = np.array(places, np.int64).reshape(-1, 2).T
        self._keep = keeping(self.vocabulary.counts, config.sample)
        self._cumulative = np.cumsum(noise(self.vocabulary.counts, config.exponent))
        made = model.initial(len(self.vocabulary), config.size, generator(config.seed, "vectors"))
        self.E, self.O = (matrix.to(self.device) for matrix in made)
        self._rng = np.random.default_rng(seed_of(config.seed, "negatives"))
        self._epoch, self._pairs = 0, self._pairs_of(0)
        self._count = len(self._pairs)
        self.per_epoch = max(1, -(-self._count // config.batch_size))
        self.last: tuple[Array, Array, Array] | None = None
        self.trained = 0

    @property
    def vectors(self) -> Array:
        """Vectors of the words as centres, float32 (V, N)."""
        found: Array = self.E.cpu().numpy()
        return found

    @property
    def outputs(self) -> Array:
        """Vectors of the words as neighbours, float32 (V, N)."""
        found: Array = self.O.cpu().numpy()
        return found

    def train_step(self, step: int) -> None:
        """One step, after ``step`` of them: a batch of pairs, each with its random words."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._pairs = epoch, np.resize(self._pairs_of(epoch), (self._count, 2))
        pairs = self._pairs[place * self.config.batch_size : (place + 1) * self.config.batch_size]
        centre, targets = pairs[:, 0], np.empty((len(pairs), 1 + self.config.negative), np.int64)
        targets[:, 0] = pairs[:, 1]
        targets[:, 1:] = self.negatives((len(pairs), self.config.negative))
        from_, to = (torch.from_numpy(np.ascontiguousarray(a)).to(self.device) for a in (centre, targets))
        g = model.descend(self.E, self.O, from_, to, learning_rate(self.config, epoch + place / self.per_epoch))
        self.last, self.trained = (centre, targets, g.cpu().numpy()), len(pairs)

    def negatives(self, shape: tuple[int, int]) -> Array:
        """Random words, int64, with the chances of :func:`~core.algorithms.word2vec.vocabulary.noise`."""
        drawn: Array = np.searchsorted(self._cumulative, self._rng.random(shape), side="right")
        return np.minimum(drawn, len(self.vocabulary) - 1)

    def _pairs_of(self, epoch: int) -> Array:
        """Pairs (centre, neighbour) of an epoch, shuffled: int64 (P, 2)."""
        rng = np.random.default_rng(seed_of(self.config.seed, "pairs", epoch))
        kept = rng.random(len(self._words)) < self._keep[self._words]
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
        last = None if self.last is None else [np.array(a) for a in self.last]
        return {"vectors": self.E, "outputs": self.O, "rng": self._rng.bit_generator.state, "last": last}

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        self.E.copy_(torch.as_tensor(tree["vectors"]))
        if "outputs" in tree:  # a recording has none
            self.O.copy_(torch.as_tensor(tree["outputs"]))
        self._rng.bit_generator.state = tree["rng"]
        self.last = None if tree["last"] is None else tuple(np.array(a) for a in tree["last"])  # type: ignore[assignment]
