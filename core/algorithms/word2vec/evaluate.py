"""How good the vectors are: by the loss on fixed pairs of the text, by human ratings, and by analogies.

The loss is measured by ourselves and is the same number for both engines: gensim's own is a running sum in single
precision that loses what several threads add at once. Pairs and random words are drawn once, so that what moves are
the vectors. The judgements of people were never trained on.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.text import Text
from core.algorithms.word2vec.vocabulary import Vocabulary, noise
from core.data.judgements import rated, sections
from core.events import Array, Event, Pulse

#: Pairs of the text that the loss is measured on; questions of a section in a short test of analogies.
PAIRS, SHORT = 512, 50

#: Questions answered at one go.
AT_ONCE = 100


class Engine(Protocol):
    """What the two engines have in common."""

    vocabulary: Vocabulary
    per_epoch: int
    trained: int

    @property
    def vectors(self) -> Array: ...

    @property
    def outputs(self) -> Array: ...

    def train_step(self, step: int) -> None: ...


class FixedSampleLoss:
    """The loss on a fixed sample.

    Attributes:
        inputs: int64 (n, c), the word or words that predict; -1 where there are fewer.
        nodes, targets, valid: (n, m), what each is compared with, 1 for the true one, and whether it counts.
    """

    def __init__(self, config: Word2VecConfig, text: Text, engine: Engine, rng: np.random.Generator) -> None:
        index, sentences = engine.vocabulary.index, text.corpus.sentences
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
        if config.output == "hierarchical":
            nodes, turns, self.valid = engine.paths(answer)  # type: ignore[attr-defined]
            self.nodes, self.targets = nodes, 1 - turns  # a turn of 0 is the sigmoid's 1
            return
        chances = noise(engine.vocabulary.counts, config.exponent)
        drawn = rng.choice(len(chances), (len(answer), config.negative), p=chances)
        self.nodes = np.concatenate([answer[:, None], drawn], axis=1)
        self.targets = np.zeros(self.nodes.shape, np.float32)
        self.targets[:, 0] = 1
        self.valid = self.nodes != answer[:, None]
        self.valid[:, 0] = True

    def __call__(self, engine: Engine, rows: Array | slice = slice(None)) -> float:
        """Mean loss of a prediction: −log of the probability that the model gave to what is true.

        Args:
            rows: which of the sample; all of it where nothing is said.
        """
        inputs, nodes = self.inputs[rows], self.nodes[rows]
        if not len(inputs):
            return 0.0
        E = engine.vectors[inputs]  # (n, c, N)
        counts = (inputs >= 0)[:, :, None]
        h = (E * counts).sum(axis=1) / counts.sum(axis=1)  # (n, N)
        s = np.einsum("nd,nmd->nm", h, engine.outputs[nodes])
        each = np.logaddexp(0, np.where(self.targets[rows] > 0, -s, s)) * self.valid[rows]
        return float(each.sum(axis=1).mean())


@dataclass(frozen=True, slots=True)
class Judgements:
    """Rated pairs of which both words are known: their places, the ranks of their ratings, and how many there were."""

    name: str
    first: Array
    second: Array
    ranks: Array
    of: int

    def spearman(self, vectors: Array) -> float:
        """Rank correlation of the cosines with the ratings, in [-1, 1]; ties share their ranks."""
        cosine = cosines(vectors[self.first], vectors[self.second])
        ours = ranks(cosine)
        deviation = ours.std() * self.ranks.std()
        return float(((ours - ours.mean()) * (self.ranks - self.ranks.mean())).mean() / deviation) if deviation else 0.0


#: Rated pairs, or questions, that have to be known for their result to mean anything.
ENOUGH = 20


def known_judgements(vocabulary: Vocabulary) -> list[Judgements]:
    """WordSim-353 and SimLex-999, each where this vocabulary knows enough of its words."""
    found = [judgements(name, vocabulary) for name in ("wordsim", "simlex")]
    return [one for one in found if len(one.first) >= ENOUGH]


def known_questions(vocabulary: Vocabulary) -> "list[Questions]":
    """questions-words, as far as this vocabulary knows the words; none where that is next to nothing."""
    found = questions(vocabulary)
    return found if sum(len(q.places) for q in found) >= ENOUGH else []


def judgements(name: str, vocabulary: Vocabulary) -> Judgements:
    """The rated pairs of ``"wordsim"`` or ``"simlex"`` that this vocabulary knows both words of."""
    found, index = rated(name), vocabulary.index
    known = [
        (index[a], index[b], r) for (a, b), r in zip(found.pairs, found.ratings, strict=True) if {a, b} <= index.keys()
    ]
    first, second, ratings = (np.array([row[i] for row in known]) for i in range(3))
    return Judgements(name, first.astype(np.int64), second.astype(np.int64), ranks(ratings), len(found.pairs))


def ranks(values: Array) -> Array:
    """0 for the lowest; equal values share the mean of their ranks. float64 (n,)."""
    order, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Array = (last - (counts + 1) / 2)[where]
    return shared.astype(np.float64).reshape(len(values)) if len(order) else np.zeros(0)


def cosines(a: Array, b: Array) -> Array:
    """Cosine of the angle between each row of one and the same row of the other; 0 where one has no length."""
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    found: Array = (a * b).sum(axis=1) / np.maximum(length, 1e-12)
    return found


def unit(vectors: Array) -> Array:
    """Rows of length 1, float32."""
    lengths = np.sqrt(np.einsum("vn,vn->v", vectors, vectors))
    found: Array = vectors / np.maximum(lengths, 1e-12)[:, None]
    return found.astype(np.float32, copy=False)


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
    for start in range(0, len(places), AT_ONCE):
        a, b, c, d = places[start : start + AT_ONCE].T
        near = (vectors[b] - vectors[a] + vectors[c]) @ vectors.T  # (n, V)
        for word in (a, b, c):
            near[np.arange(len(a)), word] = -np.inf
        right += int((near.argmax(axis=1) == d).sum())
        yield Pulse()
    return right
