"""Cora, CiteSeer and PubMed: papers, their citations, the words of each, and the split that the literature uses.

Z. Yang, W. W. Cohen, R. Salakhutdinov. Revisiting semi-supervised learning with graph embeddings. ICML 2016. Their
files (github.com/kimiyoung/planetoid, MIT licence) are downloaded into the cache folder's ``Planetoid``, laid out as
PyTorch Geometric's loader does it. Cora is also embedded, in ``assets/data`` (:mod:`core.data.embed` makes the file).

The published files are pickles, a format that can run code when it is read. So a file is opened only after its SHA-256
was verified, and by a reader that can construct nothing but arrays and dictionaries of lists (:class:`_Reader`).

PyTorch Geometric's reader calls the class of CiteSeer's 15 unlabelled papers 0; here it is -1.
"""

import io
import pickle
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.data.cache import READING, Source, content, report_progress
from core.data.graphs import SUBJECTS, Features, Graph, tidy
from core.events import Array
from core.words import N_

#: Files of a graph: features and labels of the training nodes (x, y), of the test nodes (tx, ty) and of all others
#: (allx, ally, which include the training nodes), the citations, and the numbers of the test nodes.
PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")

#: Papers after the training nodes that choose the epoch.
VALIDATION = 500

#: Cora, as :mod:`core.data.embed` writes it.
EMBEDDED = Path(__file__).parents[2] / "assets" / "data" / "cora.npz"

_URL = "https://raw.githubusercontent.com/kimiyoung/planetoid/master/data/"


@dataclass(frozen=True, slots=True)
class Published:
    """A graph of eight files.

    Attributes:
        folder: its name in the cache folder's ``Planetoid``.
        url: address of the folder that offers the files, with a slash at the end.
        sha256: of each of :data:`PARTS`.
    """

    folder: str
    url: str
    sha256: tuple[str, str, str, str, str, str, str, str]

    def sources(self) -> dict[str, Source]:
        """The files by their part."""
        found = {}
        for part, sha256 in zip(PARTS, self.sha256, strict=True):
            file = f"ind.{self.folder.lower()}.{part}"
            found[part] = Source(f"Planetoid/{self.folder}/raw/{file}", f"sha256:{sha256}", (self.url + file,))
        return found


PUBLISHED = {
    "cora": Published(
        "Cora",
        _URL,
        (
            "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab",
            "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
            "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
            "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
            "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
            "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
            "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
            "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
        ),
    ),
    "citeseer": Published(
        "CiteSeer",
        _URL,
        (
            "d20de19150741e555de0ed037195630fc194114ebc7fd72ced62810148aa22f6",
            "539a8906a2da97628d212f2fdd668c109a8b3f0d36574b59e5d3fd5b5303da21",
            "2ac30345d95c9ec933a817ee0bdd6a5f077f8c184a20e696910192d534414668",
            "8ba87e515d8e3ee3cf52f6d2c5b86aa73f11ecad825a808455209ec26cd54924",
            "55e5bd1ba1e733a04598753ad1a8d57957f4b8f89e74519f41f4f4938767e4ce",
            "f704b2d986dde6c2669934de1f3ae5696a6cf9455c0f6b2646a2d135ea0a1c95",
            "d79a4ef9d3e7169aee8946145f6b7306e35bc79bffad26346cfb94e10e9912a7",
            "2af990671580b6b2df5d158d1038f8292e30c9cd821b5453f399659b25b723d4",
        ),
    ),
    "pubmed": Published(
        "PubMed",
        _URL,
        (
            "fbe9cb5c47200d1b7769a26e579be3b7130b556831f9d850e77c4c74f2599b33",
            "4eb5f5d0f30f26497eb0ac6ac9719d09c67e284f1ed0385c93f3ef27a671da3d",
            "508e538e2abdccdd54c4d3e9f49d638b4af7107d85845f66ddea5a5152658b7e",
            "e6c807633307a07ed659249006536a147c7999c797f11a2560752990181b41b3",
            "ee2e0d4819d9fbcc403689c3bf2e49face401b605932f093bc58ab6461130fdd",
            "0c37bbe3b5014ec365e9d393cf4791925e5ed94fb194305d74f064a8d7b50f0e",
            "5b89f0036ca22909471f1e6558eb42fa06e0c730a577bde5b058b40638f81dc9",
            "b101d421688bbaecbd82e8a18f1e282378d6830f3a37666f28ebc47f844341b5",
        ),
    ),
}


