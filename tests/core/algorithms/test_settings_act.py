"""Every setting of every algorithm acts: runs that differ in it alone come out differently.

A table per algorithm names each field of its settings, the values that are tried, the settings in whose context they
matter, and what is compared: what was learned after a few steps, what the pictures show, or what the metrics say. Runs
that are compared by what they learned begin with the same weights wherever these have the same shape, so that a layer
that draws its weights at another place of the random stream, or that is larger, is not taken for one that acts.
"""

from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import drawing, registry
from core.algorithms.gan import train as gan_program
from core.algorithms.gan.source import Classifier
from core.data import images
from core.events import Snapshot
from tests.core.algorithms.acting import (
    Kept,
    Row,
    Trial,
    alike,
    begun,
    differ,
    drawn,
    learned,
    only,
    seen,
    shapes,
    told,
)
from tests.core.algorithms.driven import same

DNN = {"data": "moons", "samples": 60, "noise": 0.1, "layers": (4,), "optimizer": "sgd", "lr": 0.1, "batch_size": 8}
FORMULAS = ("moons", "circles", "spiral", "xor", "gaussians", "checkerboard", "curve", "plane")
VALUED = {"data": "plane"}
DNN_ROWS = [
    Row("seed", (0, 1), what=drawn, steps=0),
    Row("seed", (0, 1)),
    Row("data", FORMULAS, {"samples": 150}, what=lambda t: t.state.x_train, steps=0),
    Row("data", ("iris", "wine", "breast_cancer", "digits", "mnist_5k"), what=lambda t: t.state.x_train, steps=0),
    Row("samples", (60, 80)),
    Row("noise", (0.1, 0.3)),
    Row("test_share", (0.3, 0.5)),
    Row("test_share", (0.3, 0.5), {"data": "mnist_5k"}),
    Row("features", (("x",), ("square",), ("sine",), ("product",), ("x", "product"))),
    Row("layers", ((4,), (5,), (4, 4), ()), what=shapes()),
    Row("activation", ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "silu", "gelu", "identity")),
    Row("init", ("xavier", "kaiming", "normal", "zeros"), what=drawn, steps=0),
    Row("init", ("kaiming", "normal"), {"activation": "leaky_relu"}, what=drawn, steps=0),
    Row("init_scale", (0.1, 0.2), {"init": "normal"}, what=drawn, steps=0),
    Row("batch_norm", (False, True)),
    Row("loss", ("cross_entropy", "squared")),
    Row("loss", ("auto", "squared")),
    Row("loss", ("squared", "absolute", "huber"), VALUED),
    Row("loss", ("auto", "absolute", "huber"), VALUED),
    Row("optimizer", ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"), {"l2": 0.1}),
    Row("lr", (0.1, 0.2)),
    Row("momentum", (0.5, 0.9), {"optimizer": "momentum"}),
    Row("momentum", (0.5, 0.9), {"optimizer": "nesterov"}),
    Row("batch_size", (8, 16)),
    Row("schedule", ("constant", "warmup", "step", "exponential", "cosine"), {"schedule_steps": 3}),
    *(Row("schedule_steps", (2, 3), {"schedule": name}) for name in ("warmup", "step", "exponential", "cosine")),
    Row("dropout", (0.0, 0.2, 0.6)),
    Row("l1", (0.0, 0.1, 0.2)),
    Row("l2", (0.0, 0.1, 0.2)),
    Row("l2", (0.0, 0.1, 0.2), {"optimizer": "adamw"}),
    Row("clip", (0.0, 0.01, 0.02)),
]

