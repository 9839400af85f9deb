"""The measurements: each returns figures with the threshold they are held against."""

import json
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from core import registry
from core.bench.server import OWNER, Server, Worker, serving, watchers
from core.runs.store.log import LogReader


@dataclass(frozen=True)
class Figure:
    """Something measured; ``limit`` is ``None`` where there is no threshold."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    detail: str = ""

    @property
    def held(self) -> bool | None:
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True)
class Plan:
    """How long and how often."""

    slug: str
    preset: str
    launches: int = 20
    pairs: int = 8
    warm: float = 1.0
    stretch: float = 2.0
    window: float = 8.0
    crowds: tuple[int, ...] = (1, 30, 200)
    runs: int = 30

    @property
    def panels(self) -> list[str]:
        return [panel.name for panel in registry.get(self.slug).panels if panel.view]


def quick(slug: str, preset: str) -> Plan:
    """Enough to see that it works; the figures are rough."""
    return Plan(slug, preset, launches=3, pairs=1, warm=0.5, stretch=1.0, window=2.0, crowds=(2,), runs=3)


@contextmanager
def _opened(server: Server, run: str) -> Iterator[ClientConnection]:
    with connect(
        f"ws://{server.host}/lab/runs/{run}/live?since=0",
        origin=Origin(f"http://{server.host}"),
        additional_headers={"Cookie": f"tenfold={OWNER}"},
        max_size=None,
        compression=None,
    ) as link:
        yield link


def _ended(server: Server, run: str, seconds: float = 20) -> None:
    """Stop a run and wait until its slot is free."""
    with _opened(server, run) as link:
        link.send(json.dumps({"type": "command", "do": "stop"}))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = json.loads(link.recv(timeout=seconds))
            if message["type"] == "update":
                link.send(json.dumps({"type": "drawn", "n": message["n"]}))
            if message.get("status", {}).get("state") in ("stopped", "finished", "failed"):
                return
    raise RuntimeError(f"run {run} did not stop")


def _trains(server: Server, run: str, steps: int = 1, seconds: float = 60) -> LogReader:
    """Wait until a run has made this many steps."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            reader = server.library.reader(run)
        except OSError:
            time.sleep(0.05)
            continue
        while time.monotonic() < end:
            head = reader.head()
            if head.step >= steps:
                return reader
            if head.state == "failed":
                break
            time.sleep(0.05)
        break
    raise RuntimeError(f"run {run} does not train: {server.library.view(run).head}")


def idle(server: Server) -> list[Figure]:
    """Memory of a server that nobody uses, and whether torch is in it."""
    time.sleep(1)
    maps = Path(f"/proc/{server.process.pid}/maps")
    torch = "libtorch" in maps.read_text() if maps.exists() else False
    return [
        Figure("idle server", server.process.memory_info().rss / 2**20, "MB", 130),
        Figure("torch in the server", float(torch), "", 0),
    ]


def launch(server: Server, plan: Plan) -> list[Figure]:
    """From asking for a run to the first event, and to the first measured point, on a socket."""
    first, point = [], []
    for i in range(plan.launches + 1):
        begin = time.perf_counter()
        run = server.start(plan.slug, plan.preset, seed=i)
        with _opened(server, run) as link:
            seconds: dict[str, float] = {}
            while "point" not in seconds:
                message = json.loads(link.recv(timeout=60))
                now = time.perf_counter() - begin
                if message["type"] == "update":
                    link.send(json.dumps({"type": "drawn", "n": message["n"]}))
                if message.get("seq"):
                    seconds.setdefault("first", now)
                if message.get("curves"):
                    seconds["point"] = now
        _ended(server, run)
        if i:  # the very first one waits for the zygote to be warm
            first.append(seconds["first"] * 1000)
            point.append(seconds["point"] * 1000)
    return [
        Figure("launch → first event", statistics.median(first), "ms", 150, detail=f"p95 {_p95(first):.0f} ms"),
        Figure("launch → first point", statistics.median(point), "ms", 1000, detail=f"p95 {_p95(point):.0f} ms"),
    ]


def watched(server: Server, plan: Plan, name: str = "watched ÷ bare") -> Figure:
    """Steps a second while watched ÷ those of a bare loop over the very same steps, in pairs that take turns."""
    bare = Worker("core.bench.bare", "1")
    about = {"slug": plan.slug, "preset": plan.preset, "seed": 0}
    bare.send({**about, "warm": plan.warm, "seconds": plan.stretch})
    first, last = json.loads(bare.receive())
    ratios, rates = [], []
    for i in range(plan.pairs):
        pair: dict[str, float] = {}
        for kind in ("bare", "watched") if i % 2 else ("watched", "bare"):
            if kind == "bare":
                bare.send({**about, "first": first, "last": last})
                pair[kind] = float(json.loads(bare.receive()))
            else:
                pair[kind] = _watched_rate(server, plan, first, last)
        ratios.append(pair["watched"] / pair["bare"])
        rates.append(pair["bare"])
    bare.close()
    detail = f"bare {statistics.median(rates):.0f} steps/s; pairs " + " ".join(f"{r:.2f}" for r in ratios)
    return Figure(name, statistics.median(ratios), "", 0.95, at_least=True, detail=detail)


