"""From anything a person may enter to a checked Config, or to one sentence that names the field and what is allowed.

The page, the address and the command line share these sentences. They are derived from the field's own schema rather
than from pydantic's error, so that whatever is wrong with a value, the person learns what would be right.
``from_text`` and ``to_text`` convert whole configs, ``value_to_text`` converts one value.
"""

import difflib
import math
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from core.experiment import Config, Experiment, Metric, Stop
from core.field_kinds import kind_of
from core.words import N_, Refusal, Sentence

Settings = TypeVar("Settings", bound=BaseModel)

#: Characters of a text, or entries of a list, that a setting may have: many times what any of them needs.
LONGEST = 10_000

_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?")
_SWITCH = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}


def check(schema: type[Settings], values: Mapping[str, Any]) -> Settings:
    """Settings from typed values; fields left out take their defaults. Lists pass for tuples, 8.0 for 8.

    Raises:
        Refusal: a value is of the wrong type, out of range, in conflict with another, or no such field exists.
    """
    for name, value in values.items():
        _check_length(name, _field(schema, name), value)
    fitted = {name: _fitted(schema.model_fields[name].annotation, value) for name, value in values.items()}
    try:
        return schema.model_validate(fitted, strict=True)
    except ValidationError as error:
        raise _refusal(schema, error, values) from None
    except RecursionError:
        raise Refusal("", N_("These settings are nested too deeply.")) from None


def from_text(
    schema: type[Settings], texts: Mapping[str, str], base: Mapping[str, Any] | Settings | None = None
) -> Settings:
    """Settings from an address or a command line, on top of ``base`` (typed values, or settings).

    Raises:
        Refusal: as :func:`check`.
    """
    start = base.model_dump() if isinstance(base, BaseModel) else dict(base or {})
    parsed = {}
    for name, text in texts.items():
        field = _field(schema, name)
        _check_length(name, field, text)
        try:
            parsed[name] = _value_from_text(field.annotation, text)
            if isinstance(parsed[name], float) and not math.isfinite(parsed[name]):
                raise ValueError  # 1e999: the refusal quotes it as it was written
        except ValueError:
            raise _not_allowed(name, field, text) from None
    return check(schema, start | parsed)


def to_text(config: BaseModel, base: BaseModel | None = None) -> dict[str, str]:
    """What differs from ``base`` (from the defaults where ``None``), as :func:`from_text` reads it."""
    same = base if base is not None else type(config)()
    return {
        name: value_to_text(getattr(config, name))
        for name in type(config).model_fields
        if getattr(config, name) != getattr(same, name)
    }


