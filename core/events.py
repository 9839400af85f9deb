"""The closed set of events that a training yields: plain frozen data, numpy at most, never a tensor.

A run is an append-only log of these, and everything a person sees is a fold over that log. :class:`Step` and
:class:`Pulse` are for the driver only and never logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from core.words import Sentence

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One step was made and the state is whole: it may be measured, drawn, saved, changed or left.

    A step is an update of the parameters; for an agent that makes its own data it is a step in its environment, which
    is what its schedules and its papers count, whether or not the parameters are updated at it.

    Attributes:
        step: steps made so far, 1 after the first.
        epoch: passes over the training data so far, as a fraction; ``None`` where there are no epochs.
        part: which part of a round this was (a GAN's "D" or "G"), ``""`` where an update is all there is.
    """

    step: int
    epoch: float | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Pulse:
    """A moment inside a long piece of work, such as an evaluation or many updates in one step.

    The driver may read its control file and take snapshots here; it may not save or change the state.
    """


@dataclass(frozen=True, slots=True)
class Scalars:
    """Numbers measured after ``step`` updates, by metric name (``split/name``)."""

    step: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a panel shows of the state after ``step`` updates. Arrays are small and of the type they are drawn in."""

    step: int
    panel: str
    arrays: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Text:
    """Text that a model wrote after ``step`` updates."""

    step: int
    panel: str
    text: str


@dataclass(frozen=True, slots=True)
class SettingChanged:
    """A live setting was changed after ``step`` updates."""

    step: int
    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Note:
    """A named diagnosis with its remedy, such as ``"dead units"``. The experiment's spec holds the words."""

    step: int
    diagnosis: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The whole state after ``step`` updates was saved as ``file`` in the run's checkpoints folder."""

    step: int
    file: str


@dataclass(frozen=True, slots=True)
class Status:
    """The run changed its state.

    Attributes:
        state: one of :data:`STATES`.
        step: updates made so far. With ``state="resumed"`` all that the log holds beyond this step is void: it will
            be logged again.
        sentence: why, where there is something to say.
    """

    state: str
    step: int
    sentence: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The run ended by an error: a sentence for the person, a traceback for the developer."""

    step: int
    sentence: Sentence
    traceback: str = ""


Event = Step | Pulse | Scalars | Snapshot | Text | SettingChanged | Note | Checkpoint | Status | Failure

#: ``queued`` and ``interrupted`` are never logged: no worker lives to say so. The library finds them out.
STATES = (
    "queued",
    "preparing",
    "resumed",
    "running",
    "paused",
    "finished",
    "stopped",
    "diverged",
    "failed",
    "interrupted",
)

#: A run in one of these has no worker.
ENDED = frozenset({"finished", "stopped", "diverged", "failed", "interrupted"})
