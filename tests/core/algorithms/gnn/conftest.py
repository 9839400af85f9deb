"""What the tests of the graph networks share: one thread, the presets, the folder of fetched data."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core.algorithms.gnn.spec import experiment
from tests.core.data.conftest import fetched

__all__ = ["fetched"]


@pytest.fixture(autouse=True)
def data_folder(fetched: Path) -> Path:
    """Cora lies where the tests' larger data sets do."""
    return fetched


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums are the same only when they are made in the same order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def preset() -> Callable[..., dict[str, Any]]:
    """Settings of a preset by name, with some of them changed."""
    known = {p.name: dict(p.settings) for p in experiment.presets}
    return lambda name, **changed: known[name] | changed