def value_to_text(value: Any) -> str:
    """One setting's value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return ",".join(map(value_to_text, value))
    if isinstance(value, float):
        return re.sub(r"e([+-])0", r"e\1", repr(value).removesuffix(".0"))
    return "" if value is None else str(value)


def with_setting(config: Settings, field: str, value: Any) -> Settings:
    """``config`` with one live setting changed.

    Raises:
        Refusal: no such field, it cannot change while training, or the value is not allowed.
    """
    info = _field(type(config), field)
    if not _extra(info).get("live"):
        raise Refusal(field, N_("{title} cannot change while a run trains."), title=_title(field, info))
    return check(type(config), config.model_dump() | {field: value})


def parse_stop(text: str) -> dict[str, Any]:
    """Fields of a :class:`Stop` from a text such as ``test/accuracy>=0.97``.

    Raises:
        Refusal: it does not read like that.
    """
    found = re.fullmatch(r"\s*([^\s<>=]+)\s*(>=|<=|=)\s*([^\s<>=]+)\s*", text)
    if found is None or not _NUMBER.fullmatch(found[3]):
        raise Refusal(
            "metric",
            N_("A stop condition reads like {example}; it was {value}."),
            example="test/loss<=0.1",
            value=_shown(text),
        )
    return {"metric": found[1], "value": float(found[3])}


def check_stop(experiment: Experiment, values: Mapping[str, Any], config: Config | None = None) -> Stop:
    """A stop condition that this experiment can meet, and with ``config`` one that agrees with these settings.

    Raises:
        Refusal: as :func:`check`, or its metric is none of the experiment's that has a better side.
    """
    stop = check(Stop, values)
    if stop.metric and not metric_of(experiment, stop.metric):
        known = [metric.name for metric in experiment.metrics if metric.better]
        raise Refusal(
            "metric",
            N_("{title} must be one of {choices}; it was {value}."),
            title=_title("metric", Stop.model_fields["metric"]),
            choices=", ".join(known),
            value=_shown(stop.metric),
        )
    if config is not None:
        config.agree_with(stop)
    return stop


def metric_of(experiment: Experiment, name: str) -> Metric | None:
    """The metric that a stop condition may name so: one with a better side. ``None`` where there is none."""
    return next((m for m in experiment.metrics if m.better and fnmatchcase(name, m.name)), None)


# What is allowed


def allowed(field: FieldInfo) -> Sentence:
    """What a field takes: ``a whole number between 1 and 10``."""
    if kind := kind_of(field):
        return kind.allowed()
    return _allowed(field.annotation, _limits(field.metadata))


def _allowed(annotation: Any, limits: Mapping[str, Any]) -> Sentence:
    inner, origin, args = _bare(annotation)
    limits = {**limits, **_limits(getattr(annotation, "__metadata__", ()))}
    if origin is Literal:
        return Sentence(N_("one of {choices}"), {"choices": ", ".join(map(value_to_text, args))})
    if origin in (tuple, list, Sequence) and args:
        each = _allowed(args[0], {})
        low, high = limits.get("min_length", 0), limits.get("max_length")
        if high is None:
            return Sentence(N_("a list, each entry {each}"), {"each": each})
        return Sentence(N_("a list of {low} to {high} entries, each {each}"), {"low": low, "high": high, "each": each})
    if inner is bool:
        return Sentence(N_("true or false"))
    if inner is int or inner is float:
        return _number(N_("a whole number") if inner is int else N_("a number"), limits)
    if inner is str and "max_length" in limits:
        return Sentence(N_("a text of at most {high} characters"), {"high": limits["max_length"]})
    if inner is str:
        return Sentence(N_("a text"))
    if origin in (Union, UnionType):
        kinds = [_allowed(arg, limits) for arg in args if arg is not NoneType]
        if len(kinds) == 1:
            return Sentence(N_("{kind}, or none"), {"kind": kinds[0]})
        return Sentence(N_("one of {choices}"), {"choices": ", ".join(map(str, kinds))})
    return Sentence(N_("of another kind"))


def _number(kind: str, limits: Mapping[str, Any]) -> Sentence:
    values: dict[str, Any] = {"kind": Sentence(kind)}
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    if low is not None:
        values["low"] = _shown(low)
    if high is not None:
        values["high"] = _shown(high)
    if low is not None and high is not None:
        if "gt" in limits and "lt" in limits:
            return Sentence(N_("{kind} above {low} and below {high}"), values)
        if "gt" in limits:
            return Sentence(N_("{kind} above {low}, at most {high}"), values)
        if "lt" in limits:
            return Sentence(N_("{kind} from {low} up to, but not, {high}"), values)
        return Sentence(N_("{kind} between {low} and {high}"), values)
    if low is not None:
        return Sentence(N_("{kind} above {low}") if "gt" in limits else N_("{kind} of at least {low}"), values)
    if high is not None:
        return Sentence(N_("{kind} below {high}") if "lt" in limits else N_("{kind} of at most {high}"), values)
    return Sentence(kind)


def _limits(metadata: Iterable[Any]) -> dict[str, Any]:
    names = ("ge", "gt", "le", "lt", "min_length", "max_length")
    flat = [part for m in metadata for part in (m.metadata if isinstance(m, FieldInfo) else [m])]
    return {name: getattr(m, name) for m in flat for name in names if getattr(m, name, None) is not None}


# Refusals


def _field(schema: type[BaseModel], name: str) -> FieldInfo:
    field = schema.model_fields.get(name) if isinstance(name, str) else None
    if field is not None:
        return field
    shown = _shown(name)
    # A person may write the title on the page: Points for "samples".
    known = {(field.title or "").lower(): name for name, field in schema.model_fields.items()}
    known |= {name: name for name in schema.model_fields}
    near = difflib.get_close_matches(shown.lower(), known, n=1, cutoff=0.5)
    if near:
        raise Refusal(shown, N_("There is no setting {name}; did you mean {near}?"), name=shown, near=known[near[0]])
    raise Refusal(
        shown, N_("There is no setting {name}; there are: {known}."), name=shown, known=", ".join(schema.model_fields)
    )


def _refusal(schema: type[BaseModel], error: ValidationError, values: Mapping[str, Any]) -> Refusal:
    first = error.errors(include_url=False, include_input=False)[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, Refusal):
        return cause
    name = str(first["loc"][0]) if first["loc"] else ""
    field = schema.model_fields.get(name)
    if field is None:
        return Refusal("", N_("These settings do not go together: {reason}."), reason=str(cause or first["msg"]))
    if first["type"] == "missing":
        return Refusal(name, N_("{title} is needed."), title=_title(name, field))
    return _not_allowed(name, field, values.get(name))


def _check_length(name: str, field: FieldInfo, value: Any) -> None:
    """Refuse what is far too long before it is parsed, copied, or described by an error for each of its entries."""
    if isinstance(value, str | list | tuple) and len(value) > LONGEST:
        raise _not_allowed(name, field, value)


def _not_allowed(name: str, field: FieldInfo, value: Any) -> Refusal:
    return Refusal(
        name,
        N_("{title} must be {allowed}; it was {value}."),
        title=_title(name, field),
        allowed=allowed(field),
        value=_shown(value),
    )


def _title(name: str, field: FieldInfo) -> Sentence:
    return Sentence(field.title or name)


def _shown(value: Any) -> str:
    """Any value as one short line for a sentence."""
    try:
        value = value[:200] if isinstance(value, str | list | tuple) else value
        text = (
            value_to_text(value) if isinstance(value, bool | int | float | str | tuple | list) else reprlib.repr(value)
        )
    except (ValueError, RecursionError):
        return "…"
    text = "".join(c if c.isprintable() else " " for c in text[:200])
    return (text if len(text) <= 60 else text[:57] + "…") or "''"


# Types


def _extra(field: FieldInfo) -> Mapping[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _bare(annotation: Any) -> tuple[Any, Any, tuple[Any, ...]]:
    """(annotation without ``Annotated``, its origin, its arguments without ``...``)."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    args = tuple(arg for arg in get_args(annotation) if arg is not Ellipsis)
    return annotation, get_origin(annotation), args


