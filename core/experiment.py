"""What an algorithm declares of itself: its settings, its panels, its presets. No torch in here.

An experiment names the module that trains by string (``program``). That module holds

- ``load(config) -> data``: the data set, through :mod:`core.data`;
- ``build(config, data, device) -> State``: modules, optimisers, random generators, data cursor, step 0;
- ``train(state) -> Iterator[Event]``: yields :class:`~core.events.Step` after each step (an update, or an agent's step
  in its environment), measurements as :class:`~core.events.Scalars` on a schedule of steps (never of the clock: the
  same seed gives the same curve), and :class:`~core.events.Pulse` inside long evaluations. It reads ``state.config``
  anew at every step, so that a live setting acts at once, and starts at ``state.step``, so that it continues a loaded
  state. Where a round has parts, it reads ``state.due`` anew as well. What is due at a step is measured at the top of
  the loop, before the next one. The worker stops asking when the run is to end; a training that has an end of its
  own, such as a last epoch, returns there and tells it as ``state.end``.
- ``observe(state, everything=True) -> Iterator[Event]``: a Snapshot for each panel, by the clock; it changes nothing in
  the state, no random generator either. Where ``everything`` is false the training runs on and the next look comes in a
  moment: panels may then be told in turn, so that what moves most can come at each look.
- where what is saved is too much for a recording, ``slim(tree) -> tree``: a state's dict without what only a training
  needs; ``load_state_dict`` takes it all the same.
- where the experiment declares probes, ``probe(state, name, requests) -> Iterator[Event]``: questions put to the
  trained model by a person, such as a key pressed in a game. See :class:`Probe` and :meth:`Program.probe`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from core.events import Event
from core.field_kinds import FieldKind, kind_of
from core.words import N_, Refusal, Sentence


def Setting(  # noqa: N802 - stands where pydantic's Field stands
    default: Any,
    title: str,
    description: str,
    *,
    group: str,
    live: bool = False,
    scale: str = "linear",
    step: float | None = None,
    labels: Mapping[Any, str] | None = None,
    shown_if: Mapping[str, tuple[Any, ...]] | None = None,
    kind: FieldKind | None = None,
    **constraints: Any,
) -> Any:
    """A field of a :class:`Config`, with all that a control, a command-line flag and an error need to know.

    Args:
        default: value where nobody chose one; ``default_factory`` is not supported, use a tuple for a list.
        title: the control's label, marked with ``N_``.
        description: one sentence of help, marked with ``N_``.
        group: heading under which the control stands, marked with ``N_``.
        live: whether it may change while a run trains.
        scale: ``"log"`` gives a slider of powers.
        step: the slider's step on a linear scale.
        labels: words for the values of a ``Literal``, marked with ``N_``.
        shown_if: the control is shown (and has an effect) only where another field has one of these values.
        kind: for a ``str`` that is not typed, such as a drawing: one of :mod:`core.field_kinds`.
        **constraints: ``ge``, ``le``, ``gt``, ``lt``, ``min_length``, ``max_length`` as in pydantic.
    """
    extra: dict[str, Any] = {"group": group, "live": live, "scale": scale}
    if step is not None:
        extra["step"] = step
    if labels is not None:
        extra["labels"] = dict(labels)
    if shown_if is not None:
        extra["shown_if"] = {name: list(values) for name, values in shown_if.items()}
    if kind is not None:
        extra["kind"] = kind.name
    declared: Any = Field(default, title=title, description=description, json_schema_extra=extra, **constraints)
    if kind is not None:
        declared.metadata.append(kind)
    return declared


class Config(BaseModel):
    """Settings of an experiment: frozen, closed, finite. Subclasses add fields made by :func:`Setting`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Setting(
        0,
        N_("Seed"),
        N_("Start of all random numbers: the same seed gives the same curve."),
        group=N_("Run"),
        ge=0,
        le=2**31 - 1,
    )

    @field_validator("*")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """A setting with a kind has a value of that kind."""
        kind = kind_of(cls.model_fields[info.field_name or ""])
        try:
            return value if kind is None else kind.validate(value)
        except Refusal as refusal:
            raise ValueError(str(refusal)) from None  # core.settings names the field and what is allowed

    def agree_with(self, stop: "Stop") -> None:
        """Refuse a stop condition that these settings make pointless, such as an end before the warm-up's.

        Raises:
            Refusal: naming the setting at fault.
        """