def planetoid(name: str, published: Mapping[str, Published] = PUBLISHED) -> Graph:
    """One of the three graphs, the features of each paper divided by their sum, as in the papers.

    Args:
        name: ``"cora"``, which is embedded, ``"citeseer"`` or ``"pubmed"``.
        published: where the graphs are published.

    Raises:
        Refusal: its files are not in the cache folder and cannot be downloaded.
    """
    graph = embedded(EMBEDDED) if name == "cora" else read(published[name])
    x = graph.x
    rows = np.repeat(np.arange(graph.n), np.diff(x.starts))
    sums = np.maximum(np.bincount(rows, x.values, graph.n), 1).astype(np.float32)
    shares = Features(x.starts, x.columns, x.values / sums[rows], x.width)
    classes = SUBJECTS.get(name) or tuple(str(c + 1) for c in range(int(graph.y.max()) + 1))
    return Graph(name, graph.edges, graph.n, shares, graph.y, classes, graph.train, graph.val, graph.test)


def embedded(file: Path) -> Graph:
    """A graph from a file of :mod:`core.data.embed`, with its features as published: each is 1 or absent."""
    with np.load(file, allow_pickle=False) as arrays:
        starts = np.concatenate([[0], np.cumsum(arrays["words"], dtype=np.int64)])
        columns = arrays["columns"].astype(np.int64)
        x = Features(starts, columns, np.ones(len(columns), np.float32), int(arrays["width"]))
        y, part = arrays["y"].astype(np.int64), arrays["part"]
        edges = arrays["edges"].astype(np.int64)
    train, val, test = (np.flatnonzero(part == i) for i in (1, 2, 3))
    return Graph("", edges, len(y), x, y, (), train, val, test)


def read(published: Published) -> Graph:
    """A graph from its published files, with its features as published.

    Raises:
        Refusal: they are not in the cache folder and cannot be downloaded.
    """
    raw = {}
    for i, (part, source) in enumerate(published.sources().items()):
        report_progress(READING, i / len(PARTS))
        raw[part] = content(source, field="data", instead=N_("Cora, 2,708 papers"))
    test = np.array(raw["test.index"].split(), dtype=np.int64)  # row i of tx is the paper test[i]
    x, tx, y, ty = (_Reader(raw[part]).load() for part in ("allx", "tx", "ally", "ty"))
    n = max(len(y), int(test.max()) + 1)
    labels = np.full(n, -1, np.int64)  # a number that neither part has is a paper without features and without label
    for rows, one_hot in ((np.arange(len(y)), y), (test, ty)):
        labels[rows] = np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), -1)
    citations = _Reader(raw["graph"]).load()
    pairs = [(paper, other) for paper, others in citations.items() for other in others]
    edges, _, _ = tidy(np.array(pairs), n)
    trained = len(_Reader(raw["y"]).load())
    chosen = np.arange(trained, min(trained + VALIDATION, len(y)))
    return Graph("", edges, n, _stacked(x, tx, test, n), labels, (), np.arange(trained), chosen, np.sort(test))


def _stacked(x: "_Rows", tx: "_Rows", test: Array, n: int) -> Features:
    """Rows 0, 1, … from ``x`` and rows ``test`` from ``tx``, as one matrix of ``n`` rows, its columns in order."""
    row = np.concatenate([np.repeat(np.arange(x.height), x.counts), np.repeat(test, tx.counts)])
    column, value = (np.concatenate([getattr(x, part), getattr(tx, part)]) for part in ("indices", "data"))
    order = np.lexsort([column, row])
    order = order[value[order] != 0]
    starts = np.concatenate([[0], np.cumsum(np.bincount(row[order], minlength=n))]).astype(np.int64)
    return Features(starts, column[order].astype(np.int64), value[order].astype(np.float32), int(x._shape[1]))


class _Rows:
    """The fields of a pickled ``scipy.sparse.csr_matrix``: SciPy itself is not needed to read them."""

    indptr: Array
    indices: Array
    data: Array
    _shape: tuple[int, int]

    @property
    def height(self) -> int:
        return int(self._shape[0])

    @property
    def counts(self) -> Array:
        """How many entries each row has."""
        found: Array = np.diff(self.indptr)
        return found


#: All that a published file may construct; a pickle that names anything else is refused. None of these runs code of
#: the file's choice: they allocate arrays, whose elements are numbers, and dictionaries of lists.
_CONSTRUCTORS: Mapping[str, Any] = {
    "numpy.core.multiarray _reconstruct": np.zeros(0).__reduce__()[0],
    "numpy ndarray": np.ndarray,
    "numpy dtype": np.dtype,
    "scipy.sparse.csr csr_matrix": _Rows,
    "collections defaultdict": defaultdict,
    "__builtin__ list": list,
}


class _Reader(pickle.Unpickler):
    """Reads a published file, which Python 2 wrote, and constructs only what :data:`_CONSTRUCTORS` lists."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(io.BytesIO(raw), encoding="latin1")

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _CONSTRUCTORS[f"{module} {name}"]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an array") from None

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("a reference to an object outside of the file")
