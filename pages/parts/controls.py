"""The sidebar: a preset with its claim, then every setting of the experiment as its schema declares it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core import settings
from core.events import ENDED
from core.experiment import Experiment, Preset, Stop
from core.runs.server.engine import engine
from core.runs.store.library import Start
from core.words import N_, Refusal, Sentence
from pages.parts import fields
from pages.parts.devices import devices
from pages.parts.draft import FROM, STOP, Draft
from pages.parts.field_widgets import WidgetProps
from pages.parts.fields import Control
from pages.parts.language import _, language, to_markdown, to_plain
from pages.parts.session import callback, notify, owner, set_widget
from pages.parts.start_from import start_title
from pages.parts.watched_run import WatchedRun
from pages.parts.widgets import widget

_DEVICES = {"cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}


@dataclass(frozen=True, slots=True)
class SidebarContext:
    """What the sidebar's controls depend on in one script run.

    Attributes:
        hidden: names of the controls that are not drawn.
        starts: what a new run may start from.
    """

    experiment: Experiment
    draft: Draft
    watched: WatchedRun | None
    hidden: frozenset[str]
    starts: tuple[Start, ...] = ()

    @property
    def own_run(self) -> WatchedRun | None:
        """The run on the stage, where it is this person's and was active when the page was drawn: what is not live is
        fixed."""
        return self.watched if self.watched is not None and self.watched.mine and self.watched.active else None

    @property
    def live_run(self) -> WatchedRun | None:
        """The same, where it still takes commands: it may have ended since the page was drawn."""
        run = self.own_run
        return run if run is not None and engine().view(run.id).head.state not in ENDED else None

    @property
    def outdated(self) -> bool:
        """Whether the page shows another run by now than when these controls were drawn."""
        return self.watched is not None and st.session_state.get(f"run.{self.experiment.slug}") != self.watched.id

    def shows(self, name: str) -> bool:
        return name not in self.hidden


def controls(context: SidebarContext) -> None:
    """Draw them; to be called inside the sidebar. What comes and goes has a place that stays: a browser knows a block
    by its position, and an open group that moved would close."""
    with st.container(key="watching"):
        if context.watched is not None and context.watched.active and not context.watched.mine:
            st.info(
                _("You watch somebody else's run. The controls are yours: Train starts a run of your own."),
                icon=":material/visibility:",
            )
    with st.container(key="preset"):
        if context.shows("preset"):
            _preset(context)
    changed = context.draft.changed()
    facts = _facts(context.draft)
    run_group = []
    for n, (group, members) in enumerate(fields.groups(context.experiment.config).items()):
        offered = [c for c in members if context.shows(c.name)]
        if any(control.name == "seed" for control in members):
            run_group = offered
            continue
        with st.container(key=f"place.{group}"):
            if any(c.visible(context.draft.values) for c in offered):
                title = _group_title(group, {c.name for c in members} & changed)
                with st.expander(title, expanded=n <= 1, key=f"group.{group}"):
                    for control in offered:
                        _control(context, control, changed)
                    with st.container(key=f"facts.{group}"):
                        if group in facts:
                            st.caption(to_markdown(facts[group]))
    stops = [c for c in fields.controls(Stop).values() if context.shows(c.name) and context.shows("stop")]
    if stops:
        with st.expander(_group_title(stops[0].group, {STOP + c.name for c in stops} & changed), key="group.stop"):
            for control in stops:
                _stop(context, control, changed)
            _continue_button(context)
    if run_group or context.shows(FROM) or context.shows("device"):
        with st.expander(_group_title(N_("Run"), {FROM, *(c.name for c in run_group)} & changed), key="group.run"):
            for control in run_group:
                _control(context, control, changed)
            if context.shows(FROM):
                _start_from(context)
            if context.shows("device"):
                _device(context)


def _facts(draft: Draft) -> Mapping[str, Sentence]:
    """What follows from the settings, by group; nothing while they do not go together."""
    try:
        return draft.config().facts()
    except Refusal:
        return {}


def _group_title(group: str, changed: set[str]) -> str:
    return f"{to_markdown(group)} :primary[●]" if changed else to_markdown(group)


def _preset(context: SidebarContext) -> None:
    experiment, key = context.experiment, f"{context.experiment.slug}.preset.{language()}"
    presets = {preset.name: preset for preset in experiment.presets}
    set_widget(key, context.draft.preset)
    help = Sentence(N_("Settings that show something, with what you will see."))
    st.selectbox(
        _("Preset"),
        list(presets),
        format_func=lambda name: preset_title(presets[name]),
        key=key,
        on_change=_take_preset,
        args=(context, key),
        disabled=context.own_run is not None,
        help=to_markdown(_fixed(help)) if context.own_run else None,
    )
    st.caption(to_markdown(context.draft.base_preset().claim))
    if context.draft.changed() and not context.own_run:
        st.button(
            _("Back to the preset"),
            key=f"{key}.back",
            icon=":material/undo:",
            type="tertiary",
            on_click=_take_preset,
            args=(context, key),
        )


def preset_title(preset: Preset) -> str:
    """The title in a person's language, and how much has to be downloaded where something has."""
    if preset.download:
        values = {"title": preset.title, "size": f"{preset.download:g}"}
        return to_plain(Sentence(N_("{title} ({size} MB to fetch)"), values))
    return to_plain(preset.title)