class Request(BaseModel):
    """One question of a :class:`Probe`: frozen, closed, finite, as a :class:`Config` is.

    Subclasses add fields made by pydantic's ``Field``, with a ``title`` marked with ``N_`` and the bounds of what is
    allowed: the server answers a wrong value by a sentence that names both, and the program never sees it. Every
    field has a default; the request of defaults is what a session opens with where its probe has no ``idle``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Stop(BaseModel):
    """When a run ends by itself: at the first of these that holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    steps: int = Setting(
        2000, N_("Steps"), N_("End after this many steps."), group=N_("Stop when"), scale="log", ge=1, le=10_000_000
    )
    seconds: float = Setting(
        0.0,
        N_("Seconds"),
        N_("End after this much training time; 0 for no limit."),
        group=N_("Stop when"),
        ge=0,
        le=86_400,
    )
    metric: str = Setting(
        "", N_("Metric"), N_("End when this metric reaches the value below; empty for none."), group=N_("Stop when")
    )
    value: float = Setting(
        0.0,
        N_("Value"),
        N_("What the metric has to reach: from below where higher is better, from above where lower is."),
        group=N_("Stop when"),
    )


@dataclass(frozen=True, slots=True)
class Paper:
    """Where the algorithm was published."""

    title: str
    authors: str
    year: int
    url: str


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric says. ``name`` is ``split/name``; a ``*`` stands for a family such as one curve a layer.

    Attributes:
        better: ``"high"``, ``"low"`` or ``""`` where neither is.
    """

    name: str
    title: str
    sentence: str
    better: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture of the stage.

    Attributes:
        name: also the name of the snapshots it draws.
        title, sentence: what it is and what one sees in it, marked with ``N_``.
        metrics: for a panel of curves, the metrics it draws (a ``*`` matches a family). The browser draws and extends
            these by itself, no view is called.
        view: for all others ``"module:function"``, a :class:`View`.
        size: ``"hero"`` (one), ``"side"`` (beside the hero), ``"below"``, or ``"folded"`` (below, until wanted).
        scale: ``"log"`` for a logarithmic value axis.
        shown_if: the panel exists only where a setting has one of these values. Panels of one name are one picture with
            other words in other settings.
    """

    name: str
    title: str
    sentence: str
    metrics: tuple[str, ...] = ()
    view: str = ""
    size: str = "below"
    scale: str = "linear"
    shown_if: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe:
    """A question that a person may put to the trained model, again and again: a key pressed in a game, say.

    The stage shows a button for it. The button opens a picture of its own and a session: a process of its own that
    loads one of the run's checkpoints and answers requests. Neither the run's training nor its log learns of it.

    Attributes:
        name: also the panel name of the events that answer.
        title, sentence: what the button says, and what one does and sees there; marked with ``N_``.
        request: the fields of a question.
        view: ``"module:function"``, a :class:`View` of the events that answer, as for a :class:`Panel`.
        keys: what a key asks: from the name that a browser gives it (``"ArrowLeft"``, ``" "``, ``"a"``) to fields of
            the request. The stage draws each as a button, too. What is left out has its default.
        idle: what is asked at a beat while no key is down; also the first question of a session. ``None``: nothing.
        beat: questions a second while it is played. 0: only when a key is pressed. A model or browser that is slower
            is asked less often; questions never wait in a row.
        labels: words for the keys' buttons, marked with ``N_``; a key without one shows its name or arrow.
        click: field of the request that takes the number of a point that is clicked in the picture, the ``customdata``
            of its trace; ``""`` where nothing can be clicked. What can be done by clicks can be done by keys or words.
        text: field of the request that takes what a person writes into a line; ``""`` where there is none.
        shown_if: the probe exists only where a setting has one of these values.
    """

    name: str
    title: str
    sentence: str
    request: type[Request]
    view: str
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    idle: Mapping[str, Any] | None = None
    beat: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    click: str = ""
    text: str = ""
    shown_if: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings with a claim: what a person will see, measured by a test."""

    name: str
    title: str
    claim: str
    settings: Mapping[str, Any]
    stop: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """An algorithm as the house knows it. ``core/algorithms/<slug>/spec.py`` holds one, named ``experiment``.

    Attributes:
        family: heading in the menu.
        place: position in the menu and the gallery; the lower comes first.
        tagline: the idea in one sentence.
        presets: the first is what the page opens with.
        metrics: a sentence for each metric that the training reports.
        diagnoses: for each diagnosis a note may name, what it means and what to try; ``{names}`` as in its values.
        program: module with ``load``, ``build``, ``train`` and ``observe``.
        looks: share of the processor's time that ``observe`` may take; the default of
            :mod:`core.runs.worker.pacing` where
            it is 0. More than that is for pictures that cost more than arithmetic, such as a rendered frame.
        parts: names of the parts of a round in their order (a GAN's D and G), empty where an update is all there is.
            A state of such an experiment is a :class:`Rounds`.
        probes: questions that a person may put to the trained model; the program then has a ``probe``.
        files: what a finished run's own files are called, marked with ``N_``, where a person may take some along (word
            vectors, say); the program then has ``export(state, folder) -> list[Path]``, which writes them.
    """

    slug: str
    title: str
    family: str
    tagline: str
    paper: Paper
    config: type[Config]
    panels: tuple[Panel, ...]
    presets: tuple[Preset, ...]
    metrics: tuple[Metric, ...]
    diagnoses: Mapping[str, str]
    program: str
    place: int = 100
    looks: float = 0.0
    parts: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    files: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a view may know beside its own snapshot.

    Attributes:
        config: the settings in force at that step.
        step: updates made when the snapshot was taken.
        statics: the arrays of each panel's snapshot at step 0, by panel name: what never changes is told once, under
            a panel name of its own such as ``"data"``.
    """

    config: Config
    statics: Mapping[str, Mapping[str, Any]]
    step: int


