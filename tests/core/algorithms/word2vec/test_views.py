"""The pictures: what the views make of real snapshots, in every case that a person can bring about."""

import importlib
import json

import numpy as np
import pytest
from gensim.models import KeyedVectors

from core.algorithms.word2vec.nearest import unit
from core.algorithms.word2vec.neighbour_history import DENSE, NEIGHBOURS, ROWS
from core.algorithms.word2vec.snapshots import last_gradients, plane, space
from core.algorithms.word2vec.spec import experiment
from core.events import Snapshot
from core.experiment import Context
from tests.core.algorithms.word2vec.training import QUICK, SGNS, run, snapshots, start

VIEWS = {p.name: p.view for p in experiment.panels if p.view}
NEWS = {"corpus": "news", "epochs": 1, "size": 10}


def seen(state) -> dict[str, Snapshot]:
    """The newest snapshot of each panel, those of an evaluation as well."""
    evaluated = run(state, state.step + 4).snapshots
    return evaluated | {panel: Snapshot(state.step, panel, arrays) for panel, arrays in snapshots(state).items()}


def figure(snapshot: Snapshot, state) -> dict:
    module, function = VIEWS[snapshot.panel].split(":")
    made = getattr(importlib.import_module(module), function)(snapshot.arrays, Context(state.config, {}, snapshot.step))
    json.dumps(made, allow_nan=False)
    return made


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        (QUICK, {"sections", "coverage", "matrices", "pairs"}),
        (QUICK | {"output": "hierarchical"}, {"sections", "coverage", "matrices", "pairs"}),
        (SGNS, {"sections", "coverage"}),
        (NEWS, {"matrices", "pairs"}),
    ],
    ids=["negative samples", "tree", "sgns", "news"],
)
def test_every_panel_can_be_drawn(settings, missing):
    state = start(settings)
    found = seen(state)
    assert set(found) == set(VIEWS) - missing
    for panel, snapshot in found.items():
        assert sum(a.nbytes for a in snapshot.arrays.values()) < 20_000, panel
        made = figure(snapshot, state)
        assert made["data"] or made["layout"].get("images"), panel


def test_a_frame_of_the_map_is_small_and_in_sight():
    state = start(NEWS)
    snapshot = seen(state)["map"]
    made = figure(snapshot, state)
    assert len(json.dumps(made)) < 40_000
    places = snapshot.arrays["places"]
    assert np.linalg.norm(places, axis=1).max() < 1.95 and np.abs(places.mean(axis=0)).max() < 1e-5
    shown = [word for trace in made["data"] for word in trace["text"]]
    assert len(shown) == len(set(shown)) == len(places) >= 60


def test_a_word_is_never_translated():
    """The browser looks up what it shows; a word of the text that the page knows too must come through as it is."""
    state = start(NEWS | {"words": "police"})
    found = seen(state)
    for trace in figure(found["map"], state)["data"]:
        assert all(word.startswith("\u2060") for word in trace["text"])
    assert figure(found["neighbours"], state)["layout"]["xaxis"]["ticktext"] == ["\u2060<b>police</b>"]


def test_an_unknown_word_is_shown_with_spellings_that_exist():
    state = start(NEWS | {"words": "police, polise", "analogy": "polise - india + israel"})
    found = seen(state)
    note = figure(found["neighbours"], state)["layout"]["annotations"][0]
    assert note["text"]["values"]["word"].endswith("polise") and note["x"] == 1
    assert "police ?" in [row[1] for row in figure(found["neighbours"], state)["data"][0]["text"]]
    text = figure(found["analogy"], state)["layout"]["annotations"][0]["text"]["values"]
    assert text["word"].endswith("polise") and "police" in text["found"]


