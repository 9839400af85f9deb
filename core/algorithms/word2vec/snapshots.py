"""What the panels of the word vectors draw: small arrays, made without changing the state or a random generator."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.algorithms.word2vec.model import learning_rate
from core.algorithms.word2vec.nearest import SEARCHED, nearest_to_sum, neighbours, unit
from core.algorithms.word2vec.queries import ANALOGIES, encoded, query_words, spelled_like
from core.algorithms.word2vec.requests import analogy_of
from core.algorithms.word2vec.sgns_engine import SGNSEngine
from core.algorithms.word2vec.train import Word2VecTraining
from core.events import Array
from core.figures import quantised
from core.projection import AlignedFrames, principal_components, scaled

#: Neighbours shown of a word, and those that are on the map because of it.
SHOWN, BESIDE = 8, 6
#: Frames of a t-SNE in a run: one takes a second.
TSNE = 12
#: Words and numbers of the matrices that are shown; pairs of a step.
ROWS, COLUMNS, PAIRS = 24, 64, 10

Near = list[tuple[str, Array, Array]]


@dataclass(slots=True)
class Map:
    """A map that is drawn again and again: its last frames, and when it was drawn last."""

    frames: AlignedFrames
    tsne: tuple[int, Array, Array] | None = None  # step, words, places
    drawn: float = field(default_factory=time.perf_counter)
    step: int = -1


def plane(s: Word2VecTraining) -> Map:
    return Map(AlignedFrames(2))


def space(s: Word2VecTraining) -> Map:
    return Map(AlignedFrames(3))


def searched(s: Word2VecTraining) -> Array:
    """Unit vectors of the most frequent words, (n, N)."""
    return unit(s.vectors[:SEARCHED])


def near_queries(s: Word2VecTraining) -> Near:
    """The nearest words of each word shown."""
    return neighbours(query_words(s.config, s.vocabulary), s.vocabulary, s.vectors, s.cached_at_step(searched))


def neighbour_panel(s: Word2VecTraining) -> dict[str, Array]:
    """Words with their nearest: (k, SHOWN) of words and cosines; for an unknown word the spellings nearest to it."""
    near = s.cached_at_step(near_queries)
    words, cosine = [], np.full((len(near), SHOWN), np.nan, np.float32)
    for i, (word, places, cosines) in enumerate(near):
        shown = [s.vocabulary.words[p] for p in places[:SHOWN]] if len(places) else spelled_like(s.vocabulary, word)
        cosine[i, : min(len(cosines), SHOWN)] = cosines[:SHOWN]
        words += [word, *shown, *[""] * (SHOWN - len(shown))]
    known = [len(places) > 0 for _, places, _ in near]
    return {"words": encoded(words), "cosine": cosine, "known": np.array(known, bool)}


def mapped(s: Word2VecTraining) -> Array:
    """Numbers of the words on the maps: those shown with the nearest of each, and frequent ones."""
    many = min(len(s.vocabulary), SEARCHED)
    skipped = min(s.config.skipped, max(0, many - s.config.shown))
    words = list(range(skipped, min(many, skipped + s.config.shown)))
    if not s.data.corpus.classes:
        index = s.vocabulary.index
        for word, places, _ in s.cached_at_step(near_queries):
            words += [index[word]] if word in index and index[word] < many else []
            words += places[:BESIDE].tolist()
    return np.array(sorted(set(words)), np.int64)


def groups(s: Word2VecTraining) -> dict[str, Array]:
    """What stands for the colours, and the colour of each word, -1 for none.

    That is its kind where kinds are known, else the shown word among whose nearest it is.
    """
    words, near = s.cached_at_step(mapped), s.cached_at_step(near_queries)
    classes = s.data.corpus.classes
    if classes:
        kinds = {kind: i for i, kind in enumerate(dict.fromkeys(classes.values()))}
        kind_of = [kinds.get(classes.get(s.vocabulary.words[w], ""), -1) for w in words]
        return {"names": encoded(list(kinds)), "group": np.array(kind_of, np.int8)}
    index = s.vocabulary.index
    best: dict[int, tuple[float, int]] = {}
    for i, (word, places, cosines) in enumerate(near):
        if word in index:
            best[index[word]] = (2.0, i)
        for place, cosine in zip(places.tolist(), cosines.tolist(), strict=True):
            if cosine > best.get(place, (-1.0, 0))[0]:
                best[place] = (cosine, i)
    group = [best[w][1] if w in best else -1 for w in words.tolist()]
    return {"names": encoded([word for word, *_ in near]), "group": np.array(group, np.int8)}


def principal_places(s: Word2VecTraining) -> Array:
    """Places of the words in space, (n, 3): the directions in which the coloured words differ most, so that their
    groups come apart."""
    vectors = s.cached_at_step(searched)[s.cached_at_step(mapped)]
    coloured = np.flatnonzero(s.cached_at_step(groups)["group"] >= 0)
    return principal_components(vectors, 3, coloured if len(coloured) > 3 else slice(None))[0]


def map_plane(s: Word2VecTraining) -> dict[str, Array]:
    """Places of the words in the plane, (n, 2), with how the training stands."""
    one = s.cached(plane)
    now, words_per_s = time.perf_counter(), 0.0
    if 0 <= one.step < s.step and now > one.drawn:
        words_per_s = s.data.corpus.words / s.engine.steps_per_epoch * (s.step - one.step) / (now - one.drawn)
    one.drawn, one.step = now, s.step
    rate = learning_rate(s.config, s.epoch)
    about = [s.epoch, s.config.epochs, words_per_s, rate, by_tsne(s)]
    shown = [s.vocabulary.index.get(word, -1) for word, *_ in s.cached_at_step(near_queries)]
    typed = np.isin(s.cached_at_step(mapped), shown)
    return map_arrays(s, one) | {"about": np.array(about, np.float32), "typed": typed}


def map_space(s: Word2VecTraining) -> dict[str, Array]:
    """Places of the words in space, (n, 3)."""
    return map_arrays(s, s.cached(space))


def by_tsne(s: Word2VecTraining) -> bool:
    """Whether the maps are t-SNE's: before the first step there is nothing to see."""
    return s.config.projection == "tsne" and s.step > 0


