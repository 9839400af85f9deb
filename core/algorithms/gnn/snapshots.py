"""What the panels of the graph networks draw: small arrays, made without changing the state or a random generator."""

import io
from dataclasses import dataclass

import networkx  # noqa: F401 - what a worker needs is imported once, before it is forked
import numpy as np
import torch
import torch_geometric.datasets  # noqa: F401
from PIL import Image, ImageDraw

from core.algorithms.gnn.metrics import dirichlet_energy, evaluate, pairwise_distance
from core.algorithms.gnn.tasks import GraphTask, LinkTask
from core.algorithms.gnn.train import GNNTraining
from core.data.layout import layout
from core.data.links import codes
from core.events import Array
from core.figures import broken_line, text_array
from core.projection import AlignedFrames, principal_components

#: Edges beyond which they are drawn as one picture, and its height and width.
MANY, PIXELS = 800, 900

#: Nodes of a graph that is drawn whole; of a larger one the neighbourhood of a node is, up to so many.
WHOLE, SAMPLED = 5000, 1200
#: Graphs drawn of many, in a grid so many wide.
GALLERY, ACROSS = 24, 6
#: The hop that stands for a node from which no message reaches the chosen one.
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
        edges = numbers_among(shown, n)[edges]
        edges = edges[:, (edges >= 0).all(axis=0)]
    # Where each direction of a drawn edge stands among the edges that carry messages; -1 for those that do not.
    position = {code: i for i, code in enumerate(codes(s.task.edges.edge_index.cpu().numpy(), n).tolist())}
    directions = (codes(shown[edges], n), codes(shown[edges[::-1]], n))
    inside = np.array([[position.get(code, -1) for code in one.tolist()] for one in directions], np.int64)  # (2, m)
    return Scene(shown, edges, layout(edges, len(shown)), np.arange(len(shown)), inside)


def numbers_among(shown: Array, n: int) -> Array:
    """For each of ``n`` nodes its place in ``shown``, -1 where it has none."""
    found = np.full(n, -1)
    found[shown] = np.arange(len(shown))
    return found


def neighbourhood(edges: Array, n: int, centre: int, most: int) -> Array:
    """Numbers of the ``most`` nodes nearest to ``centre``, rising; fewer where no more can be reached."""
    hops = hops_from(edges, n, centre, most)
    order = np.argsort(hops, kind="stable")
    nearest: Array = order[hops[order] >= 0][:most]
    return np.sort(nearest)


def hops_from(edges: Array, n: int, node: int, most: int) -> Array:
    """How many edges each node is from this one, up to ``most``; -1 beyond: int64 (n,)."""
    hops = np.full(n, -1)
    hops[node] = 0
    for hop in range(1, most + 1):
        reached = np.concatenate([edges[1, hops[edges[0]] == hop - 1], edges[0, hops[edges[1]] == hop - 1]])
        reached = reached[hops[reached] == -1]
        if not len(reached):
            break
        hops[reached] = hop
    return hops


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
    """Where the nodes are and what is known of them: ``class`` 255 where it is unknown; ``mark_x``, ``mark_y`` the
    nodes of the training part, or of the motif; ``edge_x``, ``edge_y`` the edges as lines with gaps, ``edge_png`` as a
    picture where they are many; ``about`` nodes drawn, and all nodes."""
    drawing, task = s.cached(make_scene), s.task
    shown, place, edges = drawing.shown, drawing.place, drawing.edges
    names: tuple[str, ...] = ()
    if isinstance(task, GraphTask):
        y, marked, total = task.data.y[drawing.member], task.data.marked[shown], len(task.data.y)
    else:
        y, marked, total = task.graph.y[shown], np.isin(shown, task.graph.train), task.graph.n
        names = task.graph.names
    if isinstance(task, LinkTask):
        marked = np.zeros(len(shown), bool)
        edges = edges[:, (drawing.inside >= 0).all(axis=0)]
    edge_x, edge_y = lines(place, edges)
    arrays = {
        "x": place[:, 0].astype(np.float32),
        "y": place[:, 1].astype(np.float32),
        "class": np.where(y < 0, 255, y).astype(np.uint8),
        "edge_x": edge_x,
        "edge_y": edge_y,
        "mark_x": place[marked, 0].astype(np.float32),
        "mark_y": place[marked, 1].astype(np.float32),
        "number": shown.astype(np.int32),
        "edges": drawing.edges.astype(np.uint16),
        "about": np.array([len(shown), total], np.int32),
    }
    if edges.shape[1] > MANY:
        arrays["edge_png"] = rendered(place, edges)
    if names:
        arrays["names"] = text_array(names[i] for i in shown)
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
    return broken_line(place[edges.T])


def graph(s: GNNTraining) -> dict[str, Array]:
    """Prediction and confidence of each drawn node; for links, which held out edges are found and which not."""
    drawing, evaluated = s.cached(make_scene), s.cached_at_step(evaluate)
    if isinstance(s.task, LinkTask):
        return link_arrays(s.task, drawing, evaluated.predicted.astype(bool))
    rows = drawing.member if s.graph is None else drawing.shown
    return {"predicted": evaluated.predicted[rows], "percent": (100 * evaluated.confidence[rows]).astype(np.uint8)}


def link_arrays(task: LinkTask, drawing: Scene, predicted: Array) -> dict[str, Array]:
    """Lines of the test's pairs: joined ones that are found or missed, and others that are taken for joined."""
    pairs, joined = task.scored_pairs["test"]
    ends = numbers_among(drawing.shown, task.graph.n)[pairs.cpu().numpy()]
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
    shown = s.cached(make_scene).shown
    representation = s.cached_at_step(evaluate).representation[torch.from_numpy(shown)].cpu().numpy()
    places, explained = principal_components(representation, 2)
    places /= max(float(np.sqrt(np.square(places).mean())), 1e-12)
    aligned = s.cached(embedding_frames).add(shown, places)
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
    data = s.task.data if isinstance(s.task, GraphTask) else s.task.graph
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


def receptive_field(s: GNNTraining, node: int) -> dict[str, Array]:
    """Hops of the drawn nodes from ``node``, the number of nodes at each hop, and the node."""
    assert s.graph is not None
    reach = s.config.depth if s.config.model != "mlp" else 0  # messages go an edge a layer
    hops = hops_from(s.task.edges.pairs.cpu().numpy(), s.graph.n, node, reach)
    counts = np.bincount(hops[hops >= 0], minlength=reach + 1)
    return {
        "hops": np.where(hops < 0, UNREACHED, hops)[s.cached(make_scene).shown].astype(np.uint8),
        "counts": counts.astype(np.int32),
        "node": np.array([node], np.int32),
    }


def field(s: GNNTraining) -> dict[str, Array] | None:
    """The receptive field of the node that the settings name."""
    return None if s.graph is None else receptive_field(s, min(s.config.node, s.graph.n - 1))


STATIC_SNAPSHOTS = {"scene": scene}
SNAPSHOTS = {
    "graph": graph,
    "embedding": embedding,
    "confusion": confusion,
    "smoothing": smoothing,
    "attention": attention,
    "field": field,
}
