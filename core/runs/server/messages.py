"""The messages of a run's live socket, in both directions: one model for each, chosen by its ``type``.

What a browser sends is checked by these models; what it is sent is built from them. Figures and whatever else many
watchers get alike is serialised once and shared: a field of type :data:`Shared` holds either its value or its JSON.
``python -m core.runs.server.messages > core/runs/server/PROTOCOL.md`` writes the documentation.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from core.experiment import Stop
from core.figures import packed

_T = TypeVar("_T")
_M = TypeVar("_M", bound="Outgoing")

_NOT_ASCII = re.compile(rb"[^\x00-\x7f]+")


# What browsers send


class Incoming(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


Count = Annotated[int, Field(ge=0, le=2**53)]
Name = Annotated[str, Field(max_length=64)]


class PanelsInSight(Incoming):
    """These panels are in sight: of their snapshots, and no others, figures are sent."""

    type: Literal["see"]
    panels: Annotated[list[Name], Field(max_length=64)]
    """Names of panels; unknown ones count for nothing."""


class FrameRequest(Incoming):
    """Requests the panels in sight as they were at a step; the answer is a `frame`."""

    type: Literal["frame"]
    step: Count
    n: Count
    """The browser's own number, which comes back with the answer."""


class ChosenValue(Incoming):
    """A live setting, and the whole number that a clicked point gives it."""

    field: Name
    value: Annotated[int, Field(ge=-(2**53), le=2**53)]


class Command(Incoming):
    """Something for the run to do; only its owner may."""

    type: Literal["command"]
    do: Literal["pause", "resume", "step", "speed", "stop", "setting"]
    value: float | int | str | ChosenValue | None = None
    """Steps a second for `speed` (0 for full speed); for `step` a part, `round` or nothing; for `setting` which one."""


class Drawn(Incoming):
    """An update was drawn. No more than two are under way at a time."""

    type: Literal["drawn"]
    n: Count
    """The update's number."""


class OpenProbe(Incoming):
    """Begins to probe a state of the run: its owner's, or anybody's where the run is recorded."""

    type: Literal["probe"]
    name: Name
    """Which of the experiment's probes."""
    step: Count | None = None
    """The newest state saved at this step or before; the run's present one where none is given."""
    n: Count
    """The browser's number for the session."""


class ProbeRequest(Incoming):
    """A request to the model being probed; the answer is an `answer`."""

    type: Literal["ask"]
    n: Count
    request: dict[str, Any]
    """What the probe's own model of a request checks."""


class CloseProbe(Incoming):
    """Ends the probe's session."""

    type: Literal["close"]


AnyIncoming: TypeAlias = PanelsInSight | FrameRequest | Command | Drawn | OpenProbe | ProbeRequest | CloseProbe
_INCOMING: TypeAdapter[AnyIncoming] = TypeAdapter(Annotated[AnyIncoming, Field(discriminator="type")])


def parse(text: str) -> AnyIncoming:
    """A message from a browser.

    Raises:
        pydantic.ValidationError: it is none of them; its first error is ``json_invalid`` where it is not even JSON.
    """
    return _INCOMING.validate_json(text)


# What browsers are sent


class _Shared:
    """Marks a field that may hold its JSON instead of its value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        *values, fragment = handler(source)["choices"]
        value = core_schema.union_schema(values) if len(values) > 1 else values[0]
        return core_schema.union_schema([fragment, value], mode="left_to_right")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema["choices"][1])


Shared = Annotated[_T | orjson.Fragment, _Shared()]
"""A value, or its JSON as an :class:`orjson.Fragment`."""


class Part(BaseModel):
    """A part of outgoing messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, use_attribute_docstrings=True)


class SentenceJson(Part):
    """A sentence for people. The browser looks its template up in the words of its own language."""

    template: str
    """English, with `{names}`."""
    values: dict[str, Any]
    """By name: numbers, texts, or sentences."""


class RunStatus(Part):
    """Where a run stands."""

    state: str
    """`queued`, `preparing`, `resumed`, `running`, `paused`, `finished`, `stopped`, `diverged`, `failed` or
    `interrupted`."""
    step: int
    epoch: float
    """Passes over the data; -1 where there are none."""
    part: str
    """Which part of a round the last step was; empty where a step has no parts."""
    steps_per_s: float
    trained_s: float
    """Seconds of training, pauses left out."""
    task: str
    """What is being prepared before the training, such as a download."""
    share: float
    """How far that is, from 0 to 1."""
    device: str
    place: int
    """Place in the queue, 1 for the next; 0 where the run does not wait."""
    speed: float
    """Requested steps a second; 0 for full speed."""
    sentence: SentenceJson | None
    """Why it ended so, where that is known."""
    stop: Stop
    """When it ends by itself."""
    resumable: bool
    """Whether it ended and can go on from a checkpoint."""
    left_s: float | None
    """Seconds to the end, where that is known."""
    progress: float
    """From 0 to 1."""
    checkpoints: Sequence[int] = ()
    """Steps whose state is kept, rising, where the experiment has probes."""


