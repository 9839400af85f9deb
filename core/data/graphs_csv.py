"""A graph that a person brings: a list of edges, and where there are any a table of labels and features.

Edges are lines of two ids, nodes lines of an id, a label and as many numbers as one likes; between them a comma, a
semicolon or a tab. What can be put right without asking (edges of a node to itself, edges given twice) is, and counted.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.data import uploads
from core.data.graphs import Features, Graph, featured, split, tidy
from core.events import Array
from core.words import N_, Refusal, Sentence

#: Lines, nodes and classes that can be taken.
LINES, NODES, CLASSES = 200_000, 20_000, 10

#: Size of a number of a node; larger ones are no longer told apart once they are squared in 32 bits.
LARGEST = 1e15

#: What a person calls the two texts.
_TITLES = {"edge_list": N_("Edge list"), "node_table": N_("Node table")}

_HEADS = {"source", "target", "from", "to", "id", "node", "u", "v", "src", "dst", "label", "起点", "终点", "节点"}


@dataclass(frozen=True, slots=True)
class Brought:
    """What a person brought.

    Attributes:
        edges: (2, m) as a :class:`~core.data.graphs.Graph` holds them.
        names: ids of the nodes, in the order they are first mentioned.
        loops, doubles: edges that were left out, of a node to itself and given before.
        y: class of each node, -1 where the table says none; ``classes`` their names.
        x: numbers of each node (n, d), ``None`` where the table has none.
    """

    edges: Array
    names: tuple[str, ...]
    loops: int
    doubles: int
    y: Array
    classes: tuple[str, ...]
    x: Array | None


@lru_cache(maxsize=4)
def brought(edge_list: str, node_table: str) -> Brought:
    """The graph of two kept texts, the second of which may be ``""``.

    Raises:
        Refusal: it cannot be read as a graph; names the line.
    """
    if not edge_list:
        raise Refusal("edge_list", N_("Edge list: paste one, or choose a file: two ids a line."))
    rows = _rows(_text(edge_list, "edge_list"), "edge_list")
    if _heading(rows[:1], 2, {cell for _, cells in rows[1:] for cell in cells[:2]}):
        rows = rows[1:]
    number: dict[str, int] = {}
    pairs = []
    for line, cells in rows:
        if len(cells) < 2 or not cells[0] or not cells[1]:
            raise Refusal(
                "edge_list",
                N_("Edge list: line {line} has one id; an edge needs two, with a comma, a semicolon or a tab between."),
                line=line,
            )
        pairs.append([number.setdefault(cell, len(number)) for cell in cells[:2]])
    if len(number) > NODES:
        raise Refusal(
            "edge_list",
            N_("Edge list: at most {most} nodes can be taken; this one has {n}."),
            most=f"{NODES:,}",
            n=f"{len(number):,}",
        )
    if not pairs:
        raise Refusal("edge_list", N_("Edge list: it has no edge."))
    edges, loops, doubles = tidy(np.array(pairs), len(number))
    y, classes, x = _table(node_table, number)
    return Brought(edges, tuple(number), loops, doubles, y, classes, x)


def _text(name: str, field: str) -> str:
    return uploads.read(name, field, _TITLES[field])


def _rows(text: str, field: str) -> list[tuple[int, list[str]]]:
    """Cells of each line that says something, with its number."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) > LINES:
        raise Refusal(
            field,
            N_("{title}: at most {most} lines can be taken; this text has {n}."),
            title=Sentence(_TITLES[field]),
            most=f"{LINES:,}",
            n=f"{len(lines):,}",
        )
    found = []
    for line, raw in enumerate(lines, start=1):
        raw = raw.strip()
        if not raw or raw.startswith(("#", "%")):
            continue
        # A space parts cells only where nothing else does: a name may have one.
        cells = re.split(r"[,;\t]" if re.search(r"[,;\t]", raw) else " +", raw)
        found.append((line, [cell.strip().strip('"') for cell in cells]))
    return found


def _heading(first: list[tuple[int, list[str]]], ids: int, known: Container[str]) -> bool:
    """Whether a first line is a heading: its ``ids`` first cells name columns, and no node is called so."""
    cells = first[0][1][:ids] if first else []
    return bool(cells) and all(cell.lower() in _HEADS and cell not in known for cell in cells)


def _table(name: str, number: dict[str, int]) -> tuple[Array, tuple[str, ...], Array | None]:
    """Classes and features of the nodes; all unknown without a table."""
    y = np.full(len(number), -1, np.int64)
    if not name:
        return y, (), None
    rows = _rows(_text(name, "node_table"), "node_table")
    if _heading(rows[:1], 1, number):
        rows = rows[1:]
    labels = sorted({cells[1] for _, cells in rows if len(cells) > 1 and cells[1]})
    if len(labels) > CLASSES:
        raise Refusal(
            "node_table",
            N_("Node table: at most {most} different labels can be told apart; this one has {n}."),
            most=CLASSES,
            n=len(labels),
        )
    width = max((len(cells) - 2 for _, cells in rows), default=0)
    x = np.zeros((len(number), max(width, 0)), np.float32)
    strangers = [(line, cells[0]) for line, cells in rows if cells[0] not in number]
    if strangers:
        raise Refusal(
            "node_table",
            N_("Node table: ids that are in no edge: {n}, such as {node} in line {line}. Take these lines out."),
            n=len(strangers),
            node=strangers[0][1][:40],
            line=strangers[0][0],
        )
    seen: dict[str, int] = {}
    for line, cells in rows:
        at = number[cells[0]]
        if seen.setdefault(cells[0], line) != line:
            raise Refusal(
                "node_table",
                N_("Node table: {node} stands in line {first} and again in line {line}; a node needs one line."),
                node=cells[0][:40],
                first=seen[cells[0]],
                line=line,
            )
        if len(cells) > 1 and cells[1]:
            y[at] = labels.index(cells[1])
        try:
            values = [float(cell) for cell in cells[2:]]
        except ValueError:
            values = [float("nan")]
        if len(values) not in (0, width) or not all(abs(value) <= LARGEST for value in values):
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
        x[at, : len(values)] = values
    return y, tuple(labels), x if width > 0 else None


def pasted(edge_list: str, node_table: str, *, labels: int, features: str, seed: int, told: bool) -> Graph:
    """The graph of two kept texts.

    Args:
        told: whether the classes of nodes are to be learned, so that there have to be some.

    Raises:
        Refusal: as :func:`brought`; too few nodes have a label.
    """
    found = brought(edge_list, node_table)
    n = len(found.names)
    if told and len(found.classes) < 2:
        raise Refusal(
            "node_table",
            N_("Node table: to learn the classes of nodes, labels of two kinds are needed: an id and a label a line."),
        )
    nobody = np.zeros(0, np.int64)
    train, val, test = split(found.y, labels, np.random.default_rng([seed, 2])) if told else (nobody, nobody, nobody)
    if found.x is None:
        x = featured(features, found.edges, n)
    else:
        x = Features.of((found.x - found.x.mean(axis=0)) / np.maximum(found.x.std(axis=0), 1e-6))
    return Graph("pasted", found.edges, n, x, found.y, found.classes, train, val, test, found.names)
