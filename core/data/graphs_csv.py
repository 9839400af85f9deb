"""A graph that a person brings: a list of edges, and if there is one, a table of the nodes' labels and features.

Edges are lines of two ids, nodes lines of an id, a label and any count of numbers, with a comma, a semicolon or a tab
between them. What can be corrected without a question (edges of a node to itself, edges given twice) is, and counted.

The server checks a graph at each validation of its settings, so :func:`check` costs little whatever the texts hold: it
parses small ones, whose errors are then known at once, and of large ones measures no more than their lines and columns.
:func:`pasted`, which makes the matrix of features, is for a worker. Every bound is checked before memory is allocated.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np

from core.data import uploads
from core.data.graphs import Features, Graph, made_features, split, tidy
from core.events import Array
from core.words import N_, Refusal, Sentence

#: Most lines of a text, nodes, classes, and characters of an id or a label.
LINES, NODES, CLASSES, CHARACTERS = 200_000, 20_000, 10, 100

#: Most features of all nodes together, nodes × columns: Cora's 2,708 × 1,433 fit.
FEATURES = 4_000_000

#: Bytes up to which :func:`check` parses the texts.
SMALL = 500_000

#: Size of a number of a node; larger ones cannot be distinguished once they are squared in 32 bits.
LARGEST = 1e15

#: What a person calls the two texts.
_TITLES = {"edge_list": N_("Edge list"), "node_table": N_("Node table")}

_HEADS = {"source", "target", "from", "to", "id", "node", "u", "v", "src", "dst", "label", "起点", "终点", "节点"}

_SEPARATOR = re.compile("[,;\t]")


@dataclass(frozen=True, slots=True)
class Parsed:
    """The two texts as numbers.

    Attributes:
        edges: (2, m) as a :class:`~core.data.graphs.Graph` holds them.
        names: ids of the nodes, in the order they are first mentioned.
        loops, doubles: edges that were left out, of a node to itself and given before.
        y: class of each node, -1 where the table has none; ``classes`` their names.
        rows: the k nodes that have numbers, int64 (k,).
        numbers: their numbers, float32 (k, d); d is 0 where the table has none.
    """

    edges: Array
    names: tuple[str, ...]
    loops: int
    doubles: int
    y: Array
    classes: tuple[str, ...]
    rows: Array
    numbers: Array


def check(edge_list: str, node_table: str, *, labels: int, seed: int, classified: bool) -> None:
    """Refuse two kept texts that make no graph, as far as little time and memory can find out.

    Args:
        edge_list, node_table: names of kept texts, the second may be ``""``.
        labels: how many nodes of each class are trained on.
        classified: whether the classes of nodes are to be learned, so that some have to be known.

    Raises:
        Refusal: as :func:`parse`, for small texts; for large ones, they have too many lines or columns. Whatever else
            is wrong with large ones is refused when a worker parses them.
    """
    if not edge_list:
        raise _no_edge_list()
    texts = {"edge_list": edge_list, "node_table": node_table} if node_table else {"edge_list": edge_list}
    sizes = {field: uploads.summary(name, field, _TITLES[field]) for field, name in texts.items()}
    for field, size in sizes.items():
        _check_lines(field, size.lines)
    if sum(size.size for size in sizes.values()) <= SMALL:
        _parts(parse(edge_list, node_table), labels, seed, classified)
    elif node_table:
        _check_features(sizes["node_table"].lines, _columns(node_table))


@lru_cache(maxsize=4)
def parse(edge_list: str, node_table: str) -> Parsed:
    """The graph of two kept texts, the second of which may be ``""``.

    Raises:
        Refusal: it cannot be read as a graph; names the line.
    """
    if not edge_list:
        raise _no_edge_list()
    text = _text(edge_list, "edge_list")
    _, first = next(_cells(text, "edge_list", 2), (0, []))
    pairs, number = _edges(text, heading=_names_columns(first, 2))
    if _names_columns(first, 2) and any(cell in number for cell in first):  # a node is called like a column
        pairs, number = _edges(text, heading=False)
    if not len(pairs):
        raise Refusal("edge_list", N_("Edge list: it has no edge."))
    edges, loops, doubles = tidy(pairs, len(number))
    return Parsed(edges, tuple(number), loops, doubles, *_table(node_table, number))


def _no_edge_list() -> Refusal:
    return Refusal("edge_list", N_("Edge list: paste one, or choose a file: two ids a line."))


def _check_lines(field: str, lines: int) -> None:
    if lines > LINES:
        raise Refusal(
            field,
            N_("{title}: at most {most} lines can be taken; this text has {n}."),
            title=Sentence(_TITLES[field]),
            most=f"{LINES:,}",
            n=f"{lines:,}",
        )


def _check_features(nodes: int, columns: int) -> None:
    if nodes * columns > FEATURES:
        raise Refusal(
            "node_table",
            N_("Node table: {n} nodes with {columns} numbers each are too many; at most {most} numbers can be taken."),
            n=f"{nodes:,}",
            columns=f"{columns:,}",
            most=f"{FEATURES:,}",
        )


@lru_cache(maxsize=64)
def _columns(node_table: str) -> int:
    """The most numbers that a line of a table has, counted by its separators without splitting it."""
    found = 0
    for line in uploads.lines(node_table, "node_table", _TITLES["node_table"]):
        if not line.lstrip().startswith((b"#", b"%")):
            separators = sum(map(line.count, (b",", b";", b"\t"))) or line.count(b" ")
            found = max(found, separators - 1)
    return found


def _text(name: str, field: str) -> str:
    _check_lines(field, uploads.summary(name, field, _TITLES[field]).lines)
    return uploads.read(name, field, _TITLES[field])


def _cells(text: str, field: str, most: int = FEATURES) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line that is neither empty nor a comment; all cells after ``most`` are left out."""
    for line, raw in enumerate(text.split("\n"), start=1):
        raw = raw.strip()
        if not raw or raw.startswith(("#", "%")):
            continue
        # A space separates cells only where nothing else does: a name may have one.
        found = _SEPARATOR.split(raw, most) if _SEPARATOR.search(raw) else re.split(" +", raw, maxsplit=most)
        cells = [cell.strip().strip('"') for cell in found[:most]]
        if any(len(cell) > CHARACTERS for cell in cells):
            raise Refusal(
                field,
                N_("{title}: line {line} has an entry of {n} characters; at most {most} can be taken."),
                title=Sentence(_TITLES[field]),
                line=line,
                n=f"{max(map(len, cells)):,}",
                most=CHARACTERS,
            )
        yield line, cells


