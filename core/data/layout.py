"""Where to draw the nodes of a graph: joined ones near, others apart. Computed once for a run.

Forces as in T. M. J. Fruchterman, E. M. Reingold. Graph drawing by force-directed placement. 1991: an edge pulls with
d²/k, every pair pushes with k²/d. A large graph is pushed by pairs drawn at random instead of by all, so that its
layout takes a second instead of an hour.
"""

import numpy as np

from core.events import Array

#: Up to so many nodes every pair pushes; beyond, each node is pushed by so many others in each round.
ALL_PAIRS, DRAWN = 400, 24
ROUNDS = 300

#: Pull towards the middle.
GRAVITY = 4.0


def layout(edges: Array, n: int, seed: int = 0) -> Array:
    """Places of the nodes, float32 (n, 2) within [-1, 1].

    Args:
        edges: (2, m), each once.
        n: nodes, at least 1.
    """
    rng = np.random.default_rng([seed, n])
    place = _beginning(edges, n, rng)
    k = 1 / np.sqrt(n)
    u, v = edges
    rounds = ROUNDS if n <= ALL_PAIRS else 160
    for t in range(rounds):
        push = _pushed_by_all(place, k) if n <= ALL_PAIRS else _pushed_by_some(place, k, rng)
        way = place[u] - place[v]  # (m, 2)
        pull = way * (np.linalg.norm(way, axis=1, keepdims=True) / k)
        for axis in (0, 1):
            push[:, axis] += np.bincount(v, pull[:, axis], n) - np.bincount(u, pull[:, axis], n)
        push -= place * (np.linalg.norm(place, axis=1, keepdims=True) * GRAVITY + 0.5)  # loose parts stay near
        length = np.linalg.norm(push, axis=1, keepdims=True)
        heat = 0.2 * (1 - t / rounds) ** 1.5 + 1e-3
        place += push / np.maximum(length, 1e-9) * np.minimum(length, heat)
    place -= (place.max(axis=0) + place.min(axis=0)) / 2
    result: Array = (place / max(float(np.abs(place).max()), 1e-9)).astype(np.float32)
    return result


def _beginning(edges: Array, n: int, rng: np.random.Generator) -> Array:
    """Smooth over the edges already: random places, each a few times replaced by the mean of its neighbourhood."""
    place = rng.normal(size=(n, 2))
    u, v = edges
    degree = np.bincount(edges.reshape(-1), minlength=n)[:, None] + 1
    for _ in range(30):
        total = place.copy()
        for axis in (0, 1):
            total[:, axis] += np.bincount(u, place[v, axis], n) + np.bincount(v, place[u, axis], n)
        place = total / degree
        place = (place - place.mean(axis=0)) / np.maximum(place.std(axis=0), 1e-9)
    return place * 0.4 + rng.normal(size=(n, 2)) * 0.02


def _pushed_by_all(place: Array, k: float) -> Array:
    length = (place**2).sum(axis=1)
    square = np.maximum(length[:, None] + length[None] - 2 * place @ place.T, 0) + 1e-6  # (n, n)
    weight = k**2 / square
    result: Array = place * weight.sum(axis=1, keepdims=True) - weight @ place
    return result


def _pushed_by_some(place: Array, k: float, rng: np.random.Generator) -> Array:
    n = len(place)
    push = np.zeros_like(place)
    order = rng.permutation(n)
    for shift in rng.integers(1, n, DRAWN):  # a shift of a permutation gives each node another one
        other = np.empty(n, np.int64)
        other[order] = np.roll(order, shift)
        way = place - place[other]
        push += way * (k**2 / ((way**2).sum(axis=1, keepdims=True) + 1e-6))
    result: Array = push * (n / DRAWN) * 0.5
    return result
