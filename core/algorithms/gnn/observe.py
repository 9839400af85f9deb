"""What the panels show of a state: small arrays, made without touching the state or any random generator."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from core.algorithms.gnn.measure import dirichlet_energy, pairwise_distance
from core.algorithms.gnn.state import State
from core.algorithms.gnn.tasks import GraphTask, LinkTask, NodeTask, Seen
from core.data.layout import layout
from core.events import Array, Event, Snapshot

#: Edges beyond which they are drawn as one picture, and its height and width.
MANY, PIXELS = 800, 900

#: Nodes of a graph that is drawn whole; of a larger one the neighbourhood of a node is, up to so many.
WHOLE, SAMPLED = 5000, 1200
#: Graphs drawn of many, in a grid so many wide.
GALLERY, ACROSS = 24, 6
#: Hop of a node that no message of the followed one's reaches.
UNREACHED = 255


@dataclass(slots=True)
class Scenery:
    """What is drawn over and over: made once for a training.

    Attributes:
        shown: numbers of the nodes that are drawn, (k,).
        edges: (2, m), both in the counting of ``shown``.
        place: (k, 2).
        member: for each drawn node the item whose guess it shows: itself, or its graph.
        inside: places in ``looped`` of the drawn edges, one for each direction, (2, m).
        bare: Dirichlet energy and mean distance of the features.
        frame: the last one of the nodes' inner life, that the next is turned to.
        followed, hops: the node that is followed with the depth, and how far each node of the graph is from it.
        looks: times it was drawn.
    """

    shown: Array
    edges: Array
    place: Array
    member: Array
    inside: Array
    frame: Array | None = None
    bare: tuple[float, float] | None = None
    followed: tuple[int, int] = (-1, -1)
    hops: Array | None = None
    looks: int = 0


def observe(state: State, everything: bool = True) -> Iterator[Event]:
    """The graph at each look, the other panels in turn; at step 0 also what never changes."""
    scenery = scenery_of(state)
    if state.step == 0:
        yield Snapshot(0, "scene", scene_arrays(state, scenery))
    seen, scenery.looks = state.look(), scenery.looks + 1
    yield Snapshot(state.step, "graph", graph_arrays(state, scenery, seen))
    if everything or scenery.looks % 2:
        yield Snapshot(state.step, "embedding", embedding_arrays(scenery, seen))
        if not isinstance(state.task, LinkTask):
            yield Snapshot(state.step, "confusion", {"counts": confusion(state, seen)})
    if everything or not scenery.looks % 2:
        yield Snapshot(state.step, "smoothing", smoothing_arrays(state, seen))
        if seen.attention and state.graph is not None:
            yield Snapshot(state.step, "attention", attention_arrays(state, scenery, seen))
    if state.graph is not None and (follow(state, scenery) or everything):
        yield Snapshot(state.step, "field", field_arrays(state, scenery))


def scenery_of(state: State) -> Scenery:
    """The state's scenery, made once."""
    if not isinstance(state.scenery, Scenery):
        state.scenery = gallery(state.task) if isinstance(state.task, GraphTask) else one(state)
    return state.scenery


def one(state: State) -> Scenery:
    """The one graph, or where it is large the neighbourhood of its node with the most neighbours."""
    graph = state.graph
    assert graph is not None
    edges = graph.edges
    shown = np.arange(graph.n)
    if graph.n > WHOLE:
        shown = neighbourhood(edges, graph.n, int(graph.degrees().argmax()), SAMPLED)
        place_of = np.full(graph.n, -1)
        place_of[shown] = np.arange(len(shown))
        edges = place_of[edges]
        edges = edges[:, (edges >= 0).all(axis=0)]
    # Which messages run along the drawn edges: among those that carry any, each direction has its place.
    carried = state.task.edges.plain.cpu().numpy()
    codes, order = np.sort(_code(carried, graph.n)), np.argsort(_code(carried, graph.n))
    wanted = np.stack([_code(shown[edges], graph.n), _code(shown[edges[::-1]], graph.n)])
    at = np.minimum(np.searchsorted(codes, wanted), max(len(codes) - 1, 0))
    inside = np.where(codes[at] == wanted, order[at], -1) if len(codes) else np.full_like(wanted, -1)
    return Scenery(shown, edges, layout(edges, len(shown)), np.arange(len(shown)), inside)


