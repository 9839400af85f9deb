"""Makes the files of ``assets/data`` from what their publishers offer: ``python -m core.data.embed NAME``.

- ``cora`` reads Planetoid's files, from the cache folder or their publisher, and writes ``cora.npz``: plain arrays, no
  pickle.
- ``hongloumeng FILE`` takes chapters 1 to 40 of a UTF-8 text of the novel, drops empty lines and the spaces around each
  line, and writes ``hongloumeng-1-40.txt.bz2``.

Each prints the SHA-256 of the file, which belongs in ``assets/data/README.md``.
"""

import bz2
import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.data import planetoid
from core.data.graphs import Graph

FOLDER = planetoid.EMBEDDED.parent

#: Where chapter 1 begins, and chapter 41.
_FIRST, _AFTER = re.compile(r"^第一回\s", re.M), re.compile(r"^第四十一回\s", re.M)


def cora(graph: Graph, file: Path) -> None:
    """Write a graph whose features are 0 or 1 and whose numbers fit into 16 bits; :func:`planetoid.embedded` reads it.

    Raises:
        ValueError: a feature is neither 0 nor 1.
    """
    if not (graph.x.values == 1).all():
        raise ValueError("a feature is neither 0 nor 1")
    part = np.zeros(graph.n, np.uint8)
    for i, rows in enumerate((graph.train, graph.val, graph.test)):
        part[rows] = i + 1
    np.savez_compressed(
        file,
        edges=graph.edges.astype(np.uint16),
        words=np.diff(graph.x.starts).astype(np.uint8),
        columns=graph.x.columns.astype(np.uint16),
        width=np.uint16(graph.x.width),
        y=graph.y.astype(np.uint8),
        part=part,
    )


def hongloumeng(text: str) -> bytes:
    """Chapters 1 to 40, a paragraph a line, compressed."""
    first, after = _FIRST.search(text), _AFTER.search(text)
    if first is None or after is None:
        raise ValueError("the headings of chapter 1 and chapter 41 are not there")
    lines = (line.strip() for line in text[first.start() : after.start()].splitlines())
    return bz2.compress("".join(f"{line}\n" for line in lines if line).encode(), 9)


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["cora"]:
            file = planetoid.EMBEDDED
            cora(planetoid.read(planetoid.PUBLISHED["cora"]), file)
        case ["hongloumeng", source]:
            file = FOLDER / "hongloumeng-1-40.txt.bz2"
            file.write_bytes(hongloumeng(Path(source).read_text(encoding="utf-8")))
        case _:
            sys.stderr.write("python -m core.data.embed cora | hongloumeng FILE\n")
            return 2
    sys.stdout.write(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}  {file.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
