"""The folder of fetched data sets."""

import os
from pathlib import Path

import pytest

from core.data import cache


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of fetched data sets: ``TENFOLD_DATA``, else ``shared/data`` beside the checkout or above it, else the
    person's own, into which a test fetches what is missing."""
    if "TENFOLD_DATA" not in os.environ:
        for up in Path(__file__).resolve().parents:
            if (up / "shared" / "data" / "mnist").is_dir():
                monkeypatch.setenv("TENFOLD_DATA", str(up / "shared" / "data"))
                break
    return cache.folder()
