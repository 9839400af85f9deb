"""The nearest neighbours of a word in the course of a training: a few rows, saved with the state."""

from typing import Any

import numpy as np

from core.algorithms.word2vec.nearest import SEARCHED, best_of, unit
from core.data.vocabulary import Vocabulary
from core.events import Array

#: Neighbours of a row, rows of a run, and steps at its beginning after each of which there is one.
NEIGHBOURS, ROWS, DENSE = 8, 32, 3


class NeighbourHistory:
    """The nearest words of one word.

    Attributes:
        word: whose they are; ``""`` before the first row.
        rows: (step, rows of the nearest words in the vocabulary, the nearest first).
    """

    def __init__(self) -> None:
        self.word = ""
        self.rows: list[tuple[int, list[int]]] = []

    def update(self, word: str, step: int, end: int, vocabulary: Vocabulary, vectors: Array) -> None:
        """Add a row where one is due at this step of ``end``; another word starts over."""
        if word != self.word:
            self.word, self.rows = word, []
        every = max(1, end // ROWS)
        last = self.rows[-1][0] if self.rows else -every
        due = step > last and (step <= DENSE or step // every > last // every or step == end)
        if word not in vocabulary.index or not due:
            return
        here, searched = vocabulary.index[word], vectors[:SEARCHED]
        # Divided after the product: to normalise all vectors first would cost three times as much.
        lengths = np.sqrt(np.einsum("vn,vn->v", searched, searched))
        cosine = searched @ unit(vectors[[here]])[0] / np.maximum(lengths, 1e-12)
        if here < len(cosine):
            cosine[here] = -2
        self.rows.append((step, best_of(cosine, NEIGHBOURS).tolist()))

    def ranks(self) -> tuple[list[int], Array]:
        """Numbers of the words that were ever among the nearest, and their ranks: int8 (words, rows), -1 for none."""
        words = list(dict.fromkeys(word for _, row in reversed(self.rows) for word in row))
        rank = np.full((len(words), len(self.rows)), -1, np.int8)
        place = {word: i for i, word in enumerate(words)}
        for j, (_, row) in enumerate(self.rows):
            for r, word in enumerate(row):
                rank[place[word], j] = r
        return words, rank

    def state_dict(self) -> dict[str, Any]:
        return {"word": self.word, "rows": [[step, *row] for step, row in self.rows]}

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        self.word, self.rows = str(tree["word"]), [(int(step), list(row)) for step, *row in tree["rows"]]
