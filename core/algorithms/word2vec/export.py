"""What is exported of a run, and what a recording keeps of its state."""

from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import KeyedVectors

from core.algorithms.word2vec.train import Word2VecTraining


def inference_state(tree: dict[str, Any]) -> dict[str, Any]:
    """A saved state with what probes need alone: the words' vectors, in half precision."""
    engine = tree["engine"] | {"vectors": np.asarray(tree["engine"]["vectors"], np.float16)}
    del engine["outputs"]
    return tree | {"engine": engine}


def export(s: Word2VecTraining, folder: Path) -> list[Path]:
    """The vectors as the authors' program writes them, as text and in binary, and as gensim's ``KeyedVectors``.

    gensim's own format is a pickle, which Tenfold writes for those who want it and never reads.
    """
    vectors = KeyedVectors(s.config.size)
    vectors.add_vectors(list(s.vocabulary.words), s.vectors.copy())
    text, binary, own = (folder / f"vectors.{ending}" for ending in ("txt", "bin", "kv"))
    vectors.save_word2vec_format(str(text), binary=False)
    vectors.save_word2vec_format(str(binary), binary=True)
    vectors.save(str(own), sep_limit=1 << 40)  # one file, whatever its size
    return [text, binary, own]
