"""A scripted server of the stage's protocol, with data shaped like the DNN's: no engine, no torch, no Streamlit.

``python tests/browser/scripted.py [port]`` serves it by hand. A run's id says what it does: ``live`` trains, ``paused``
stands, ``failed`` and ``diverged`` have ended so, ``queued`` waits, ``other`` belongs to somebody else and
``recorded-dnn`` is recorded. The page ``/`` mounts the stage as Streamlit would; its data comes from the address.
"""

import asyncio
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import plotly
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.figures import packed  # noqa: E402
from core.runs.server.messages import validate_outgoing  # noqa: E402
from tests.browser.canned import FRAMES, PICTURES, STEPS, points  # noqa: E402


def panel(name: str, title: str, sentence: str, size: str, *metrics: str, scale: str = "linear") -> dict[str, Any]:
    """A panel as the page tells of it."""
    about = {"name": name, "title": title, "sentence": sentence, "size": size, "scale": scale}
    return about | {"curves": bool(metrics), "metrics": list(metrics)}


PAGE = {
    "page": "",
    "version": "test",
    "lang": "en",
    "run": None,
    "recorded": None,
    "mine": True,
    "step": None,
    "keys": True,
    "changed": False,
    "batch": None,
    "refusal": None,
    "speeds": [1, 5, 25, 0],
    "parts": [],
    "probes": [],
    "fields": {"rate": "Learning rate"},
    "metrics": [
        {"name": "*/loss", "title": "Loss", "sentence": "How wrong the network is.", "better": "low"},
        {"name": "*/accuracy", "title": "Accuracy", "sentence": "Share of right answers.", "better": "high"},
        {"name": "gradient/*", "title": "Gradient", "sentence": "Norm by layer.", "better": ""},
    ],
    "panels": [
        panel("boundary", "Decision boundary", "Where the network changes its mind, over the data.", "hero"),
        panel("loss", "Loss", "How wrong the network is; lower is better.", "side", "train/loss", "test/loss"),
        panel(
            "score", "Accuracy", "Share of right answers; higher is better.", "side", "train/accuracy", "test/accuracy"
        ),
        panel("neurons", "Neurons", "What each neuron sees of the plane, layer by layer.", "below"),
        panel(
            "gradient", "Gradient by layer", "Size of the gradient in each layer.", "below", "gradient/*", scale="log"
        ),
        panel("confusion", "Confusion", "True classes against predicted ones.", "below"),
        panel("activations", "Activations", "How strongly the units answer.", "folded"),
    ],
}


class Script:
    """What the server saw and what it is told to do; one a process, tests reach into it."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.since: list[int] = []
        self.refuse_sockets = False
        self.state = "running"
        self.step = 400
        self.rate = 6.0
        self.stride = 6
        self.marks: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.sockets: set[WebSocket] = set()
        self.dropped = 0
        self.dumb = False  # answers no question of a probe
        self.naming = False  # the boundary names a curve that never changes
        self.fixed: list[str] = []  # what was fetched once for a run
        self.lost = 0  # so many of those were answered by an error

    def picture(self, name: str, step: int) -> dict[str, Any]:
        """A panel's figure at a step."""
        figure = PICTURES[name](step)
        if self.naming and name == "boundary":
            figure["data"].append({"type": "scatter", "x": {"fixed": ["scene", "x"]}, "y": {"fixed": ["scene", "y"]}})
        return figure

    def drop(self) -> None:
        """Close every socket at its next beat."""
        self.dropped += 1

    def batch(self, run: str, since: int, panels: list[str]) -> dict[str, Any]:
        """What a page without a socket feeds the stage with."""
        message = greeting(self, run)
        return message | {"panels": {name: self.picture(name, message["status"]["step"]) for name in panels}}

    def status(self, run: str) -> dict[str, Any]:
        fixed = {
            "failed": ("failed", {"template": "The run failed: {why}", "values": {"why": "out of memory"}}),
            "diverged": ("diverged", {"template": "diverged at step {step}", "values": {"step": 640}}),
            "interrupted": ("interrupted", {"template": "The worker is gone. Its state is kept.", "values": {}}),
            "queued": ("queued", None),
            "preparing": ("preparing", None),
            "finished": ("finished", None),
            "paused": ("paused", None),
            "recorded-dnn": ("finished", None),
        }
        state, sentence = fixed.get(run, (self.state, None))
        step = STEPS if run in ("recorded-dnn", "finished") else 0 if run in ("queued", "preparing") else self.step
        return {
            "state": state,
            "step": step,
            "epoch": step / 40,
            "part": "",
            "steps_per_s": 1740.0 if state == "running" else 0.0,
            "trained_s": step / 1740,
            "task": "Loading the data" if state == "preparing" else "",
            "share": 0.4 if state == "preparing" else 0,
            "device": "cpu",
            "place": 3 if state == "queued" else 0,
            "speed": 0.0,
            "sentence": sentence,
            "stop": {"steps": STEPS},
            "resumable": state in ("failed", "interrupted", "stopped"),
            "left_s": (STEPS - step) / 110,
            "progress": step / STEPS,
            "checkpoints": [s for s in (100, 300) if s <= step],
        }


