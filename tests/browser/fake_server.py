"""A fake server of the stage's protocol, with data shaped like the DNN's: no engine, no torch, no Streamlit.

``python tests/browser/fake_server.py [port]`` serves it by hand. A run's id decides what it does: ``live`` trains,
``paused`` is paused, ``failed``, ``diverged`` and ``finished`` have ended so, ``queued`` waits, ``other`` belongs to
somebody else and ``recorded-dnn`` is recorded. The page ``/`` mounts the stage as Streamlit would; its data comes from
the address.

Every message to a browser goes through :func:`to_browser`, and every message from one through :func:`from_browser`.
"""

import asyncio
import gzip
import json
import sys
from collections.abc import Iterable, Sequence
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
from core.runs.server import messages  # noqa: E402
from tests.browser.fake_figures import ANSWERS, FIGURES, FRAMES, STEPS, points  # noqa: E402


def panel(name: str, title: str, sentence: str, size: str, *metrics: str, scale: str = "linear") -> dict[str, Any]:
    """A panel as the page declares it."""
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


def to_browser(message: dict[str, Any]) -> dict[str, Any]:
    """A message as the server sends it, checked against the models of the real one."""
    messages.validate_outgoing(json.dumps(message))
    return message


def from_browser(text: str) -> dict[str, Any]:
    """A message as the browser sent it, checked against the models of the real server."""
    messages.parse(text)
    message: dict[str, Any] = json.loads(text)
    return message


class FakeServer:
    """What the fake server does, and what it was sent; tests set it and read it.

    Attributes:
        received: messages of the browser, each with the run that it was sent for.
        since: the sequence number that each connection named; -1 for a run that is not there.
        state, step: of every run whose id does not decide it.
        checkpoints: steps at which every run was saved.
        rate, stride: updates a second, and steps in each.
        refuse_sockets: no connection is accepted.
        disconnects: every open connection is closed when this grows.
        mended: ``live`` is sent a whole hello again with this as its last step, as where a log was mended; then 0.
        move_to: the run to which every open connection is moved, "" for none.
        mute_probes: no request of a probe is answered.
        name_static: the boundary names a curve that never changes.
        static_requests: paths of the static arrays that were fetched.
        static_failures: so many of these requests are answered by an error.
    """

    def __init__(self) -> None:
        self.sockets: set[WebSocket] = set()
        self.reset()

    def reset(self) -> None:
        """As at the beginning; who is connected stays so."""
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.since: list[int] = []
        self.refuse_sockets = False
        self.state = "running"
        self.step = 400
        self.checkpoints = (100, 300)
        self.rate = 6.0
        self.stride = 6
        self.marks: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.disconnects = 0
        self.move_to = ""
        self.mended = 0
        self.mute_probes = False
        self.name_static = False
        self.static_requests: list[str] = []
        self.static_failures = 0

    def figure(self, panel: str, step: int) -> dict[str, Any]:
        """A panel's figure at a step."""
        figure = FIGURES[panel](step)
        if self.name_static and panel == "boundary":
            figure["data"].append({"type": "scatter", "x": {"fixed": ["scene", "x"]}, "y": {"fixed": ["scene", "y"]}})
        return figure

    def disconnect(self) -> None:
        """Close every connection at its next beat."""
        self.disconnects += 1

    def hello(self, run: str, panels: Sequence[str] = ()) -> dict[str, Any]:
        """The first message: all there is, with the figures of these panels."""
        status = self.status(run)
        curves = points(0, status["step"])
        return {
            "type": "hello",
            "seq": status["step"] + 1,
            "mine": run != "other",
            "recorded": run.startswith("recorded-"),
            "whole": True,
            "run": {
                "id": run,
                "slug": "dnn",
                "config": {},
                "stop": {"steps": STEPS},
                "preset": "",
                "device": "cpu",
                "created": 1.0,
            },
            "status": status,
            "curves": {
                name: {"x": packed(np.array(x)), "y": packed(np.array(y, np.float32))}
                for name, (x, y) in curves.items()
            },
            "frames": {name: [s for s in FRAMES if s <= status["step"]] for name in FIGURES},
            "marks": self.marks,
            "notes": self.notes,
            "panels": {name: self.figure(name, status["step"]) for name in panels if name in FIGURES},
        }

    def update(self, run: str, n: int, since: int, panels: Iterable[str]) -> dict[str, Any]:
        """Update number ``n``: what came after step ``since``, with the figures of these panels."""
        status = self.status(run)
        step = status["step"]
        drawn = [] if run == "queued" else [name for name in panels if name in FIGURES]
        return {
            "type": "update",
            "n": n,
            "seq": step + 1,
            "status": status,
            "curves": points(since, step),
            "frames": {name: [s for s in FRAMES if since < s <= step] for name in FIGURES},
            "marks": [mark for mark in self.marks if since < mark["step"] <= step],
            "notes": [],
            "panels": {name: self.figure(name, step) for name in drawn},
            "skipped": 0,
        }

    def status(self, run: str) -> dict[str, Any]:
        states = {
            "failed": ("failed", {"template": "The run failed: {why}", "values": {"why": "out of memory"}}),
            "diverged": ("diverged", {"template": "diverged at step {step}", "values": {"step": 640}}),
            "interrupted": ("interrupted", {"template": "The worker is gone. Its state is kept.", "values": {}}),
            "queued": ("queued", None),
            "preparing": ("preparing", None),
            "finished": ("finished", None),
            "paused": ("paused", None),
            "recorded-dnn": ("finished", None),
        }
        state, sentence = states.get(run, (self.state, None))
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
            "checkpoints": [s for s in self.checkpoints if s <= step],
        }


