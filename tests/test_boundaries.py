"""What must not know of what, seen in the source and in a server that has shown every page."""

import ast
import contextlib
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from core.bench.server import Server, serving
from core.experiment import Experiment
from core.registry import experiments
from core.runs.store.paths import PROJECT
from core.settings import check, check_stop
from core.words import Refusal
from tests.conftest import until

CORE = sorted((PROJECT / "core").rglob("*.py"))

#: What only a worker may load.
HEAVY = {"torch", "torch_geometric", "networkx", "gensim", "torchvision", "gymnasium", "pygame"}


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in it."""
    package = list(path.relative_to(PROJECT).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield module
            yield from (f"{module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(PROJECT)))
def test_core_never_imports_streamlit_nor_pages(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}
    assert not roots & {"streamlit", "pages", "app", "tests"}


@pytest.mark.parametrize(
    ("of", "others"), [("store", ("core.runs.worker", "core.runs.server")), ("worker", ("core.runs.server",))]
)
def test_a_run_on_disk_knows_no_process_and_its_process_no_server(of: str, others: tuple[str, ...]) -> None:
    for path in (PROJECT / "core" / "runs" / of).rglob("*.py"):
        found = [name for name in imported(path) if name.startswith(others)]
        assert not found, f"{path.name} imports {found}"


@pytest.mark.parametrize("slug", list(experiments()))
def test_algorithms_never_import_one_another(slug: str) -> None:
    for path in (PROJECT / "core" / "algorithms" / slug).rglob("*.py"):
        found = [name.split(".") for name in imported(path) if name.startswith("core.algorithms.")]
        others = {parts[2] for parts in found} & (set(experiments()) - {slug})
        assert not others, f"{path.name} imports {others}"


#: Each process, known by the path of its imports: when a file of its number appears, it writes down what it has loaded.
REPORTS = """
import os, sys, threading, time
def report(folder=os.path.dirname(__file__)):
    while not os.path.exists(os.path.join(folder, f"report.{os.getpid()}")):
        time.sleep(0.1)
    with open(os.path.join(folder, "new"), "w") as file:
        file.write("\\n".join(list(sys.modules)))
    os.replace(os.path.join(folder, "new"), os.path.join(folder, "modules"))
threading.Thread(target=report, daemon=True).start()
"""


def test_a_server_that_showed_every_page_and_watched_a_run_has_loaded_nothing_heavy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = tmp_path / "modules"
    (tmp_path / "sitecustomize.py").write_text(REPORTS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with serving(tmp_path / "runs") as server:
        for page in ("", *experiments()):
            show(server, page)
        for slug, experiment in experiments().items():
            run = server.start(slug, experiment.presets[0].name, steps=few(experiment))
            watch(server, run, [panel.name for panel in experiment.panels if panel.view])
        (tmp_path / f"report.{server.process.pid}").touch()
        until(modules.exists, 20)
        loaded = set(modules.read_text().split("\n"))
        assert {"streamlit", "core.runs.server.hub", "pages.parts.algorithm_page"} <= loaded
        assert not HEAVY & {name.split(".")[0] for name in loaded}
        maps = Path(f"/proc/{server.process.pid}/maps")
        assert not maps.exists() or "libtorch" not in maps.read_text()


def few(experiment: Experiment) -> int:
    """Steps of a short run with the first preset: 30, or more where its settings want more."""
    config = check(experiment.config, experiment.presets[0].settings)
    for steps in (30, 300):
        with contextlib.suppress(Refusal):
            return check_stop(experiment, {"steps": steps}, config).steps
    return 3000


def show(server: Server, page: str) -> None:
    """Open a page as a browser does, and wait until its script has run through."""
    with connect(
        f"ws://{server.host}/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        origin=f"http://{server.host}",  # type: ignore[arg-type]
        max_size=None,
    ) as link:
        message = BackMsg()
        message.rerun_script.page_name = page
        link.send(message.SerializeToString())
        end = time.monotonic() + 30
        while time.monotonic() < end:
            message = ForwardMsg()
            message.ParseFromString(link.recv(timeout=30))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "delta":
                trouble = message.delta.new_element.exception
                assert not trouble.message, f"page {page!r}: {trouble.type} {trouble.message}"
            if message.WhichOneof("type") == "script_finished":
                assert message.script_finished == ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
                return
    pytest.fail(f"page {page!r} did not end")


def watch(server: Server, run: str, panels: list[str]) -> None:
    """See every panel of a run until its end."""
    import json

    seen: set[str] = set()
    with connect(
        f"ws://{server.host}/lab/runs/{run}/live",
        origin=f"http://{server.host}",  # type: ignore[arg-type]
        max_size=None,
    ) as link:
        link.send(json.dumps({"type": "see", "panels": panels}))
        while True:
            message = json.loads(link.recv(timeout=60))
            if message["type"] == "update":
                link.send(json.dumps({"type": "drawn", "n": message["n"]}))
            for name, figure in message.get("panels", {}).items():
                assert "error" not in figure, f"{name}: {figure}"
                seen.add(name)
            if message.get("status", {}).get("state") in ("finished", "failed"):
                assert message["status"]["state"] == "finished"
                break
    assert seen


def test_vendored_scripts_are_those_that_were_published() -> None:
    """Their table holds the checksum of each."""
    table = (PROJECT / "assets/vendor/README.md").read_text()
    scripts = list((PROJECT / "assets/vendor").rglob("*.js"))
    assert scripts
    for script in scripts:
        assert hashlib.sha256(script.read_bytes()).hexdigest() in table, script.name
