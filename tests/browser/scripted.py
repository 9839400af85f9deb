"""A scripted server of the stage's protocol, with data shaped like the DNN's: no engine, no torch, no Streamlit.

``python tests/browser/scripted.py [port]`` serves it by hand. A run's id says what it does: ``live`` trains, ``paused``
stands, ``failed`` and ``diverged`` have ended so, ``queued`` waits, ``other`` belongs to somebody else, ``recorded-dnn`` is
recorded. The page ``/`` mounts the stage as Streamlit would; its data comes from the address.
"""

import asyncio
import gzip
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import plotly
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.figures import atlas, packed, quantised, raster  # noqa: E402

STEPS = 2000
RNG = np.random.default_rng(0)
FRAMES = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 500, 610, 800, 987, 1200, 1400, 1597, 1800, 2000]


def spiral(n: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Points of two spirals (2 n, 2) and their classes."""
    turn = np.sqrt(np.linspace(0.02, 1, n)) * 3.2
    arms = [np.stack([turn * np.sin(turn * 2 + k * np.pi), turn * np.cos(turn * 2 + k * np.pi)], 1) for k in (0, 1)]
    points = np.concatenate(arms) + np.random.default_rng(1).normal(0, 0.09, (2 * n, 2))
    return points.astype(np.float32), np.repeat([0, 1], n)


POINTS, LABELS = spiral()


def boundary(step: int) -> dict[str, Any]:
    """A boundary that bends from a line into the spiral as the steps go."""
    share = min(1.0, math.log1p(step) / math.log1p(STEPS))
    axis = np.linspace(-4, 4, 64, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    radius, angle = np.hypot(x, y), np.arctan2(x, y)
    z = (1 - share) * np.tanh(x + 0.4 * y) + share * np.tanh(3 * np.cos(angle - 2 * radius))
    dots = [
        {
            "type": "scattergl",
            "mode": "markers",
            "name": f"class {k}",
            "x": packed(POINTS[k == LABELS, 0]),
            "y": packed(POINTS[k == LABELS, 1]),
            "marker": {"size": 8, "color": colour, "line": {"width": 1, "color": "white"}},
        }
        for k, colour in enumerate(("#3f90da", "#ffa90e"))
    ]
    heat = {
        "type": "heatmap",
        "z": packed(quantised(z, -1, 1)),
        "x": packed(axis),
        "y": packed(axis),
        "zmin": 0,
        "zmax": 255,
        "showscale": False,
        "zsmooth": "fast",
        "hoverinfo": "skip",
        "colorscale": [[0, "#3f90da"], [0.5, "#f7f7f7"], [1, "#ffa90e"]],
        "opacity": 0.75,
    }
    axes = {"range": [-4, 4], "zeroline": False, "constrain": "domain"}
    return {
        "data": [heat, *dots],
        "layout": {"xaxis": {**axes, "title": "x₁"}, "yaxis": {**axes, "title": "x₂", "scaleanchor": "x"}},
    }


def neurons(step: int) -> dict[str, Any]:
    """Two layers of eight little maps as one picture, links between them as one line trace."""
    axis = np.linspace(-1, 1, 20)
    x, y = np.meshgrid(axis, axis)
    share = min(1.0, step / 900)
    maps = np.stack([np.tanh(4 * (x * math.cos(k + share) + y * math.sin(k * 1.7) + share * x * y)) for k in range(16)])
    picture = atlas(quantised(maps, -1, 1), 8, gap=8)
    links_x: list[float | None] = []
    links_y: list[float | None] = []
    for a in range(8):
        for b in range(8):
            links_x += [a + 0.5, b + 0.5, None]
            links_y += [0.56, 0.44, None]
    return {
        "data": [
            {"type": "scatter", "mode": "lines", "x": links_x, "y": links_y, "line": {"width": 0.7, "color": "#94a4a2"}}
        ],
        "layout": {
            "xaxis": {"visible": False, "range": [0, 8]},
            "yaxis": {"visible": False, "range": [0, 1]},
            "images": [
                {
                    "source": raster(picture, "diverging"),
                    "xref": "x",
                    "yref": "y",
                    "x": 0,
                    "y": 1,
                    "sizex": 8,
                    "sizey": 1,
                    "sizing": "stretch",
                    "layer": "above",
                }
            ],
        },
    }


def activations(step: int) -> dict[str, Any]:
    """Bars of a histogram."""
    edges = np.linspace(-1, 1, 24, dtype=np.float32)
    height = np.exp(-((edges - 0.4 * math.sin(step / 300)) ** 2) * 6).astype(np.float32)
    bars = {"type": "bar", "name": "layer 1", "x": packed(edges), "y": packed(height), "marker": {"color": "#3f90da"}}
    return {"data": [bars], "layout": {"bargap": 0.05, "xaxis": {"title": "activation"}, "yaxis": {"title": "share"}}}


def confusion(step: int) -> dict[str, Any]:
    """A small matrix with its counts."""
    good = int(80 + 70 * min(1, step / STEPS))
    z = np.array([[good, 150 - good], [150 - good, good]], dtype=np.int32)
    return {
        "data": [
            {
                "type": "heatmap",
                "z": packed(z),
                "text": [[str(v) for v in row] for row in z],
                "texttemplate": "%{text}",
                "colorscale": "Blues",
                "showscale": False,
            }
        ],
        "layout": {
            "xaxis": {"title": "predicted", "tickvals": [0, 1], "ticktext": ["0", "1"], "constrain": "domain"},
            "yaxis": {
                "title": "true",
                "tickvals": [0, 1],
                "ticktext": ["0", "1"],
                "autorange": "reversed",
                "scaleanchor": "x",
            },
        },
    }


PICTURES = {"boundary": boundary, "neurons": neurons, "activations": activations, "confusion": confusion}


def metric(name: str, step: int) -> float:
    """A number that looks like a training's."""
    noise = math.sin(step * 12.9898 + len(name)) * 0.02
    if name.endswith("/loss"):
        return 0.05 + 0.65 * math.exp(-step / 420) + noise * 0.6 + (0.04 if name.startswith("test") else 0)
    if name.endswith("/accuracy"):
        return min(1.0, 0.99 - 0.5 * math.exp(-step / 380) + noise - (0.03 if name.startswith("test") else 0))
    layer = int(name.rsplit("_", 1)[1])
    return 10 ** (-0.5 - (4 - layer) * 0.55 - step / 2400 + noise * 4)


METRICS = ["train/loss", "test/loss", "train/accuracy", "test/accuracy", *(f"gradient/layer_{k}" for k in (1, 2, 3))]


def points(low: int, high: int) -> dict[str, list[list[float]]]:
    """Curves of the steps low < step <= high, every tenth."""
    xs = [s for s in range(low + 1, high + 1) if s % 10 == 0]
    return {name: [xs, [metric(name, s) for s in xs]] for name in METRICS} if xs else {}


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
    "fields": {"rate": "Learning rate"},
    "metrics": [
        {"name": "*/loss", "title": "Loss", "sentence": "How wrong the network is.", "better": "low"},
        {"name": "*/accuracy", "title": "Accuracy", "sentence": "Share of right answers.", "better": "high"},
        {"name": "gradient/*", "title": "Gradient", "sentence": "Norm by layer.", "better": ""},
    ],
    "panels": [
        {"name": "boundary", "title": "Decision boundary", "sentence": "Where the network changes its mind, over the data.", "curves": False, "metrics": [], "size": "hero", "scale": "linear"},
        {"name": "loss", "title": "Loss", "sentence": "How wrong the network is; lower is better.", "curves": True, "metrics": ["train/loss", "test/loss"], "size": "side", "scale": "linear"},
        {"name": "score", "title": "Accuracy", "sentence": "Share of right answers; higher is better.", "curves": True, "metrics": ["train/accuracy", "test/accuracy"], "size": "side", "scale": "linear"},
        {"name": "neurons", "title": "Neurons", "sentence": "What each neuron sees of the plane, layer by layer.", "curves": False, "metrics": [], "size": "below", "scale": "linear"},
        {"name": "gradient", "title": "Gradient by layer", "sentence": "Size of the gradient in each layer.", "curves": True, "metrics": ["gradient/*"], "size": "below", "scale": "log"},
        {"name": "confusion", "title": "Confusion", "sentence": "True classes against predicted ones.", "curves": False, "metrics": [], "size": "below", "scale": "linear"},
        {"name": "activations", "title": "Activations", "sentence": "How strongly the units answer.", "curves": False, "metrics": [], "size": "folded", "scale": "linear"},
    ],
}  # fmt: skip