class RunDescription(Part):
    """What a run is; it never changes."""

    id: str
    slug: str
    """The algorithm."""
    config: dict[str, Any]
    """The settings it began with."""
    stop: dict[str, Any]
    """The stop condition it began with."""
    preset: str
    """Name of the preset it was started from; empty for none."""
    device: str
    created: float
    """Seconds since 1970."""


class Mark(Part):
    """A live setting was changed while the run trained."""

    step: int
    field: str
    old: Any
    new: Any


class NoteJson(Part):
    """A diagnosis."""

    step: int
    sentence: SentenceJson


class PackedArray(Part):
    """A typed array, as Plotly takes it."""

    dtype: Literal["f8", "f4", "i4", "u4", "i2", "u2", "i1", "u1"]
    bdata: str
    """The numbers, little endian, in base64."""
    shape: str | None = None
    """Two or three lengths, with commas between them; absent for one dimension."""


class PackedCurve(Part):
    """All points of a metric."""

    x: PackedArray
    y: PackedArray


class Figure(Part):
    """A Plotly figure. Arrays in it may be packed, or name what never changes: `{"fixed": [panel, array]}`, which is
    to be fetched once from `fixed/<panel>` beside the socket."""

    data: list[dict[str, Any]]
    layout: dict[str, Any] = Field(default_factory=dict)


class FigureError(Part):
    """Takes the place of a figure that could not be made."""

    error: SentenceJson


AnyFigure: TypeAlias = Figure | FigureError
CurveTail: TypeAlias = tuple[list[int], list[float | None]]


class Outgoing(BaseModel):
    """A message. Fields that are ``None`` are not sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, use_attribute_docstrings=True)


class Hello(Outgoing):
    """The first message of a connection, and of each run to which the watcher is moved: all there is to know, or what
    came after the number that the browser gave as `since`. It comes again where what was sent before no longer holds,
    as when a damaged log was mended."""

    type: Literal["hello"] = "hello"
    seq: int
    """Number of the newest event that this message knows of."""
    mine: bool
    """Whether the watcher owns the run, and so may command it."""
    recorded: bool
    """Whether it is one of those that come with the app."""
    whole: bool
    """Whether it is all there is to know: then what was known before is dropped."""
    run: Shared[RunDescription]
    status: Shared[RunStatus]
    panels: Mapping[str, Shared[AnyFigure]]
    """The newest figures of the panels in sight."""
    curves: Shared[dict[str, PackedCurve | CurveTail]]
    """By metric: all points, thinned where they are many, or the steps and values after `since`."""
    frames: Shared[dict[str, list[int]]]
    """By panel: the steps of its snapshots, rising."""
    marks: Shared[list[Mark]]
    notes: Shared[list[NoteJson]]
    gone: Shared[dict[str, list[int]]] | None = None
    """By panel: steps whose snapshots are no longer kept."""
    rewind: int | None = None
    """Drop all beyond this step first: the run was resumed from there."""


class Update(Outgoing):
    """What came after the last update, or the hello."""

    type: Literal["update"] = "update"
    n: int
    """The update's number, 1 for the first of the connection; to be acknowledged by `drawn`."""
    seq: int
    """Number of the newest event that this message knows of."""
    status: Shared[RunStatus]
    panels: Mapping[str, Shared[AnyFigure]]
    """Figures of the panels in sight that have a newer snapshot."""
    skipped: int
    """How many snapshots of a panel were left out, at the most."""
    curves: Shared[dict[str, CurveTail]]
    """By metric: new steps, and the values there; `null` where a value is not a finite number."""
    frames: Shared[dict[str, list[int]]]
    """By panel: the steps of new snapshots."""
    marks: Shared[list[Mark]]
    notes: Shared[list[NoteJson]]
    gone: Shared[dict[str, list[int]]] | None = None
    """By panel: steps whose snapshots are no longer kept."""
    rewind: int | None = None
    """Drop all beyond this step first: the run was resumed from there."""


class FrameAt(Outgoing):
    """The panels in sight as they were at a step."""

    type: Literal["frame"] = "frame"
    n: int
    """The number of the request."""
    step: int
    """The step of the newest snapshot among these, which may be an earlier one."""
    panels: Mapping[str, Shared[AnyFigure]]


class ProbeAnswer(Outgoing):
    """What a probed model answered."""

    type: Literal["answer"] = "answer"
    n: int
    """The number of the request."""
    step: int
    """The step at which the probed state was saved."""
    panels: Mapping[str, Shared[AnyFigure]]
    """The probe's figure, by its name."""


class Moved(Outgoing):
    """The watcher is moved to another run; that run's hello follows."""

    type: Literal["moved"] = "moved"
    run: str


class Refused(Outgoing):
    """A request of the browser's is not met."""

    type: Literal["refused"] = "refused"
    sentence: SentenceJson
    n: int | None = None
    """The number of a probe's session or request; absent elsewhere."""
    over: bool | None = None
    """For a probe: whether its session has ended, or did not begin."""


