"""What is embedded is what its list says: every file, with its checksum, source and licence."""

import hashlib
import re
from pathlib import Path

from core.data import corpora, embed, planetoid

FOLDER = Path(__file__).parents[3] / "assets" / "data"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
LISTED = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", README, re.M))


def test_every_embedded_file_is_listed_with_its_checksum() -> None:
    files = {p.name for p in FOLDER.iterdir()} - {"README.md", "cora.LICENSE"}
    assert files == set(LISTED) == {planetoid.EMBEDDED.name, corpora.HONGLOUMENG.name}
    for name, sha256 in LISTED.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == sha256, name
    assert sum((FOLDER / name).stat().st_size for name in files) < 500_000, "a part of every download"


def test_each_has_a_source_a_licence_and_the_command_that_makes_it() -> None:
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", README, re.M | re.S))
    assert set(sections) == set(LISTED)
    for text in sections.values():
        assert "- Source: " in text and "- Licence: " in text and "python -m core.data.embed" in text
    assert "MIT License" in (FOLDER / "cora.LICENSE").read_text()


def test_an_unknown_name_is_answered_with_how_it_is_called(capsys) -> None:
    assert embed.main(["mnist"]) == 2
    assert "cora | hongloumeng FILE" in capsys.readouterr().err
