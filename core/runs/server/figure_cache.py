"""Figures of a run's panels as JSON text, made by the views that the panels name, once for all who watch.

The text is kept by (run, panel, sequence number), the least recently used going first. A view that raises, or names a
module that does not exist, costs its own panel a sentence and nobody else anything.
"""

import importlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import isfinite
from typing import Any

import numpy as np
from pydantic import ValidationError

from core.events import Event, Snapshot, Text
from core.experiment import Config, Context, Experiment
from core.figures import packed
from core.runs.server.fold import Fold
from core.runs.store.log import LogReader
from core.words import N_

_log = logging.getLogger(__name__)

#: Characters of figures kept at the most, over all runs.
KEPT = 32_000_000


class Pictures:
    """The figures that were made lately."""

    def __init__(self, kept: int = KEPT) -> None:
        self._made: OrderedDict[tuple[str, str, int], str] = OrderedDict()
        self._size = 0
        self._kept = kept

    def has(self, run: str, panel: str, seq: int) -> bool:
        return (run, panel, seq) in self._made

    def get(self, run: str, panel: str, seq: int, make: Callable[[], str]) -> str:
        """The figure of that snapshot, made by ``make`` where it is not at hand."""
        key = (run, panel, seq)
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        made = self._made[key] = make()
        self._size += len(made)
        while self._size > self._kept and len(self._made) > 1:
            self._size -= len(self._made.popitem(last=False)[1])
        return made


class Statics(Mapping[str, Mapping[str, Any]]):
    """The arrays of each panel's snapshot at step 0, read when a view first asks for them."""

    def __init__(self, reader: LogReader, fold: Fold) -> None:
        self._reader, self._fold = reader, fold
        self._read: dict[str, tuple[int, Mapping[str, Any]]] = {}

    def __getitem__(self, panel: str) -> Mapping[str, Any]:
        found = self._fold.newest(panel, 0)
        if found is None:
            raise KeyError(panel)
        if self._read.get(panel, (0, {}))[0] != found[0]:
            event = self._reader.snapshot(found[0])
            if event is None:
                raise KeyError(panel)
            self._read[panel] = (found[0], arrays(event))
        return self._read[panel][1]

    def __iter__(self) -> Iterator[str]:
        return (panel for panel in self._fold.frames if self._fold.newest(panel, 0))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Painter:
    """Makes the figures of one run."""

    def __init__(self, experiment: Experiment, config: Mapping[str, Any], reader: LogReader, fold: Fold) -> None:
        self._experiment, self._config, self._reader, self._fold = experiment, config, reader, fold
        self._panels = {panel.name: panel for panel in experiment.panels if panel.view}
        self._statics = Statics(reader, fold)
        self._settings: tuple[int, Config] | None = None
        self._complained: set[str] = set()

    def paints(self, panel: str) -> bool:
        return panel in self._panels

    def paint(self, panel: str, seq: int, step: int) -> str:
        """The figure of a snapshot as JSON, or ``{"error": SENTENCE}``."""
        return self._drawn(panel, self._panels[panel].view, lambda: self._reader.snapshot(seq), step)

    def draw(self, name: str, view: str, event: Event, step: int) -> str:
        """The figure that a view makes of what a state of this run answered, which was saved at ``step``."""
        return self._drawn(name, view, lambda: event, step)

    def fixed(self, panel: str) -> str:
        """The arrays of a panel's snapshot at step 0, by name, as JSON.

        Raises:
            KeyError: there is none.
        """
        return serialised(dict(self._statics[panel]))

    def _drawn(self, name: str, view: str, read: Callable[[], Event | None], step: int) -> str:
        try:
            event = read()
            if event is None:
                return _error(N_("This moment of the run is no longer kept, or cannot be read."))
            return serialised(_view(view)(arrays(event), Context(self._settings_at(step), self._statics, step)))
        except Exception:
            if name not in self._complained:
                self._complained.add(name)
                _log.exception("the view of %r of %r failed at step %d", name, self._experiment.slug, step)
            return _error(N_("This panel could not be drawn."))

    def _settings_at(self, step: int) -> Config:
        turns = self._fold.turns(step)
        if self._settings is None or self._settings[0] != turns:
            values = self._fold.settings(self._config, step)
            try:
                config = self._experiment.config.model_validate(values)
            except ValidationError:
                # A run of an earlier version: its pictures are still worth more than none.
                known = {name: value for name, value in values.items() if name in self._experiment.config.model_fields}
                config = self._experiment.config.model_construct(**known)
            self._settings = (turns, config)
        return self._settings[1]


def arrays(event: Event) -> Mapping[str, Any]:
    """What a view is given: a snapshot's arrays, a text as ``text``."""
    if isinstance(event, Snapshot):
        return event.arrays
    if isinstance(event, Text):
        return {"text": event.text}
    raise TypeError(f"{event!r} is no picture")


@cache
def _view(name: str) -> Callable[[Mapping[str, Any], Context], dict[str, Any]]:
    module, _, function = name.partition(":")
    view: Callable[[Mapping[str, Any], Context], dict[str, Any]] = getattr(importlib.import_module(module), function)
    return view


def _error(template: str) -> str:
    return json.dumps({"error": {"template": template, "values": {}}})


def serialised(message: Any) -> str:
    """JSON in which what is not a finite number is null. Messages that hold none, the most, are walked only once."""
    try:
        return json.dumps(message, allow_nan=False, separators=(",", ":"), default=_plain)
    except ValueError:
        return json.dumps(_finite(message), allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return packed(value) if value.dtype.kind in "fiub" and 0 < value.ndim <= 3 else value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot travel as JSON")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if value is None or isinstance(value, str | int):
        return value
    return _finite(_plain(value))
