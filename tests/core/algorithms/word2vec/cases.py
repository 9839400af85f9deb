"""The cases of Word2Vec for the contract suite."""

from typing import Any

import numpy as np

from tests.core.algorithms.contract import Cases, Effect, Overfit, Trial, drawn, initial, logged, shapes
from tests.core.algorithms.trial import Log, UploadedText
from tests.core.algorithms.word2vec.training import QUICK, SGNS

SMALL = {"corpus": "grammar", "sentences": 300, "size": 8, "window": 3, "epochs": 2, "min_count": 2, "lr": 0.05}
SMALL |= {"shown": 20, "skipped": 0}
SGNS_ENGINE = {"engine": "sgns", "batch_size": 16}
ENGINES: tuple[dict[str, Any], ...] = ({}, SGNS_ENGINE)
OWN = tuple(UploadedText(" ".join(f"{chr(97 + i % 26)}{end}" for i in range(200))) for end in ("one", "two"))
POEM = UploadedText("\n".join(f"我们{a} 喜欢{b}读书" for a in "天地玄黄宇宙洪荒日月" for b in "盈昃辰宿列张寒来暑往"))

KINDS = {
    "skip-gram": QUICK,
    "many epochs": QUICK | {"epochs": 33},  # so that it is measured every few steps, and neighbours even less often
    "CBOW": QUICK | {"method": "cbow"},
    "tree": QUICK | {"output": "hierarchical"},
    "news": {"corpus": "news", "size": 20, "epochs": 3},
    "SGNS": SGNS,
}


def words(trial: Trial) -> list[str]:
    return list(trial.state.vocabulary.words)


def steps_per_epoch(trial: Trial) -> int:
    return int(trial.state.engine.steps_per_epoch)


def few_pairs(state: Any) -> None:
    """Some pairs with a centre of its own each, as every epoch's only batch."""
    pairs = state.engine._pairs
    pairs = pairs[np.unique(pairs[:, 0], return_index=True)[1]][:8]
    state.engine._draw_pairs = lambda epoch: pairs
    state.engine._pairs, state.engine._n_pairs, state.engine.steps_per_epoch = pairs, len(pairs), 1
    state.end = 10**6


def pair_loss(log: Log) -> float:
    """Mean −log σ(score) of the true pairs of the last batch."""
    centre, targets, _ = (part.numpy() for part in log.state.engine.last_batch)
    score = (log.state.vectors[centre] * log.state.outputs[targets[:, 0]]).sum(axis=1)
    return float(np.logaddexp(0, -score).mean())


CASES = Cases(
    settings=SMALL,
    effects=(
        *(Effect("seed", (0, 1), context, initial, steps=0) for context in ENGINES),
        Effect("seed", (0, 1), SGNS_ENGINE),
        Effect("corpus", ("grammar", "news", "own"), {"text": OWN[0]}, words, steps=0),
        Effect("text", OWN, {"corpus": "own"}, words, steps=0),
        *(
            Effect("cut", ("words", cut), {"corpus": "own", "text": POEM, "min_count": 1}, words, steps=0)
            for cut in ("auto", "jieba")
        ),
        Effect("sentences", (300, 400), {}, lambda t: len(t.state.data.sentences), steps=0),
        *(Effect("min_count", (2, 10), context, words, steps=0) for context in ENGINES),
        Effect("engine", ("gensim", "sgns"), {}, lambda t: type(t.state.engine).__name__, steps=0),
        Effect("method", ("skip_gram", "cbow")),
        Effect("output", ("negative", "hierarchical")),
        *(Effect("size", (8, 9), context, shapes(), steps=0) for context in ENGINES),
        *(
            Effect(name, values, context)
            for name, values in {
                "window": (2, 3),
                "shrink": (True, False),
                "negative": (5, 6),
                "exponent": (0.75, 0.0, -0.5),
                "lr": (0.05, 0.1),
                "lr_end": (1e-4, 0.05),
                "epochs": (2, 4),
                "sample": (0.0, 1e-3, 1e-2),
            }.items()
            for context in ENGINES
        ),
        *(Effect("epochs", (2, 4), context, lambda t: t.state.end, steps=0) for context in ENGINES),
        # Pairs of an epoch: how far the window reaches, whatever is drawn of it.
        Effect(
            "window",
            (2, 3),
            SGNS_ENGINE | {"shrink": False, "sample": 0.0},
            lambda t: t.state.engine.steps_per_epoch,
            steps=0,
        ),
        Effect("shrink", (True, False), SGNS_ENGINE | {"sample": 0.0}, steps_per_epoch, steps=0),
        Effect("batch_size", (16, 32), SGNS_ENGINE),
        # Several threads write in no fixed order: what they learned could differ by itself.
        Effect("threads", (1, 2), {}, lambda t: t.state.engine.model.workers, steps=0),
        Effect("words", ("cat", "girl"), {}, drawn("neighbours", "cosine")),
        Effect("words", ("cat", "girl"), {}, drawn("neighbour_history", "rank")),
        Effect("analogy", ("cat - dog + girl", "cat - dog + house"), {}, drawn("analogy", "cosine")),
        Effect("pairs", ("cat dog", "cat house"), {}, logged("cosine/")),
        Effect("shown", (20, 30), {}, drawn("map", "words")),
        Effect("skipped", (0, 10), {}, drawn("map", "words")),
        Effect("projection", ("pca", "tsne"), {}, drawn("map", "places")),
    ),
    resume=KINDS,
    half=11,
    overfit=(Overfit("pairs", SGNS | {"negative": 1, "lr": 1.0, "lr_end": 1.0}, few_pairs, 400, 0.1, pair_loss),),
)
