"""Probes: questions to a trained model over a real socket, answered by a real process that loads a real checkpoint."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from core import registry, settings
from core.experiment import Experiment, Stop
from core.program import program_of
from core.runs.server.engine import Engine
from core.runs.server.hub import Hub
from core.runs.server.launchers import ProcessLauncher
from core.runs.server.probe_sessions import ProbeSessions
from core.runs.store import checkpoints
from core.runs.store.library import Library
from core.runs.worker.probe_worker import answers
from core.runs.worker.recordings import keep_checkpoint
from tests.conftest import until
from tests.core.runs.server.test_socket import OWNER, Browser, Lab
from tests.core.runs.toy import served
from tests.core.runs.worker.test_kill import zygote
from tests.toy.probes import PIECES

RECORDED = "recorded-toy"


@dataclass
class House:
    """A server with a finished run of the toy, and the same as a recorded one."""

    engine: Engine
    hub: Hub
    host: str
    run: str
    folder: Path

    def start(self, steps: int, **values: Any) -> str:
        toy = registry.get("toy")
        return self.engine.start("toy", settings.check(toy.config, values), Stop(steps=steps), "cpu", OWNER)

    def ended(self, run: str) -> None:
        until(lambda: self.engine.view(run).head.state == "finished", 60)


@pytest.fixture(scope="module")
def house(toy: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = tmp_path_factory.mktemp("house")
    library = Library(root / "runs", root / "recorded")
    engine = Engine(library, runs_at_once=1)
    hub = Hub(lambda: engine)
    with served(hub) as host:
        house = House(engine, hub, host, "", root)
        house.run = house.start(300, nap=0.002)
        house.ended(house.run)
        house.folder = library.folder(house.run)
        recorded = root / "recorded" / "toy"
        recorded.mkdir(parents=True)
        for name in ("run.json", "log.sqlite"):
            (recorded / name).write_bytes((house.folder / name).read_bytes())
        keep_checkpoint(house.folder, recorded, program_of(toy))
        yield house
    engine.close()


@pytest.fixture
def lab(house: House) -> Iterator[Lab]:
    house.hub.probe_sessions = ProbeSessions()
    with ExitStack() as links:
        yield Lab(house.engine, house.hub, house.host, links)  # type: ignore[arg-type]
    until(lambda: not processes())


def processes() -> list[psutil.Process]:
    """The sessions' processes, and the runs'."""
    found = []
    for process in zygote().children():
        with suppress(psutil.NoSuchProcess):  # it may end between the two questions
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def player(lab: Lab, run: str, step: int | None = None, cookie: str = OWNER) -> Browser:
    browser = lab.open(run, cookie)
    browser.receive("hello")
    browser.send(type="probe", name="ask", step=step, n=0)
    return browser


def ask(browser: Browser, n: int, **request: Any) -> None:
    browser.send(type="ask", n=n, request=request)


def hear(browser: Browser) -> dict[str, Any]:
    return browser.receive("answer", "refused", timeout=20)


def sentence(message: dict[str, Any]) -> str:
    assert message["type"] == "refused", message
    said: dict[str, Any] = message["sentence"]
    return str(said["template"]).format(**{k: spoken(v) for k, v in said["values"].items()})


def spoken(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["template"]).format(**{k: spoken(v) for k, v in value["values"].items()})
    return str(value)


def by_hand(folder: Path, step: int, x: float, y: float = 0.0) -> float:
    """The network's word for (x, y), by numpy from the checkpoint's weights."""
    saved = checkpoints.load(folder / "checkpoints" / f"{step:09d}.safetensors").state["model"]
    flow = np.array([x, y])
    for layer in (0, 2, 4):
        flow = saved[f"{layer}.weight"].double().numpy() @ flow + saved[f"{layer}.bias"].double().numpy()
        flow = flow if layer == 4 else np.tanh(flow)
    return float(flow[0])


def test_the_newest_state_and_an_older_one_answer_as_their_weights_do(lab: Lab, house: House) -> None:
    kept = checkpoints.steps(house.folder)
    assert len(kept) > 1, "two states at least"
    found = {}
    for step, at in ((None, kept[-1]), (kept[-1] - 1, kept[-2])):
        browser = player(lab, house.run, step)
        ask(browser, 7, x=0.5)
        message = hear(browser)
        figure = message["panels"]["ask"]
        assert (message["n"], message["step"], figure["layout"]["title"]["text"]) == (7, at, str(at))
        assert figure["data"][0]["y"][0] == pytest.approx(by_hand(house.folder, at, 0.5), abs=1e-5)
        found[at] = figure["data"][0]["y"][0]
    assert len(set(found.values())) == 2


def test_a_drawing_reaches_the_model(lab: Lab, house: House) -> None:
    browser = player(lab, house.run)
    cells = np.random.default_rng(0).integers(0, 256, (56, 56), dtype=np.uint8)
    ask(browser, 1, x=-1, drawing=base64.urlsafe_b64encode(cells.tobytes()).decode().rstrip("="))
    message = hear(browser)
    said = by_hand(house.folder, message["step"], -1, cells.mean() / 255)
    assert message["panels"]["ask"]["data"][0]["y"][0] == pytest.approx(said, abs=1e-5)


def test_the_page_is_told_which_states_there_are(lab: Lab, house: House) -> None:
    hello = lab.open(house.run).receive("hello")
    assert hello["status"]["checkpoints"] == list(checkpoints.steps(house.folder))
    hello = lab.open(RECORDED).receive("hello")
    assert hello["status"]["checkpoints"] == [300]


def test_a_wrong_request_is_refused_by_its_field_and_the_session_goes_on(lab: Lab, house: House) -> None:
    browser = player(lab, house.run)
    for request, said in (
        ({"x": 3}, "Place must be a number between -1 and 1; it was 3."),
        (
            {"how": "badly"},
            "How must be one of well, slowly, twice, piecewise, never, by error, by death, no more; it was badly.",
        ),
        ({"y": 1}, "There is no setting y; there are: x, how, drawing."),
        ({"drawing": "A" * 4000}, "The drawing must have 56 × 56 cells, as its canvas sends them."),
        ({"x": None}, "Place must be a number between -1 and 1; it was None."),
    ):
        ask(browser, 3, **request)
        message = hear(browser)
        assert (sentence(message), message["over"], message["n"]) == (said, False, 3)
    ask(browser, 4)
    assert hear(browser)["panels"]["ask"]["data"][0]["x"] == [1], "no wrong one ever reached the model"


@pytest.mark.parametrize(("name", "step"), [("nobody", None), ("hidden", None), ("ask", 0)])
def test_what_is_not_there_is_refused(lab: Lab, house: House, name: str, step: int | None) -> None:
    browser = lab.open(house.run)
    browser.send(type="probe", name=name, step=step, n=5)
    message = hear(browser)
    said = {"ask": "Nothing was saved of this run yet that could be played with."}
    expected = said.get(name, f"There is nothing called {name} to play with in this run.")
    assert (sentence(message), message["over"], message["n"]) == (expected, True, 5)
    assert not processes()


def test_only_the_owner_plays_with_a_run_and_everybody_with_a_recorded_one(lab: Lab, house: House) -> None:
    stranger = player(lab, house.run, cookie="s" * 43)
    assert sentence(hear(stranger)) == "This run belongs to somebody else: you may watch it."
    for cookie in ("s" * 43, ""):
        visitor = player(lab, RECORDED, cookie=cookie)
        ask(visitor, 1)
        assert hear(visitor)["step"] == 300


def test_an_error_is_one_sentence_and_ends_nothing_else(lab: Lab, house: House) -> None:
    other = player(lab, house.run)
    for how, said in (
        ("by error", "The answer failed with an error of its own: RuntimeError: the toy does not know."),
        ("by death", "The model's process is gone. Start again."),
        ("no more", "This session is over. Start again."),
    ):
        browser = player(lab, house.run)
        ask(browser, 1, how=how)
        message = hear(browser)
        assert (sentence(message), message["over"]) == (said, True)
        ask(browser, 2)
        assert browser.quiet(0.2), "what comes too late is nobody's"
    ask(other, 1)
    assert hear(other)["n"] == 1


def test_a_slow_model_has_only_the_newest_question(lab: Lab, house: House) -> None:
    browser = player(lab, house.run)
    ask(browser, 0)
    hear(browser)
    for n in range(1, 60):
        ask(browser, n, how="slowly")
    answered = [hear(browser)]
    while answered[-1]["n"] < 59:
        answered.append(hear(browser))
    assert answered[-1]["panels"]["ask"]["data"][0]["x"][0] < 6, "nearly all of them were overtaken"


def test_an_answer_of_many_pieces_stops_for_a_newer_request(lab: Lab, house: House) -> None:
    browser = player(lab, house.run)
    ask(browser, 1, how="piecewise")
    assert hear(browser)["n"] == 1
    ask(browser, 2)
    pieces = 0
    while hear(browser)["n"] == 1:
        pieces += 1
    assert pieces < PIECES / 2


def test_a_session_is_not_idle_while_it_answers(lab: Lab, house: House) -> None:
    house.hub.probe_sessions = ProbeSessions(idle_s=0.6)
    browser = player(lab, house.run)
    ask(browser, 1, how="piecewise")
    begin = time.monotonic()
    while (message := hear(browser))["type"] == "answer":
        pass
    assert "No request came for a while" in sentence(message)
    assert time.monotonic() - begin > 0.1 * PIECES, "it was closed before its answer was whole"


def test_silence_ends_a_session(lab: Lab, house: House) -> None:
    house.hub.probe_sessions = ProbeSessions(idle_s=0.5)
    browser = player(lab, house.run)
    ask(browser, 1)
    assert hear(browser)["type"] == "answer"
    message = hear(browser)
    assert "No request came for a while" in sentence(message) and message["over"]
    until(lambda: not processes())


def test_places_are_few_and_one_that_leaves_makes_room(lab: Lab, house: House) -> None:
    house.hub.probe_sessions = ProbeSessions(max_sessions=2)
    first, second = (player(lab, house.run) for _ in range(2))
    until(lambda: len(processes()) == 2)  # each asks for a save first: who comes last need not be the one left over
    third = player(lab, house.run)
    assert sentence(hear(third)) == "All 2 places to play are taken; try again in a minute."
    first.send(type="probe", name="ask", n=9)  # its second takes the place of its first
    ask(first, 10)
    assert hear(first)["n"] == 10
    second.send(type="close")
    until(lambda: len(processes()) == 1)
    third.send(type="probe", name="ask", n=11)
    ask(third, 12)
    assert hear(third)["n"] == 12
    first.link.close()
    until(lambda: len(processes()) == 1)


def test_a_model_that_never_answers_ends_with_its_socket(lab: Lab, house: House) -> None:
    browser = player(lab, house.run)
    ask(browser, 1)
    hear(browser)
    ask(browser, 2, how="never")
    assert browser.quiet(0.2)
    browser.link.close()
    until(lambda: not processes())


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_session_leaves_no_trace_in_the_run(lab: Lab, house: House) -> None:
    lab.open(house.run).receive("hello")
    before = content(house.folder)
    browser = player(lab, house.run)
    for n in range(5):
        ask(browser, n, how="twice")
    while hear(browser)["n"] < 4:
        pass
    browser.link.close()
    until(lambda: not processes())
    assert content(house.folder) == before


def test_a_training_that_is_played_with_is_the_same_training(lab: Lab, house: House) -> None:
    run = house.start(300, nap=0.002)
    until(lambda: house.engine.view(run).checkpoints)
    browser = player(lab, run)
    n = 0
    while house.engine.view(run).head.state == "running":
        ask(browser, n)
        hear(browser)
        n += 1
    house.ended(run)
    assert n > 1, "it was asked while it trained"

    def told(run: str) -> list[Any]:
        events = [record.event for record in house.engine.library.reader(run).tail()]
        return [(e.step, dict(e.values)) for e in events if type(e).__name__ == "Scalars"]

    assert told(run) == told(house.run)


@pytest.mark.parametrize("state", ["running", "paused"])
def test_one_plays_with_a_run_as_it_stands(lab: Lab, house: House, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its next checkpoint would come in a minute."""
    monkeypatch.setattr("core.runs.server.engine.SAVE_S", 20)
    run = house.start(100_000, nap=0.002)
    until(lambda: house.engine.view(run).head.step > 500, 60)
    if state == "paused":
        house.engine.command(run, OWNER, "pause")
        until(lambda: house.engine.view(run).head.state == "paused", 20)
    stood = house.engine.view(run).head.step
    browser = player(lab, run)
    ask(browser, 1)
    step = hear(browser)["step"]
    assert step == stood if state == "paused" else step >= stood
    assert step in checkpoints.steps(house.engine.library.folder(run))
    house.engine.command(run, OWNER, "stop")
    until(lambda: house.engine.view(run).head.state == "stopped", 20)


