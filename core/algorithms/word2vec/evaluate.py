"""How good the vectors are: by the loss on fixed pairs of the text, by human ratings, and by analogies.

The loss measured here is the same number for both engines: gensim's own is a running sum in single precision that
loses what several threads add at once. Pairs and random words are drawn once, so that only the vectors change from one
measurement to the next. The judgements of people were never trained on.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.gensim_engine import GensimEngine
from core.algorithms.word2vec.model import noise_distribution
from core.algorithms.word2vec.nearest import cosines
from core.algorithms.word2vec.neighbour_history import NeighbourHistory
from core.algorithms.word2vec.queries import query_pairs, query_words
from core.algorithms.word2vec.sgns_engine import SGNSEngine
from core.data.corpora import Corpus
from core.data.judgements import rated, sections
from core.data.vocabulary import Vocabulary
from core.events import Array, Event, Pulse
from core.training import seed_of

#: Pairs of the text that the loss is measured on; questions of a section in a short test of analogies.
PAIRS, SHORT = 512, 50
#: Rated pairs, or questions, that have to be known for their result to mean anything.
ENOUGH = 20
#: Questions answered in one matrix product.
QUESTIONS_AT_ONCE = 100

Engine = GensimEngine | SGNSEngine


class FixedSampleLoss:
    """The loss on a fixed sample.

    Attributes:
        inputs: int64 (n, c), the word or words that predict; -1 where there are fewer.
        nodes, targets, valid: (n, m), what each is compared with, 1 for the true one, and whether it counts.
    """

    def __init__(self, config: Word2VecConfig, corpus: Corpus, engine: Engine, rng: np.random.Generator) -> None:
        index, sentences = engine.vocabulary.index, corpus.sentences
        inputs, answers = [], []
        cbow = config.method == "cbow"
        for _ in range(20 * PAIRS):
            words = sentences[int(rng.integers(len(sentences)))]
            i, reach = int(rng.integers(len(words))), int(rng.integers(1, config.window + 1))
            near = [index[w] for w in (*words[max(0, i - reach) : i], *words[i + 1 : i + 1 + reach]) if w in index]
            if words[i] not in index or not near:
                continue
            inputs.append(near if cbow else [int(rng.choice(near))])
            answers.append(index[words[i]])
            if len(answers) == PAIRS:
                break
        widest = max(map(len, inputs), default=1)
        self.inputs = np.array([near + [-1] * (widest - len(near)) for near in inputs], np.int64).reshape(-1, widest)
        answer = np.array(answers, np.int64)
        if isinstance(engine, GensimEngine) and config.output == "hierarchical":
            self.nodes, codes, self.valid = engine.paths(answer)
            self.targets = 1 - codes  # a code of 0 is the sigmoid's 1
            return
        probabilities = noise_distribution(engine.vocabulary.counts, config.exponent)
        drawn = rng.choice(len(probabilities), (len(answer), config.negative), p=probabilities)  # (n, k)
        self.nodes = np.concatenate([answer[:, None], drawn], axis=1)
        self.targets = np.zeros(self.nodes.shape, np.float32)
        self.targets[:, 0] = 1
        self.valid = self.nodes != answer[:, None]
        self.valid[:, 0] = True

    def __call__(self, engine: Engine, rows: Array | slice = slice(None)) -> float:
        """Mean loss of a prediction: −log of the probability that the model gave to what is true.

        Args:
            rows: which of the sample; by default all of it.
        """
        inputs, nodes = self.inputs[rows], self.nodes[rows]
        if not len(inputs):
            return 0.0
        v = engine.vectors[inputs]  # (n, c, N)
        counts = (inputs >= 0)[:, :, None]
        h = (v * counts).sum(axis=1) / counts.sum(axis=1)  # (n, N)
        s = np.einsum("nd,nmd->nm", h, engine.outputs[nodes])  # (n, m)
        each = np.logaddexp(0, np.where(self.targets[rows] > 0, -s, s)) * self.valid[rows]
        return float(each.sum(axis=1).mean())


@dataclass(frozen=True, slots=True)
class Judgements:
    """Rated pairs of which both words are known: their places, their ratings, and how many pairs there were."""

    name: str
    first: Array
    second: Array
    ratings: Array
    of: int

    def spearman(self, vectors: Array) -> float:
        """Rank correlation of the cosines with the ratings, in [-1, 1]."""
        return float(spearmanr(cosines(vectors[self.first], vectors[self.second]), self.ratings).statistic)


def judgements(name: str, vocabulary: Vocabulary) -> Judgements:
    """The rated pairs of ``"wordsim"`` or ``"simlex"`` that this vocabulary knows both words of."""
    found, index = rated(name), vocabulary.index
    pairs = zip(found.pairs, found.ratings, strict=True)
    known = [(index[a], index[b], rating) for (a, b), rating in pairs if a in index and b in index]
    first, second, ratings = np.array(known, np.float64).reshape(-1, 3).T
    return Judgements(name, first.astype(np.int64), second.astype(np.int64), ratings, len(found.pairs))


@dataclass(frozen=True, slots=True)
class Questions:
    """Analogies of a section whose four words are all known: int64 (n, 4), and how many there were."""

    name: str
    places: Array
    of: int


def questions(vocabulary: Vocabulary) -> list[Questions]:
    """questions-words, as far as this vocabulary knows the words."""
    index = vocabulary.index
    return [
        Questions(
            section.name,
            np.array([[index[w] for w in q] for q in section.questions if all(w in index for w in q)]).reshape(-1, 4),
            len(section.questions),
        )
        for section in sections()
    ]


def short(questions: Questions) -> Array:
    """At most :data:`SHORT` of a section's questions, evenly picked: (n, 4)."""
    n = len(questions.places)
    return questions.places[np.linspace(0, n - 1, min(n, SHORT)).round().astype(int)] if n else questions.places