class CheckedWebSocket(WebSocket):
    """Sends nothing that the models of the real server's messages do not allow."""

    async def send_json(self, data: Any, mode: str = "text") -> None:
        validate_outgoing(json.dumps(data))
        await super().send_json(data, mode)


def application(script: Script) -> Starlette:
    """The routes, and a page that mounts the stage as Streamlit would."""

    async def page(request: Request) -> Response:
        return HTMLResponse((Path(__file__).parent / "harness.html").read_text("utf-8"))

    async def data(request: Request) -> Response:
        return JSONResponse(PAGE)

    return Starlette(routes=[*routes(script), Route("/data.json", data), Route("/{rest:path}", page)])


def routes(script: Script) -> list[BaseRoute]:
    """Assets, Plotly, words and the socket."""

    async def library(request: Request) -> Response:
        path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
        body = await asyncio.to_thread(lambda: gzip.compress(path.read_bytes(), 1))
        headers = {"Content-Encoding": "gzip", "Cache-Control": "public, max-age=31536000"}
        return Response(body, media_type="text/javascript", headers=headers)

    async def words(request: Request) -> Response:
        return FileResponse(Path(__file__).parent / "words.zh.json")

    async def fixed(request: Request) -> Response:
        script.fixed.append(request.url.path)
        if script.lost > 0:
            script.lost -= 1
            return Response(status_code=503)
        x = np.linspace(0, 5, 6, dtype=np.float32)
        return JSONResponse({"x": packed(x), "y": packed(x**2)})

    async def live(websocket: WebSocket) -> None:
        socket = CheckedWebSocket(websocket.scope, websocket.receive, websocket.send)
        run = socket.path_params["run"]
        if script.refuse_sockets:
            await socket.close(4403)
            return
        await socket.accept()
        if run == "unknown":
            sentence = {"template": "There is no run called {run}.", "values": {"run": run}}
            await socket.send_json({"type": "refused", "sentence": sentence})
            await socket.close(4404)
            script.since.append(-1)
            return
        await Conversation(script, socket, run).hold()

    return [
        Route("/lab/plotly.min.js", library),
        Route("/lab/words/zh.json", words),
        Mount("/lab/assets", StaticFiles(directory=ROOT / "assets")),
        Route("/lab/runs/{run}/fixed/{panel}", fixed),
        WebSocketRoute("/lab/runs/{run}/live", live),
    ]


def greeting(script: Script, run: str) -> dict[str, Any]:
    """The first message: all there is."""
    status = script.status(run)
    curves = points(0, status["step"])
    return {
        "type": "hello",
        "seq": status["step"] + 1,
        "mine": run != "other",
        "recorded": run.startswith("recorded-"),
        "run": {
            "id": run,
            "slug": "dnn",
            "config": {},
            "stop": {"steps": STEPS},
            "preset": "",
            "device": "cpu",
            "created": 0.0,
        },
        "status": status,
        "curves": {
            name: {"x": packed(np.array(x)), "y": packed(np.array(y, np.float32))} for name, (x, y) in curves.items()
        },
        "frames": {name: [s for s in FRAMES if s <= status["step"]] for name in PICTURES},
        "marks": script.marks,
        "notes": script.notes,
        "panels": {},
    }


