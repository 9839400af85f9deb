"""What the tests of the graph networks share: the folder of fetched data."""

from pathlib import Path

import pytest

from tests.core.data.conftest import fetched

__all__ = ["fetched"]


@pytest.fixture(autouse=True)
def data_folder(fetched: Path) -> Path:
    """Cora lies where the tests' larger data sets do."""
    return fetched
