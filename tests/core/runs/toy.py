"""A small experiment and a library on real logs, for what watches runs: no worker, the test writes the log itself."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette

from core.events import Event, Snapshot
from core.experiment import Config, Context, Experiment, Metric, Panel, Paper, Preset, Setting, Stop
from core.figures import packed
from core.runs.server import socket as live
from core.runs.server.hub import Hub
from core.runs.store.log import Head, LogReader, LogWriter
from core.runs.store.paths import log_file
from core.words import Refusal, Sentence


class ToyConfig(Config):
    rate: float = Setting(0.1, "Rate", "How fast.", group="Training", live=True, gt=0)


def map_view(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    data = context.statics["data"]["x"]
    return {
        "data": [{"type": "scatter", "x": packed(data), "y": packed(arrays["y"]), "marker": {"size": float("nan")}}],
        "layout": {"title": {"text": f"step {context.step} rate {context.config.rate}"}},  # type: ignore[attr-defined]
    }


def broken_view(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    raise RuntimeError("this view is broken")


TOY = Experiment(
    slug="toy",
    title="Toy",
    family="Foundations",
    tagline="A toy.",
    paper=Paper("", "", 1958, ""),
    config=ToyConfig,
    panels=(
        Panel("loss", "Loss", "The loss.", metrics=("*/loss",)),
        Panel("map", "Map", "A map.", view=f"{__name__}:map_view", size="hero"),
        Panel("broken", "Broken", "A broken one.", view=f"{__name__}:broken_view"),
        Panel("lost", "Lost", "Its module is not there.", view="core.no_such_module:view"),
    ),
    presets=(Preset("plain", "Plain", "It learns.", {}),),
    metrics=(Metric("train/loss", "Loss", "The loss."),),
    diagnoses={"dead": "{n} units are dead."},
    program="",
)


@dataclass(frozen=True)
class Info:
    id: str
    slug: str = "toy"
    config: Mapping[str, Any] = field(default_factory=lambda: {"seed": 0, "rate": 0.1})
    stop: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    preset: str = ""
    created: float = 0.0


@dataclass(frozen=True)
class View:
    info: Info
    head: Head
    place: int = 0
    resumable: bool = False
    sentence: Sentence | None = None
    stop: Stop = Stop()  # noqa: RUF009 - frozen
    speed: float = 0.0


class ToyEngine:
    """Runs under a folder; ``owners`` names whose they are, ``commands`` what was commanded, ``in_sight`` which panels
    were reported to be in sight, in order."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.owners: dict[str, str] = {}
        self.commands: list[tuple[str, str, str, Any]] = []
        self.in_sight: list[tuple[str, tuple[str, ...]]] = []
        self.places: dict[str, int] = {}
        self.dead: set[str] = set()

    @property
    def library(self) -> "ToyEngine":
        return self

    def create(self, run: str, owner: str) -> "Run":
        (self.root / run).mkdir()
        self.owners[run] = owner
        return Run(self.root / run)

    def save(self, run: str) -> None:
        self.commands.append((run, "", "save", None))

    def set_in_sight(self, run: str, panels: tuple[str, ...]) -> None:
        self.in_sight.append((run, panels))

    def reader(self, run: str) -> LogReader:
        return LogReader(log_file(self.root / run), recorded=run.startswith("recorded-"))

    def view(self, run: str) -> View:
        if run not in self.owners:
            raise Refusal("run", "There is no such run here.")
        try:
            reader = self.reader(run)
        except FileNotFoundError:
            return View(Info(run), Head(), place=self.places.get(run, 0))
        head = reader.head()
        reader.close()
        if run in self.dead:
            return View(Info(run), replace(head, state="interrupted"), resumable=True, sentence=Sentence("Killed."))
        return View(Info(run), head, resumable=True)

    def owns(self, run: str, owner: str) -> bool:
        return self.owners.get(run) == owner

    def command(self, run: str, owner: str, do: str, value: Any = None) -> None:
        if value == 13:
            raise Refusal("speed", "Not this speed.")
        self.commands.append((run, owner, do, value))


class Run:
    """Writes the log of a run as a worker would."""

    def __init__(self, folder: Path) -> None:
        self.writer = LogWriter(log_file(folder))
        self.folder = folder

    def log(self, *events: Event, state: str = "running", **head: Any) -> float:
        """Append and flush; returns when."""
        for event in events:
            self.writer.append(event)
        step = max((event.step for event in events), default=0)
        self.writer.flush(Head(**{"state": state, "step": step, "steps_per_s": 100.0, **head}))
        return time.time()

    def begin(self) -> None:
        self.log(
            Snapshot(0, "data", {"x": np.arange(3, dtype=np.float32)}),
            Snapshot(0, "map", {"y": np.zeros(3, np.float32)}),
            state="preparing",
        )


@contextmanager
def served(hub: Hub, *more: Any) -> Iterator[str]:
    """A real server with the live socket (and ``more`` routes); yields ``host:port``."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        async with hub.running():
            yield

    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[*live.routes(hub), *more], lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="websockets-sansio"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
        assert not thread.is_alive(), "the server did not stop"
