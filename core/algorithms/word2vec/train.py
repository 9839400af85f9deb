"""Word2Vec: learn for each word a vector from which its neighbours can be guessed.

A step is a batch of pairs (:func:`train_sgns`), or a chunk of some thousand words that gensim trains on in one call
(:func:`train_gensim`). The learning rate falls evenly over the whole run, and the run ends after its last epoch.
Read ``model.py`` first: the paper, the loss and :func:`~core.algorithms.word2vec.model.sgd_step`.
"""

import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.evaluate import Engine, Evaluations
from core.algorithms.word2vec.gensim_engine import GensimEngine
from core.algorithms.word2vec.model import learning_rate, sgd_step
from core.algorithms.word2vec.sgns_engine import SGNSEngine
from core.data import corpora
from core.data.corpora import Corpus
from core.data.vocabulary import Vocabulary
from core.events import Array, Event
from core.experiment import Diverged
from core.training import History, Training, check_shapes
from core.words import N_, Refusal

#: Fewest words of a vocabulary that can be trained, and most running words for the SGNS engine, which would take hours
#: for more.
MIN_WORDS, SGNS_WORDS = 20, 200_000
#: Measurements of a run, and steps at its beginning after each of which there is one.
MEASURED, DENSE = 64, 8


class LossAt(NamedTuple):
    """The loss after ``step`` steps."""

    step: int
    loss: float


class Word2VecTraining(Training):
    """Word vectors between two steps.

    Attributes:
        engine: the vocabulary, both matrices and the data of each step.
        end: steps of the whole run; the rate falls until there.
        evaluations: what is measured of the vectors. history: every measurement of the loss.
    """

    saved = ("engine", "history", "evaluations")
    learned_arrays = ("vectors", "outputs")

    engine: Engine
    end: int
    evaluations: Evaluations

    def __init__(self, config: Word2VecConfig, corpus: Corpus, device: str) -> None:
        super().__init__(config, corpus, device)
        self.history = History(LossAt)

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
        return self.step / self.engine.steps_per_epoch

    def should_log(self, step: int) -> bool:
        spaced = step <= DENSE or step % max(1, self.end // MEASURED) == 0 or step == self.end
        return spaced or (bool(self.evaluations.questions) and self.should_test_analogies(step))

    def should_test_analogies(self, step: int) -> bool:
        """Before the first step, after each epoch and at the end."""
        return step % self.engine.steps_per_epoch == 0 or step == self.end

    def apply_config(self, config: Word2VecConfig) -> None:
        another_word = config.words != self.config.words
        super().apply_config(config)
        if another_word:
            self.evaluations.update_neighbours(config, self.engine, self.step, self.end)

    def state_dict(self) -> dict[str, Any]:
        if not np.isfinite(self.vectors).all():
            raise Diverged("a vector is not finite")
        return {**super().state_dict(), "rows": self.cached(checksum_of_rows)}

    def load_weights(self, tree: Mapping[str, Any]) -> None:
        """As :meth:`Training.load_weights`, from a run whose rows are those of the same words. A recording keeps the
        vectors alone."""
        if tree.get("rows") != self.cached(checksum_of_rows):
            raise Refusal(
                "start_from",
                N_("The run to start from has other words: it needs the same text, minimum count and output."),
            )
        there = {"outputs": self.outputs, **tree["engine"]}
        check_shapes(
            {name: getattr(self, name) for name in self.learned_arrays},
            {name: there[name] for name in self.learned_arrays},
        )
        self.engine.load_matrices(tree["engine"])


def checksum_of_rows(s: Word2VecTraining) -> int:
    """Of what the rows of both matrices stand for: the words, or the nodes of a tree that follows from their counts."""
    words = list(zip(s.vocabulary.words, s.vocabulary.counts.tolist(), strict=True))
    return zlib.crc32(repr((s.config.output, words)).encode())


def load(config: Word2VecConfig) -> Corpus:
    """The text of the settings, cut into words and counted.

    Raises:
        Refusal: it cannot be had, has too few words, or too many for the engine.
    """
    corpus = corpora.load(config.corpus, cut=config.cut, text=config.text, sentences=config.sentences, seed=config.seed)
    words = sum(n >= config.min_count for n in corpus.word_counts.values())
    if words < MIN_WORDS:
        raise Refusal(
            "min_count",
            N_(
                "Minimum count: only {words} words occur {count} times or more, and {fewest} are needed. "
                "Lower it, or take more text."
            ),
            words=words,
            count=config.min_count,
            fewest=MIN_WORDS,
        )
    if config.engine == "sgns" and corpus.words > SGNS_WORDS:
        raise Refusal(
            "engine",
            N_("Engine: PyTorch takes texts of up to {most} words; this one has {words}. Choose gensim."),
            most=f"{SGNS_WORDS:,}",
            words=f"{corpus.words:,}",
        )
    return corpus


def build(config: Word2VecConfig, data: Corpus, device: str) -> Word2VecTraining:
    """Vocabulary and vectors at step 0."""
    s = Word2VecTraining(config, data, device)
    s.engine = GensimEngine(config, data) if config.engine == "gensim" else SGNSEngine(config, data, device)
    s.end = config.epochs * s.engine.steps_per_epoch
    s.evaluations = Evaluations(config, data, s.engine)
    return s


def train(s: Word2VecTraining) -> Iterator[Event]:
    """Step after step from ``s.step`` on, until the last epoch is over. A generator: yields once per step.

    Args:
        s: the state of this training: vectors, data, evaluations.
    """
    return train_gensim(s, s.engine) if isinstance(s.engine, GensimEngine) else train_sgns(s, s.engine)


def train_sgns(s: Word2VecTraining, engine: SGNSEngine) -> Iterator[Event]:
    """Skip-gram with negative sampling in PyTorch: Mikolov et al. (2013), sections 2.2 and 2.3."""
    while s.step < s.end:
        epoch, batch = divmod(s.step, engine.steps_per_epoch)
        centre, context = engine.next_pairs(epoch, batch)  # (B,), (B,)
        negatives = engine.draw_negatives(len(centre))  # (B, k)
        targets = torch.cat([context[:, None], negatives], dim=1)  # (B, 1 + k)
        lr = learning_rate(s.config, epoch + batch / engine.steps_per_epoch)
        g = sgd_step(engine.W_in, engine.W_out, centre, targets, lr)
        engine.last_batch = centre, targets, g
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield s.next_step(epoch=(s.step + 1) / engine.steps_per_epoch)


def train_gensim(s: Word2VecTraining, engine: GensimEngine) -> Iterator[Event]:
    """Skip-gram or CBOW, with negative sampling or hierarchical softmax, in gensim's C."""
    n = len(engine.sentences)
    while s.step < s.end:
        epoch, i = divmod(s.step, engine.steps_per_epoch)
        start, end = engine.chunks[i]
        passages = engine.sentences[start:end]
        lr, next_lr = learning_rate(s.config, epoch + start / n), learning_rate(s.config, epoch + end / n)
        if s.config.threads == 1:
            # What gensim's one worker does with a job, without the threads and queues that train() makes at each call.
            engine.model._do_train_job(passages, lr, engine.work_memory)
        else:
            engine.model.train(passages, total_examples=len(passages), epochs=1, start_alpha=lr, end_alpha=next_lr)
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield s.next_step(epoch=(s.step + 1) / engine.steps_per_epoch)
