"""What the log of a run holds when another worker takes it up: how far it came, and which settings were changed."""

from pathlib import Path
from typing import Any

from core.events import Scalars, SettingChanged, Status
from core.runs.store.log import LogReader


class ResumeLog:
    """What a log holds before a worker begins.

    Attributes:
        step: the last step in it.
        exists: whether there was an earlier worker at all.
        measured_start: whether the metrics of step 0 are in it.
    """

    def __init__(self, log: Path) -> None:
        reader = LogReader(log)
        try:
            self.step = reader.head().step
            self.exists = False
            self._changes: list[SettingChanged] = []
            self.measured_start = False
            events: list[Any] = [record.event for record in reader.events(Status, SettingChanged, Scalars)]
        finally:
            reader.close()
        for event in events:
            self.exists = True
            if isinstance(event, SettingChanged):
                self._changes.append(event)
            elif isinstance(event, Scalars) and event.step == 0:
                self.measured_start = True

    def changes_from(self, step: int) -> list[SettingChanged]:
        """The settings that were changed at ``step`` and beyond, in the order of their steps."""
        return sorted((change for change in self._changes if change.step >= step), key=lambda change: change.step)
