"""Trainings of graph networks, driven by hand up to a step."""

from functools import cache, partial
from typing import Any

from core.data.planetoid import planetoid
from tests.core.algorithms import trial

#: A graph small enough for a test, with settings that are easy to learn.
SMALL = {"blocks": (20, 20, 20), "p_in": 0.3, "p_out": 0.02, "hidden": 8}

program = trial.program("gnn")
run = partial(trial.run, "gnn")
snapshots = partial(trial.snapshots, "gnn")


@cache
def published(name: str) -> Any:
    """Read once for all tests: it has no seed."""
    return planetoid(name)


def start(settings: dict[str, Any]) -> Any:
    cora = settings.get("data") == "cora" and settings.get("task", "nodes") == "nodes"
    return trial.start("gnn", settings, published("cora") if cora else None)