def application(server: FakeServer) -> Starlette:
    """The routes, and a page that mounts the stage as Streamlit would."""

    async def page(request: Request) -> Response:
        return HTMLResponse((Path(__file__).parent / "harness.html").read_text("utf-8"))

    async def data(request: Request) -> Response:
        return JSONResponse(PAGE)

    return Starlette(routes=[*routes(server), Route("/data.json", data), Route("/{rest:path}", page)])


def routes(server: FakeServer) -> list[BaseRoute]:
    """Assets, Plotly, words and the socket."""

    async def library(request: Request) -> Response:
        path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
        body = await asyncio.to_thread(lambda: gzip.compress(path.read_bytes(), 1))
        headers = {"Content-Encoding": "gzip", "Cache-Control": "public, max-age=31536000"}
        return Response(body, media_type="text/javascript", headers=headers)

    async def words(request: Request) -> Response:
        return FileResponse(Path(__file__).parent / "words.zh.json")

    async def static_arrays(request: Request) -> Response:
        server.static_requests.append(request.url.path)
        if server.static_failures > 0:
            server.static_failures -= 1
            return Response(status_code=503)
        x = np.linspace(0, 5, 6, dtype=np.float32)
        return JSONResponse({"x": packed(x), "y": packed(x**2)})

    async def live(socket: WebSocket) -> None:
        if server.refuse_sockets:
            await socket.close(4403)
        else:
            await socket.accept()
            await FakeConnection(server, socket).serve()

    return [
        Route("/lab/plotly.min.js", library),
        Route("/lab/words/zh.json", words),
        Mount("/lab/assets", StaticFiles(directory=ROOT / "assets")),
        Route("/lab/runs/{run}/fixed/{panel}", static_arrays),
        WebSocketRoute("/lab/runs/{run}/live", live),
    ]


class FakeConnection:
    """One browser that views a run."""

    def __init__(self, server: FakeServer, socket: WebSocket) -> None:
        self.server, self.socket = server, socket
        self.run: str = socket.path_params["run"]
        self.panels: list[str] = []
        self.sent_panels: set[str] = set()
        self.sent_step = 0
        self.sent_state = ""
        self.undrawn = 0
        self.probe = ""

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send_json(to_browser(message))

    async def serve(self) -> None:
        """From the first message to the end of the connection."""
        server, socket = self.server, self.socket
        if self.run == "unknown":
            sentence = {"template": "There is no run called {run}.", "values": {"run": self.run}}
            await self.send({"type": "refused", "sentence": sentence})
            await socket.close(4404)
            server.since.append(-1)
            return
        server.since.append(int(socket.query_params.get("since", 0)))
        server.sockets.add(socket)
        try:
            await self.send_hello()
            sending = asyncio.create_task(self.send_updates())
            try:
                while True:
                    await self.receive(from_browser(await socket.receive_text()))
            finally:
                sending.cancel()
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            server.sockets.discard(socket)

    async def send_hello(self) -> None:
        hello = self.server.hello(self.run)
        self.sent_step = hello["status"]["step"]
        await self.send(hello)

    async def send_updates(self) -> None:
        server = self.server
        n, disconnects = 0, server.disconnects
        while True:
            await asyncio.sleep(1 / server.rate)
            if server.disconnects != disconnects:
                await self.socket.close(1012)
                return
            if server.move_to not in ("", self.run):
                self.run, self.undrawn, self.sent_panels = server.move_to, 0, set()
                await self.send({"type": "moved", "run": self.run})
                await self.send_hello()
            if server.mended and self.run == "live":
                server.step, server.mended = server.mended, 0
                await self.send_hello()
            if self.run == "live" and server.state == "running":
                server.step = min(STEPS - 10, server.step + server.stride)
            if self.undrawn >= 2:
                continue
            status = server.status(self.run)
            moved = status["step"] != self.sent_step
            new = set(self.panels) - self.sent_panels
            if not moved and not new and status["state"] == self.sent_state:
                continue
            n += 1
            self.undrawn += 1
            await self.send(server.update(self.run, n, self.sent_step, self.panels if moved else new))
            self.sent_step, self.sent_state = status["step"], status["state"]
            self.sent_panels |= set(self.panels)

    async def receive(self, message: dict[str, Any]) -> None:
        server = self.server
        server.received.append((self.run, message))
        kind = message["type"]
        if kind == "see":
            self.sent_panels &= set(message["panels"])
            self.panels = message["panels"]
        elif kind == "drawn":
            self.undrawn = max(0, self.undrawn - 1)
        elif kind == "frame":
            step = max((s for s in FRAMES if s <= message["step"]), default=0)
            figures = {name: server.figure(name, step) for name in self.panels if name in FIGURES}
            await self.send({"type": "frame", "n": message["n"], "step": step, "panels": figures})
        elif kind == "command":
            await self.command(message)
        elif kind == "probe":
            self.probe = message["name"]
        elif kind == "ask" and not server.mute_probes:
            figure = ANSWERS[self.probe](message["request"])
            await self.send({"type": "answer", "n": message["n"], "step": 300, "panels": {self.probe: figure}})

    async def command(self, message: dict[str, Any]) -> None:
        server, do = self.server, message["do"]
        if self.run == "other":
            sentence = {"template": "This run belongs to somebody else: you may watch it.", "values": {}}
            await self.send({"type": "refused", "sentence": sentence})
        elif do == "step":
            server.state, server.step = "paused", server.step + 1
        else:
            server.state = {"pause": "paused", "resume": "running", "stop": "stopped"}.get(do, server.state)


def main() -> None:
    """Serve by hand."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    uvicorn.run(application(FakeServer()), port=port, log_level="warning")


if __name__ == "__main__":
    main()
