"""What the tests of the graph networks share: one thread, the presets."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from core.algorithms.gnn.spec import experiment


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
