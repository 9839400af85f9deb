"""The models of the live socket's messages."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.experiment import Stop
from core.runs.server import messages
from core.runs.server.fold import run_status
from core.runs.server.messages import FigureError, Hello, PackedCurve, Refused, RunDescription, SentenceJson, Update
from core.runs.store.log import Head

SENTENCE = SentenceJson(
    template="{n} Einheiten sind tot: 单元 😀", values={"n": 3, "why": {"template": "a", "values": {}}}
)
CURVE = {"x": {"dtype": "i4", "bdata": "AAAA"}, "y": {"dtype": "f8", "bdata": "AAAA"}}


def update(**changes: Any) -> Update:
    fields: dict[str, Any] = {
        "n": 7,
        "seq": 9,
        "status": run_status(Head("running", 3), Stop()),
        "panels": {"map": FigureError(error=SENTENCE), "hero": {"data": [{"x": [1, float("nan")]}], "layout": {}}},
        "skipped": 0,
        "curves": {"train/loss": [[1, 2], [0.5, None]]},
        "frames": {"map": [1]},
        "marks": [{"step": 2, "field": "lr", "old": 1, "new": [2, "x"]}],
        "notes": [{"step": 2, "sentence": SENTENCE}],
    }
    return Update(**fields | changes)


def hello() -> Hello:
    about = RunDescription(id="run", slug="dnn", config={}, stop={}, preset="", device="cpu", created=0.0)
    curves = {"train/loss": PackedCurve(**CURVE), "test/loss": ([1], [None])}
    fields = {name: getattr(update(), name) for name in ("seq", "status", "panels", "frames", "marks", "notes")}
    return Hello(mine=True, recorded=False, whole=True, run=about, curves=curves, **fields)


def test_the_documentation_is_that_of_the_models() -> None:
    file = Path(messages.__file__).with_name("PROTOCOL.md")
    assert file.read_text("utf-8") == messages.documentation(), "python -m core.runs.server.messages > PROTOCOL.md"


@pytest.mark.parametrize(
    "message", [update(), update(gone={"map": [1]}, rewind=3), hello(), Refused(sentence=SENTENCE)]
)
def test_a_message_is_read_as_it_was_written(message: Any) -> None:
    text = messages.encode(message)
    once = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} in JSON"))
    assert once == json.loads(messages.encode(messages.validate_outgoing(text)))
    assert next(iter(once)) == "type" and None not in once.values(), "what there is not is left out"


def test_what_is_shared_is_the_same_message() -> None:
    plain = update()
    prepared = messages.shared(plain)
    for n in (7, 8):
        copy = prepared.model_copy(update={"n": n})
        assert json.loads(messages.encode(copy)) == json.loads(messages.encode(plain)) | {"n": n}
    assert messages.encode(prepared).isascii(), "or each copy for a watcher would cost thirty times as much"


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": "x"},
        {"status": {"state": "running"}},
        {"panels": {"map": {"figure": 1}}},
        {"curves": {"train/loss": [[1], ["x"]]}},
        {"marks": [{"step": 1}]},
        {"unknown": 1},
    ],
)
def test_a_message_that_is_none_cannot_be_made_nor_pass_for_one(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        update(**changes)
    fields = json.loads(messages.encode(update()))
    with pytest.raises(ValidationError):
        messages.validate_outgoing(json.dumps(fields | changes))


def test_the_type_of_a_browsers_message_selects_its_model() -> None:
    parsed = [
        messages.parse(json.dumps(message))
        for message in (
            {"type": "see", "panels": ["map"]},
            {"type": "frame", "step": 1, "n": 1},
            {"type": "command", "do": "step", "value": "round"},
            {"type": "drawn", "n": 1},
            {"type": "probe", "name": "ask", "n": 1},
            {"type": "ask", "n": 1, "request": {"x": [1]}},
            {"type": "close"},
        )
    ]
    assert len({type(message) for message in parsed}) == 7


def test_a_setting_takes_the_number_of_a_clicked_point_and_nothing_else() -> None:
    chosen = {"field": "shown", "value": 3}
    command = messages.parse(json.dumps({"type": "command", "do": "setting", "value": chosen}))
    assert isinstance(command, messages.Command) and command.model_dump()["value"] == chosen
    for wrong in ({"value": 1.5}, {"value": "3"}, {"value": True}, {"value": 2**60}, {"field": "x" * 65}, {"more": 1}):
        with pytest.raises(ValidationError):
            messages.parse(json.dumps({"type": "command", "do": "setting", "value": chosen | wrong}))
