"""Cora, CiteSeer and PubMed: papers, who cites whom, which words each has, and the split that every paper uses.

Read by PyTorch Geometric's own reader from the files that Z. Yang, W. W. Cohen and R. Salakhutdinov published
(Revisiting semi-supervised learning with graph embeddings, 2016; MIT licence). They are fetched once into the cache's
``Planetoid`` folder, laid out as PyG's loader has it.

The files are pickles, which could run anything when read. So nothing is handed to PyG before two checks: of Cora each
file is the one that was published, by its SHA-256, and each file names nothing but the parts of arrays.
"""

import hashlib
import pickletools
import tempfile
from pathlib import Path

import numpy as np

from core.data.cache import FETCHING, READING, folder, tell
from core.data.graphs import SUBJECTS, Features, Graph, tidy
from core.words import N_, Refusal

_URL = "https://github.com/kimiyoung/planetoid/raw/master/data"
_PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
_FOLDERS = {"cora": "Cora", "citeseer": "CiteSeer", "pubmed": "PubMed"}

#: SHA-256 of the files, as far as they are known.
_SUMS = {
    "ind.cora.allx": "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
    "ind.cora.ally": "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
    "ind.cora.graph": "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
    "ind.cora.test.index": "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
    "ind.cora.tx": "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
    "ind.cora.ty": "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
    "ind.cora.x": "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab",
    "ind.cora.y": "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
}

#: All that the pickles of arrays, sparse matrices and dictionaries of lists may name.
_NAMED = {
    "numpy.core.multiarray _reconstruct",
    "numpy ndarray",
    "numpy dtype",
    "scipy.sparse.csr csr_matrix",
    "collections defaultdict",
    "__builtin__ list",
    "builtins list",
    "__builtin__ object",
    "copy_reg _reconstructor",
}


def planetoid(name: str) -> Graph:
    """One of the three graphs, its features divided by the number of a paper's words, as in the papers.

    Raises:
        Refusal: its files are not here and cannot be fetched, or are not what was published.
    """
    from torch_geometric.io import read_planetoid_data

    raw = folder() / "Planetoid" / _FOLDERS[name] / "raw"
    for i, part in enumerate(_PARTS):
        tell(READING, i / len(_PARTS))
        _assured(raw / f"ind.{name}.{part}")
    data = read_planetoid_data(str(raw), name)
    x = data.x.numpy()
    x = x / np.maximum(x.sum(axis=1, keepdims=True), 1)
    edges, _, _ = tidy(data.edge_index.numpy().T, data.num_nodes)
    y = data.y.numpy().astype(np.int64)
    classes = SUBJECTS.get(name) or tuple(str(c + 1) for c in range(int(y.max()) + 1))
    train, val, test = (np.flatnonzero(data[f"{part}_mask"].numpy()) for part in ("train", "val", "test"))
    return Graph(name, edges, len(y), Features.of(x), y, classes, train, val, test)


def _assured(path: Path) -> None:
    """The file is here and may be read."""
    if not _good(path):
        _fetch(path)
        if not _good(path):
            raise Refusal(
                "data",
                N_("Graph: {file} is not here and could not be fetched. Without a network, choose Communities."),
                file=path.name,
            )


def _good(path: Path) -> bool:
    """Whether the file is what was published, as far as one can tell without reading it."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    if path.name in _SUMS and hashlib.sha256(content).hexdigest() != _SUMS[path.name]:
        return False
    return path.name.endswith(".test.index") or harmless(content)


def harmless(content: bytes) -> bool:
    """Whether a pickle names nothing but parts of arrays, so that to read it does no more than make some."""
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "GLOBAL" and argument not in _NAMED:
                return False
            if opcode.name in ("STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"):
                return False
    except Exception:  # whatever is wrong with it: it is no pickle
        return False
    return True


def _fetch(path: Path) -> None:
    """Fetch the file from its publisher, where that can be; it appears under its name only when it is whole."""
    import pooch

    tell(FETCHING, 0.0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetching-") as place:
            arrived = Path(place) / path.name
            pooch.HTTPDownloader(timeout=20)(f"{_URL}/{path.name}", str(arrived), None)
            if _good(arrived):
                arrived.replace(path)
    except (OSError, ValueError):  # of the network (requests' errors are of these) or of the disk
        return
