"""gensim's Word2Vec, called for a few thousand words at a time, so that between two chunks the state is consistent.

gensim trains whole epochs in C, on threads of its own. Here each of its calls gets one chunk of passages, packed into
the very jobs that gensim would make of the epoch, and the learning rate that the whole run has come to there: with one
thread the vectors are those of a plain ``Word2Vec(sentences, ...)``, bit for bit (a test compares).

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
from core.algorithms.word2vec.vocabulary import Vocabulary, vocabulary
from core.events import Array

#: Words of one of gensim's jobs: it takes no more than 10,000, and fewer where a word costs more, so that a chunk
#: takes a fraction of a second on one core.
MAX_JOB_WORDS, MIN_JOB_WORDS = 10_000, 500
#: Multiplications per word of a job of :data:`MAX_JOB_WORDS` words with one thread, and with several.
MULTIPLICATIONS_1_THREAD, MULTIPLICATIONS_N_THREADS = 18_000, 4_500
#: What takes the place of the negatives in hierarchical softmax: the depth of its tree.
TREE_DEPTH = 13
#: An epoch has at least so many chunks, or a short text would be over before anything could be drawn.
MIN_CHUNKS = 8


class GensimEngine:
    """gensim's model of a text, and the text in chunks.

    Attributes:
        model: gensim's own.
        vocabulary: the words.
        sentences: all passages.
        chunks: (first, after the last) passages of each chunk of an epoch.
        steps_per_epoch: each step takes a chunk.
        work_memory: gensim's buffers for one thread.
        words_trained: words that the last chunk trained on, those left out not counted.
    """

    def __init__(self, config: Word2VecConfig, text: Text) -> None:
        negative = config.output == "negative"
        self.sentences = text.corpus.sentences
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
        self.model.lifecycle_events = None  # it would grow by two entries a chunk
        self.model.build_vocab_from_freq(dict(text.word_counts), corpus_count=len(self.sentences))
        wv = self.model.wv
        self.vocabulary: Vocabulary = vocabulary(list(wv.index_to_key), wv.expandos["count"])
        jobs_per_chunk = 1 if config.threads == 1 else max(config.threads, min(4 * config.threads, 20))
        self.chunks = chunks(self.sentences, self.model.batch_words, jobs_per_chunk)
        self.steps_per_epoch = len(self.chunks)
        self.words_trained = 0
        self.work_memory = self.model._get_thread_working_mem()

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
        """Ways down the tree to these words, as in word2vec.c: nodes (``point``), codes (0 or 1) and whether there is
        one, each (n, longest)."""
        points = [self.model.wv.expandos["point"][i] for i in words]
        codes_of = [self.model.wv.expandos["code"][i] for i in words]
        longest = max(map(len, codes_of))
        nodes, codes = np.zeros((len(words), longest), np.int64), np.zeros((len(words), longest), np.float32)
        valid = np.zeros((len(words), longest), bool)
        for i, (point, code) in enumerate(zip(points, codes_of, strict=True)):
            nodes[i, : len(code)], codes[i, : len(code)], valid[i, : len(code)] = point, code, True
        return nodes, codes, valid

    def state_dict(self) -> dict[str, Any]:
        """Both matrices and the random state; all else follows from the settings and the text."""
        _, key, position, has_gauss, gauss = self.model.random.get_state(legacy=True)
        return {
            "vectors": self.vectors.copy(),
            "outputs": self.outputs.copy(),
            "random": [key.astype(np.int64), int(position), int(has_gauss), float(gauss)],
        }

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        key, position, has_gauss, gauss = tree["random"]
        self.model.random.set_state(("MT19937", np.asarray(key).astype(np.uint32), position, has_gauss, gauss))
        self.load_matrices(tree)

    def load_matrices(self, tree: Mapping[str, Any]) -> None:
        """Both matrices alone, from what :meth:`state_dict` returned."""
        self.vectors[:] = tree["vectors"]
        if "outputs" in tree:  # a recording has none
            self.outputs[:] = tree["outputs"]


def job_words(config: Word2VecConfig, words: int) -> int:
    """Words of one of gensim's jobs, for a text of so many words."""
    outputs_per_word = config.negative + 1 if config.output == "negative" else TREE_DEPTH
    cost = config.size * outputs_per_word * (config.window if config.method == "skip_gram" else 1)
    multiplications = MULTIPLICATIONS_1_THREAD if config.threads == 1 else MULTIPLICATIONS_N_THREADS
    affordable = MAX_JOB_WORDS * multiplications // cost
    return int(np.clip(min(affordable, words // (MIN_CHUNKS * config.threads)), MIN_JOB_WORDS, MAX_JOB_WORDS))


def chunks(sentences: Sequence[Sequence[str]], job: int, jobs_per_chunk: int) -> list[tuple[int, int]]:
    """(first, after the last) passages of each chunk: jobs of up to ``job`` words, packed as gensim packs them."""
    jobs, start, words = [], 0, 0
    for i, sentence in enumerate(sentences):
        if words + len(sentence) > job and i > start:
            jobs.append(start)
            start, words = i, 0
        words += len(sentence)
    starts = [*jobs, start][::jobs_per_chunk]
    return list(zip(starts, [*starts[1:], len(sentences)], strict=True))