def _edges(text: str, heading: bool) -> tuple[Array, dict[str, int]]:
    """Pairs of node numbers (m, 2), and the number of each id; the first line is left out if it is a heading."""
    number: dict[str, int] = {}

    def pairs() -> Iterator[int]:
        for line, cells in islice(_cells(text, "edge_list", 2), int(heading), None):
            if len(cells) < 2 or not cells[0] or not cells[1]:
                raise Refusal(
                    "edge_list",
                    N_(
                        "Edge list: line {line} has one id; an edge needs two, with a comma, a semicolon or a tab "
                        "between."
                    ),
                    line=line,
                )
            for cell in cells:
                yield number.setdefault(cell, len(number))

    found = np.fromiter(pairs(), np.int64).reshape(-1, 2)
    if len(number) > NODES:
        raise Refusal(
            "edge_list",
            N_("Edge list: at most {most} nodes can be taken; this one has {n}."),
            most=f"{NODES:,}",
            n=f"{len(number):,}",
        )
    return found, number


def _names_columns(cells: list[str], ids: int) -> bool:
    """Whether the first ``ids`` cells of a line are such as name columns."""
    return bool(cells) and all(cell.lower() in _HEADS for cell in cells[:ids])


def _table(name: str, number: dict[str, int]) -> tuple[Array, tuple[str, ...], Array, Array]:
    """Classes and numbers of the nodes, as :class:`Parsed` has them; all unknown without a table."""
    n = len(number)
    y = np.full(n, -1, np.int64)
    if not name:
        return y, (), np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
    _check_features(n, _columns(name))
    text = _text(name, "node_table")
    labels, width = _surveyed(text, number)
    line_of: dict[str, int] = {}
    rows, numbers = [], []
    for line, cells in _nodes(text, number):
        node = number[cells[0]]
        if line_of.setdefault(cells[0], line) != line:
            raise Refusal(
                "node_table",
                N_("Node table: {node} stands in line {first} and again in line {line}; a node needs one line."),
                node=cells[0],
                first=line_of[cells[0]],
                line=line,
            )
        if len(cells) > 1 and cells[1]:
            y[node] = labels.index(cells[1])
        try:
            values = np.array([float(cell) for cell in cells[2:]])
        except ValueError:
            values = np.array([np.nan])
        if len(values) not in (0, width) or not (np.abs(values) <= LARGEST).all():
            raise Refusal(
                "node_table",
                N_(
                    "Node table: behind id and label, line {line} needs {width} numbers, as the others have, "
                    "none larger than {most}."
                ),
                line=line,
                width=width,
                most=f"{LARGEST:.0e}",
            )
        if len(values):
            rows.append(node)
            numbers.append(values.astype(np.float32))
    return y, labels, np.array(rows, np.int64), np.array(numbers, np.float32).reshape(len(rows), width)


