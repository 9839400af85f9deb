"""The bench runs, and its figures mean what their names say. How good they are is not tested: the machine is busy."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.bench.measures import Figure, _delays, _p95
from core.bench.report import _table
from core.events import Scalars
from core.runs.store.log import Head, LogReader, LogWriter
from core.runs.store.paths import PROJECT, log_file


@pytest.mark.timeout(300)
def test_a_quick_bench_has_every_figure() -> None:
    command = [sys.executable, "-m", "core", "bench", "--quick", "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    figures = {figure["name"]: figure for figure in report["figures"]}
    for name in (
        "idle server",
        "launch → first event",
        "watched ÷ bare",
        "event → received, p95",
        "memory of each added run",
    ):
        assert figures[name]["limit"] is not None and figures[name]["value"] >= 0
    assert figures["torch in the server"]["value"] == 0
    assert 0.1 < figures["watched ÷ bare"]["value"] < 3
    assert figures["3 runs, slowest watcher"]["value"] > 1


def test_a_figure_knows_which_side_is_good() -> None:
    assert Figure("a", 1, "ms", 2).held and not Figure("a", 3, "ms", 2).held
    assert Figure("a", 3, "", 2, at_least=True).held and not Figure("a", 1, "", 2, at_least=True).held
    assert Figure("a", 1, "").held is None
    table = _table([Figure("slow", 3, "ms", 2), Figure("small", 1, "MB")])
    assert "NO" in table.split("\n")[1] and "≤ 2 ms" in table and "small" in table.split("\n")[2]


def test_a_delay_is_from_the_event_to_the_first_update_that_holds_it(tmp_path: Path) -> None:
    writer = LogWriter(log_file(tmp_path))
    before = time.time()
    for step in range(1, 5):
        writer.append(Scalars(step, {"train/loss": 1.0}))
    writer.flush(Head())
    reader = LogReader(log_file(tmp_path))
    delays = _delays(reader, [(before, 1, 0), (before + 1, 3, 0), (before + 2, 3, 0), (before + 5, 4, 0)])
    assert [round(delay / 1000) for delay in delays] == [1, 1, 5]
    assert _p95(list(range(1, 101))) == 95 and _p95([7.0]) == 7.0