def count_right(places: Array, vectors: Array) -> Generator[Event, None, int]:
    """How many analogies a : b = c : d are right: d is the word nearest to b − a + c, the three themselves left out.

    Args:
        places: int64 (n, 4). vectors: of length 1, (V, N).
    """
    right = 0
    for start in range(0, len(places), QUESTIONS_AT_ONCE):
        a, b, c, d = places[start : start + QUESTIONS_AT_ONCE].T
        near = (vectors[b] - vectors[a] + vectors[c]) @ vectors.T  # (n, V)
        for word in (a, b, c):
            near[np.arange(len(a)), word] = -np.inf
        right += int((near.argmax(axis=1) == d).sum())
        yield Pulse()
    return right


class Evaluations:
    """What is measured of the vectors while they are trained.

    Attributes:
        loss_sample: measures the loss.
        judgements, questions: human ratings and analogies of known words; empty for a made or Chinese text, and where
            next to none are known.
        pairs: pairs of known words whose cosines are logged.
        analogies: (right, of) for each section of the last test. all_analogies: whether it had all questions.
        neighbour_history: the nearest words of the first word shown.
    """

    def __init__(self, config: Word2VecConfig, corpus: Corpus, engine: Engine) -> None:
        rng = np.random.default_rng(seed_of(config.seed, "loss sample"))
        self.loss_sample = FixedSampleLoss(config, corpus, engine, rng)
        self.judgements: list[Judgements] = []
        self.questions: list[Questions] = []
        if not (corpus.chinese or corpus.classes):
            rated_pairs = [judgements(name, engine.vocabulary) for name in ("wordsim", "simlex")]
            self.judgements = [one for one in rated_pairs if len(one.first) >= ENOUGH]
            known = questions(engine.vocabulary)
            self.questions = known if sum(len(section.places) for section in known) >= ENOUGH else []
        self.pairs = query_pairs(config, engine.vocabulary)
        self.analogies: list[list[int]] = []
        self.all_analogies = False
        self.neighbour_history = NeighbourHistory()

    def update_neighbours(self, config: Word2VecConfig, engine: Engine, step: int, end: int) -> None:
        """Record the nearest words of the first word shown that is known, where that is due at this step of ``end``."""
        vocabulary = engine.vocabulary
        word = next((word for word in query_words(config, vocabulary) if word in vocabulary.index), "")
        self.neighbour_history.update(word, step, end, vocabulary, engine.vectors)

    def state_dict(self) -> dict[str, Any]:
        return {
            "analogies": [list(result) for result in self.analogies],
            "all_analogies": self.all_analogies,
            "neighbour_history": self.neighbour_history.state_dict(),
        }

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        self.analogies = [list(result) for result in tree["analogies"]]
        self.all_analogies = bool(tree["all_analogies"])
        self.neighbour_history.load_state_dict(tree["neighbour_history"])
