"""The live socket, over a real server and a real log."""

import base64
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from core import registry
from core.events import Note, Scalars, SettingChanged, Snapshot, Status
from core.runs.server import messages
from core.runs.server.channels import UPDATE_S
from core.runs.server.hub import Hub
from core.runs.server.socket import MAX_MESSAGE_CHARACTERS
from core.runs.store.log import KEPT_FRAMES
from tests.core.runs.toy import TOY, Run, ToyEngine, served

OWNER = "o" * 43


class Lab:
    """A server, its engine, and browsers that connect to it."""

    def __init__(self, engine: ToyEngine, hub: Hub, host: str, links: ExitStack) -> None:
        self.engine, self.hub, self.host, self._links = engine, hub, host, links

    def open(self, run: str, cookie: str = OWNER, since: int = 0, origin: str | None = None) -> "Browser":
        link = connect(
            f"ws://{self.host}/lab/runs/{run}/live?since={since}",
            origin=origin if origin is not None else f"http://{self.host}",  # type: ignore[arg-type]
            additional_headers={"Cookie": f"other=1; tenfold={cookie}"} if cookie else {},
        )
        return Browser(self._links.enter_context(link))


class Browser:
    """Reads messages and acknowledges what it draws."""

    def __init__(self, link: ClientConnection, draws: bool = True) -> None:
        self.link, self.draws = link, draws

    def send(self, **message: Any) -> None:
        self.link.send(json.dumps(message))

    def receive(self, *kinds: str, timeout: float = 5) -> dict[str, Any]:
        """The next message of one of these kinds."""
        end = time.monotonic() + timeout
        while True:
            text = self.link.recv(timeout=max(end - time.monotonic(), 0))
            message: dict[str, Any] = json.loads(text, parse_constant=lambda c: pytest.fail(f"{c} in JSON"))
            messages.validate_outgoing(text)
            if message["type"] == "update" and self.draws:
                self.send(type="drawn", n=message["n"])
            if not kinds or message["type"] in kinds:
                return message

    def receive_until(self, true: Any, timeout: float = 5) -> dict[str, Any]:
        end = time.monotonic() + timeout
        while not true(message := self.receive(timeout=max(end - time.monotonic(), 0))):
            pass
        return message

    def quiet(self, seconds: float) -> bool:
        try:
            self.link.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr(registry, "get", lambda slug: {"toy": TOY}[slug])
    engine = ToyEngine(tmp_path)
    hub = Hub(lambda: engine)
    with served(hub) as host, ExitStack() as links:
        yield Lab(engine, hub, host, links)


@pytest.fixture
def run(lab: Lab) -> Run:
    run = lab.engine.create("run", OWNER)
    run.begin()
    return run


def doubles(packed: dict[str, Any]) -> list[float]:
    dtype = {"f8": np.float64, "i4": np.int32, "f4": np.float32}[packed["dtype"]]
    return np.frombuffer(base64.b64decode(packed["bdata"]), dtype).tolist()


def test_a_browser_gets_what_was_and_what_comes(lab: Lab, run: Run) -> None:
    run.log(Status("running", 0), *(Scalars(s, {"train/loss": 1 / s}) for s in range(1, 6)))
    browser = lab.open("run")
    hello = browser.receive()
    assert (hello["type"], hello["mine"], hello["recorded"]) == ("hello", True, False)
    assert doubles(hello["curves"]["train/loss"]["x"]) == [1, 2, 3, 4, 5]
    assert hello["frames"] == {"data": [0], "map": [0]}
    assert hello["status"]["state"] == "running"
    assert hello["run"]["config"] == {"seed": 0, "rate": 0.1}
    run.log(Scalars(6, {"train/loss": float("nan")}), SettingChanged(6, "rate", 0.1, 0.2), Note(6, "dead", {"n": 3}))
    update = browser.receive("update")
    assert update["curves"] == {"train/loss": [[6], [None]]}
    assert update["marks"] == [{"step": 6, "field": "rate", "old": 0.1, "new": 0.2}]
    assert update["notes"] == [{"step": 6, "sentence": {"template": "{n} units are dead.", "values": {"n": 3}}}]
    assert update["status"]["step"] == 6


def test_only_panels_in_sight_are_drawn_and_a_broken_view_costs_only_its_own(lab: Lab, run: Run) -> None:
    browser = lab.open("run")
    browser.receive("hello")
    run.log(*(Snapshot(1, panel, {"y": np.ones(3, np.float32)}) for panel in ("map", "broken", "lost")))
    assert browser.receive("update")["panels"] == {}
    browser.send(type="see", panels=["map", "broken", "lost", "no such panel"])
    panels = browser.receive_until(lambda m: m.get("panels"))["panels"]
    assert panels["map"]["layout"]["title"]["text"] == "step 1 rate 0.1"
    assert doubles(panels["map"]["data"][0]["y"]) == [1, 1, 1]
    assert panels["map"]["data"][0]["marker"]["size"] is None
    assert panels["broken"]["error"]["template"] and panels["lost"]["error"]["template"]
    run.log(Snapshot(2, "map", {"y": np.full(3, 2, np.float32)}))
    assert set(browser.receive_until(lambda m: m.get("panels"))["panels"]) == {"map"}