class Conversation:
    """One watcher."""

    def __init__(self, script: Script, socket: WebSocket, run: str) -> None:
        self.script, self.socket, self.run = script, socket, run
        self.panels: list[str] = []
        self.shown: set[str] = set()
        self.told = 0
        self.out = 0

    async def hold(self) -> None:
        script = self.script
        since = int(self.socket.query_params.get("since", 0))
        script.since.append(since)
        script.sockets.add(self.socket)
        try:
            await self.hello()
            telling = asyncio.create_task(self.tell())
            try:
                while True:
                    await self.hear(json.loads(await self.socket.receive_text()))
            finally:
                telling.cancel()
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            script.sockets.discard(self.socket)

    async def hello(self) -> None:
        message = greeting(self.script, self.run)
        self.told = message["status"]["step"]
        await self.socket.send_json(message)

    async def tell(self) -> None:
        script = self.script
        number, dropped = 0, script.dropped
        while True:
            await asyncio.sleep(1 / script.rate)
            if script.dropped != dropped:
                await self.socket.close(1012)
                return
            if self.run == "live" and script.state == "running":
                script.step = min(STEPS - 10, script.step + script.stride)
            if self.out >= 2:
                continue
            status = script.status(self.run)
            step = status["step"]
            new = set(self.panels) - self.shown
            if step == self.told and not new and status["state"] == getattr(self, "state", None):
                continue
            names = self.panels if step != self.told else new
            number += 1
            self.out += 1
            await self.socket.send_json(
                {
                    "type": "update",
                    "n": number,
                    "seq": step + 1,
                    "status": status,
                    "curves": points(self.told, step),
                    "frames": {name: [s for s in FRAMES if self.told < s <= step] for name in PICTURES},
                    "marks": [m for m in script.marks if self.told < m["step"] <= step],
                    "notes": [],
                    "panels": {name: script.picture(name, step) for name in names if name in PICTURES}
                    if self.run != "queued"
                    else {},
                    "skipped": 0,
                }
            )
            self.told, self.state = step, status["state"]
            self.shown |= set(self.panels)

    async def hear(self, message: dict[str, Any]) -> None:
        script = self.script
        script.heard.append(message)
        kind = message["type"]
        if kind == "see":
            self.shown &= set(message["panels"])
            self.panels = message["panels"]
        elif kind == "drawn":
            self.out = max(0, self.out - 1)
        elif kind == "frame":
            kept = max((s for s in FRAMES if s <= message["step"]), default=0)
            pictures = {name: script.picture(name, kept) for name in self.panels if name in PICTURES}
            await self.socket.send_json({"type": "frame", "n": message["n"], "step": kept, "panels": pictures})
        elif kind == "command":
            await self.command(message)
        elif kind == "ask" and not script.dumb:
            bar = {"type": "bar", "x": ["x"], "y": [message["request"].get("x", 0)], "customdata": [7]}
            figure = {"data": [bar], "layout": {"yaxis": {"range": [-1, 1]}}}
            await self.socket.send_json({"type": "answer", "n": message["n"], "step": 300, "panels": {"ask": figure}})

    async def command(self, message: dict[str, Any]) -> None:
        script, do = self.script, message["do"]
        if self.run == "other":
            sentence = {"template": "This run belongs to somebody else: you may watch it.", "values": {}}
            await self.socket.send_json({"type": "refused", "sentence": sentence})
        elif do == "step":
            script.state, script.step = "paused", script.step + 1
        else:
            script.state = {"pause": "paused", "resume": "running", "stop": "stopped"}.get(do, script.state)


def main() -> None:
    """Serve by hand."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    uvicorn.run(application(Script()), port=port, log_level="warning")


if __name__ == "__main__":
    main()