@callback
def _take_preset(context: SidebarContext, key: str) -> None:
    fresh = Draft.of(context.experiment, st.session_state[key], context.draft.device)
    context.draft.preset, context.draft.values, context.draft.stop = fresh.preset, fresh.values, fresh.stop
    context.draft.start_from = fresh.start_from


def _fixed(help: Sentence) -> Sentence:
    return Sentence(N_("{help} Fixed while the run trains: stop it, or wait for its end."), {"help": help})


def _control(context: SidebarContext, control: Control, changed: set[str]) -> None:
    if not control.visible(context.draft.values):
        st.container(key=f"no.{control.name}")
        return
    fixed = context.own_run is not None and not control.live
    help = Sentence(control.help)
    if control.live:
        help = Sentence(N_("{help} Live: it may change while the run trains."), {"help": help})
    elif fixed:
        help = _fixed(help)

    def put(value: Any) -> None:
        if run := context.live_run:
            engine().command(run.id, owner(), "setting", {"field": control.name, "value": value})
        context.draft.values[control.name] = value

    _draw(context, control, control.name, put, help=help, disabled=fixed, changed=control.name in changed)


def _stop(context: SidebarContext, control: Control, changed: set[str]) -> None:
    if control.name == "metric":
        control = _metrics(context.experiment, control)
    if control.name == "value" and not context.draft.stop["metric"]:
        st.container(key="no.stop.value")
        return

    def put(value: Any) -> None:
        stop = context.draft.stop | {control.name: value}
        if run := context.live_run:
            checked = settings.check_stop(context.experiment, stop)
            engine().command(run.id, owner(), "stop_condition", checked.model_dump())
        context.draft.stop = stop

    name = STOP + control.name
    _draw(context, control, name, put, help=Sentence(control.help), disabled=False, changed=name in changed)


def _continue_button(context: SidebarContext) -> None:
    """An own run that came to its end may continue to a later one."""
    watched = context.watched
    if (
        watched is None
        or not watched.mine
        or watched.view.head.state != "finished"
        or context.draft.stop == watched.view.stop.model_dump()
    ):
        return
    if st.button(_("Continue the run until then"), icon=":material/play_arrow:", width="stretch"):
        _continue(context.draft, watched.id)
        st.rerun()


@callback
def _continue(draft: Draft, run: str) -> None:
    engine().command(run, owner(), "stop_condition", draft.stop_condition().model_dump())
    engine().resume(run, owner())


