"""What is measured while the vectors are trained: the loss, human ratings, analogies, cosines of pairs, diagnoses."""

from collections.abc import Iterator

import numpy as np

from core.algorithms.word2vec.diagnoses import DIAGNOSES, Evidence
from core.algorithms.word2vec.evaluate import cosines, count_right, short, unit
from core.algorithms.word2vec.queries import unknown_pairs
from core.algorithms.word2vec.train import LossAt, Word2Vec
from core.algorithms.word2vec.vocabulary import learning_rate
from core.events import Array, Event, Note, Scalars, Snapshot
from core.metrics import newly_diagnosed

#: Frequent words whose similarity to one another is measured for the diagnoses.
FREQUENT = 400


def log_metrics(s: Word2Vec) -> Iterator[Event]:
    """What is due after ``s.step`` steps."""
    s.neighbour_history.update(s.first_word, s.step, s.end, s.vocabulary, s.vectors)
    if s.step == 0:
        yield from unknown_pair_notes(s)
    if s.questions and s.should_test_analogies(s.step):
        yield from test_analogies(s, all_questions=s.step == s.end)
    values = measure(s)
    yield Scalars(s.step, values)
    s.history.append(LossAt(s.step, values["train/loss"]))
    for diagnosis, reasons in newly_diagnosed(DIAGNOSES, evidence(s), s.active).items():
        yield Note(s.step, diagnosis, reasons)


def unknown_pair_notes(s: Word2Vec) -> Iterator[Event]:
    """A note for each pair in the settings with an unknown word, and what may have been meant."""
    for word, pair in unknown_pairs(s.config, s.vocabulary):
        near = s.vocabulary.spelled_like(word)
        values = {"word": word, "pair": pair, "near": ", ".join(near)}
        yield Note(0, "unknown pair" if near else "unlike anything", values)


def measure(s: Word2Vec) -> dict[str, float]:
    """The newest numbers, by metric name."""
    values = {"train/loss": s.loss_sample(s.engine), "train/rate": learning_rate(s.config, s.epoch)}
    for judgements in s.judgements:
        values[f"people/{judgements.name}"] = judgements.spearman(s.vectors)
    if s.analogies:
        right, of = np.sum(s.analogies, axis=0)
        values["analogy/all" if s.all_analogies else "analogy/short"] = float(right / max(of, 1))
    for a, b in s.pairs:
        rows = [[s.vocabulary.index[word]] for word in (a, b)]
        values[f"cosine/{a}, {b}"] = float(cosines(s.vectors[rows[0]], s.vectors[rows[1]])[0])
    return values


def test_analogies(s: Word2Vec, *, all_questions: bool) -> Iterator[Event]:
    """Answer analogies: all questions, or a few of each section."""
    vectors, results = unit(s.vectors), []
    for section in s.questions:
        places = section.places if all_questions else short(section)
        right = yield from count_right(places, vectors)
        results.append([right, len(places)])
    s.analogies, s.all_analogies = results, all_questions
    yield Snapshot(s.step, "sections", section_arrays(s))


def section_arrays(s: Word2Vec) -> dict[str, Array]:
    """Right, tested, known and all questions of each section: int32 (s, 4)."""
    rows = [[*result, len(q.places), q.of] for result, q in zip(s.analogies, s.questions, strict=True)]
    return {"sections": np.array(rows, np.int32), "complete": np.array([s.all_analogies])}


def evidence(s: Word2Vec) -> Evidence:
    """What the diagnoses are made from."""
    vectors, tally = unit(s.vectors[:FREQUENT]), s.data.tally
    n = len(vectors)
    return Evidence(
        step=s.step,
        end=s.end,
        chinese=s.data.corpus.chinese,
        mean_letters=sum(len(word) * count for word, count in tally.items()) / sum(tally.values()),
        longest=max(tally, key=len),
        mean_count=float(s.vocabulary.counts.mean()),
        similarity=float((np.square(vectors.sum(axis=0)).sum() - n) / (n * (n - 1))),
        first_loss=s.history[0].loss,
        loss=s.history[-1].loss,
    )
