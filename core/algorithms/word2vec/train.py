"""Word2Vec: learn for each word a vector from which its neighbours can be guessed.

A step is a stretch of some thousand words, trained by gensim at one go, or a batch of pairs where the engine is the
one in PyTorch. The rate falls evenly over the whole run, and the run ends after its last epoch. The papers and the
mathematics stand in ``model.py``, ``sgns_engine.py`` and ``gensim_engine.py``.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.evaluate import FixedSampleLoss, Judgements, Questions, known_judgements, known_questions
from core.algorithms.word2vec.gensim_engine import GensimEngine
from core.algorithms.word2vec.neighbour_history import NeighbourHistory
from core.algorithms.word2vec.queries import query_pairs, query_words
from core.algorithms.word2vec.sgns_engine import SGNSEngine
from core.algorithms.word2vec.text import Text, read
from core.algorithms.word2vec.vocabulary import Vocabulary
from core.events import Array, Event
from core.experiment import Diverged
from core.training import History, Training, seed_of

#: Measurements of a run, and steps at its beginning after each of which there is one.
MEASURED, DENSE = 64, 8


class LossAt(NamedTuple):
    """The loss after ``step`` steps."""

    step: int
    loss: float


class Word2Vec(Training):
    """Word vectors between two steps.

    Attributes:
        engine: what trains, with the vocabulary and both matrices.
        end: steps of the whole run; the rate falls until there.
        loss_sample: measures the loss. history: every measurement of it.
        judgements, questions: human ratings and analogies of known words; empty for a made or Chinese text.
        analogies: (right, of) for each section of the last evaluation. all_analogies: whether it had all questions.
        pairs: pairs of known words whose cosines are logged.
        neighbour_history: the nearest words of the first word shown.
    """

    saved = ("engine", "history", "analogies", "all_analogies", "neighbour_history")
    learned_arrays = ("vectors", "outputs")

    engine: GensimEngine | SGNSEngine
    loss_sample: FixedSampleLoss
    judgements: list[Judgements]
    questions: list[Questions]
    pairs: list[tuple[str, str]]

    def __init__(self, config: Word2VecConfig, text: Text, device: str) -> None:
        super().__init__(config, text, device)
        self.history = History(LossAt)
        self.analogies: list[list[int]] = []
        self.all_analogies = False
        self.neighbour_history = NeighbourHistory()

    @property
    def vocabulary(self) -> Vocabulary:
        return self.engine.vocabulary

    @property
    def vectors(self) -> Array:
        """Vectors of the words, float32 (V, N)."""
        return self.engine.vectors

    @property
    def outputs(self) -> Array:
        """Vectors of the words as neighbours, or of the tree's inner nodes, float32 (n, N)."""
        return self.engine.outputs

    @property
    def epoch(self) -> float:
        """Passes over the text so far."""
        return self.step / self.engine.per_epoch

    @property
    def first_word(self) -> str:
        """The first word shown that is known, ``""`` where none is."""
        index = self.vocabulary.index
        return next((word for word in query_words(self.config, self.vocabulary) if word in index), "")

    def should_log(self, step: int) -> bool:
        spaced = step <= DENSE or step % max(1, self.end // MEASURED) == 0 or step == self.end
        return spaced or (bool(self.questions) and self.should_test_analogies(step))

    def should_test_analogies(self, step: int) -> bool:
        """Before the first step, after each epoch and at the end."""
        return step % self.engine.per_epoch == 0 or step == self.end

    def apply_config(self, config: Word2VecConfig) -> None:
        super().apply_config(config)
        self.neighbour_history.update(self.first_word, self.step, self.end, self.vocabulary, self.vectors)

    def state_dict(self) -> dict[str, Any]:
        if not np.isfinite(self.vectors).all():
            raise Diverged("a vector is not finite")
        return super().state_dict()


def load(config: Word2VecConfig) -> Text:
    """The text of the settings, cut into words and counted.

    Raises:
        Refusal: it cannot be had, or there is too little or too much of it.
    """
    return read(config)


def build(config: Word2VecConfig, data: Text, device: str) -> Word2Vec:
    """Vocabulary and vectors at step 0."""
    s = Word2Vec(config, data, device)
    s.engine = GensimEngine(config, data) if config.engine == "gensim" else SGNSEngine(config, data, device)
    s.end = config.epochs * s.engine.per_epoch
    s.loss_sample = FixedSampleLoss(config, data, s.engine, np.random.default_rng(seed_of(config.seed, "loss sample")))
    english = not (data.corpus.chinese or data.corpus.classes)
    s.judgements = known_judgements(s.vocabulary) if english else []
    s.questions = known_questions(s.vocabulary) if english else []
    s.pairs = query_pairs(config, s.vocabulary)
    return s


def train(s: Word2Vec) -> Iterator[Event]:
    """Step after step from ``s.step`` on, until the last epoch is over."""
    while s.step < s.end:
        s.engine.train_step(s.step)
        yield s.next_step(epoch=(s.step + 1) / s.engine.per_epoch)