def test_scrubbing_shows_the_newest_frame_until_a_step_with_the_settings_of_then(lab: Lab, run: Run) -> None:
    for step in (10, 20, 30):
        run.log(
            Snapshot(step, "map", {"y": np.full(3, step, np.float32)}), SettingChanged(step, "rate", 0.1, step / 10)
        )
    browser = lab.open("run")
    browser.send(type="see", panels=["map"])
    for requested, got, rate in ((25, 20, 2.0), (10, 10, 1.0), (9, 0, 0.1), (1000, 30, 3.0)):
        browser.send(type="frame", step=requested, n=requested)
        frame = browser.receive("frame")
        assert (frame["n"], frame["step"]) == (requested, got)
        assert frame["panels"]["map"]["layout"]["title"]["text"] == f"step {got} rate {rate}"


def test_a_bounded_number_of_updates_a_second_and_two_undrawn(lab: Lab, run: Run) -> None:
    browsers = [lab.open("run") for _ in range(2)]
    browsers[1].draws = False
    for browser in browsers:
        browser.receive("hello")
        browser.send(type="see", panels=["map"])
    counts, skipped, written = [0, 0], [0, 0], 100

    def write() -> None:
        for step in range(1, written + 1):
            run.log(Scalars(step, {"train/loss": 1.0}), Snapshot(step, "map", {"y": np.zeros(3, np.float32)}))
            time.sleep(0.02)

    def read(i: int) -> None:
        points: list[int] = []
        try:
            while len(points) < written:
                update = browsers[i].receive("update", timeout=2)
                counts[i] += 1
                skipped[i] += update["skipped"]
                points += update["curves"].get("train/loss", [[]])[0]
        except TimeoutError:
            assert i == 1
        assert points == list(range(1, len(points) + 1))

    threads = [threading.Thread(target=read, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    write()
    took = time.monotonic() - began  # a busy machine sleeps longer, and more updates go in it
    for thread in threads:
        thread.join()
    assert 5 <= counts[0] <= took / UPDATE_S + 3
    assert counts[0] + skipped[0] in (written, written + 1)
    assert counts[1] == 2
    browsers[1].send(type="drawn", n=2)
    assert browsers[1].receive("update")["skipped"] > 50


def test_who_comes_back_gets_what_was_missed(lab: Lab, run: Run) -> None:
    run.log(*(Scalars(s, {"train/loss": 1.0}) for s in range(1, 11)))
    browser = lab.open("run")
    seq = browser.receive("hello")["seq"]
    browser.link.close()
    run.log(*(Scalars(s, {"train/loss": 2.0}) for s in range(11, 14)))
    hello = lab.open("run", since=seq).receive()
    assert hello["type"] == "hello" and hello["curves"] == {"train/loss": [[11, 12, 13], [2.0, 2.0, 2.0]]}
    run.log(Status("resumed", 5), Scalars(6, {"train/loss": 3.0}))
    hello = lab.open("run", since=seq).receive()
    assert hello["rewind"] == 5 and hello["curves"] == {"train/loss": [[6], [3.0]]}


def test_a_stranger_may_watch_and_not_touch(lab: Lab, run: Run) -> None:
    mine, stranger = lab.open("run"), lab.open("run", cookie="s" * 43)
    assert mine.receive()["mine"] is True and stranger.receive()["mine"] is False
    for browser in (stranger, lab.open("run", cookie="")):
        browser.send(type="command", do="stop")
        assert "somebody else" in browser.receive("refused")["sentence"]["template"]
    assert lab.engine.commands == []
    mine.send(type="command", do="speed", value=5)
    mine.send(type="command", do="speed", value=13)
    assert mine.receive("refused")["sentence"]["template"] == "Not this speed."
    mine.send(type="command", do="pause")
    mine.send(type="command", do="setting", value={"field": "shown", "value": 3})
    mine.send(type="frame", step=0, n=1)
    mine.receive("frame")
    setting = ("run", OWNER, "setting", {"field": "shown", "value": 3})
    assert lab.engine.commands == [("run", OWNER, "speed", 5), ("run", OWNER, "pause", None), setting]


def test_another_origin_is_refused(lab: Lab, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for origin in ("http://elsewhere.example", "null", "", f"http://{lab.host}.elsewhere.example"):
        with pytest.raises(InvalidStatus) as refused:
            lab.open("run", origin=origin)
        assert refused.value.response.status_code == 403
    monkeypatch.setenv("TENFOLD_ORIGINS", "lab.example:8000, other.example")
    assert lab.open("run", origin="https://other.example").receive()["type"] == "hello"


def test_an_unknown_run_is_a_sentence(lab: Lab) -> None:
    browser = lab.open("nothing")
    assert browser.receive()["type"] == "refused"
    with pytest.raises(ConnectionClosed) as closed:
        browser.receive()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4404


@pytest.mark.parametrize(("bad", "code"), [("x" * (MAX_MESSAGE_CHARACTERS + 1), 1009), ("{not json", 1008), ("", 1008)])
def test_a_message_that_no_browser_of_ours_sends_is_refused_once_and_then_ends_the_connection(
    lab: Lab, run: Run, bad: str, code: int
) -> None:
    other, browser = lab.open("run"), lab.open("run")
    other.receive("hello")
    browser.link.send(bad)
    assert browser.receive("refused")["sentence"]["template"]
    browser.link.send(bad)
    with pytest.raises(ConnectionClosed) as closed:
        browser.receive("update")
    assert closed.value.rcvd is not None and closed.value.rcvd.code == code
    run.log(Scalars(1, {"train/loss": 1.0}))
    assert other.receive("update")["curves"]


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "delete"},
        {"type": "see", "panels": "map"},
        {"type": "see", "panels": ["x" * 65]},
        {"type": "frame", "step": -1, "n": 1},
        {"type": "frame", "step": 10**400, "n": 1},
        {"type": "command", "do": "delete"},
        {"type": "command", "do": "speed", "value": {"a": 1}},
        {"type": "drawn", "n": "1"},
        {"type": "see", "panels": [], "more": 1},
        {"panels": []},
        [],
        "see",
        None,
    ],
)
def test_a_message_that_no_model_allows_is_refused_each_time(lab: Lab, run: Run, bad: Any) -> None:
    browser = lab.open("run")
    for _ in range(3):
        browser.link.send(json.dumps(bad))
        assert browser.receive("refused")["sentence"]["template"]
    browser.send(type="see", panels=["map"])
    assert browser.receive_until(lambda m: m.get("panels"))


