"""Trainings as a test drives them: by hand, up to a step or to their end."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.algorithms.word2vec import train as program
from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.evaluate import unit
from core.algorithms.word2vec.nearest import neighbours
from core.algorithms.word2vec.state import State
from core.events import Event, Step
from tests.core.algorithms import driven

#: A run of a second: the engine that is driven, and the one that is written out.
QUICK = {"corpus": "grammar", "sentences": 1000, "size": 16, "window": 3, "epochs": 3, "min_count": 2}
WRITTEN = QUICK | {"engine": "written", "lr": 0.05, "epochs": 2, "sentences": 300, "size": 12}


@dataclass
class Told(driven.Told):
    """What a training said, and how many words it was taught."""

    trained: int = 0
    events: list[Event] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        super().hear(event)
        self.events.append(event)
        if isinstance(event, Step):
            self.trained += self.state.engine.trained


def start(settings: dict[str, Any] | Word2VecConfig) -> State:
    config = settings if isinstance(settings, Word2VecConfig) else Word2VecConfig(**settings)
    return program.build(config, program.load(config), "cpu")


def run(state: State, steps: float = math.inf) -> Told:
    """Train to the end, or until ``state.step`` is ``steps``, and leave at once, as a worker does."""
    heard = Told(state)
    for event in program.train(state):
        heard.hear(event)
        if isinstance(event, Step) and event.step >= steps:
            break
    return heard


def same_kind(state: State) -> float:
    """Share of the words of a known kind whose nearest neighbour is of that kind."""
    words, kinds = state.vocabulary.words, state.text.corpus.classes
    vectors = unit(state.engine.vectors)
    near = vectors @ vectors.T
    np.fill_diagonal(near, -2)
    asked = [i for i, word in enumerate(words) if word in kinds]
    return float(np.mean([kinds.get(words[near[i].argmax()]) == kinds[words[i]] for i in asked]))


def nearest(state: State, word: str) -> list[str]:
    """The ten nearest words as the page shows them."""
    state.turn(state.config.model_copy(update={"words": word}))
    ((_, places, _),) = neighbours(state, unit(state.engine.vectors[:20_000]))
    return [state.vocabulary.words[i] for i in places[:10]]