GAN = {"batch_size": 8, "g_layers": (6, 6), "d_layers": (6, 6), "d_optimizer": "sgd", "g_optimizer": "sgd"}
GAN |= {"g_lr": 0.1, "d_lr": 0.1}
# Convolutions begin with small weights, through which little comes: they take larger steps.
DCGAN = {"data": "mnist_5k", "architecture": "dcgan", "channels": 2, "g_lr": 1.0, "d_lr": 1.0}
BENDS = ("relu", "leaky_relu", "tanh", "elu", "silu", "gelu")
CORNERS, CROSS = ([(x, y) for x in xs for y in ys] for xs, ys in (((-1, 1), range(-5, 6)), (range(-5, 6), (0, 0.5))))
GAN_ROWS = [
    Row("seed", (0, 1), what=drawn, steps=0),
    Row("seed", (0, 1)),
    Row("seed", (0, 1), what=lambda t: t.state.fixed, steps=0),
    Row("data", ("ring", "grid", "spiral", "moons")),
    Row("data", ("ring", "mnist_5k"), what=shapes("D"), steps=0),
    Row("drawing", tuple(drawing.text(np.array(p) / 5) for p in (CORNERS, CROSS)), {"data": "drawing"}),
    # Minimax is another game for G alone, the gradient penalty another for D alone.
    Row("loss", ("non_saturating", "least_squares", "hinge", "wasserstein_gp"), what=only("D"), steps=1),
    Row("loss", ("non_saturating", "minimax", "least_squares", "hinge"), what=only("G"), steps=2),
    Row("penalty", (1.0, 10.0), {"loss": "wasserstein_gp"}, what=only("D"), steps=1),
    Row("d_steps", (1, 2)),
    Row("g_steps", (1, 2)),
    Row("batch_size", (8, 16), what=only("D"), steps=1),
    Row("architecture", ("mlp", "dcgan"), {"data": "mnist_5k"}, what=shapes(), steps=0),
    Row("latent", (2, 3), what=shapes("G"), steps=0),
    Row("latent", (2, 3), DCGAN, what=shapes("G"), steps=0),
    Row("noise", ("normal", "uniform")),
    Row("noise", ("normal", "uniform"), what=lambda t: t.state.fixed, steps=0),
    Row("noise", ("normal", "uniform"), what=seen("latent", "lines"), steps=0),
    Row("g_layers", ((6,), (7,), (6, 6), ()), what=shapes("G"), steps=0),
    Row("d_layers", ((6,), (7,), (6, 6), ()), what=shapes("D"), steps=0),
    *(Row("channels", (2, 3), DCGAN, what=shapes(part), steps=0) for part in "GD"),
    Row("g_activation", BENDS, what=only("G"), steps=2),
    Row("g_activation", BENDS, DCGAN, what=only("G"), steps=2),
    Row("d_activation", BENDS, what=only("D"), steps=1),
    Row("d_activation", BENDS, DCGAN, what=only("D"), steps=1),
    Row("g_norm", (False, True), what=only("G"), steps=2),
    Row("g_norm", (False, True), DCGAN, what=only("G"), steps=2),
    Row("d_norm", (False, True), what=only("D"), steps=1),
    Row("d_norm", (False, True), DCGAN, what=only("D"), steps=1),
    # Adam as PyTorch has it by itself, lest one that stands in for another rule differs from it by β₁ alone.
    *(
        Row(f"{part}_optimizer", ("adam", "rmsprop", "sgd"), {f"{part}_beta1": 0.9}, what=only(part.upper()))
        for part in "gd"
    ),
    *(Row(f"{part}_lr", (0.1, 0.2), what=only(part.upper())) for part in "gd"),
    *(Row(f"{part}_beta1", (0.5, 0.9), {f"{part}_optimizer": "adam"}, what=only(part.upper())) for part in "gd"),
    Row("ema", (0.0, 0.01, 0.05), what=only("slow")),
    Row("ema", (0.0, 0.05), what=seen("samples", "made")),
    Row("packing", (1, 2), what=only("D"), steps=1),
    Row("packing", (1, 2), DCGAN, what=only("D"), steps=1),
    *(
        Row("smoothing", (0.0, 0.1, 0.2), {"loss": loss}, what=only("D"), steps=1)
        for loss in ("minimax", "non_saturating", "least_squares")
    ),
    Row("instance_noise", (0.0, 0.1, 0.5), what=only("D"), steps=1),
    Row("spectral_norm", (False, True), what=only("D"), steps=1),
    Row("spectral_norm", (False, True), DCGAN, what=only("D"), steps=1),
]

DQN = {"layers": (6,), "learning_starts": 4, "batch_size": 4, "buffer": 64, "train_every": 4, "gradient_steps": 2}
DQN |= {"epsilon_start": 0.9, "epsilon_end": 0.3, "epsilon_steps": 30, "evaluate_episodes": 1, "lr": 0.01, "clip": 0.0}
TABLE = {"environment": "CliffWalking-v1", "method": "q_learning", "lr": 0.5, "limit": 20}
TABLES = (TABLE, TABLE | {"method": "sarsa"}, TABLE | {"double": True})
WORLDS = ("CartPole-v1", "MountainCar-v0", "Acrobot-v1", "FrozenLake-v1", "CliffWalking-v1")
WORLDS += ("two_state", "over_estimation")
ICE = {"environment": "FrozenLake-v1"}


