"""The zygote and its alternative: forks, exits, devices, and what the server does not import."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.experiment import Experiment
from core.runs.server.launchers import Launcher, ProcessLauncher, ZygoteLauncher
from core.runs.store.library import Library
from core.runs.store.paths import PROJECT
from tests.conftest import until
from tests.core.runs.worker.test_kill import zygote
from tests.core.runs.worker.test_worker import made, states

exits: dict[str, int | None] = {}


def note_exit(run: str, code: int | None) -> None:
    exits[run] = code


@pytest.fixture(scope="module")
def warm(toy: Experiment) -> Iterator[ZygoteLauncher]:
    launcher = ZygoteLauncher(note_exit)
    yield launcher
    launcher.close()


@pytest.fixture(params=["zygote", "process"])
def launcher(request: pytest.FixtureRequest, warm: ZygoteLauncher) -> Launcher:
    return warm if request.param == "zygote" else ProcessLauncher(note_exit)


def test_launches_and_tells_the_exit(launcher: Launcher, toy: Experiment) -> None:
    folder = made(toy, 50)
    launcher.launch(folder.name, folder)
    until(lambda: folder.name in exits, 60)
    assert exits[folder.name] == 0 and states(folder)[-1] == "finished"


def test_an_error_in_what_is_done_about_an_exit_is_logged_and_the_next_is_reported(
    toy: Experiment, caplog: pytest.LogCaptureFixture
) -> None:
    reported: list[str] = []

    def fails(run: str, code: int | None) -> None:
        reported.append(run)
        raise OSError("no file may be opened")

    launcher = ZygoteLauncher(fails)
    for count in (1, 2):
        folder = made(toy, 5)
        launcher.launch(folder.name, folder)
        until(lambda count=count: len(reported) == count, 60)
    until(lambda: caplog.text.count("was lost") == 2)
    launcher.close()


def test_devices_are_asked_elsewhere(launcher: Launcher) -> None:
    assert launcher.devices()[0] == "cpu"


def test_a_kill_is_told(warm: ZygoteLauncher, toy: Experiment) -> None:
    folder = made(toy, 10**6)
    warm.launch(folder.name, folder)
    until(lambda: Library().head(folder.name).step > 0)
    (worker,) = zygote().children()
    assert worker.nice() == 5
    assert os.getsid(worker.pid) == worker.pid, "what ends the server's session does not end the worker"
    worker.kill()
    until(lambda: folder.name in exits)
    assert exits[folder.name] == -9


def test_a_warm_launch_is_quick(warm: ZygoteLauncher, toy: Experiment) -> None:
    times = []
    for _ in range(5):
        folder = made(toy, 20)
        began = time.perf_counter()
        warm.launch(folder.name, folder)
        until(lambda: Library().head(folder.name).step > 0)  # noqa: B023
        times.append(time.perf_counter() - began)
        until(lambda: folder.name in exits)  # noqa: B023
    assert sorted(times)[2] < 0.5, times


def test_workers_cost_little_memory(warm: ZygoteLauncher, toy: Experiment) -> None:
    folders = [made(toy, 10**6, nap=0.005) for _ in range(2)]
    for folder in folders:
        warm.launch(folder.name, folder)
    until(lambda: all(Library().head(folder.name).step > 50 for folder in folders))
    own = [child.memory_full_info().uss / 2**20 for child in zygote().children()]
    for child in zygote().children():
        child.terminate()
    until(lambda: all(folder.name in exits for folder in folders))
    assert [states(folder)[-1] for folder in folders] == ["stopped", "stopped"]
    assert max(own) < 25, own


def test_closing_ends_the_zygote(toy: Experiment) -> None:
    launcher = ZygoteLauncher(note_exit)
    process = psutil.Process(launcher.pid)
    launcher.close()
    assert not process.is_running()


def test_the_server_does_not_import_torch() -> None:
    code = (
        "import sys; from pathlib import Path; from core.runs.server.engine import Engine;"
        "from core.runs.store.library import Library; import core.__main__;"
        "assert not {'torch', 'streamlit', 'sklearn', 'pandas'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=60)


def test_output_of_a_worker_is_kept(warm: ZygoteLauncher, toy: Experiment, tmp_path: Path) -> None:
    folder = made(toy, 20)
    (folder / "run.json").write_text("{")
    warm.launch(folder.name, folder)
    until(lambda: folder.name in exits)
    assert exits[folder.name] not in (0, None)
    assert "damaged" in (folder / "worker.out").read_text()
