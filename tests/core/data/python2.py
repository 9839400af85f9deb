"""Pickles as Python 2 wrote those of Planetoid: byte strings, and modules by their names of 2016."""

import io
import pickle
import struct
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_matrix

_NAMES = {np.ndarray: "numpy ndarray", np.dtype: "numpy dtype", csr_matrix: "scipy.sparse.csr csr_matrix"}


class _Pickler(pickle._Pickler):
    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)

    def save_string(self, text: str | bytes) -> None:
        raw = text.encode("latin-1") if isinstance(text, str) else text
        short = len(raw) < 256
        head = pickle.SHORT_BINSTRING + bytes([len(raw)]) if short else pickle.BINSTRING + struct.pack("<i", len(raw))
        self.write(head + raw)
        self.memoize(text)

    def save_global(self, thing: Any, name: str | None = None) -> None:
        found = _NAMES.get(thing)
        if found is None:
            module = {"builtins": "__builtin__"}.get(thing.__module__, thing.__module__)
            found = f"{module} {name or thing.__qualname__}".replace("numpy._core", "numpy.core")
        module, name = found.split(" ")
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(thing)

    dispatch[bytes] = save_string
    dispatch[str] = save_string
    dispatch[type] = save_global


def pickled(thing: Any) -> bytes:
    """``thing`` in protocol 2."""
    file = io.BytesIO()
    _Pickler(file, 2).dump(thing)
    return file.getvalue()
