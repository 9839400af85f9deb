"""What the server requests of a run: one small file, owned by the server, replaced atomically, read by the worker.

The worker compares the file's stamp (0.002 ms) and reads it again only where that changed.
"""

import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.experiment import Stop
from core.runs.store import disk
from core.runs.store.paths import control_file

#: Stands for a part: as many updates as are left of a round.
ROUND = "round"

#: Changed settings that a control file holds; the server refuses more.
MOST_CHANGES = 1000


class SettingRequest(BaseModel):
    """A live setting and the value it is to take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    value: Any


class Control(BaseModel):
    """What is requested of the run at this moment.

    Attributes:
        mode: ``"run"``, ``"pause"`` or ``"stop"``.
        speed: steps a second; 0 for full speed.
        steps: single steps requested while paused, counted from the worker's start.
        part: what the last of these steps is: a part of a round, :data:`ROUND`, or ``""`` for whatever is next.
        saves: checkpoints requested, counted from the worker's start; one beyond those made is due at once.
        changes: live settings changed since the worker's start; it applies those beyond the ones it has applied.
        stop: the stop condition, where it was changed since the run began.
        in_sight: panels that somebody sees; snapshots of others are taken seldom. ``None`` where that is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mode: Literal["run", "pause", "stop"] = "run"
    speed: float = Field(default=0.0, ge=0, le=1000)
    steps: int = Field(default=0, ge=0)
    part: str = ""
    saves: int = Field(default=0, ge=0)
    changes: tuple[SettingRequest, ...] = ()
    stop: Stop | None = None
    in_sight: tuple[str, ...] | None = None


def write(folder: Path, control: Control) -> None:
    """Replace the run's control file."""
    disk.replace(control_file(folder), control.model_dump_json().encode())


def read(folder: Path) -> Control:
    """The run's control file; where it is missing or damaged, what a run without one does: it runs."""
    try:
        return Control.model_validate(json.loads(control_file(folder).read_bytes()))
    except (OSError, ValueError, ValidationError, RecursionError):
        return Control()


def stamp(folder: Path) -> tuple[int, int]:
    """Changes whenever the file was replaced."""
    try:
        status = os.stat(control_file(folder))  # noqa: PTH116 - called every few milliseconds while training
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_ino