def _metrics(experiment: Experiment, control: Control) -> Control:
    """The stop condition's metric as a choice of those that have a better side."""
    labels = {"": N_("none")} | {m.name: m.title for m in experiment.metrics if m.better and "*" not in m.name}
    return replace(control, kind="choice", options=tuple(labels), labels=labels)


def _draw(
    context: SidebarContext,
    control: Control,
    name: str,
    put: Callable[[Any], None],
    *,
    help: Sentence,
    disabled: bool,
    changed: bool,
) -> None:
    """A widget, and beside its label what takes it back to the preset where it was changed.

    Args:
        name: as in the address.
    """

    def put_unless_outdated(value: Any) -> None:
        if not context.outdated:
            put(value)

    stop = name.startswith(STOP)
    value = (context.draft.stop if stop else context.draft.values)[control.name]
    label = to_markdown(control.title)
    if control.live and context.own_run:
        label += f" :green-badge[{_('live')}]"
    if changed:
        label += " :primary[●]"
    with st.container(key=f"control.{name}", gap=None):
        key = f"{context.experiment.slug}.{name}"
        if context.watched is not None and context.watched.mine and (control.live or stop):
            # A widget for each run: for a script or two after Same seed the browser still sends what the slider of the
            # run before it was moved to, which would be taken for a change of the new run.
            key += f".{context.watched.id}"
        widget(WidgetProps(control, value, put_unless_outdated, key, label, to_markdown(help), disabled))
        if changed and not disabled:
            base = context.draft.base_stop() if stop else context.draft.base()
            st.button(
                "↺",
                key=f"reset.{name}",
                type="tertiary",
                on_click=callback(put_unless_outdated),
                args=(getattr(base, control.name),),
                help=_("Back to the value of the preset"),
            )


def _start_from(context: SidebarContext) -> None:
    experiment, draft, key = context.experiment, context.draft, f"{context.experiment.slug}.{FROM}"
    offered = {"": to_plain(N_("Random weights"))}
    offered |= {str(start.about): start_title(experiment, start) for start in context.starts}
    if draft.start_from not in offered:
        try:
            if start := engine().find_start(draft.start_from, experiment.slug, owner()):
                offered[draft.start_from] = start_title(experiment, start)
        except Refusal as refusal:
            notify(refusal.sentence)
            draft.start_from = ""
    set_widget(key, draft.start_from)
    help = Sentence(N_("The weights that a run begins with: random ones, or those of a run whose shapes are the same."))
    with st.container(key=f"control.{FROM}", gap=None):
        st.selectbox(
            _("Start from") + (" :primary[●]" if FROM in draft.changed() else ""),
            list(offered),
            format_func=lambda start: offered.get(start, start),
            key=key,
            on_change=_take_start,
            args=(context, key),
            disabled=context.own_run is not None or len(offered) == 1,
            help=to_markdown(_fixed(help) if context.own_run else help),
        )


@callback
def _take_start(context: SidebarContext, key: str) -> None:
    context.draft.start_from = st.session_state[key]


def _device(context: SidebarContext) -> None:
    key = f"{context.experiment.slug}.device"
    if (found := devices()) is not None and context.draft.device not in found:
        values = {"name": context.draft.device[:60], "known": ", ".join(found)}
        notify(Sentence(N_("There is no device {name} here; there are: {known}."), values))
        context.draft.device = found[0]
    offered = found or list(dict.fromkeys(["cpu", context.draft.device]))
    set_widget(key, context.draft.device)
    help = Sentence(N_("What the network trains on."))
    st.selectbox(
        _("Device"),
        offered,
        format_func=lambda device: _DEVICES.get(device, device),
        key=key,
        on_change=_take_device,
        args=(context, key),
        disabled=context.own_run is not None or len(offered) == 1,
        help=to_markdown(_fixed(help) if context.own_run else help),
    )


@callback
def _take_device(context: SidebarContext, key: str) -> None:
    context.draft.device = st.session_state[key]