AnyOutgoing: TypeAlias = Hello | Update | FrameAt | ProbeAnswer | Moved | Refused
_OUTGOING: TypeAdapter[AnyOutgoing] = TypeAdapter(Annotated[AnyOutgoing, Field(discriminator="type")])


def validate_outgoing(text: str | bytes) -> AnyOutgoing:
    """A message as a browser is sent it, checked to the last field.

    Raises:
        pydantic.ValidationError: no server would send this.
    """
    return _OUTGOING.validate_json(text, strict=True)


def encode(message: Outgoing) -> str:
    """The message as JSON."""
    fields = {name: value for name, value in message.__dict__.items() if value is not None}
    return orjson.dumps(fields, default=_plain).decode()


def shared(message: _M) -> _M:
    """The message with all that is more than a number serialised, to be copied for many watchers."""
    parts = {n: fragment(v) for n, v in message.__dict__.items() if not isinstance(v, int | str | None)}
    return message.model_copy(update=parts)


def fragment(value: Any) -> orjson.Fragment:
    """A value's JSON, to be put into messages as it is."""
    return value if isinstance(value, orjson.Fragment) else orjson.Fragment(dumps(value))


def dumps(value: Any) -> bytes:
    """JSON in which what is not a finite number is null, and numpy's arrays are packed.

    It is ASCII: a message has to go through a ``str``, and one other character would make each watcher's copy of 50 KB
    cost thirty times as much.

    Raises:
        TypeError: something in it cannot be written as JSON.
    """
    content = orjson.dumps(value, default=_plain)
    if content.isascii():
        return content
    return _NOT_ASCII.sub(lambda found: json.dumps(found[0].decode())[1:-1].encode(), content)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.__dict__
    if isinstance(value, np.ndarray):
        return packed(value) if value.dtype.kind in "fiub" and 0 < value.ndim <= 3 else value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


# The documentation


def documentation() -> str:
    """The protocol in Markdown, as the models have it."""
    parts: dict[str, JsonSchemaValue] = {}
    lines = [
        "# The live socket of a run",
        "",
        "`lab/runs/<run>/live?since=<number>&stage=<name>`, one JSON object a message. Written by",
        "`python -m core.runs.server.messages`; do not edit.",
        "",
        "## From the browser",
    ]
    for model in get_args(AnyIncoming):
        lines += _section(model.model_json_schema(), parts)
    lines += ["", "## To the browser"]
    for model in get_args(AnyOutgoing):
        lines += _section(model.model_json_schema(), parts)
    lines += ["", "## Parts"]
    for name in sorted(parts):
        lines += ["", f"### {name}", "", *_table(parts[name])]
    return "\n".join(lines) + "\n"


def _section(schema: JsonSchemaValue, parts: dict[str, JsonSchemaValue]) -> list[str]:
    parts |= schema.get("$defs", {})
    parts |= {field["title"]: field for field in schema["properties"].values() if "properties" in field}
    return ["", f"### `{schema['properties']['type']['const']}`", "", *_table(schema)]


def _table(schema: JsonSchemaValue) -> list[str]:
    about = " ".join(schema.get("description", "").split())
    required = schema.get("required", ())
    rows = []
    for name, field in schema["properties"].items():
        if name == "type" and "const" in field:
            continue
        optional = "" if name in required else " (optional)"
        meaning = " ".join(field.get("description", "").split())
        if "properties" in field:  # pydantic writes a model that is used once in its place
            meaning = ""
        rows.append(f"| `{name}`{optional} | {_type(field)} | {meaning} |")
    return [about, *(["", "| field | type | |", "|---|---|---|", *rows] if rows else [])]


def _type(schema: JsonSchemaValue) -> str:
    if "$ref" in schema or "properties" in schema:
        name = schema["$ref"].rsplit("/", 1)[1] if "$ref" in schema else schema["title"]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return _alternatives([schema["const"]] if "const" in schema else schema["enum"])
    match schema.get("type"):
        case "array" if "prefixItems" in schema:
            return f"[{', '.join(_type(one) for one in schema['prefixItems'])}]"
        case "array":
            return f"list of {_type(schema['items'])}" + (
                f", at most {schema['maxItems']}" if "maxItems" in schema else ""
            )
        case "object":
            inner = schema.get("additionalProperties")
            return f"object of {_type(inner)}" if isinstance(inner, dict) else "object"
        case None:
            return "anything"
        case str(kind):
            limits = [f"at least {schema['minimum']}"] if "minimum" in schema else []
            limits += [f"at most {schema['maximum']}"] if "maximum" in schema else []
            limits += [f"at most {schema['maxLength']} characters"] if "maxLength" in schema else []
            return ", ".join([kind, *limits])
    raise ValueError(schema)


def _alternatives(values: Iterable[Any]) -> str:
    return " or ".join(f"`{value}`" for value in values)


if __name__ == "__main__":
    sys.stdout.write(documentation())
