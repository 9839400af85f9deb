"""What the panels of the graph networks draw: small arrays, made without changing the state or a random generator."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from core.algorithms.gnn.metrics import dirichlet_energy, evaluate, pairwise_distance
from core.algorithms.gnn.tasks import GraphTask, LinkTask, NodeTask
from core.algorithms.gnn.train import GNNTraining
from core.data.layout import layout
from core.events import Array
from core.projection import AlignedFrames, principal_components

#: Edges beyond which they are drawn as one picture, and its height and width.
MANY, PIXELS = 800, 900

#: Nodes of a graph that is drawn whole; of a larger one the neighbourhood of a node is, up to so many.
WHOLE, SAMPLED = 5000, 1200
#: Graphs drawn of many, in a grid so many wide.
GALLERY, ACROSS = 24, 6
#: Hop of a node from which no message reaches the chosen one.
UNREACHED = 255


@dataclass(frozen=True, slots=True)
class Scene:
    """What all pictures of a training have in common.

    Attributes:
        shown: numbers of the nodes that are drawn, (k,).
        edges: (2, m), numbers among ``shown``.
        place: (k, 2).
        member: for each drawn node the item whose prediction it shows: itself, or its graph.
        inside: places in ``edge_index_with_loops`` of the drawn edges, one for each direction, (2, m).
    """

    shown: Array
    edges: Array
    place: Array
    member: Array
    inside: Array


def make_scene(s: GNNTraining) -> Scene:
    """The scene of a training. Called through ``s.cached``."""
    return gallery(s.task) if isinstance(s.task, GraphTask) else one_graph(s)


def one_graph(s: GNNTraining) -> Scene:
    """The one graph, or where it is large the neighbourhood of its node with the most neighbours."""
    assert s.graph is not None
    n, edges = s.graph.n, s.graph.edges
    shown = np.arange(n)
    if n > WHOLE:
        shown = neighbourhood(edges, n, int(s.graph.degrees().argmax()), SAMPLED)
        place_of = np.full(n, -1)
        place_of[shown] = np.arange(len(shown))
        edges = place_of[edges]
        edges = edges[:, (edges >= 0).all(axis=0)]
    # Where each direction of a drawn edge stands among the edges that carry messages; -1 for those that do not.
    carried = s.task.edges.edge_index.cpu().numpy()
    codes, order = np.sort(_code(carried, n)), np.argsort(_code(carried, n))
    wanted = np.stack([_code(shown[edges], n), _code(shown[edges[::-1]], n)])
    at = np.minimum(np.searchsorted(codes, wanted), max(len(codes) - 1, 0))
    inside = np.where(codes[at] == wanted, order[at], -1) if len(codes) else np.full_like(wanted, -1)
    return Scene(shown, edges, layout(edges, len(shown)), np.arange(len(shown)), inside)


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


def gallery(task: GraphTask) -> Scene:
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
    return Scene(nodes, joined, np.concatenate(places), np.concatenate(member), np.zeros((2, 0), np.int64))


def scene(s: GNNTraining) -> dict[str, Array]:
    """Where the nodes are and what is known of them: ``class`` 255 where it is unknown; ``part`` 0 none, 1
    training, 2 validation, 3 test; ``edge_x``, ``edge_y`` the edges as lines with gaps, ``edge_png`` as a picture where
    they are many; ``about`` nodes drawn, and all nodes."""
    drawing, task = s.cached(make_scene), s.task
    k = len(drawing.shown)
    part, y, marked = np.zeros(k, np.uint8), np.full(k, 255, np.uint8), np.zeros(k, bool)
    names: tuple[str, ...] = ()
    edges = drawing.edges
    total = k
    if isinstance(task, GraphTask):
        y = task.data.y[drawing.member].astype(np.uint8)
        part[:] = 3
        marked = task.data.marked[drawing.shown]
        total = len(task.data.y)
    elif s.graph is not None:
        total, names = s.graph.n, s.graph.names
        y = np.where(s.graph.y < 0, 255, s.graph.y)[drawing.shown].astype(np.uint8)
        if isinstance(task, NodeTask):
            whole = np.zeros(s.graph.n, np.uint8)
            for i, rows in enumerate((s.graph.train, s.graph.val, s.graph.test)):
                whole[rows] = i + 1
            part = whole[drawing.shown]
            marked = part == 1
        else:
            edges = edges[:, (drawing.inside >= 0).all(axis=0)]
    segments = lines(drawing.place, edges)
    arrays = {
        "x": drawing.place[:, 0].astype(np.float32),
        "y": drawing.place[:, 1].astype(np.float32),
        "class": y,
        "part": part,
        "edge_x": segments[0],
        "edge_y": segments[1],
        "mark_x": drawing.place[marked, 0].astype(np.float32),
        "mark_y": drawing.place[marked, 1].astype(np.float32),
        "number": drawing.shown.astype(np.int32),
        "edges": drawing.edges.astype(np.uint16),
        "about": np.array([k, total], np.int32),
    }
    if edges.shape[1] > MANY:
        arrays["edge_png"] = rendered(drawing.place, edges)
    if names:
        arrays["names"] = np.frombuffer("\n".join(names[i] for i in drawing.shown).encode(), np.uint8)
    return arrays


def rendered(place: Array, edges: Array) -> Array:
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


def graph(s: GNNTraining) -> dict[str, Array]:
    """Prediction and confidence of each drawn node; for links, which held out edges are found and which not."""
    drawing, evaluated = s.cached(make_scene), s.cached_at_step(evaluate)
    if isinstance(s.task, LinkTask):
        return link_arrays(s.task, drawing, evaluated.predicted.astype(bool))
    rows = drawing.member if s.graph is None else drawing.shown
    return {"guess": evaluated.predicted[rows], "sure": (100 * evaluated.confidence[rows]).astype(np.uint8)}


def link_arrays(task: LinkTask, drawing: Scene, predicted: Array) -> dict[str, Array]:
    """Lines of the test's pairs: joined ones that are found or missed, and others that are taken for joined."""
    pairs, joined = task.scored_pairs["test"]
    place_of = np.full(task.graph.n, -1)
    place_of[drawing.shown] = np.arange(len(drawing.shown))
    ends = place_of[pairs.cpu().numpy()]
    drawn, truth = (ends >= 0).all(axis=0), np.arange(ends.shape[1]) < joined
    kinds = {"found": truth & predicted, "missed": truth & ~predicted, "false": ~truth & predicted}
    arrays = {}
    for name, which in kinds.items():
        arrays[f"{name}_x"], arrays[f"{name}_y"] = lines(drawing.place, ends[:, which & drawn])
    arrays["counts"] = np.array([int(which.sum()) for which in kinds.values()] + [joined, ends.shape[1] - joined])
    return arrays


