"""Who was nearest to a word as the training went on: a few rows, kept with the state so that a resumed run has them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from core.algorithms.word2vec.evaluate import unit
from core.algorithms.word2vec.nearest import SEARCHED, best_of
from core.algorithms.word2vec.typed import spelled, typed
from core.events import Array

if TYPE_CHECKING:
    from core.algorithms.word2vec.state import State

#: Places that are told of, rows of a run, and steps at its beginning after each of which there is one.
PLACES, ROWS, DENSE = 8, 32, 3


class Company:
    """The nearest words of the first word that is looked at.

    Attributes:
        word: whose they are; ``""`` before the first row.
        rows: (step, words by number, the nearest first), at most twice :data:`ROWS`, and a few.
    """

    def __init__(self) -> None:
        self.word = ""
        self.rows: list[tuple[int, list[int]]] = []
        self._config: object = None  # of the last look at the words

    def keep(self, state: "State") -> None:
        """Add a row where one is due; another word begins anew."""
        due = state.step <= DENSE or state.step % max(1, state.end // ROWS) == 0 or state.step == state.end
        if not due and state.config is self._config:
            return
        self._config = state.config
        word = next((word for word in typed(state.config, state.vocabulary) if word in state.vocabulary.index), "")
        if word != self.word:
            self.word, self.rows = word, []
        if not word or (self.rows and (not due or self.rows[-1][0] == state.step)):
            return
        here = state.vocabulary.index[word]
        searched = state.engine.vectors[:SEARCHED]
        # Divided after the product: to make all vectors as long as one would cost three times as much.
        lengths = np.sqrt(np.einsum("vn,vn->v", searched, searched))
        cosine = searched @ unit(state.engine.vectors[[here]])[0] / np.maximum(lengths, 1e-12)
        if here < len(cosine):
            cosine[here] = -2
        self.rows.append((state.step, best_of(cosine, PLACES).tolist()))

    def arrays(self, state: "State") -> dict[str, Array]:
        """Words that were ever among the nearest, with their ranks: int8 (words, rows) from 0, -1 where farther off."""
        words = list(dict.fromkeys(word for _, row in reversed(self.rows) for word in row))
        rank = np.full((len(words), len(self.rows)), -1, np.int8)
        place = {word: i for i, word in enumerate(words)}
        for j, (_, row) in enumerate(self.rows):
            for r, word in enumerate(row):
                rank[place[word], j] = r
        return {
            "words": spelled([self.word, *(state.vocabulary.words[w] for w in words)]),
            "rank": rank,
            "epoch": np.array([step / state.engine.per_epoch for step, _ in self.rows], np.float32),
        }

    def state_dict(self) -> dict[str, Any]:
        """Word and rows as numbers."""
        wide = max((len(row) for _, row in self.rows), default=0)
        rows = [[step, *row, *[-1] * (wide - len(row))] for step, row in self.rows]
        return {"word": self.word, "rows": np.array(rows, np.int64).reshape(len(rows), 1 + wide)}

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        """Become what :meth:`state_dict` told of."""
        self.word = str(tree["word"])
        self.rows = [(int(row[0]), [int(w) for w in row[1:] if w >= 0]) for row in np.asarray(tree["rows"])]
