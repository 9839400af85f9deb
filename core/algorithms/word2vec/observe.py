"""What the panels show of a state: small arrays, made without touching the state or any of its dice."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from core.algorithms.word2vec.asked import analogy_of
from core.algorithms.word2vec.evaluate import unit
from core.algorithms.word2vec.maps import Frames, principal
from core.algorithms.word2vec.nearest import SEARCHED, nearest_to_sum, neighbours, spellings
from core.algorithms.word2vec.state import State
from core.algorithms.word2vec.typed import ANALOGIES, spelled
from core.algorithms.word2vec.written import Written
from core.events import Array, Event, Snapshot
from core.figures import quantised

#: Neighbours shown of a word, and those that stand on the map because of it.
SHOWN, BESIDE = 8, 6
#: Frames of a t-SNE in a run: one takes a second.
TSNE = 12
#: Words and numbers of the matrices that are shown; pairs of a step.
ROWS, COLUMNS, PAIRS = 24, 64, 10


class Looks:
    """What was drawn last, and how fast the words went since then."""

    def __init__(self) -> None:
        self.count = 0
        self.flat, self.deep = Frames(2), Frames(3)
        self.tsne: dict[int, tuple[int, Array, Array]] = {}  # step, words, places, by the number of dimensions
        self.clock, self.step, self.pace = time.perf_counter(), -1, 0.0

    def rate(self, state: State) -> float:
        """Words a second since the last look, of those in the text."""
        now = time.perf_counter()
        if 0 <= self.step < state.step and now > self.clock:
            words = state.text.corpus.words / state.engine.per_epoch * (state.step - self.step)
            self.pace = words / (now - self.clock)
        self.clock, self.step = now, state.step
        return self.pace


def observe(state: State, everything: bool = True) -> Iterator[Event]:
    """The map at each look, the other panels in turn."""
    if not isinstance(state.view, Looks):
        state.view = Looks()
    looks: Looks = state.view
    looks.count += 1
    turn = None if everything else looks.count % 3
    searched = unit(state.engine.vectors[:SEARCHED])
    near = neighbours(state, searched)
    shown = mapped(state, near)
    colours = groups(state, shown, near)
    flat, deep = map_arrays(state, searched, shown, colours, looks)
    typed_now = np.isin(shown, [state.vocabulary.index.get(word, -1) for word, *_ in near])
    yield Snapshot(state.step, "map", flat | colours | {"typed": typed_now})
    if turn in (0, None):
        yield Snapshot(state.step, "neighbours", neighbour_arrays(state, near))
        yield Snapshot(state.step, "map3d", deep | colours)
    if turn in (1, None):
        yield Snapshot(state.step, "analogy", analogy_arrays(state, searched))
        if state.judged or state.questions:
            yield Snapshot(state.step, "coverage", coverage_arrays(state))
    if state.company.rows and turn in (2, None):
        yield Snapshot(state.step, "company", state.company.arrays(state))
    if isinstance(state.engine, Written) and turn in (2, None):
        yield Snapshot(state.step, "matrices", matrix_arrays(state.engine))
        if state.engine.last is not None:
            yield Snapshot(state.step, "pairs", pair_arrays(state.engine))


def neighbour_arrays(state: State, near: list[tuple[str, Array, Array]]) -> dict[str, Array]:
    """Words with their nearest: (k, SHOWN) of words and cosines; for an unknown word the spellings nearest to it."""
    words, cosine = [], np.full((len(near), SHOWN), np.nan, np.float32)
    for i, (word, places, cosines) in enumerate(near):
        shown = [state.vocabulary.words[p] for p in places[:SHOWN]] if len(places) else spellings(state, word)
        cosine[i, : min(len(cosines), SHOWN)] = cosines[:SHOWN]
        words += [word, *shown, *[""] * (SHOWN - len(shown))]
    known = [len(places) > 0 for _, places, _ in near]
    return {"words": spelled(words), "cosine": cosine, "known": np.array(known, bool)}


def mapped(state: State, near: list[tuple[str, Array, Array]]) -> Array:
    """Places of the words on the maps: the typed ones with the nearest of each, and frequent ones."""
    many = min(len(state.vocabulary), SEARCHED)
    skipped = min(state.config.skipped, max(0, many - state.config.shown))
    words = list(range(skipped, min(many, skipped + state.config.shown)))
    if not state.text.corpus.classes:
        index = state.vocabulary.index
        for word, places, _ in near:
            words += [index[word]] if word in index and index[word] < many else []
            words += places[:BESIDE].tolist()
    return np.array(sorted(set(words)), np.int64)


def groups(state: State, words: Array, near: list[tuple[str, Array, Array]]) -> dict[str, Array]:
    """What stands for the colours, and the colour of each word, -1 for none.

    That is its kind where kinds are known, else the typed word among whose nearest it is.
    """
    classes = state.text.corpus.classes
    if classes:
        kinds = {kind: i for i, kind in enumerate(dict.fromkeys(classes.values()))}
        kind_of = [kinds.get(classes.get(state.vocabulary.words[w], ""), -1) for w in words]
        return {"names": spelled(list(kinds)), "group": np.array(kind_of, np.int8)}
    index = state.vocabulary.index
    best: dict[int, tuple[float, int]] = {}
    for i, (word, places, cosines) in enumerate(near):
        if word in index:
            best[index[word]] = (2.0, i)
        for place, cosine in zip(places.tolist(), cosines.tolist(), strict=True):
            if cosine > best.get(place, (-1.0, 0))[0]:
                best[place] = (cosine, i)
    group = [best[w][1] if w in best else -1 for w in words.tolist()]
    return {"names": spelled([word for word, *_ in near]), "group": np.array(group, np.int8)}


def map_arrays(
    state: State, searched: Array, words: Array, colours: dict[str, Array], looks: Looks
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Places of the words in the plane, (n, 2), with how the training stands; and in space, (n, 3).

    The directions are those in which the coloured words differ most, so that their groups come apart.
    """
    vectors = searched[words]
    coloured = np.flatnonzero(colours["group"] >= 0)
    space, _ = principal(vectors, 3, coloured if len(coloured) > 3 else slice(None))
    names = spelled([state.vocabulary.words[w] for w in words])
    by_tsne = state.config.projection == "tsne" and state.step > 0
    flat, deep = (
        tsne(state, words, vectors, looks, frames) if by_tsne else frames.add(words, space[:, : frames.dimensions])
        for frames in (looks.flat, looks.deep)
    )
    about = [state.epoch, state.config.epochs, looks.rate(state), state.engine.rate(state.epoch), by_tsne]
    return (
        {"places": flat.astype(np.float32), "words": names, "about": np.array(about, np.float32)},
        {"places": deep.astype(np.float32), "words": names},
    )