def world(trial: Trial) -> str:
    return type(trial.state.world.env.unwrapped).__name__


DQN_ROWS = [
    Row("seed", (0, 1), what=drawn, steps=0),
    Row("seed", (0, 1), steps=40),
    Row("environment", WORLDS, what=world, steps=0),
    Row("environment", ("CartPole-v1", "other"), {"other": "Taxi-v4"}, what=world, steps=0),
    Row("other", ("Taxi-v4", "CliffWalking-v1"), {"environment": "other"}, what=world, steps=0),
    Row("slip", (False, True), ICE, steps=40),
    Row("limit", (0, 5, 9), steps=40),
    Row("limit", (0, 5, 9), {"environment": "two_state"}, steps=40),
    Row("method", ("dqn", "q_learning"), ICE, what=lambda t: t.state.table is None, steps=0),
    Row("method", ("q_learning", "sarsa"), TABLE, steps=60),
    Row("double", (False, True), {"target_every": 10_000, "lr": 0.1}, steps=80),
    # Both tables are learned in, where there are two.
    Row("double", (False, True), TABLE, what=lambda t: int(t.state.table.any(axis=(1, 2)).sum()), steps=60),
    Row("dueling", (False, True), steps=40),
    Row("n_step", (1, 2, 3), steps=40),
    Row("layers", ((6,), (7,), (6, 6), ()), what=shapes("online"), steps=0),
    Row("lr", (0.01, 0.02), steps=40),
    *(Row("lr", (0.5, 0.25), context, steps=60) for context in TABLES),
    Row("gamma", (0.99, 0.5), steps=40),
    Row("gamma", (0.99, 0.5), what=told("value/obtained")),
    *(Row("gamma", (0.99, 0.5), context, steps=60) for context in TABLES),
    Row("train_every", (4, 8), steps=40),
    Row("gradient_steps", (2, 3), steps=40),
    Row("huber", (False, True), steps=40),
    Row("clip", (0.0, 0.01, 0.1), steps=40),
    Row("replay", (True, False), steps=40),
    Row("batch_size", (4, 8), steps=40),
    Row("buffer", (8, 16), steps=40),
    Row("learning_starts", (4, 20), {"epsilon_start": 1.0, "epsilon_end": 1.0}, steps=40),
    Row("learning_starts", (4, 20), what=told("explore/epsilon"), steps=40),
    Row("prioritised", (False, True), steps=40),
    Row("alpha", (0.0, 0.3, 1.0), {"prioritised": True}, steps=40),
    Row("beta", (0.0, 0.4, 0.8), {"prioritised": True, "epsilon_steps": 1000}, steps=40),
    Row("target", ("hard", "soft", "none"), steps=40),
    Row("target", ("hard", "none"), what=lambda t: t.state.target is t.state.online, steps=0),
    Row("target_every", (2, 7), steps=40),
    Row("tau", (0.05, 0.5), {"target": "soft"}, what=only("online"), steps=40),
    *(
        Row(f"epsilon_{name}", values, context, steps=60)
        for name, values in {"start": (0.9, 0.5), "end": (0.3, 0.0), "steps": (30, 300)}.items()
        for context in ({"learning_starts": 0}, TABLE)
    ),
    Row("evaluate_every", (10, 20), what=told("test/return", values=False), steps=42),
    Row("evaluate_episodes", (1, 3), what=told("test/return")),
    *(
        Row(f"axis_{axis}", (0, 1), {f"axis_{other}": 2}, what=seen(*picture), steps=20)
        for axis, other in ("xy", "yx")
        for picture in (("map", "value"), ("memory", "cover"))
    ),
]

