"""The table of claims shows what held, what did not, and by how much."""

import subprocess
import sys
from pathlib import Path

from core.runs.store.paths import PROJECT
from tests.claims import Row, table

CLAIMS = """
import pytest

pytestmark = pytest.mark.claim

def test_it_learns(measured):
    measured("Spiral: test accuracy", 0.981, at_least=0.97)
    measured("Spiral: the diagnosis", "none", exactly="none")

def test_it_does_not(measured):
    measured("Plane: error", 0.5, at_most=0.1)
    measured("Plane: never measured", 1, at_least=1)

def test_breaks_before_it_measures(measured):
    measured("Curve: error", 0.01, at_most=0.1)
    raise RuntimeError

def test_measures_nothing_by_name():
    pass

def test_without_a_threshold(measured):
    measured("Air", 1)
"""


def claims(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (folder / "test_it.py").write_text(CLAIMS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = claim\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.claims", "-p", "no:cacheprovider", *arguments, str(folder)]
    return subprocess.run(
        command, cwd=PROJECT, env={"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_claim_has_its_row(tmp_path: Path) -> None:
    done = claims(tmp_path, "-m", "claim")
    assert done.returncode == 1, done.stderr
    _, table = done.stdout.split("what the pages claim")
    rows = {line[:56].strip(): line[56:].split() for line in table.splitlines()[1:]}
    assert rows["claim"] == ["threshold", "measured", "seconds"]
    assert rows["Spiral: test accuracy"] == ["≥", "0.97", "0.981", "0.0", "passed"]
    assert rows["Spiral: the diagnosis"] == ["none", "none", "0.0", "passed"]
    assert rows["Plane: error"] == ["≤", "0.1", "0.5", "0.0", "FAILED"]
    assert rows["Curve: error"] == ["≤", "0.1", "0.01", "0.0", "passed"]
    assert rows["breaks before it measures"] == ["0.0", "FAILED"]
    assert rows["measures nothing by name"] == ["0.0", "passed"]
    assert rows["without a threshold"] == ["0.0", "FAILED"]
    assert "Plane: never measured" not in rows
    assert "Plane: error: 0.5, and it has to be ≤ 0.1" in done.stdout
    assert "7 claims, 3 failed, 0 s" in table


def test_a_session_that_asks_for_something_else_prints_no_table(tmp_path: Path) -> None:
    assert "what the pages claim" not in claims(tmp_path).stdout


def test_it_is_readable_in_100_columns() -> None:
    long = "A rate a little above what the largest eigenvalue allows: the loss of this plane is no longer a number"
    lines = table([Row("test_a.py::test_b", long, "≥ 0.0001234", "1.235e-06", 12345.6, True)])
    assert max(map(len, lines)) <= 100
    assert " ".join(line[:56].strip() for line in lines[2:-1]) == long