def _code(pairs: Array, n: int) -> Array:
    result: Array = pairs[0] * n + pairs[1]
    return result


def neighbourhood(edges: Array, n: int, centre: int, most: int) -> Array:
    """Numbers of the ``most`` nodes nearest to ``centre``, rising."""
    found = np.zeros(n, bool)
    found[centre] = True
    while True:
        either = found[edges[0]] | found[edges[1]]
        fresh = np.setdiff1d(np.unique(edges[:, either]), np.flatnonzero(found))
        room = most - int(found.sum())
        found[fresh[:room]] = True
        if len(fresh) == 0 or len(fresh) >= room:
            return np.flatnonzero(found)


def gallery(task: GraphTask) -> Scenery:
    """The first graphs of the test part, in a grid."""
    numbers = task.data.test[:GALLERY]
    shown, edges, places, member, begun = [], [], [], [], 0
    for i, number in enumerate(numbers):
        start, end = (int(v) for v in task.data.starts[number : number + 2])
        place = layout(task.data.edges[number], end - start, int(number)) * 0.42
        places.append(place + np.array([i % ACROSS, -(i // ACROSS)], np.float32))
        edges.append(task.data.edges[number] + begun)
        shown.append(np.arange(start, end))
        member.append(np.full(end - start, number))
        begun += end - start
    joined = np.concatenate(edges, axis=1)
    nodes = np.concatenate(shown)
    return Scenery(nodes, joined, np.concatenate(places), np.concatenate(member), np.zeros((2, 0), np.int64))


def scene_arrays(state: State, scenery: Scenery) -> dict[str, Array]:
    """Where the nodes are and what is known of them: ``y`` 255 where nobody knows the class; ``part`` 0 none, 1
    training, 2 validation, 3 test; ``edge_x``, ``edge_y`` the edges as lines with gaps, ``edge_png`` as a picture where
    they are many; ``about`` nodes drawn and there are."""
    task, k = state.task, len(scenery.shown)
    part, y, marked = np.zeros(k, np.uint8), np.full(k, 255, np.uint8), np.zeros(k, bool)
    names: tuple[str, ...] = ()
    edges = scenery.edges
    total = k
    if isinstance(task, GraphTask):
        y = task.data.y[scenery.member].astype(np.uint8)
        part[:] = 3
        marked = task.data.marked[scenery.shown]
        total = len(task.data.y)
    elif state.graph is not None:
        graph = state.graph
        total, names = graph.n, graph.names
        y = np.where(graph.y < 0, 255, graph.y)[scenery.shown].astype(np.uint8)
        if isinstance(task, NodeTask):
            whole = np.zeros(graph.n, np.uint8)
            for i, rows in enumerate((graph.train, graph.val, graph.test)):
                whole[rows] = i + 1
            part = whole[scenery.shown]
            marked = part == 1
        else:
            edges = edges[:, (scenery.inside >= 0).all(axis=0)]
    segments = lines(scenery.place, edges)
    arrays = {
        "x": scenery.place[:, 0].astype(np.float32),
        "y": scenery.place[:, 1].astype(np.float32),
        "class": y,
        "part": part,
        "edge_x": segments[0],
        "edge_y": segments[1],
        "mark_x": scenery.place[marked, 0].astype(np.float32),
        "mark_y": scenery.place[marked, 1].astype(np.float32),
        "number": scenery.shown.astype(np.int32),
        "edges": scenery.edges.astype(np.uint16),
        "about": np.array([k, total], np.int32),
    }
    if edges.shape[1] > MANY:
        arrays["edge_png"] = drawn(scenery.place, edges)
    if names:
        arrays["names"] = np.frombuffer("\n".join(names[i] for i in scenery.shown).encode(), np.uint8)
    return arrays


def drawn(place: Array, edges: Array) -> Array:
    """The edges as the bytes of a PNG that spans the nodes, grey on nothing: a browser draws it once, where thousands
    of lines would be drawn anew with each frame."""
    low, high = place.min(axis=0), place.max(axis=0)
    spots = (place - low) / np.maximum(high - low, 1e-6) * (2 * PIXELS - 1)
    spots[:, 1] = 2 * PIXELS - 1 - spots[:, 1]
    picture = Image.new("L", (2 * PIXELS, 2 * PIXELS))
    pen = ImageDraw.Draw(picture)
    for u, v in edges.T:
        pen.line([*spots[u], *spots[v]], fill=150, width=2)
    ink = picture.reduce(2).quantize(16).convert("L")  # smooth edges, and few enough shades for a small file
    grey = Image.new("L", ink.size, 128)
    file = io.BytesIO()
    Image.merge("LA", (grey, ink)).save(file, "PNG", optimize=True)
    return np.frombuffer(file.getvalue(), np.uint8)


def lines(place: Array, edges: Array) -> Array:
    """Edges (2, m) as one line with gaps, float32 (2, 3m)."""
    ends = place[edges.T]  # (m, 2, 2): edge, end, axis
    gaps = np.full((len(ends), 1, 2), np.nan, ends.dtype)
    result: Array = np.concatenate([ends, gaps], axis=1).reshape(-1, 2).T.astype(np.float32)  # (2, 3m)
    return np.ascontiguousarray(result)


def graph_arrays(state: State, scenery: Scenery, seen: Seen) -> dict[str, Array]:
    """The guess of each drawn node and how sure it is; for links, which held out edges are found and which not."""
    if isinstance(state.task, LinkTask):
        return link_arrays(state.task, scenery, seen)
    return {
        "guess": seen.predicted[scenery.member if state.graph is None else scenery.shown],
        "sure": (100 * seen.sure[scenery.member if state.graph is None else scenery.shown]).astype(np.uint8),
    }


def link_arrays(task: LinkTask, scenery: Scenery, seen: Seen) -> dict[str, Array]:
    """Lines of the test's pairs: joined ones that are found or missed, and others that are taken for joined."""
    pairs, joined = task.asked["test"]
    place_of = np.full(task.graph.n, -1)
    place_of[scenery.shown] = np.arange(len(scenery.shown))
    ends = place_of[pairs.cpu().numpy()]
    drawn, truth = (ends >= 0).all(axis=0), np.arange(ends.shape[1]) < joined
    said = seen.predicted.astype(bool)
    kinds = {"found": truth & said, "missed": truth & ~said, "false": ~truth & said}
    arrays = {}
    for name, which in kinds.items():
        arrays[f"{name}_x"], arrays[f"{name}_y"] = lines(scenery.place, ends[:, which & drawn])
    arrays["counts"] = np.array([int(which.sum()) for which in kinds.values()] + [joined, ends.shape[1] - joined])
    return arrays


@torch.no_grad()
def embedding_arrays(scenery: Scenery, seen: Seen) -> dict[str, Array]:
    """What the last layer but one says of each drawn node, in its two main directions, turned to the frame before."""
    inner = (seen.hidden[:-1] or seen.hidden)[-1][torch.from_numpy(scenery.shown)].cpu().numpy().astype(np.float64)
    middle = inner - inner.mean(axis=0)
    variance, directions = np.linalg.eigh(middle.T @ middle)
    axes = directions[:, ::-1][:, :2]
    flat = np.zeros((len(inner), 2))
    flat[:, : axes.shape[1]] = middle @ axes  # (k, 2)
    flat /= max(float(np.sqrt((flat**2).mean())), 1e-12)
    frame = flat if scenery.frame is None else flat @ aligned(flat, scenery.frame)
    scenery.frame = frame
    share = float(variance[::-1][:2].sum() / max(variance.sum(), 1e-30))
    return {"place": frame.astype(np.float16), "share": np.array([share], np.float32)}


def aligned(flat: Array, before: Array) -> Array:
    """The turn (2, 2), mirror allowed, that brings ``flat`` nearest to ``before``: orthogonal Procrustes.

    P. H. Schönemann. A generalized solution of the orthogonal Procrustes problem. Psychometrika 31, 1966.
    """
    u, _, vt = np.linalg.svd(flat.T @ before)
    result: Array = u @ vt
    return result


@torch.no_grad()
def smoothing_arrays(state: State, seen: Seen) -> dict[str, Array]:
    """Dirichlet energy and mean distance of the features, and after each layer."""
    scenery = scenery_of(state)
    if scenery.bare is None:
        x = state.task.x
        scenery.bare = (dirichlet_energy(x, state.task.edges), pairwise_distance(x))
    found = [scenery.bare, *((dirichlet_energy(h, state.task.edges), pairwise_distance(h)) for h in seen.hidden)]
    energy, distance = np.array(found, np.float32).T
    return {"energy": energy, "distance": distance}


def confusion(state: State, seen: Seen) -> Array:
    """Test nodes (or graphs) by true class (row) and guessed class (column)."""
    data: Any = state.graph if state.graph is not None else state.task.data  # type: ignore[attr-defined]
    classes = state.task.outputs
    pairs = data.y[data.test] * classes + seen.predicted[data.test]
    result: Array = np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.int32)
    return result


def attention_arrays(state: State, scenery: Scenery, seen: Seen) -> dict[str, Array]:
    """How strongly each drawn edge is attended to in the first layer, the stronger direction's mean over heads, as a
    multiple of what an even division among neighbours would give: uint8, 64 for 1, at most 4."""
    alpha = seen.attention[0].mean(dim=1).cpu().numpy()  # (looped,)
    heard_by = state.task.edges.looped[1].cpu().numpy()
    alpha = alpha * np.bincount(heard_by)[heard_by]
    strength = np.where(scenery.inside >= 0, alpha[scenery.inside], 0).max(axis=0, initial=0)
    return {"strength": (64 * strength).clip(0, 255).astype(np.uint8)}


def follow(state: State, scenery: Scenery) -> bool:
    """Find how far each node is from the followed one; whether that is another, or the depth is, than before."""
    assert state.graph is not None
    node, depth = min(state.config.node, state.graph.n - 1), reach(state)
    if scenery.followed == (node, depth):
        return False
    scenery.followed, scenery.hops = (node, depth), hops_from(state, node)
    return True


def reach(state: State) -> int:
    """Over how many edges a node hears: one a layer, none without edges."""
    return state.config.depth if state.config.model != "mlp" else 0


def hops_from(state: State, node: int) -> Array:
    """How many edges each node of the graph is from this one, :data:`UNREACHED` beyond the reach: uint8 (n,)."""
    assert state.graph is not None
    hops = np.full(state.graph.n, UNREACHED, np.uint8)
    hops[node] = 0
    plain = state.task.edges.plain.cpu().numpy()
    for hop in range(1, reach(state) + 1):
        reached = plain[1, hops[plain[0]] == hop - 1]
        hops[reached[hops[reached] == UNREACHED]] = hop
    return hops


def field_arrays(state: State, scenery: Scenery) -> dict[str, Array]:
    """How far each drawn node is from the followed one, and how many there are in all of each distance."""
    assert scenery.hops is not None
    return heard(scenery.hops, scenery.shown, *scenery.followed)


def heard(hops: Array, shown: Array, node: int, depth: int) -> dict[str, Array]:
    """The picture of a receptive field: hops of the drawn nodes, nodes by hop, and whose it is."""
    counts = np.bincount(hops, minlength=256)[: depth + 1]
    return {"hops": hops[shown], "counts": counts.astype(np.int32), "node": np.array([node], np.int32)}
