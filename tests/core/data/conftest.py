"""The folder of fetched data sets, where there is one."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of fetched data sets: ``TENFOLD_DATA``, else ``shared/data`` beside the checkout or above it."""
    chosen = os.environ.get("TENFOLD_DATA")
    places = [Path(chosen)] if chosen else [up / "shared" / "data" for up in Path(__file__).resolve().parents]
    for place in places:
        if (place / "mnist").is_dir():
            monkeypatch.setenv("TENFOLD_DATA", str(place))
            return place
    pytest.skip("the full MNIST is not on this machine")
