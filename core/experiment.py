"""What an algorithm declares of itself: its settings, its panels, its presets. No torch in here.

An experiment names the package that trains (``program``); :mod:`core.program` says which module of it holds what:

- ``load(config) -> data``: the data set, through :mod:`core.data`.
- ``build(config, data, device) -> State``: modules, optimisers, random generators, step 0.
- ``train(state) -> Iterator[Event]``: the loop of the paper. It yields :class:`~core.events.Step` after each step (an
  update, or an agent's step in its environment), when the state is whole, and :class:`~core.events.Pulse` inside a long
  step. It reads ``state.config`` at every step, so that a live setting acts at once, and starts at ``state.step``, so
  that it continues a restored state. Where a round has parts, it reads ``state.next_part`` as well. A training that has
  an end of its own, such as a last epoch, returns there and says where as ``state.end``.
- ``log_metrics(state) -> Iterator[Event]``: called after a step for which ``state.should_log(step)`` holds, which goes
  by the count of steps and never by the clock: the same seed gives the same curve. It yields
  :class:`~core.events.Scalars`, :class:`~core.events.Note`, snapshots that come of an evaluation, and
  :class:`~core.events.Pulse` inside a long evaluation. What it changes in the state (a history, say) is saved.
- ``SNAPSHOTS``: from a panel's name to ``snapshot(state) -> arrays``, the hero first. The driver takes them by the
  clock and their cost, and leaves out what nobody has in sight; so none may rely on another. A snapshot changes nothing
  that is saved, no random generator either; ``None`` means that there is nothing to draw.
- ``STATIC_SNAPSHOTS``: the same for what never changes, taken once, at step 0.
- ``probe(state, name, requests)``, where the experiment declares probes: questions put to the trained model by a
  person, such as a key pressed in a game. See :class:`Probe` and :class:`ProbeFunction`.
- ``export(state, folder) -> list[Path]``, where the experiment declares exported files, and
  ``inference_state(tree) -> tree``, where a recording should not keep what only a training needs.
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

    def facts(self) -> Mapping[str, Sentence]:
        """What follows from these settings, such as the number of parameters: by the heading of a group of settings the
        sentence that stands under it."""
        return {}

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
        click: a live setting that takes the ``customdata``, a whole number, of a point that is clicked in this panel,
            while the run trains or pauses and is one's own; ``""`` where nothing can be clicked. Plotly reports clicks
            only on traces whose ``hoverinfo`` is not ``"skip"``.
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
    click: str = ""
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
        keys: what a key requests: from the browser's name for it (``"ArrowLeft"``, ``" "``, ``"a"``) to fields of
            the request. The stage draws each as a button, too. What is left out has its default.
        idle: the request sent at a beat while no key is down; also the first of a session. ``None``: nothing.
        beat: questions a second while it is played. 0: only when a key is pressed. A model or browser that is slower
            gets fewer; requests never queue up.
        labels: words for the keys' buttons, marked with ``N_``; a key without one shows its name or arrow.
        click: field of the request that takes the number of a point that is clicked in the picture, the ``customdata``
            of its trace; ``""`` where nothing can be clicked. What can be done by clicks can be done by keys or words.
        text: field of the request that takes what a person writes into a line; ``""`` where there is none.
        canvas: field of the request that takes what a person draws on a canvas beside the figure, sent while they draw:
            a :class:`~core.drawn_picture.Drawn` of ``canvas_size``; ``""`` where there is none. A cleared canvas is a
            picture without ink; the field's default means that nothing was drawn since.
        canvas_size: rows and columns of the canvas.
        point: fields of the request, numbers, that take the place of the pointer on the figure's x and y axes while it
            is pressed there or dragged, within what the axes show; ``None`` where there is none. Keys move it by
            requests of their own.
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
    canvas: str = ""
    canvas_size: int = 56
    point: tuple[str, str] | None = None
    shown_if: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings with a claim: what a person will see, measured by a test.

    Attributes:
        opens_in: code of the language in which the page opens with this preset instead of the first.
        download: megabytes that have to be downloaded before it can run for the first time; all others run offline.
        start_from: another preset of the experiment, with whose recorded run's weights a run begins (its last
            checkpoint's; ``python -m core record <slug> --preset <name>`` makes it); ``""`` for random ones.
    """

    name: str
    title: str
    claim: str
    settings: Mapping[str, Any]
    stop: Mapping[str, Any] = field(default_factory=dict)
    opens_in: str = ""
    download: float = 0.0
    start_from: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """An algorithm as the app knows it. ``core/algorithms/<slug>/spec.py`` holds one, named ``experiment``.

    Attributes:
        family: heading in the menu.
        place: position in the menu and the gallery; the lower comes first.
        tagline: the idea in one sentence.
        presets: the first is what the page opens with, where none is declared for the language.
        metrics: a sentence for each metric that the training reports.
        diagnoses: for each diagnosis a note may name, what it means and what to try; ``{names}`` as in its values.
        program: package with ``train``, ``metrics`` and ``snapshots``; see :mod:`core.program`.
        source: modules of that package that make up the training, in the order to read them.
        snapshot_budget: share of the processor's time that snapshots may take; 0 for the default of
            :mod:`core.runs.worker.pacing`. More is for pictures that cost more than arithmetic, such as a rendered
            frame.
        parts: names of the parts of a round in their order (a GAN's D and G), empty where an update is all there is.
            A state of such an experiment is a :class:`Rounds`.
        probes: questions that a person may put to the trained model; the program then has a ``probe``.
        files: what a run's exported files are called, marked with ``N_``, where it has some (word vectors, say); the
            program then has ``export``.
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
    source: tuple[str, ...] = ("model", "train")
    snapshot_budget: float = 0.0
    parts: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    files: str = ""

    def opening(self, language: str) -> Preset:
        """The preset that the page opens with in a language."""
        return next((preset for preset in self.presets if preset.opens_in == language), self.presets[0])

    def start_from(self, preset: Preset) -> str:
        """Id of the recorded run with whose weights a run of the preset begins; ``""`` for random ones."""
        return f"recorded-{self.slug}-{preset.start_from}" if preset.start_from else ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a view may know beside its own snapshot.

    Attributes:
        config: the settings in force at that step.
        step: updates made when the snapshot was taken.
        statics: the arrays of each panel's snapshot at step 0, by panel name: what never changes is sent once, under
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
    """Everything a training needs to go on; :class:`core.training.Training` is one. No torch is needed to know it.

    ``state_dict`` is a tree of dicts, lists, numbers, strings, arrays and tensors. ``load_weights`` takes another run's
    tree and loads only what was learned; it raises a :class:`~core.words.Refusal` where that does not fit.

    Attributes:
        step: steps made.
        config: the settings in force.
        end: the step after which ``train`` returns by itself, 0 where it does not.
    """

    step: int
    config: Any
    end: int

    def should_log(self, step: int) -> bool: ...

    def apply_config(self, config: Any) -> None: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, tree: Mapping[str, Any]) -> None: ...

    def load_weights(self, tree: Mapping[str, Any]) -> None: ...


class Rounds(State, Protocol):
    """A state whose updates are those of several parts in turn.

    Attributes:
        next_part: the part whose update is next. ``train`` reads it, makes that update and sets the next; whoever
            wants an update of another part first sets it between two updates.
    """

    next_part: str


def overtaken(requests: Iterator[Any]) -> bool:
    """Whether a newer request waits, or the session was closed, so that nobody waits for the rest of an answer."""
    return bool(getattr(requests, "overtaken", False))


class ProbeFunction(Protocol):
    """``probe`` of an algorithm's ``probes`` module.

    Args:
        state: restored from a checkpoint and this session's own: it may be changed at will. The random generators in it
            are where the checkpoint left them, so that a session can be repeated.
        name: the :class:`Probe` that was opened.
        requests: checked requests, one at a time. Taking the next one waits for the person, and means that the one
            before is answered; of requests that came faster than answers only the newest is kept.

    An answer that takes seconds looks now and then whether it is :func:`overtaken`, and then stops short of its end.

    Yields for each request one or more of :class:`~core.events.Snapshot` and :class:`~core.events.Text`, with the
    probe's name as their panel; the last is what stays in sight. Ends when ``requests`` ends: the session was closed.
    What was opened for the session (an environment, say) is closed in a ``finally``. An error ends the session with a
    sentence. The process has one session and nothing else, so that a ``torch.no_grad()`` around it all does no harm.
    """

    def __call__(self, state: Any, name: str, requests: Iterator[Request]) -> Iterator[Event]: ...


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
    "ProbeFunction",
    "Request",
    "Rounds",
    "Sentence",
    "Setting",
    "State",
    "Stop",
    "View",
]