def test_the_analogy_s_words_are_those_nearest_to_the_sum():
    state = start(QUICK | {"analogy": "cat - dog + girl"})
    run(state)
    arrays = snapshots(state)["analogy"]
    vectors, index = unit(state.engine.vectors), state.vocabulary.index
    target = vectors[index["cat"]] - vectors[index["dog"]] + vectors[index["girl"]]
    order = np.argsort(-(vectors @ target))
    expected = [state.vocabulary.words[i] for i in order if state.vocabulary.words[i] not in ("cat", "dog", "girl")]
    assert arrays["words"].tobytes().decode().split("\n") == expected[: len(arrays["cosine"])]


def test_neighbours_are_the_nearest_by_cosine_and_never_the_word_itself():
    state = start(QUICK | {"words": "cat"})
    run(state)
    found = snapshots(state)["neighbours"]
    words = found["words"].tobytes().decode().split("\n")
    wv = state.engine.model.wv
    assert words[0] == "cat" and words[1:] == [word for word, _ in wv.most_similar("cat", topn=8)]
    assert found["cosine"][0] == pytest.approx([cosine for _, cosine in wv.most_similar("cat", topn=8)], abs=1e-5)


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_both_projections_put_words_of_a_kind_together(projection):
    state = start(QUICK | {"sentences": 2000, "epochs": 20, "projection": projection, "shown": 80, "skipped": 0})
    run(state)
    seen = snapshots(state)
    group = seen["map"]["group"]
    alike = (group[:, None] == group[None]) & (group[:, None] >= 0)
    np.fill_diagonal(alike, False)
    for panel, dimensions in (("map", 2), ("map3d", 3)):
        places = seen[panel]["places"].astype(float)
        assert places.shape[1] == dimensions
        apart = np.linalg.norm(places[:, None] - places[None], axis=2)
        assert apart[alike].mean() < 0.6 * apart[~alike].mean()
    for one in (plane, space):
        assert (state.cached(one).tsne is not None) == (projection == "tsne"), "each map is of the chosen projection"


def test_the_gradients_shown_are_those_of_the_last_step():
    state = start(SGNS)
    run(state, 9)
    dE, dO = last_gradients(state.engine, 10)
    centre, targets, g = (part.numpy() for part in state.engine.last_batch)
    E, O = state.engine.vectors, state.engine.outputs  # noqa: E741
    expected = np.zeros_like(E)
    outwards = np.zeros_like(O)
    for b in range(len(centre)):
        for k in range(targets.shape[1]):
            expected[centre[b]] += g[b, k] * O[targets[b, k]]
            outwards[targets[b, k]] += g[b, k] * E[centre[b]]
    assert np.allclose(dE, expected[:10], atol=1e-5) and np.allclose(dO, outwards[:10], atol=1e-5)


def test_neighbours_over_time_end_with_what_gensim_finds_and_begin_anew_with_another_word():
    state = start(QUICK | {"words": "dog, cat"})
    run(state)
    vectors = KeyedVectors(state.config.size)
    vectors.add_vectors(list(state.vocabulary.words), state.engine.vectors.copy())
    history = state.evaluations.neighbour_history
    assert history.word == "dog" and history.rows[-1][0] == state.end
    found = [state.vocabulary.words[i] for i in history.rows[-1][1]]
    assert found == [word for word, _ in vectors.most_similar("dog", topn=NEIGHBOURS)]
    steps = [step for step, _ in history.rows]
    assert steps == sorted(set(steps)) and len(steps) <= ROWS + DENSE + 2

    arrays = snapshots(state)["neighbour_history"]
    words = arrays["words"].tobytes().decode().split("\n")[1:]
    assert arrays["rank"].shape == (len(words), len(steps)) and arrays["epoch"][-1] == state.config.epochs
    assert [words[i] for i in np.argsort(arrays["rank"][:, -1]) if arrays["rank"][i, -1] >= 0] == found

    state.apply_config(state.config.model_copy(update={"words": "sheep"}))
    assert history.word == "sheep" and [step for step, _ in history.rows] == [state.end]