GNN = {"blocks": (12, 12), "p_in": 0.5, "p_out": 0.1, "hidden": 4, "dropout": 0.0, "weight_decay": 0.0}
LINKS, MANY = {"task": "links"}, {"task": "graphs", "graphs": 60, "batch_size": 8}
GAT, DEEP = {"model": "gat", "heads": 2}, {"depth": 3}
EDGES = (Kept("\n".join(f"{i},{i + 1}" for i in range(20))), Kept("\n".join(f"{i},{i // 2}" for i in range(1, 21))))
NODES = tuple(Kept("\n".join(f"{i},{'ab'[i // step % 2]}" for i in range(21))) for step in (1, 2))
PASTED = {"data": "pasted", "edge_list": EDGES[0]}
GNN_ROWS = [
    Row("seed", (0, 1), what=drawn, steps=0),
    Row("seed", (0, 1), MANY),
    Row("task", ("nodes", "links", "graphs"), MANY | PASTED | {"node_table": NODES[0]}, shapes(), steps=0),
    Row("data", ("blocks", "karate", "lesmis", "pasted"), LINKS | PASTED, lambda t: t.state.task.pairs, steps=0),
    Row("blocks", ((12, 12), (12, 14))),
    Row("p_in", (0.5, 0.6)),
    Row("p_out", (0.1, 0.2)),
    Row("edge_list", EDGES, PASTED | {"node_table": NODES[0]}),
    Row("node_table", NODES, PASTED),
    Row("features", ("own", "degree")),
    Row("features", ("own", "degree"), LINKS),
    *(Row("features", ("own", "degree"), {"data": name}) for name in ("karate", "lesmis")),
    Row("labels", (2, 3)),
    Row("labels", (2, 3), {"data": "karate"}),
    Row("held_out", (0.2, 0.4), LINKS),
    Row("graphs", (60, 90), MANY),
    Row("model", ("gcn", "sage", "gat", "gin", "mlp"), what=lambda t: type(t.state.model.layers[0]).__name__, steps=0),
    Row("depth", (1, 2, 3), what=shapes(), steps=0),
    *(
        Row("hidden", (4, 5), context, what=shapes(), steps=0)
        for context in (*({"model": name} for name in ("gcn", "sage", "gat", "gin", "mlp")), LINKS, MANY)
    ),
    # Attentions that there are, and the width that they have together.
    Row("heads", (2, 3), GAT, what=lambda t: t.state.look().attention[0].shape[1], steps=1),
    Row("heads", (2, 3), GAT, what=lambda t: t.state.look().hidden[0].shape[1], steps=1),
    Row("aggregation", ("mean", "max", "sum"), {"model": "sage"}),
    # The nodes of the drawn graphs have one feature, the same for all: its mean is its maximum.
    Row("aggregation", ("mean", "sum"), MANY | {"model": "sage"}),
    Row("remedy", ("none", "residual", "pairnorm", "jumping"), DEEP),
    Row("readout", ("mean", "max", "sum"), MANY),
    Row("lr", (0.01, 0.02)),
    Row("batch_size", (8, 16), MANY),
    *(
        Row(name, (0.0, 0.2, 0.6), context)
        for name in ("dropout", "edge_dropout")
        for context in ({}, LINKS, MANY, GAT)
    ),
    Row("weight_decay", (0.0, 0.1, 0.2)),
    Row("decay", ("first", "all"), {"weight_decay": 0.1}),
    Row("node", (0, 1), what=seen("field", "hops")),
    Row("node", (0, 1), LINKS, what=seen("field", "hops")),
]

WORD2VEC = {"corpus": "grammar", "sentences": 300, "size": 8, "window": 3, "epochs": 2, "min_count": 2, "lr": 0.05}
WORD2VEC |= {"shown": 20, "skipped": 0}
WRITTEN = {"engine": "written", "batch_size": 16}
ENGINES: tuple[dict[str, Any], ...] = ({}, WRITTEN)
BROUGHT = tuple(Kept(" ".join(f"{chr(97 + i % 26)}{end}" for i in range(200))) for end in ("one", "two"))
POEM = Kept("\n".join(f"我们{a} 喜欢{b}读书" for a in "天地玄黄宇宙洪荒日月" for b in "盈昃辰宿列张寒来暑往"))


def words(trial: Trial) -> list[str]:
    return list(trial.state.vocabulary.words)