def test_where_forking_is_unsafe_a_process_of_its_own_answers(house: House) -> None:
    line = ProcessLauncher(lambda run, code: None).probe(house.folder, "ask", None)
    for n in (1, 2):
        line.send(json.dumps({"n": n, "request": {"x": 0.5}}).encode() + b"\n")
        if n == 1:
            said = answers(line.back)
            assert next(said)[0] == {"ready": 300}
        about, event = next(said)
        assert about["n"] == n
        assert event.arrays["output"][0] == pytest.approx(by_hand(house.folder, 300, 0.5), abs=1e-5)  # type: ignore[union-attr]
    line.close()
    assert next(said)[0] == {"over": True}
    assert list(said) == []
    line.release()


def test_a_recording_keeps_a_small_checkpoint_alone(house: House, toy: Experiment, tmp_path: Path) -> None:
    keep_checkpoint(house.folder, tmp_path, program_of(toy))
    assert [path.name for path in checkpoints.files(tmp_path)] == ["000000300.safetensors"]
    (size,) = (path.stat().st_size for path in checkpoints.files(tmp_path))
    keep_checkpoint(house.folder, tmp_path, program_of(toy), most=size - 1)
    assert not (tmp_path / "checkpoints").exists(), "what an earlier recording kept is gone, too"
