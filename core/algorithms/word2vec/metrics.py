"""What is measured while the vectors are trained: the loss, human ratings, analogies, cosines of pairs, diagnoses."""

from collections.abc import Iterator

import numpy as np

from core.algorithms.word2vec.diagnoses import DIAGNOSES, Evidence
from core.algorithms.word2vec.evaluate import count_right, short
from core.algorithms.word2vec.model import learning_rate
from core.algorithms.word2vec.nearest import cosines, unit
from core.algorithms.word2vec.queries import spelled_like, unknown_pairs
from core.algorithms.word2vec.train import LossAt, Word2VecTraining
from core.events import Event, Note, Scalars, Snapshot

#: Frequent words whose similarity to one another is measured for the diagnoses.
FREQUENT = 400


def log_metrics(s: Word2VecTraining) -> Iterator[Event]:
    """What is due after ``s.step`` steps."""
    s.evaluations.update_neighbours(s.config, s.engine, s.step, s.end)
    if s.step == 0:
        yield from unknown_pair_notes(s)
    if s.evaluations.questions and s.should_test_analogies(s.step):
        yield from test_analogies(s, all_questions=s.step == s.end)
    values = measure(s)
    yield Scalars(s.step, values)
    s.history.append(LossAt(s.step, values["train/loss"]))
    yield from s.diagnose(DIAGNOSES, evidence(s))


def unknown_pair_notes(s: Word2VecTraining) -> Iterator[Event]:
    """A note for each pair in the settings with an unknown word, and what may have been meant."""
    for word, pair in unknown_pairs(s.config, s.vocabulary):
        near = spelled_like(s.vocabulary, word)
        values = {"word": word, "pair": pair, "near": ", ".join(near)}
        yield Note(0, "unknown pair" if near else "unlike anything", values)


def measure(s: Word2VecTraining) -> dict[str, float]:
    """The newest numbers, by metric name."""
    evaluations = s.evaluations
    values = {"train/loss": evaluations.loss_sample(s.engine), "train/rate": learning_rate(s.config, s.epoch)}
    for judgements in evaluations.judgements:
        values[f"people/{judgements.name}"] = judgements.spearman(s.vectors)
    if evaluations.analogies:
        right, of = np.sum(evaluations.analogies, axis=0)
        values["analogy/all" if evaluations.all_analogies else "analogy/short"] = float(right / max(of, 1))
    if evaluations.pairs:
        rows = np.array([[s.vocabulary.index[word] for word in pair] for pair in evaluations.pairs])  # (pairs, 2)
        similarity = cosines(s.vectors[rows[:, 0]], s.vectors[rows[:, 1]]).tolist()
        values |= {f"cosine/{a}, {b}": value for (a, b), value in zip(evaluations.pairs, similarity, strict=True)}
    return values


def test_analogies(s: Word2VecTraining, *, all_questions: bool) -> Iterator[Event]:
    """Answer analogies: all questions, or a few of each section."""
    vectors, rows = unit(s.vectors), []
    for section in s.evaluations.questions:
        places = section.places if all_questions else short(section)
        right = yield from count_right(places, vectors)
        rows.append([right, len(places), len(section.places), section.of])  # right, tested, known and all questions
    s.evaluations.analogies, s.evaluations.all_analogies = [row[:2] for row in rows], all_questions
    yield Snapshot(s.step, "sections", {"sections": np.array(rows, np.int32)})


def evidence(s: Word2VecTraining) -> Evidence:
    """What the diagnoses are made from."""
    vectors, word_counts = unit(s.vectors[:FREQUENT]), s.data.word_counts
    n = len(vectors)
    return Evidence(
        step=s.step,
        end=s.end,
        chinese=s.data.chinese,
        mean_letters=sum(len(word) * count for word, count in word_counts.items()) / sum(word_counts.values()),
        longest=max(word_counts, key=len),
        mean_count=float(s.vocabulary.counts.mean()),
        similarity=float((np.square(vectors.sum(axis=0)).sum() - n) / (n * (n - 1))),
        first_loss=s.history[0].loss,
        loss=s.history[-1].loss,
    )