WORD2VEC_ROWS = [
    *(Row("seed", (0, 1), context, drawn, steps=0) for context in ENGINES),
    Row("seed", (0, 1), WRITTEN),
    Row("corpus", ("grammar", "news", "own"), {"text": BROUGHT[0]}, what=words, steps=0),
    Row("text", BROUGHT, {"corpus": "own"}, what=words, steps=0),
    *(
        Row("cut", ("words", cut), {"corpus": "own", "text": POEM, "min_count": 1}, what=words, steps=0)
        for cut in ("auto", "jieba")
    ),
    Row("sentences", (300, 400), what=lambda t: len(t.state.text.corpus.sentences), steps=0),
    *(Row("min_count", (2, 10), context, what=words, steps=0) for context in ENGINES),
    Row("engine", ("gensim", "written"), what=lambda t: type(t.state.engine).__name__, steps=0),
    Row("method", ("skip_gram", "cbow")),
    Row("output", ("negative", "hierarchical")),
    *(Row("size", (8, 9), context, what=shapes(), steps=0) for context in ENGINES),
    *(
        Row(name, values, context)
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
    *(Row("epochs", (2, 4), context, what=lambda t: t.state.end, steps=0) for context in ENGINES),
    # Pairs of an epoch: how far the window reaches, whatever is drawn of it.
    Row("window", (2, 3), WRITTEN | {"shrink": False, "sample": 0.0}, lambda t: t.state.engine.per_epoch, steps=0),
    Row("shrink", (True, False), WRITTEN | {"sample": 0.0}, lambda t: t.state.engine.per_epoch, steps=0),
    Row("batch_size", (16, 32), WRITTEN),
    # Several threads write in no fixed order: what they learned could differ by itself.
    Row("threads", (1, 2), what=lambda t: t.state.engine.model.workers, steps=0),
    Row("words", ("cat", "girl"), what=seen("neighbours", "cosine")),
    Row("words", ("cat", "girl"), what=seen("company", "rank")),
    Row("analogy", ("cat - dog + girl", "cat - dog + house"), what=seen("analogy", "cosine")),
    Row("pairs", ("cat dog", "cat house"), what=told("cosine/")),
    Row("shown", (20, 30), what=seen("map", "words")),
    Row("skipped", (0, 10), what=seen("map", "words")),
    Row("projection", ("pca", "tsne"), what=seen("map", "places")),
]

TABLE_OF = {
    "dnn": (DNN, DNN_ROWS),
    "gan": (GAN, GAN_ROWS),
    "dqn": (DQN, DQN_ROWS),
    "gnn": (GNN, GNN_ROWS),
    "word2vec": (WORD2VEC, WORD2VEC_ROWS),
}
CASES = [(slug, row) for slug, (_, rows) in TABLE_OF.items() for row in rows]


@cache
def digits(test_share: float, seed: int) -> Any:
    return MNIST(test_share=test_share, seed=seed)


MNIST = images.mnist_5k


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for texts; images are read once, and the judge of generated ones needs to know nothing here."""
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    monkeypatch.setattr(images, "mnist_5k", digits)
    monkeypatch.setattr(gan_program, "taught", lambda data, seed: Classifier(len(data.classes)))


@pytest.mark.parametrize("slug", list(registry.experiments()))
def test_every_setting_has_a_row(slug: str) -> None:
    assert {row.field for row in TABLE_OF[slug][1]} == set(registry.get(slug).config.model_fields)


@pytest.mark.parametrize(("slug", "row"), CASES, ids=[f"{slug}-{row.field}" for slug, row in CASES])
def test_a_setting_acts(slug: str, row: Row) -> None:
    trials = [begun(slug, {**TABLE_OF[slug][0], **row.context, row.field: value}) for value in row.values]
    if row.what is not drawn:
        alike(trials)
    for trial in trials:
        trial.train(row.steps)
    found = [row.what(trial) for trial in trials]
    for (a, one), (b, other) in combinations(zip(row.values, found, strict=True), 2):
        assert differ(one, other), f"{row.field}: {a} does the same as {b}"


@pytest.mark.parametrize("slug", list(registry.experiments()))
def test_the_same_settings_give_the_same_run(slug: str) -> None:
    pair = [begun(slug, TABLE_OF[slug][0]) for _ in range(2)]
    for trial in pair:
        trial.train(8)
    assert same(learned(pair[0]), learned(pair[1])) and same(pair[0].told, pair[1].told)
    shown = [[event.arrays for event in t.program.observe(t.state) if isinstance(event, Snapshot)] for t in pair]
    assert same(*shown)


def test_without_replay_the_newest_steps_are_learned_from() -> None:
    trial = begun("dqn", DQN | {"replay": False, "batch_size": 2})
    trial.train(20)
    assert trial.state.replay.born[trial.state.replay.drawn].tolist() == [16, 17, 18, 19], "all since the last training"
