"""What is requested of a run while it trains: by its control file now, and by the log of an earlier worker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.events import SettingChanged
from core.runs.store import control


class ControlReader:
    """Reads the control file again only where it was written since the last time.

    Attributes:
        current: the file as it was last read.
        replayed: settings changed in an earlier worker beyond the step resumed at; they are due again.
        saves_done: checkpoints that were requested and made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.current = control.Control()
        self.replayed: list[SettingChanged] = []
        self.saves_done = 0
        self._stamp = (-1, -1)
        self._applied = 0  # of current.changes

    def refresh(self) -> bool:
        """Read the file if it was written since; whether it was."""
        stamp = control.stamp(self.folder)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self.current = control.read(self.folder)
        return True

    def peek(self) -> control.Control | None:
        """The file where it was written since the last refresh, else ``None``; the refresh is still to come."""
        return control.read(self.folder) if self._stamp != control.stamp(self.folder) else None

    @property
    def full_speed(self) -> bool:
        """Whether it trains on as fast as it can."""
        return self.current.mode == "run" and not self.current.speed

    @property
    def slow_motion(self) -> bool:
        return self.current.mode == "run" and self.current.speed > 0

    @property
    def save_requested(self) -> bool:
        return self.saves_done < self.current.saves

    @property
    def has_changes(self) -> bool:
        """Whether a setting may have to be changed."""
        return bool(self.replayed) or self._applied < len(self.current.changes)

    def changes(self, step: int) -> Iterator[tuple[str, Any]]:
        """Fields and values that are due after ``step``, each once."""
        while self.replayed and step >= self.replayed[0].step:
            change = self.replayed.pop(0)
            yield change.field, change.new
        for requested in self.current.changes[self._applied :]:
            self._applied += 1
            yield requested.field, requested.value