def _watched_rate(server: Server, plan: Plan, first: int, last: int) -> float:
    run = server.start(plan.slug, plan.preset)
    crowd = watchers(server, [run], plan.panels)
    reader = _trains(server, run, first)
    before = reader.head()
    _trains(server, run, last).close()
    after = reader.head()
    crowd.close()
    _ended(server, run)
    reader.close()
    return (after.step - before.step) / (after.time - before.time)


def crowds(server: Server, plan: Plan) -> list[Figure]:
    """Processor time of the server for each update and watcher of one run, for crowds of several sizes."""
    figures: list[Figure] = []
    run = server.start(plan.slug, plan.preset)
    _trains(server, run).close()
    time.sleep(plan.warm)
    begin, cpu = time.time(), server.cpu()
    time.sleep(plan.window / 2)
    idle = (server.cpu() - cpu) / (time.time() - begin)  # what it uses when nobody watches is no part of an update
    figures.append(Figure("server, nobody watches", idle * 100, "% of a core"))
    for size in plan.crowds:
        crowd = watchers(server, [run] * size, plan.panels)
        time.sleep(plan.warm)
        begin, cpu = time.time(), server.cpu()
        time.sleep(plan.window)
        end = time.time()
        used = server.cpu() - cpu - idle * (end - begin)
        received = json.loads(crowd.close())
        updates = [a for one in received for a in one["arrivals"] if begin <= a[0] <= end]
        rate = len(updates) / size / (end - begin)
        weight = statistics.mean(a[2] for a in updates) / 1024 if updates else 0
        figures.append(
            Figure(
                f"server per update, {size} watcher{'s' if size > 1 else ''}",
                used / max(len(updates), 1) * 1000,
                "ms",
                0.2 if size == 30 else None,
                detail=f"{rate:.1f} updates/s each of {weight:.0f} KB, {used / (end - begin) * 100:.0f} % of a core",
            )
        )
    _ended(server, run)
    return figures


def many(server: Server, plan: Plan) -> list[Figure]:
    """Many runs, each with a watcher: rate, delay, and memory of each."""
    warm = server.start(plan.slug, plan.preset)
    _trains(server, warm).close()
    before = server.family_pss()
    runs = [server.start(plan.slug, plan.preset, seed=i, owner=f"{OWNER}{i}") for i in range(1, plan.runs + 1)]
    readers = [_trains(server, run) for run in runs]
    crowd = watchers(server, runs, plan.panels)
    time.sleep(2 * plan.warm)
    begin, cpu = time.time(), server.cpu()
    time.sleep(plan.window)
    end, used = time.time(), server.cpu() - cpu
    grown = (server.family_pss() - before) / plan.runs / 2**20
    received = json.loads(crowd.close())
    rates, delays = [], []
    for one, reader in zip(received, readers, strict=True):
        arrivals = [a for a in one["arrivals"] if begin <= a[0] <= end]
        rates.append(len(arrivals) / (end - begin))
        delays += _delays(reader, arrivals)
        reader.close()
    detail = f"median {statistics.median(rates):.1f}/s; server {used / (end - begin) * 100:.0f} % of a core"
    return [
        Figure(f"{plan.runs} runs, slowest watcher", min(rates), "updates/s", 4, at_least=True, detail=detail),
        Figure("event → received, p50", statistics.median(delays), "ms"),
        Figure("event → received, p95", _p95(delays), "ms", 300),
        Figure("memory of each added run", grown, "MB", 25),
    ]


def _delays(reader: LogReader, arrivals: Sequence[Sequence[float]]) -> list[float]:
    """Milliseconds from each event to the first update that held it."""
    delays = []
    for earlier, later in pairwise(arrivals):
        if later[1] > earlier[1]:
            records = reader.tail(int(earlier[1]), int(later[1] - earlier[1]))
            delays += [(later[0] - record.time) * 1000 for record in records if record.seq <= later[1]]
    return delays


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[max(math.ceil(len(values) * 0.95) - 1, 0)]


def measure(plan: Plan, folder: Path, others: Sequence[Plan] = ()) -> list[Figure]:
    """All of it, on two servers: one as it is, one with a slot for each of many runs. Of ``others`` only the first."""
    figures = []
    with serving(folder / "one") as server:
        figures += idle(server)
        figures += launch(server, plan)
        figures.append(watched(server, plan))
        for other in others:
            figures.append(watched(server, other, f"watched ÷ bare, {other.slug}"))
        figures += crowds(server, plan)
    with serving(folder / "many", slots=plan.runs + 1) as server:
        figures += many(server, plan)
    return figures
