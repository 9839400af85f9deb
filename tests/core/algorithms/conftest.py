"""What the tests of every algorithm share: one thread, and the presets of the algorithm whose folder they stand in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from core import registry


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums are the same only when they are made in the same order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def preset(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """Settings of a preset by name, with some of them changed."""
    experiment = registry.get(request.path.parent.name)
    known = {p.name: dict(p.settings) for p in experiment.presets}
    return lambda name, **changed: known[name] | changed