def embedding_frames(s: GNNTraining) -> AlignedFrames:
    """The frames of the embedding. Called through ``s.cached``."""
    return AlignedFrames(2)


def embedding(s: GNNTraining) -> dict[str, Array]:
    """Output of the last layer but one for each drawn node, in its two main directions, rotated to the one before."""
    drawing, hidden = s.cached(make_scene), s.cached_at_step(evaluate).hidden
    inner = (hidden[:-1] or hidden)[-1][torch.from_numpy(drawing.shown)].cpu().numpy()
    places, explained = principal_components(inner, 2)
    places /= max(float(np.sqrt(np.square(places).mean())), 1e-12)
    aligned = s.cached(embedding_frames).add(drawing.shown, places)
    return {"place": aligned.astype(np.float16), "share": np.array([explained], np.float32)}


def feature_smoothness(s: GNNTraining) -> tuple[float, float]:
    """Dirichlet energy and mean distance of the features. Called through ``s.cached``."""
    return dirichlet_energy(s.task.x, s.task.edges), pairwise_distance(s.task.x)


@torch.no_grad()
def smoothing(s: GNNTraining) -> dict[str, Array]:
    """Dirichlet energy and mean distance of the features, and after each layer."""
    layers = [(dirichlet_energy(h, s.task.edges), pairwise_distance(h)) for h in s.cached_at_step(evaluate).hidden]
    energy, distance = np.array([s.cached(feature_smoothness), *layers], np.float32).T
    return {"energy": energy, "distance": distance}


def confusion(s: GNNTraining) -> dict[str, Array] | None:
    """Test nodes (or graphs) by true class (row) and predicted class (column)."""
    if isinstance(s.task, LinkTask):
        return None
    data: Any = s.graph if s.graph is not None else s.data
    n_classes, predicted = s.task.out_channels, s.cached_at_step(evaluate).predicted
    pairs = data.y[data.test] * n_classes + predicted[data.test]
    counts = np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
    return {"counts": counts.astype(np.int32)}


def attention(s: GNNTraining) -> dict[str, Array] | None:
    """Attention over each drawn edge in the first layer, the stronger direction's mean over heads, as a multiple of an
    even division among neighbours: uint8, 64 for 1, at most 4."""
    evaluated, drawing = s.cached_at_step(evaluate), s.cached(make_scene)
    if not evaluated.attention or s.graph is None:
        return None
    alpha = evaluated.attention[0].mean(dim=1).cpu().numpy()  # (2m + n,)
    receiver = s.task.edges.edge_index_with_loops[1].cpu().numpy()
    alpha = alpha * np.bincount(receiver)[receiver]
    strength = np.where(drawing.inside >= 0, alpha[drawing.inside], 0).max(axis=0, initial=0)
    return {"strength": (64 * strength).clip(0, 255).astype(np.uint8)}


def reach(s: GNNTraining) -> int:
    """Hops over which a node receives messages: one a layer, none without edges."""
    return s.config.depth if s.config.model != "mlp" else 0


def hops_from(s: GNNTraining, node: int) -> Array:
    """How many edges each node of the graph is from this one, :data:`UNREACHED` beyond the reach: uint8 (n,)."""
    assert s.graph is not None
    hops = np.full(s.graph.n, UNREACHED, np.uint8)
    hops[node] = 0
    plain = s.task.edges.edge_index.cpu().numpy()
    for hop in range(1, reach(s) + 1):
        reached = plain[1, hops[plain[0]] == hop - 1]
        hops[reached[hops[reached] == UNREACHED]] = hop
    return hops


def receptive_field(s: GNNTraining, node: int, depth: int) -> dict[str, Array]:
    """Hops of the drawn nodes from ``node``, the number of nodes at each hop, and the node."""
    hops = hops_from(s, node)
    counts = np.bincount(hops, minlength=256)[: depth + 1]
    shown = s.cached(make_scene).shown
    return {"hops": hops[shown], "counts": counts.astype(np.int32), "node": np.array([node], np.int32)}


def field(s: GNNTraining) -> dict[str, Array] | None:
    """The receptive field of the node that the settings name."""
    if s.graph is None:
        return None
    return receptive_field(s, min(s.config.node, s.graph.n - 1), reach(s))


STATIC_SNAPSHOTS = {"scene": scene}
SNAPSHOTS = {
    "graph": graph,
    "embedding": embedding,
    "confusion": confusion,
    "smoothing": smoothing,
    "attention": attention,
    "field": field,
}
