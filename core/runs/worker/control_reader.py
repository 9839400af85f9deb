"""What a person asks of a run while it trains: as its folder says now, and as they asked in an earlier life of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.events import Knob
from core.runs.worker import control


class Asked:
    """Read anew only where it was written since the last look.

    Attributes:
        now: as of the last look.
        again: turned in an earlier life, beyond the step resumed at; they are due again.
        saved: checkpoints that were asked for and made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = control.Control()
        self.again: list[Knob] = []
        self.saved = 0
        self._stamp = (-1, -1)
        self._turned = 0  # of now.knobs

    def look(self) -> bool:
        """Whether something else is asked than at the last look."""
        stamp = control.stamp(self.folder)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self.now = control.read(self.folder)
        return True

    def unseen(self) -> control.Control | None:
        """What was asked since the last look, which is left to the next one."""
        return control.read(self.folder) if self._stamp != control.stamp(self.folder) else None

    @property
    def free(self) -> bool:
        """Whether it trains on as fast as it can."""
        return self.now.mode == "run" and not self.now.speed

    @property
    def slow(self) -> bool:
        """Whether it goes on in slow motion."""
        return self.now.mode == "run" and self.now.speed > 0

    @property
    def save(self) -> bool:
        """Whether a checkpoint is asked for."""
        return self.saved < self.now.saves

    @property
    def waiting(self) -> bool:
        """Whether a knob may have to be turned."""
        return bool(self.again) or self._turned < len(self.now.knobs)

    def turns(self, step: int) -> Iterator[tuple[str, Any]]:
        """Fields and values that are due after ``step``, each once."""
        while self.again and step >= self.again[0].step:
            knob = self.again.pop(0)
            yield knob.field, knob.new
        for turn in self.now.knobs[self._turned :]:
            self._turned += 1
            yield turn.field, turn.value
