"""gensim's Word2Vec, driven a few thousand words at a time, so that between any two stretches the state is whole.

gensim trains whole epochs in C, on threads of its own. Here each call of its ``train`` gets one stretch of passages,
packed into the very jobs that gensim would make of the epoch, and the rate that the whole run has come to at that
place: with one thread the vectors are those of a plain ``Word2Vec(sentences, ...)``, bit for bit (a test compares).

T. Mikolov, K. Chen, G. Corrado, J. Dean. Efficient estimation of word representations in vector space. 2013: CBOW and
skip-gram, sections 3.1 and 3.2, hierarchical softmax, section 2.1. Negative sampling and subsampling are of the paper
that ``model.py`` names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gensim.models import Word2Vec

from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.text import Text
from core.algorithms.word2vec.vocabulary import Vocabulary, learning_rate, vocabulary
from core.events import Array

#: Words of one of gensim's jobs: it takes no more than 10,000, and fewer where a word costs more, so that a stretch
#: takes a fraction of a second on one core.
JOB, LEAST = 10_000, 500
#: Multiplications per word of a job of :data:`JOB` words with one thread, and with several.
COST, SHARED = 18_000, 4_500
#: What takes the place of the negatives in hierarchical softmax: the depth of its tree.
DEPTH = 13
#: An epoch has at least so many stretches, or a short text would be over before anything could be drawn.
STRETCHES = 8


class GensimEngine:
    """gensim's model of a text, between two stretches.

    Attributes:
        vocabulary: the words.
        per_epoch: stretches of an epoch; one of them is a step.
        trained: words that the last stretch trained on, those left out not counted.
    """

    def __init__(self, config: Word2VecConfig, text: Text) -> None:
        negative = config.output == "negative"
        self.config, self.sentences = config, text.corpus.sentences
        self.model = Word2Vec(
            vector_size=config.size,
            window=config.window,
            shrink_windows=config.shrink,
            min_count=config.min_count,
            sample=config.sample,
            sg=int(config.method == "skip_gram"),
            hs=int(not negative),
            negative=config.negative if negative else 0,
            ns_exponent=config.exponent,
            alpha=config.lr,
            min_alpha=config.lr_end,
            workers=config.threads,
            seed=config.seed,
            batch_words=job_words(config, text.corpus.words),
        )
        self.model.lifecycle_events = None  # it would grow by two entries a stretch
        self.model.build_vocab_from_freq(dict(text.tally), corpus_count=len(self.sentences))
        wv = self.model.wv
        self.vocabulary: Vocabulary = vocabulary(list(wv.index_to_key), wv.expandos["count"])
        together = 1 if config.threads == 1 else max(config.threads, min(4 * config.threads, 20))
        self.stretches = stretches(self.sentences, self.model.batch_words, together)
        self.per_epoch = len(self.stretches)
        self.trained = 0
        self._memory = self.model._get_thread_working_mem()

    @property
    def vectors(self) -> Array:
        """Vectors of the words, float32 (V, N), the very ones that are trained."""
        found: Array = self.model.wv.vectors
        return found

    @property
    def outputs(self) -> Array:
        """What a vector is multiplied with: of each word, or of each inner node of the tree; float32 (V, N)."""
        found: Array = self.model.syn1 if self.model.hs else self.model.syn1neg
        return found

    def paths(self, words: Array) -> tuple[Array, Array, Array]:
        """Ways down the tree to these words: nodes, turns (0 or 1) and whether there is one, each (n, longest)."""
        points = [self.model.wv.expandos["point"][i] for i in words]
        codes = [self.model.wv.expandos["code"][i] for i in words]
        longest = max(map(len, codes))
        nodes, turns = np.zeros((len(words), longest), np.int64), np.zeros((len(words), longest), np.float32)
        there = np.zeros((len(words), longest), bool)
        for i, (point, code) in enumerate(zip(points, codes, strict=True)):
            nodes[i, : len(code)], turns[i, : len(code)], there[i, : len(code)] = point, code, True
        return nodes, turns, there

    def train_step(self, step: int) -> None:
        """Train on the stretch after ``step`` stretches."""
        epoch, place = divmod(step, self.per_epoch)
        start, end = self.stretches[place]
        passages = self.sentences[start:end]
        if self.config.threads == 1:
            # What gensim's one worker does with the job, without the threads and queues that it makes at each call.
            rate = learning_rate(self.config, epoch + start / len(self.sentences))
            self.trained, _ = self.model._do_train_job(passages, rate, self._memory)
            return
        self.trained, _ = self.model.train(
            passages,
            total_examples=len(passages),
            epochs=1,
            start_alpha=learning_rate(self.config, epoch + start / len(self.sentences)),
            end_alpha=learning_rate(self.config, epoch + end / len(self.sentences)),
        )

    def state_dict(self) -> dict[str, Any]:
        """Both matrices and the random state; all else follows from the settings and the text."""
        _, key, place, has_gauss, gauss = self.model.random.get_state(legacy=True)
        return {
            "vectors": self.vectors.copy(),
            "outputs": self.outputs.copy(),
            "random": [key.astype(np.int64), int(place), int(has_gauss), float(gauss)],
        }

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        key, place, has_gauss, gauss = tree["random"]
        self.model.random.set_state(("MT19937", np.asarray(key).astype(np.uint32), place, has_gauss, gauss))
        self.vectors[:] = tree["vectors"]
        if "outputs" in tree:  # a recording has none
            self.outputs[:] = tree["outputs"]


def job_words(config: Word2VecConfig, words: int) -> int:
    """Words of one of gensim's jobs, for a text of so many words."""
    guesses = config.negative + 1 if config.output == "negative" else DEPTH
    cost = config.size * guesses * (config.window if config.method == "skip_gram" else 1)
    affordable = JOB * (COST if config.threads == 1 else SHARED) // cost
    return int(np.clip(min(affordable, words // (STRETCHES * config.threads)), LEAST, JOB))


def stretches(sentences: Sequence[Sequence[str]], job: int, together: int) -> list[tuple[int, int]]:
    """(first, after the last) passages of each stretch: ``together`` jobs, packed as gensim packs an epoch's."""
    jobs, start, words = [], 0, 0
    for i, sentence in enumerate(sentences):
        if words + len(sentence) > job and i > start:
            jobs.append(start)
            start, words = i, 0
        words += len(sentence)
    starts = [*jobs, start][::together]
    return list(zip(starts, [*starts[1:], len(sentences)], strict=True))