class View(Protocol):
    """From a snapshot to a Plotly figure in plain JSON: ``{"data": [...], "layout": {...}}``.

    Arrays go through :mod:`core.figures`; the browser adds fonts, paper and grid colours of its theme. Words in a
    figure (axis titles, annotations, trace names) are marked with ``N_`` and stay English: one figure serves all who
    watch, and each browser looks them up in its own language.
    """

    def __call__(self, arrays: Mapping[str, Any], context: Context) -> dict[str, Any]: ...


class Diverged(ArithmeticError):
    """Raised by a training whose loss is no longer a number. The run ends as "Diverged at step N"."""


class State(Protocol):
    """Everything a training needs to go on. ``state_dict`` is a tree of dicts, lists, numbers, strings and tensors.

    One whose ``train`` ends by itself also has ``end``, the step after which it does, so that the page can tell how
    much is left.
    """

    step: int
    config: Any

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, tree: dict[str, Any]) -> None: ...

    def turn(self, config: Any) -> None:
        """Take changed live settings."""
        ...


class Rounds(State, Protocol):
    """A state whose updates are those of several parts in turn.

    Attributes:
        due: the part whose update is next. ``train`` reads it, makes that update and sets the next; whoever wants an
            update of another part first sets it between two updates.
    """

    due: str


class Program(Protocol):
    """The module that an experiment names.

    One whose experiment declares probes also has

    ``probe(state, name: str, requests: Iterator[Request]) -> Iterator[Event]``

    Args:
        state: loaded from a checkpoint and this session's own: it may be changed at will, the training has its own.
            The random generators in it are where the checkpoint left them, so that a session can be repeated.
        name: the :class:`Probe` asked for.
        requests: checked requests, one at a time. To ask for the next waits for the person, and says that the one
            before is answered; a person who was quicker than the answer has only the newest request kept.

    Yields for each request one or more of :class:`~core.events.Snapshot`, :class:`~core.events.Frame` and
    :class:`~core.events.Text`, with the probe's name as their panel; the last is what stays in sight. Ends when
    ``requests`` ends: the session was closed. What was opened for the session (an environment, say) is closed in a
    ``finally``. An error ends the session with a sentence. The process has one session and nothing else, so that a
    ``torch.no_grad()`` around it all is well here.
    """

    def load(self, config: Any) -> Any: ...

    def build(self, config: Any, data: Any, device: str) -> State: ...

    def train(self, state: Any) -> Iterator[Event]: ...

    def observe(self, state: Any, everything: bool = True) -> Iterator[Event]: ...


__all__ = [
    "Config",
    "Context",
    "Diverged",
    "Experiment",
    "Metric",
    "Panel",
    "Paper",
    "Preset",
    "Probe",
    "Program",
    "Request",
    "Rounds",
    "Sentence",
    "Setting",
    "State",
    "Stop",
    "View",
]
