"""What the earlier lives of a run told: a resumed training tells nothing twice and turns its knobs again."""

from pathlib import Path
from typing import Any

from core.events import Event, Frame, Knob, Note, Scalars, Status, Text
from core.runs.store.log import LogReader


class Earlier:
    """What a log holds before a worker's life begins.

    Attributes:
        step: the step told last.
        lived: whether there was an earlier life at all.
    """

    def __init__(self, log: Path) -> None:
        reader = LogReader(log)
        try:
            self.step = reader.head().step
            self._events: list[Any] = [r.event for r in reader.events(Status, Knob, Scalars, Note, Text, Frame)]
        finally:
            reader.close()
        self.lived = bool(self._events)
        self._here = -1
        self._told: set[tuple[str, ...]] = set()

    def resumed(self, step: int) -> list[Knob]:
        """The training goes on at ``step``: the knobs turned there and beyond, in the order of their steps."""
        self._here = step
        for event in self._events:
            if event.step == step:
                self._told.add(_key(event))
            elif isinstance(event, Status) and event.state == "resumed" and event.step < step:
                self._told.clear()  # that life told it anew, if it came so far
        knobs = [event for event in self._events if isinstance(event, Knob) and event.step >= step]
        self._events = []
        return sorted(knobs, key=lambda knob: knob.step)

    def told(self, event: Scalars | Text | Frame | Note) -> bool:
        """Whether this was told before: what is due at the step resumed at comes a second time."""
        return event.step == self._here and _key(event) in self._told


def _key(event: Event) -> tuple[str, ...]:
    kind = type(event).__name__
    if isinstance(event, Scalars):
        return (kind, *sorted(event.values))
    return (kind, getattr(event, "panel", ""), getattr(event, "diagnosis", ""))