def _surveyed(text: str, number: dict[str, int]) -> tuple[tuple[str, ...], int]:
    """The different labels of a table in alphabetical order, and the most numbers that a line has."""
    labels: set[str] = set()
    width, strangers, stranger = 0, 0, (0, "")
    for line, cells in _nodes(text, number):
        labels.update(cells[1:2])
        width = max(width, len(cells) - 2)
        if cells[0] not in number:
            strangers += 1
            stranger = stranger if strangers > 1 else (line, cells[0])
    labels.discard("")
    if len(labels) > CLASSES:
        raise Refusal(
            "node_table",
            N_("Node table: at most {most} different labels can be distinguished; this one has {n}."),
            most=CLASSES,
            n=len(labels),
        )
    if strangers:
        raise Refusal(
            "node_table",
            N_("Node table: ids that are in no edge: {n}, such as {node} in line {line}. Take these lines out."),
            n=strangers,
            node=stranger[1],
            line=stranger[0],
        )
    return tuple(sorted(labels)), width


def _nodes(text: str, number: dict[str, int]) -> Iterator[tuple[int, list[str]]]:
    """The lines of a table without its heading."""
    found = _cells(text, "node_table")
    first = next(found, None)
    if first is not None and (not _names_columns(first[1], 1) or first[1][0] in number):
        yield first
    yield from found


def _parts(found: Parsed, labels: int, seed: int, classified: bool) -> tuple[Array, Array, Array]:
    """Numbers of the nodes for training, for choosing the epoch and for testing; none where nothing is classified.

    Raises:
        Refusal: too few nodes have a label.
    """
    if not classified:
        none = np.zeros(0, np.int64)
        return none, none, none
    if len(found.classes) < 2:
        raise Refusal(
            "node_table",
            N_("Node table: to learn the classes of nodes, labels of two kinds are needed: an id and a label a line."),
        )
    return split(found.y, labels, np.random.default_rng([seed, 2]))


def pasted(edge_list: str, node_table: str, *, labels: int, features: str, seed: int, classified: bool) -> Graph:
    """The graph of two kept texts, with its matrix of features.

    Args:
        edge_list, node_table, labels, seed, classified: as for :func:`check`.
        features: what a node knows of itself where the table has no numbers, see :func:`made_features`.

    Raises:
        Refusal: as :func:`parse`; too few nodes have a label.
    """
    found = parse(edge_list, node_table)
    n = len(found.names)
    parts = _parts(found, labels, seed, classified)
    if not found.numbers.size:
        x = made_features(features, found.edges, n)
        return Graph("pasted", found.edges, n, x, found.y, found.classes, *parts, found.names, features)
    dense = np.zeros((n, found.numbers.shape[1]), np.float32)
    dense[found.rows] = found.numbers
    x = Features.of((dense - dense.mean(axis=0)) / np.maximum(dense.std(axis=0), 1e-6))
    return Graph("pasted", found.edges, n, x, found.y, found.classes, *parts, found.names)
