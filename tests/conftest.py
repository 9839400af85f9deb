"""What many tests need: a folder for runs of their own, and the toy algorithm."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from core import registry
from core.experiment import Experiment
from core.runs.store.paths import PROJECT
from tests.claims import measured, pytest_terminal_summary

__all__ = ["measured", "pytest_terminal_summary"]


#: Tests of the stage alone; the others in tests/browser start a server.
STAGE = ("test_stage.py", "test_viewed_run.py", "test_probes.py", "test_drawing.py")


class Shared(LoadScopeScheduling):  # type: ignore[misc]
    """Three processes share the work (`make test`): a file at a time, and of the contract suite an algorithm at a time;
    but never is there a third browser."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if file.endswith("/test_contract.py"):
            return f"{file} {test.partition('[')[2].rstrip(']').split('-')[0]}"
        if not file.startswith("tests/browser/"):
            return file
        return "stage" if Path(file).name in STAGE else "pages"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shared:
    return Shared(config, log)


@pytest.fixture(autouse=True)
def runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test ever sees this person's own runs."""
    monkeypatch.setenv("TENFOLD_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


#: The data folder of the person who runs the tests, ``None`` for their cache folder.
OWN_DATA = os.environ.get("TENFOLD_DATA")


@pytest.fixture(scope="session", autouse=True)
def empty_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of the session and of the servers it starts: empty at first, and nobody else's."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENFOLD_DATA", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def full_data_for_long_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test marked ``long`` may need full data sets: it takes them from the person's own data folder, into which it
    downloads what is missing."""
    if request.node.get_closest_marker("long"):
        if OWN_DATA is None:
            monkeypatch.delenv("TENFOLD_DATA")
        else:
            monkeypatch.setenv("TENFOLD_DATA", OWN_DATA)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address can be reached: the proxy of this process and of those it starts is a port that nobody listens at."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def toy() -> Iterator[Experiment]:
    """The toy algorithm, known to this process and to those it starts while the test's module runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENFOLD_ALGORITHMS", "tests.toy.spec")
        registry.experiments.cache_clear()
        yield registry.get("toy")
    registry.experiments.cache_clear()


@pytest.fixture
def command_line(toy: Experiment) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``python -m core`` with these arguments."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "core", *arguments]
        return subprocess.run(command, cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, timeout=120)

    return run


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The value of ``condition`` once it is true; a crowded machine takes its time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)
    return value


def last_object(output: str) -> dict[str, Any]:
    """The JSON object in the last line."""
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found
