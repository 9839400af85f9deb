"""Word2Vec: learn for each word a vector from which its neighbours can be guessed.

A step is a stretch of some thousand words, trained by gensim at one go, or a batch of pairs where the engine is the
one written out. The rate comes down evenly over the whole run, and the run ends after its last epoch. The papers and
the mathematics stand in ``driven.py`` and ``model.py``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import KeyedVectors

from core.algorithms.word2vec.ask import probe
from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.measure import report
from core.algorithms.word2vec.observe import observe
from core.algorithms.word2vec.state import State
from core.algorithms.word2vec.text import Text, read
from core.events import Event, Step

__all__ = ["build", "export", "load", "observe", "probe", "slim", "train"]


def load(config: Word2VecConfig) -> Text:
    """The text of the settings, cut into words and counted.

    Raises:
        Refusal: it cannot be had, or there is too little or too much of it.
    """
    return read(config)


def build(config: Word2VecConfig, data: Text, device: str) -> State:
    """Vocabulary and vectors at step 0."""
    return State(config, data, device)


def train(state: State) -> Iterator[Event]:
    """Stretch for stretch from ``state.step`` on, until the last epoch is over."""
    while True:
        yield from report(state)
        if state.step >= state.end:
            return
        state.engine.advance(state.step)
        state.step += 1
        yield Step(state.step, state.epoch)


def slim(tree: dict[str, Any]) -> dict[str, Any]:
    """A saved state with what is asked for alone: the words' vectors, in half the digits."""
    engine = tree["engine"] | {"vectors": np.asarray(tree["engine"]["vectors"], np.float16)}
    del engine["outputs"]
    return tree | {"engine": engine}


def export(state: State, folder: Path) -> list[Path]:
    """The vectors as the authors' program writes them, as text and in binary, and as gensim's ``KeyedVectors``.

    gensim's own format is a pickle, which Tenfold writes for who wants it and never reads.
    """
    vocabulary = state.vocabulary
    vectors = KeyedVectors(state.config.size)
    vectors.add_vectors(list(vocabulary.words), state.engine.vectors.copy())
    text, binary, own = (folder / f"vectors.{ending}" for ending in ("txt", "bin", "kv"))
    vectors.save_word2vec_format(str(text), binary=False)
    vectors.save_word2vec_format(str(binary), binary=True)
    vectors.save(str(own), sep_limit=1 << 40)  # one file, whatever its size
    return [text, binary, own]
