"""Figures of a run's panels as JSON, made by the views that the panels name, once for all who watch.

They are kept by (run, panel, sequence number), the least recently used going first. A view that raises, or names a
module that does not exist, costs its own panel a sentence and affects nothing else.
"""

import importlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from core.events import Event, Snapshot, Text
from core.experiment import Config, Context, Experiment
from core.runs.server.fold import Fold
from core.runs.server.messages import FigureError, SentenceJson, dumps
from core.runs.store.log import LogReader
from core.words import N_

_log = logging.getLogger(__name__)

#: Bytes of figures kept at the most, over all runs.
MAX_BYTES = 32_000_000


class FigureCache:
    """The figures that were made most recently."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._figures: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()
        self._size = 0
        self._max_bytes = max_bytes

    def has(self, run: str, panel: str, seq: int) -> bool:
        return (run, panel, seq) in self._figures

    def get(self, run: str, panel: str, seq: int, render: Callable[[], bytes]) -> bytes:
        """The figure of that snapshot, made by ``render`` where it is not in the cache."""
        key = (run, panel, seq)
        if key in self._figures:
            self._figures.move_to_end(key)
            return self._figures[key]
        figure = self._figures[key] = render()
        self._size += len(figure)
        while self._size > self._max_bytes and len(self._figures) > 1:
            self._size -= len(self._figures.popitem(last=False)[1])
        return figure

    def forget(self, run: str) -> None:
        """Drop the figures of a run: its sequence numbers may mean other snapshots now."""
        for key in [key for key in self._figures if key[0] == run]:
            self._size -= len(self._figures.pop(key))


class Statics(Mapping[str, Mapping[str, Any]]):
    """The arrays of each panel's snapshot at step 0, read when a view first needs them."""

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


class FigureRenderer:
    """Makes the figures of one run."""

    def __init__(self, experiment: Experiment, config: Mapping[str, Any], reader: LogReader, fold: Fold) -> None:
        self._experiment, self._config, self._reader, self._fold = experiment, config, reader, fold
        self._panels = {panel.name: panel for panel in experiment.panels if panel.view}
        self._statics = Statics(reader, fold)
        self._settings: tuple[int, Config] | None = None
        self._failed_views: set[str] = set()

    def render(self, panel: str, seq: int, step: int) -> bytes:
        """The figure of a snapshot as JSON, or that of a :class:`~core.runs.server.messages.FigureError`."""
        return self._render(panel, self._panels[panel].view, lambda: self._reader.snapshot(seq), step)

    def render_event(self, name: str, view: str, event: Event, step: int) -> bytes:
        """The figure that a view makes of what a state answered that was saved at ``step``."""
        return self._render(name, view, lambda: event, step)

    def static_arrays(self, panel: str) -> bytes:
        """The arrays of a panel's snapshot at step 0, by name, as JSON.

        Raises:
            KeyError: there is none.
        """
        return dumps(dict(self._statics[panel]))

    def _render(self, name: str, view: str, read: Callable[[], Event | None], step: int) -> bytes:
        try:
            event = read()
            if event is None:
                return unreadable_figure()
            return dumps(_view(view)(arrays(event), Context(self._settings_at(step), self._statics, step)))
        except Exception:
            if name not in self._failed_views:
                self._failed_views.add(name)
                _log.exception("the view of %r of %r failed at step %d", name, self._experiment.slug, step)
            return _error(N_("This panel could not be drawn."))

    def _settings_at(self, step: int) -> Config:
        changes = self._fold.setting_changes(step)
        if self._settings is None or self._settings[0] != changes:
            values = self._fold.settings(self._config, step)
            try:
                config = self._experiment.config.model_validate(values)
            except ValidationError:
                # A run of an earlier version: its figures are still worth more than none.
                known = {name: value for name, value in values.items() if name in self._experiment.config.model_fields}
                config = self._experiment.config.model_construct(**known)
            self._settings = (changes, config)
        return self._settings[1]


def arrays(event: Event) -> Mapping[str, Any]:
    """What a view is given: a snapshot's arrays, a text as ``text``."""
    if isinstance(event, Snapshot):
        return event.arrays
    if isinstance(event, Text):
        return {"text": event.text}
    raise TypeError(f"{event!r} has no figure")


@cache
def _view(name: str) -> Callable[[Mapping[str, Any], Context], dict[str, Any]]:
    module, _, function = name.partition(":")
    view: Callable[[Mapping[str, Any], Context], dict[str, Any]] = getattr(importlib.import_module(module), function)
    return view


def unreadable_figure() -> bytes:
    """Takes the place of a figure whose data is not to be had."""
    return _error(N_("This moment of the run is no longer kept, or cannot be read."))


def _error(template: str) -> bytes:
    return dumps(FigureError(error=SentenceJson(template=template, values={})))
