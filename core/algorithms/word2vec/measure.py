"""What is told on the way: the loss, what people said, analogies, pairs that are followed, diagnoses."""

from collections.abc import Iterator

import numpy as np

from core.algorithms.word2vec.diagnoses import DIAGNOSES, Evidence
from core.algorithms.word2vec.evaluate import answered, cosines, short, unit
from core.algorithms.word2vec.schedule import asked, told
from core.algorithms.word2vec.state import State
from core.algorithms.word2vec.typed import strangers
from core.events import Array, Event, Note, Scalars, Snapshot
from core.metrics import newly_diagnosed

#: Frequent words whose similarity to one another is measured for the diagnoses.
FREQUENT = 400


def report(state: State) -> Iterator[Event]:
    """What is due after ``state.step`` steps."""
    state.company.keep(state)
    if state.step == 0:
        yield from unknown(state)
    analogies = bool(state.questions) and (asked(state.step, state.engine.per_epoch) or state.step == state.end)
    if analogies:
        yield from examine(state, complete=state.step == state.end)
    if analogies or told(state.step, state.end):
        values = measured(state)
        yield Scalars(state.step, values)
        remember(state, values["train/loss"])
        for diagnosis, reasons in newly_diagnosed(DIAGNOSES, evidence(state), state.active).items():
            yield Note(state.step, diagnosis, reasons)


def unknown(state: State) -> Iterator[Event]:
    """Say which typed pairs cannot be followed, and what they might have meant."""
    for word, pair in strangers(state.config, state.vocabulary):
        near = state.vocabulary.nearest(word)
        told = {"word": word, "pair": pair, "near": ", ".join(near)}
        yield Note(0, "unknown pair" if near else "unlike anything", told)


def measured(state: State) -> dict[str, float]:
    """The newest numbers, by metric name."""
    vectors = state.engine.vectors
    values = {"train/loss": state.loss(state.engine), "train/rate": state.engine.rate(state.epoch)}
    for judged in state.judged:
        values[f"people/{judged.name}"] = judged.spearman(vectors)
    if state.right:
        right, of = (sum(pair[i] for pair in state.right) for i in (0, 1))
        values["analogy/all" if state.complete else "analogy/short"] = right / max(of, 1)
    for a, b in state.followed:
        places = [[state.vocabulary.index[word]] for word in (a, b)]
        values[f"cosine/{a}, {b}"] = float(cosines(vectors[places[0]], vectors[places[1]])[0])
    return values


def examine(state: State, *, complete: bool) -> Iterator[Event]:
    """Ask analogies: all of them, or a few of each section."""
    vectors, right = unit(state.engine.vectors), []
    for section in state.questions:
        places = section.places if complete else short(section)
        right.append(((yield from answered(places, vectors)), len(places)))
    state.right, state.complete = right, complete
    yield Snapshot(state.step, "sections", section_arrays(state))


def section_arrays(state: State) -> dict[str, Array]:
    """Right, asked, known and all questions of each section: int32 (s, 4)."""
    rows = [[*pair, len(q.places), q.of] for pair, q in zip(state.right, state.questions, strict=True)]
    return {"sections": np.array(rows, np.int32), "complete": np.array([state.complete])}


def remember(state: State, loss: float) -> None:
    """Keep the loss for the diagnoses; one that is measured again at a resumed step takes its own place."""
    if state.history and state.history[-1][0] == state.step:
        state.history.pop()
    state.history.append((state.step, loss))


def evidence(state: State) -> Evidence:
    """What the diagnoses are made from."""
    vectors = unit(state.engine.vectors[:FREQUENT])
    n = len(vectors)
    words = state.vocabulary.words
    return Evidence(
        step=state.step,
        end=state.end,
        chinese=state.text.corpus.chinese,
        mean_letters=sum(map(len, words)) / len(words),
        longest=max(words, key=len),
        mean_count=float(state.vocabulary.counts.mean()),
        similarity=float((np.square(vectors.sum(axis=0)).sum() - n) / (n * (n - 1))),
        first_loss=state.history[0][1],
        loss=state.history[-1][1],
    )