def tsne(state: State, words: Array, vectors: Array, looks: Looks, frames: Frames) -> Array:
    """A t-SNE, in as many dimensions as the frames have, from where the words stood; in between the last one."""
    every = max(1, state.end // TSNE)
    last = looks.tsne.get(frames.dimensions)
    if last is not None and state.step - last[0] < every and state.step != state.end and np.array_equal(last[1], words):
        return last[2]
    from sklearn.manifold import TSNE as TSNE_

    before = frames.start(words)
    start = before if before is not None else principal(vectors, frames.dimensions)[0]
    start = start / max(float(start.std(axis=0).max()), 1e-12) * 1e-2
    made = TSNE_(
        frames.dimensions,
        perplexity=min(20.0, (len(words) - 1) / 4),
        init=start.astype(np.float32),
        early_exaggeration=4.0,  # as in the paper; with sklearn's 12 a map in space does not come apart in so few steps
        max_iter=350,
        random_state=0,
        metric="cosine",
        n_jobs=1,
    )
    places = frames.add(words, np.asarray(made.fit_transform(vectors), np.float64))
    looks.tsne[frames.dimensions] = (state.step, words, places)
    return places


def analogy_arrays(state: State, searched: Array) -> dict[str, Array]:
    """The ranking of a − b + c: words and cosines; where a word is not known, that word and the nearest spellings."""
    asked = analogy_of(state.config.analogy or ANALOGIES.get(state.config.corpus, ""))
    if asked is None:
        return {"asked": spelled([]), "words": spelled([]), "cosine": np.zeros(0, np.float32), "unknown": spelled([])}
    a, b, c = asked
    best, cosine, unknown = nearest_to_sum(state, [(1, a), (-1, b), (1, c)], searched, SHOWN)
    words = spellings(state, unknown) if unknown else [state.vocabulary.words[i] for i in best]
    return {
        "asked": spelled(asked),
        "words": spelled(words),
        "cosine": cosine,
        "unknown": spelled([unknown] if unknown else []),
    }


def coverage_arrays(state: State) -> dict[str, Array]:
    """Known and all of each set of judgements: WordSim-353, SimLex-999, questions-words; int32 (3, 2)."""
    rows = {judged.name: [len(judged.first), judged.of] for judged in state.judged}
    known = [sum(len(q.places) for q in state.questions), sum(q.of for q in state.questions)]
    return {"known": np.array([rows.get("wordsim", [0, 0]), rows.get("simlex", [0, 0]), known], np.int32)}


def matrix_arrays(engine: Written) -> dict[str, Array]:
    """The most frequent words' rows of both matrices, and the gradients of the last step; uint8 around 128."""
    rows, columns = min(ROWS, len(engine.vocabulary)), min(COLUMNS, engine.config.size)
    arrays: dict[str, Any] = {"words": spelled(engine.vocabulary.words[:rows])}
    gradients = slopes(engine, rows)
    shown = {"E": engine.vectors[:rows], "O": engine.outputs[:rows], "dE": gradients[0], "dO": gradients[1]}
    for name, matrix in shown.items():
        reach = float(np.abs(matrix).max(initial=1e-6))
        arrays[name] = quantised(matrix[:, :columns], -reach, reach)
        arrays[f"{name}_reach"] = np.array([reach], np.float32)
    return arrays


def slopes(engine: Written, rows: int) -> tuple[Array, Array]:
    """The last step's dL/dE and dL/dO, summed over its pairs, of the first rows: by the present matrices."""
    dE, dO = (np.zeros((rows, engine.config.size), np.float32) for _ in range(2))
    if engine.last is not None:
        centre, targets, g = engine.last
        E, O = engine.vectors, engine.outputs  # noqa: E741
        by_centre = np.einsum("bk,bkn->bn", g, O[targets])
        by_target = (g[:, :, None] * E[centre][:, None, :]).reshape(-1, E.shape[1])  # (B·(1 + k), N)
        flat = targets.reshape(-1)
        here = centre < rows
        np.add.at(dE, centre[here], by_centre[here])
        here = flat < rows
        np.add.at(dO, flat[here], by_target[here])
    return dE, dO


def pair_arrays(engine: Written) -> dict[str, Array]:
    """Some pairs of the last step: centre, true neighbour and random words, and how hard each is pulled or pushed."""
    assert engine.last is not None
    centre, targets, g = (array[:PAIRS] for array in engine.last)
    words = engine.vocabulary.words
    return {
        "centre": spelled([words[i] for i in centre]),
        "targets": spelled([words[i] for i in targets.reshape(-1)]),
        "pull": -g.astype(np.float32),
    }
