"""Trainings of word vectors, driven by hand up to a step or to their end."""

import math
from functools import partial
from typing import Any

import numpy as np

from core.algorithms.word2vec.nearest import unit
from core.algorithms.word2vec.snapshots import near_queries
from tests.core.algorithms import trial
from tests.core.algorithms.trial import Log

#: A run of a second, by gensim and by the engine in PyTorch.
QUICK = {"corpus": "grammar", "sentences": 1000, "size": 16, "window": 3, "epochs": 3, "min_count": 2}
SGNS = QUICK | {"engine": "sgns", "lr": 0.05, "epochs": 2, "sentences": 300, "size": 12}

program = trial.program("word2vec")
start = partial(trial.start, "word2vec")
snapshots = partial(trial.snapshots, "word2vec")


def run(state: Any, steps: float = math.inf) -> Log:
    """Train to the end, or until ``state.step`` is ``steps``."""
    return trial.run("word2vec", state, steps)


def same_kind(state: Any) -> float:
    """Share of the words of a known kind whose nearest neighbour is of that kind."""
    words, kinds = state.vocabulary.words, state.data.classes
    vectors = unit(state.vectors)
    near = vectors @ vectors.T
    np.fill_diagonal(near, -2)
    chosen = [i for i, word in enumerate(words) if word in kinds]
    return float(np.mean([kinds.get(words[near[i].argmax()]) == kinds[words[i]] for i in chosen]))


def nearest(state: Any, word: str) -> list[str]:
    """The ten nearest words as the page shows them."""
    state.apply_config(state.config.model_copy(update={"words": word}))
    ((_, places, _),) = near_queries(state)
    return [state.vocabulary.words[i] for i in places[:10]]