def test_thinned_frames_are_removed(lab: Lab, run: Run) -> None:
    browser = lab.open("run")
    steps = set(browser.receive("hello")["frames"]["map"])
    last = KEPT_FRAMES + 20
    for step in range(1, last):
        run.log(Snapshot(step, "map", {"y": np.zeros(3, np.float32)}))
    run.log(Status("stopped", last), state="stopped")
    events = [record.event for record in lab.engine.reader("run").events(Snapshot)]
    kept = {event.step for event in events if event.panel == "map"}
    assert len(kept) < KEPT_FRAMES

    def folded(message: dict[str, Any]) -> bool:
        steps.update(message.get("frames", {}).get("map", []))
        steps.difference_update(message.get("gone", {}).get("map", []))
        return message.get("status", {}).get("state") == "stopped"

    browser.receive_until(folded)
    assert steps == kept


def test_a_run_in_the_queue_begins_and_a_dead_one_says_so(lab: Lab) -> None:
    (lab.engine.root / "late").mkdir()
    lab.engine.owners["late"] = OWNER
    lab.engine.places["late"] = 3
    browser = lab.open("late")
    hello = browser.receive("hello")
    assert hello["status"]["state"] == "queued" and hello["status"]["place"] == 3
    late = Run(lab.engine.root / "late")
    late.log(Scalars(1, {"train/loss": 1.0}))
    assert browser.receive("update")["status"]["state"] in ("running", "queued")
    lab.engine.dead.add("late")
    dead = browser.receive_until(lambda m: m.get("status", {}).get("state") == "interrupted")["status"]
    assert dead["resumable"] and dead["sentence"]["template"] == "Killed." and dead["left_s"] is None
    late.log(Status("resumed", 1), Status("running", 1), Scalars(2, {"train/loss": 1.0}))
    lab.engine.dead.clear()
    again = browser.receive_until(lambda m: m.get("status", {}).get("state") == "running")
    assert again["status"]["sentence"] is None


def test_a_deleted_run_closes_the_connection(lab: Lab, run: Run) -> None:
    browser = lab.open("run")
    browser.receive("hello")
    del lab.engine.owners["run"]
    assert browser.receive("refused")
    with pytest.raises(ConnectionClosed):
        browser.receive()


def test_arrays_that_figures_name_are_served_over_http(lab: Lab, run: Run) -> None:
    run.log(*(Snapshot(step, "data", {"x": np.zeros(3, np.float32)}) for step in (5, 9)))
    with urllib.request.urlopen(f"http://{lab.host}/lab/runs/run/fixed/data") as answer:
        arrays = json.loads(answer.read())
    assert list(arrays) == ["x"]
    assert doubles(arrays["x"]) == [0, 1, 2], "as at step 0, whatever came later"
    for wrong in ("run/fixed/nothing", "none/fixed/data"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://{lab.host}/lab/runs/{wrong}")