def _fitted(annotation: Any, value: Any) -> Any:
    """``value`` as strict pydantic takes it: JSON and widgets know no tuples and write 8.0 for 8."""
    inner, origin, args = _bare(annotation)
    if origin is tuple and isinstance(value, list | tuple):
        same = len(set(args)) == 1
        return tuple(_fitted(args[0] if same else None, item) for item in value)
    if inner is int and isinstance(value, float) and value.is_integer() and math.fabs(value) < 2**53:
        return int(value)
    if origin in (Union, UnionType) and isinstance(value, list):
        return next((_fitted(arg, value) for arg in args if _bare(arg)[1] is tuple), value)
    return value


def _value_from_text(annotation: Any, text: str) -> Any:
    """A typed value from text; ValueError where it is none."""
    inner, origin, args = _bare(annotation)
    text = text.strip()
    if inner is bool:
        if text.lower() not in _SWITCH:
            raise ValueError(text)
        return _SWITCH[text.lower()]
    if inner is int:
        if not _INTEGER.fullmatch(text):
            raise ValueError(text)
        return int(text)
    if inner is float:
        if not _NUMBER.fullmatch(text):
            raise ValueError(text)
        return float(text)
    if origin is Literal:
        return next((arg for arg in args if value_to_text(arg) == text), text)
    if origin is tuple:
        text = text[1:-1] if text[:1] + text[-1:] in ("()", "[]") else text
        entries = re.split(r"\s*,\s*", text.strip()) if text.strip() else []
        if entries and not entries[-1]:
            entries.pop()  # (8,)
        return tuple(_value_from_text(args[0], entry) for entry in entries)
    if origin in (Union, UnionType):
        if NoneType in args and text.lower() in ("", "none"):
            return None
        for arg in args:
            try:
                return _value_from_text(arg, text)
            except ValueError:
                continue
        raise ValueError(text)
    return text