class Script:
    """What the server saw and what it is told to do; one a process, tests reach into it."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.since: list[int] = []
        self.refuse_sockets = False
        self.state = "running"
        self.step = 400
        self.rate = 6.0
        self.stride = 20
        self.marks: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.sockets: set[WebSocket] = set()

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
            "sentence": sentence,
            "stop": {"steps": STEPS},
            "resumable": state in ("failed", "interrupted", "stopped"),
            "left_s": (STEPS - step) / 110,
            "progress": step / STEPS,
        }


def application(script: Script) -> Starlette:
    """The app: assets, Plotly, words, the harness page and the socket."""

    async def page(request: Request) -> Response:
        return HTMLResponse((Path(__file__).parent / "harness.html").read_text("utf-8"))

    async def data(request: Request) -> Response:
        return JSONResponse(PAGE)

    async def library(request: Request) -> Response:
        path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
        body = await asyncio.to_thread(lambda: gzip.compress(path.read_bytes(), 1))
        headers = {"Content-Encoding": "gzip", "Cache-Control": "public, max-age=31536000"}
        return Response(body, media_type="text/javascript", headers=headers)

    async def words(request: Request) -> Response:
        return FileResponse(Path(__file__).parent / "words.zh.json")

    async def live(socket: WebSocket) -> None:
        run = socket.path_params["run"]
        if script.refuse_sockets:
            await socket.close(4403)
            return
        await socket.accept()
        await Conversation(script, socket, run).hold()

    return Starlette(
        routes=[
            Route("/lab/plotly.min.js", library),
            Route("/lab/words/zh.json", words),
            Mount("/lab/assets", StaticFiles(directory=ROOT / "assets")),
            WebSocketRoute("/lab/runs/{run}/live", live),
            Route("/data.json", data),
            Route("/{rest:path}", page),
        ]
    )


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

    def frames(self, step: int) -> dict[str, list[int]]:
        return {name: [s for s in FRAMES if s <= step] for name in PICTURES}

    async def hello(self) -> None:
        script = self.script
        status = script.status(self.run)
        self.told = status["step"]
        curves = points(0, status["step"])
        await self.socket.send_json(
            {
                "type": "hello",
                "seq": status["step"] + 1,
                "mine": self.run != "other",
                "recorded": self.run.startswith("recorded-"),
                "run": {
                    "id": self.run,
                    "slug": "dnn",
                    "config": {},
                    "stop": {"steps": STEPS},
                    "preset": "",
                    "device": "cpu",
                },
                "status": status,
                "curves": {
                    k: {"x": packed(np.array(x)), "y": packed(np.array(y, np.float32))} for k, (x, y) in curves.items()
                },
                "frames": self.frames(status["step"]),
                "marks": script.marks,
                "notes": script.notes,
                "panels": {},
            }
        )

    async def tell(self) -> None:
        script = self.script
        number = 0
        while True:
            await asyncio.sleep(1 / script.rate)
            if self.run == "live" and script.state == "running":
                script.step = min(STEPS, script.step + script.stride)
                if script.step == STEPS:
                    script.state = "finished"
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
                    "panels": {name: PICTURES[name](step) for name in names if name in PICTURES}
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
            pictures = {name: PICTURES[name](kept) for name in self.panels if name in PICTURES}
            await self.socket.send_json({"type": "frame", "n": message["n"], "step": kept, "panels": pictures})
        elif kind == "command":
            await self.command(message)

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
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    uvicorn.run(application(Script()), port=port, log_level="warning")


if __name__ == "__main__":
    main()
