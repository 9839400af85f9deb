"""What the tests of Word2Vec share: a data folder of their own, and texts that are fetched."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of the tests' own, with the texts that are fetched linked into it where this machine has them."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "text").mkdir()
    places = [Path(os.environ["TENFOLD_DATA"])] if "TENFOLD_DATA" in os.environ else []
    places += [up / "shared" / "data" for up in Path(__file__).resolve().parents]
    for place in places:
        for file in place.glob("text/*.txt"):
            link = folder / "text" / file.name
            if not link.exists():
                link.symlink_to(file)
    return folder


@pytest.fixture(autouse=True)
def data_folder(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test writes into a folder of data that others use."""
    monkeypatch.setenv("TENFOLD_DATA", str(kept))
    return kept