def map_arrays(s: Word2VecTraining, one: Map) -> dict[str, Array]:
    """A frame of a map, rotated onto the one before, with words and colours."""
    words = s.cached_at_step(mapped)
    if by_tsne(s):
        places = tsne(s, words, one)
    else:
        places = one.frames.add(words, scaled(s.cached_at_step(principal_places)[:, : one.frames.dimensions]))
    names = encoded([s.vocabulary.words[w] for w in words])
    return {"places": places.astype(np.float32), "words": names} | s.cached_at_step(groups)


def tsne(s: Word2VecTraining, words: Array, one: Map) -> Array:
    """A t-SNE in as many dimensions as the map has, started from the last one, which is also drawn in between."""
    vectors, frames = s.cached_at_step(searched)[words], one.frames
    every = max(1, s.end // TSNE)
    if one.tsne is not None and s.step - one.tsne[0] < every and s.step != s.end and np.array_equal(one.tsne[1], words):
        return one.tsne[2]
    from sklearn.manifold import TSNE as TSNE_

    before = frames.last(words)
    start = before if before is not None else principal_components(vectors, frames.dimensions)[0]
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
    places = frames.add(words, scaled(np.asarray(made.fit_transform(vectors), np.float64)))
    one.tsne = (s.step, words, places)
    return places


def analogy(s: Word2VecTraining) -> dict[str, Array]:
    """The ranking of a − b + c: words and cosines; where a word is not known, that word and the nearest spellings."""
    query = analogy_of(s.config.analogy or ANALOGIES.get(s.config.corpus, ""))
    if query is None:
        return {"query": encoded([]), "words": encoded([]), "cosine": np.zeros(0, np.float32), "unknown": encoded([])}
    a, b, c = query
    best, cosine, unknown = nearest_to_sum(
        [(1, a), (-1, b), (1, c)], s.vocabulary, s.vectors, s.cached_at_step(searched), SHOWN
    )
    words = spelled_like(s.vocabulary, unknown) if unknown else [s.vocabulary.words[i] for i in best]
    return {
        "query": encoded(query),
        "words": encoded(words),
        "cosine": cosine,
        "unknown": encoded([unknown] if unknown else []),
    }


def coverage(s: Word2VecTraining) -> dict[str, Array] | None:
    """Known and all of WordSim-353, SimLex-999 and questions-words; int32 (3, 2)."""
    judgements, questions = s.evaluations.judgements, s.evaluations.questions
    if not (judgements or questions):
        return None
    rows = {one.name: [len(one.first), one.of] for one in judgements}
    known = [sum(len(q.places) for q in questions), sum(q.of for q in questions)]
    return {"known": np.array([rows.get("wordsim", [0, 0]), rows.get("simlex", [0, 0]), known], np.int32)}


def neighbour_history(s: Word2VecTraining) -> dict[str, Array] | None:
    """The words that were ever among the nearest of the first word shown, their ranks, and the epoch of each row."""
    history = s.evaluations.neighbour_history
    if not history.rows:
        return None
    words, rank = history.ranks()
    return {
        "words": encoded([history.word, *(s.vocabulary.words[w] for w in words)]),
        "rank": rank,
        "epoch": np.array([step / s.engine.steps_per_epoch for step, _ in history.rows], np.float32),
    }


def matrices(s: Word2VecTraining) -> dict[str, Array] | None:
    """The most frequent words' rows of both matrices, and the gradients of the last step; uint8 around 128."""
    engine = s.engine
    if not isinstance(engine, SGNSEngine):
        return None
    rows, columns = min(ROWS, len(engine.vocabulary)), min(COLUMNS, engine.config.size)
    arrays: dict[str, Any] = {"words": encoded(engine.vocabulary.words[:rows])}
    gradients = last_gradients(engine, rows)
    shown = {"E": engine.vectors[:rows], "O": engine.outputs[:rows], "dE": gradients[0], "dO": gradients[1]}
    for name, matrix in shown.items():
        reach = float(np.abs(matrix).max(initial=1e-6))
        arrays[name] = quantised(matrix[:, :columns], -reach, reach)
        arrays[f"{name}_reach"] = np.array([reach], np.float32)
    return arrays


def last_gradients(engine: SGNSEngine, rows: int) -> tuple[Array, Array]:
    """The last step's dL/dE and dL/dO, summed over its pairs, of the first rows: by the present matrices."""
    dE, dO = (np.zeros((rows, engine.config.size), np.float32) for _ in range(2))
    if engine.last_batch is not None:
        centre, targets, g = engine.last_batch
        W_in, W_out = engine.vectors, engine.outputs
        by_centre = np.einsum("bk,bkn->bn", g, W_out[targets])
        by_target = (g[:, :, None] * W_in[centre][:, None, :]).reshape(-1, W_in.shape[1])  # (B·(1 + k), N)
        all_targets = targets.reshape(-1)
        here = centre < rows
        np.add.at(dE, centre[here], by_centre[here])
        here = all_targets < rows
        np.add.at(dO, all_targets[here], by_target[here])
    return dE, dO


def pairs(s: Word2VecTraining) -> dict[str, Array] | None:
    """Some pairs of the last step: centre, true neighbour and random words, and how hard each is pulled or pushed."""
    engine = s.engine
    if not isinstance(engine, SGNSEngine) or engine.last_batch is None:
        return None
    centre, targets, g = (array[:PAIRS] for array in engine.last_batch)
    words = engine.vocabulary.words
    return {
        "centre": encoded([words[i] for i in centre]),
        "targets": encoded([words[i] for i in targets.reshape(-1)]),
        "pull": -g.astype(np.float32),
    }


SNAPSHOTS = {
    "map": map_plane,
    "neighbours": neighbour_panel,
    "map3d": map_space,
    "analogy": analogy,
    "coverage": coverage,
    "company": neighbour_history,
    "matrices": matrices,
    "pairs": pairs,
}
