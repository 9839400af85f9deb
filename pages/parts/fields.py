"""What a control needs of a setting, read from the pydantic field that declares it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.field_kinds import FieldKind, kind_of

#: A slider with more stops than this cannot be set by hand: it becomes a number to type.
_STOPS = 400


@dataclass(frozen=True, slots=True)
class Control:
    """One setting in the sidebar.

    Attributes:
        kind: ``choice`` (one of ``options``), ``choices`` (several), ``switch``, ``whole``, ``number``, ``wholes``
            (a list of whole numbers) or ``text``; or a :class:`~core.field_kinds.FieldKind`.
        low, high: closed bounds, ``None`` where there is none. For ``wholes`` those of one number.
        fewest, most: how many numbers ``wholes`` may hold.
        step: of a linear slider.
        shown_if: the setting has an effect only where the others named have one of these values.
    """

    name: str
    title: str
    help: str
    group: str
    kind: str | FieldKind
    default: Any
    live: bool = False
    scale: str = "linear"
    low: float | None = None
    high: float | None = None
    step: float = 1
    options: tuple[Any, ...] = ()
    labels: Mapping[Any, str] = field(default_factory=dict)
    fewest: int = 0
    most: int = 64
    shown_if: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def label(self, option: Any) -> str:
        """The word for an option, in English."""
        return str(self.labels.get(option, option))

    def visible(self, values: Mapping[str, Any]) -> bool:
        """Whether the setting has an effect beside ``values``."""
        return applies(self.shown_if, values)

    def stops(self) -> list[float] | None:
        """The values of a logarithmic slider: 1, 2, 5 of each power between the bounds; 0 where it is allowed."""
        if self.scale != "log" or self.low is None or self.high is None or self.high <= 0:
            return None
        least = self.low if self.low > 0 else self.high * 1e-6
        if self.kind == "whole":
            least = max(least, 1)
        stops: list[float] = [0] if self.low <= 0 else [self.low]
        for power in range(math.floor(math.log10(least)), math.ceil(math.log10(self.high)) + 1):
            for digit in (1, 2, 5):
                value = float(f"{digit}e{power}")
                if stops[-1] < value <= self.high and value >= least:
                    stops.append(value)
        if stops[-1] < self.high:
            stops.append(self.high)
        return [int(s) for s in stops] if self.kind == "whole" else [float(s) for s in stops]

    def slides(self) -> bool:
        """Whether a linear slider can be set by hand."""
        return self.low is not None and self.high is not None and (self.high - self.low) / self.step <= _STOPS


def applies(shown_if: Mapping[str, tuple[Any, ...]], values: Mapping[str, Any]) -> bool:
    """Whether all the settings that a ``shown_if`` names have one of the values that it lists."""
    return all(values.get(name) in allowed for name, allowed in shown_if.items())


@cache
def controls(model: type[BaseModel]) -> dict[str, Control]:
    """The settings of a model by name, in order."""
    return {name: _control(name, info) for name, info in model.model_fields.items()}


def groups(model: type[BaseModel]) -> dict[str, list[Control]]:
    """The settings of a model by the heading they stand under, in the order of their first mention."""
    found: dict[str, list[Control]] = {}
    for control in controls(model).values():
        found.setdefault(control.group, []).append(control)
    return found


def _control(name: str, info: FieldInfo) -> Control:
    extra: Mapping[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, inner = _kind(info.annotation)
    field_kind = kind_of(info)
    if field_kind is not None and kind != "text":
        raise TypeError(f"a setting of the kind {field_kind.name!r} is a str, not of type {info.annotation}")
    low, high, fewest, most = _bounds(info.metadata, kind)
    options: tuple[Any, ...] = ()
    if kind in ("choice", "choices"):
        options = get_args(inner)
    elif kind == "wholes" and inner is not None:
        bounds = _bounds(getattr(inner, "__metadata__", ()), "whole")
        low, high = bounds[0], bounds[1]
    step = extra.get("step") or (1 if kind in ("whole", "wholes") else _tidy_step(low, high))
    return Control(
        name=name,
        title=info.title or name,
        help=info.description or "",
        group=str(extra.get("group", "")),
        kind=field_kind or kind,
        default=info.default,
        live=bool(extra.get("live")),
        scale=str(extra.get("scale", "linear")),
        low=low,
        high=high,
        step=step,
        options=options,
        labels=dict(extra.get("labels", {})),
        fewest=fewest,
        most=most,
        shown_if={k: tuple(v) for k, v in dict(extra.get("shown_if", {})).items()},
    )


def _kind(annotation: Any) -> tuple[str, Any]:
    """(kind, what is inside it)."""
    if get_origin(annotation) is Literal:
        return "choice", annotation
    if get_origin(annotation) is tuple:
        inner = get_args(annotation)[0]
        return ("choices", inner) if get_origin(inner) is Literal else ("wholes", inner)
    simple = {bool: "switch", int: "whole", float: "number", str: "text"}
    if annotation not in simple:
        raise TypeError(f"no control for a setting of type {annotation}")
    return simple[annotation], None


def _bounds(metadata: Any, kind: str) -> tuple[float | None, float | None, int, int]:
    low = high = None
    fewest, most = 0, 64
    flat = [m for item in metadata for m in (getattr(item, "metadata", None) or [item])]
    for item in flat:
        low = getattr(item, "ge", low)
        high = getattr(item, "le", high)
        # An open bound: the next number that a person would set.
        if (above := getattr(item, "gt", None)) is not None:
            low = above + 1 if kind == "whole" else above + 1e-6
        if (below := getattr(item, "lt", None)) is not None:
            high = below - 1 if kind == "whole" else below - 1e-6
        fewest = getattr(item, "min_length", None) or fewest
        most = getattr(item, "max_length", None) or most
    return low, high, fewest, most


def _tidy_step(low: float | None, high: float | None) -> float:
    """1, 2 or 5 times a power of ten: about a hundredth of the range."""
    if low is None or high is None or high <= low:
        return 0.01
    rough = (high - low) / 100
    power = 10.0 ** math.floor(math.log10(rough) + 1e-9)
    return float(f"{next((d for d in (1, 2, 5) if d * power >= rough * 0.999), 10) * power:.6g}")
