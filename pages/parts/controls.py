"""The sidebar: a preset with its claim, then every setting of the experiment as its schema declares it."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core import settings
from core.events import ENDED
from core.experiment import Experiment, Stop
from core.runs.server.engine import engine
from core.words import N_, Sentence
from pages.parts import fields
from pages.parts.devices import devices
from pages.parts.draft import STOP, Draft
from pages.parts.fields import Control
from pages.parts.language import _, language, say
from pages.parts.session import notify, owner, touch
from pages.parts.watch import Watched
from pages.parts.widgets import widget


@dataclass(frozen=True, slots=True)
class Panel:
    """What the controls of one script run need to know."""

    experiment: Experiment
    draft: Draft
    watched: Watched | None
    hidden: frozenset[str]

    @property
    def driving(self) -> bool:
        """Whether a run of this person's trains with these settings now."""
        return self.watched is not None and self.watched.mine and self.watched.active

    @property
    def steering(self) -> bool:
        """Whether that run can still be told anything: it may have ended since the page was drawn."""
        return self.driving and engine().view(self.watched.id).head.state not in ENDED  # type: ignore[union-attr]

    @property
    def outdated(self) -> bool:
        """Whether the page shows another run by now than when these controls were drawn."""
        return self.watched is not None and st.session_state.get(f"run.{self.experiment.slug}") != self.watched.id

    def shows(self, name: str) -> bool:
        return name not in self.hidden


def controls(panel: Panel) -> None:
    """Draw them; to be called inside the sidebar. What comes and goes has a place that stays: a browser knows a block
    by its position, and an open group that moved would close."""
    with st.container(key="watching"):
        if panel.watched is not None and panel.watched.active and not panel.watched.mine:
            st.info(
                _("You watch somebody else's run. The controls are yours: Train starts a run of your own."),
                icon=":material/visibility:",
            )
    with st.container(key="preset"):
        if panel.shows("preset"):
            _preset(panel)
    changed = panel.draft.changed()
    run_group = []
    for n, (group, members) in enumerate(fields.groups(panel.experiment.config).items()):
        if any(control.name == "seed" for control in members):
            run_group = [c for c in members if panel.shows(c.name)]
            continue
        offered = [c for c in members if panel.shows(c.name)]
        with st.container(key=f"place.{group}"):
            if any(c.visible(panel.draft.values) for c in offered):
                title = _title(group, {c.name for c in members} & changed)
                with st.expander(title, expanded=n <= 1, key=f"group.{group}"):
                    for control in offered:
                        _control(panel, control, panel.draft.values[control.name], control.name in changed)
    stops = [c for c in fields.controls(Stop).values() if panel.shows(c.name) and panel.shows("stop")]
    if stops:
        with st.expander(_title(stops[0].group, {STOP + c.name for c in stops} & changed), key="group.stop"):
            for control in stops:
                _stop(panel, control, changed)
            _go_on(panel)
    if run_group or panel.shows("device"):
        with st.expander(_title(N_("Run"), {c.name for c in run_group} & changed), key="group.run"):
            for control in run_group:
                _control(panel, control, panel.draft.values[control.name], control.name in changed)
            if panel.shows("device"):
                _device(panel)


def _title(group: str, changed: set[str]) -> str:
    return f"{say(group)} :primary[●]" if changed else say(group)


def _preset(panel: Panel) -> None:
    experiment, key = panel.experiment, f"{panel.experiment.slug}.preset.{language()}"
    titles = {preset.name: preset.title for preset in experiment.presets}
    if st.session_state.get(key) != panel.draft.preset:
        st.session_state[key] = panel.draft.preset
    st.selectbox(
        _("Preset"),
        list(titles),
        format_func=lambda name: say(titles[name]),
        key=key,
        on_change=_take_preset,
        args=(panel, key),
        disabled=panel.driving,
        help=_fixed(_("Settings that show something, with what you will see.")) if panel.driving else None,
    )
    st.caption(say(panel.draft.claim().claim))
    if panel.draft.changed() and not panel.driving:
        st.button(
            _("Back to the preset"),
            key=f"{key}.back",
            icon=":material/undo:",
            type="tertiary",
            on_click=_take_preset,
            args=(panel, key),
        )


@touch
def _take_preset(panel: Panel, key: str) -> None:
    fresh = Draft.of(panel.experiment, st.session_state[key], panel.draft.device)
    panel.draft.preset, panel.draft.values, panel.draft.stop = fresh.preset, fresh.values, fresh.stop


def _fixed(help: str) -> str:
    return _("{help} Fixed while the run trains: stop it, or wait for its end.", help=help).strip()


def _control(panel: Panel, control: Control, value: Any, changed: bool) -> None:
    if not control.visible(panel.draft.values):
        st.container(key=f"no.{control.name}")
        return
    fixed = panel.driving and not control.live
    help = _fixed(say(control.help)) if fixed else say(control.help)
    if control.live:
        help = _("{help} Live: it may change while the run trains.", help=help)

    def put(name: str, value: Any) -> None:
        if panel.steering:
            engine().command(panel.watched.id, owner(), "knob", {"field": name, "value": value})  # type: ignore[union-attr]
        panel.draft.values[name] = value

    _frame(panel, control, value, put, help=help, disabled=fixed, changed=changed, name=control.name)


def _stop(panel: Panel, control: Control, changed: set[str]) -> None:
    if control.name == "metric":
        control = _metrics(panel.experiment, control)
    if control.name == "value" and not panel.draft.stop["metric"]:
        st.container(key="no.stop.value")
        return

    def put(name: str, value: Any) -> None:
        stop = panel.draft.stop | {name: value}
        if panel.steering:
            checked = settings.check_stop(panel.experiment, stop)
            engine().command(panel.watched.id, owner(), "until", checked.model_dump())  # type: ignore[union-attr]
        panel.draft.stop = stop

    name = STOP + control.name
    value = panel.draft.stop[control.name]
    _frame(panel, control, value, put, help=say(control.help), disabled=False, changed=name in changed, name=name)


def _go_on(panel: Panel) -> None:
    """An own run that came to its end may go on to a later one."""
    seen = panel.watched
    if (
        seen is None
        or not seen.mine
        or seen.view.head.state != "finished"
        or panel.draft.stop == seen.view.stop.model_dump()
    ):
        return
    if st.button(_("Continue the run until then"), icon=":material/play_arrow:", width="stretch"):
        _continue(panel.draft, seen.id)
        st.rerun()


@touch
def _continue(draft: Draft, run: str) -> None:
    engine().command(run, owner(), "until", draft.until().model_dump())
    engine().resume(run, owner())


def _metrics(experiment: Experiment, control: Control) -> Control:
    """The stop condition's metric as a choice of those that have a better side."""
    labels = {"": N_("none")} | {m.name: m.title for m in experiment.metrics if m.better and "*" not in m.name}
    return replace(control, kind="choice", options=tuple(labels), labels=labels)


def _frame(panel: Panel, control: Control, value: Any, put: Any, **state: Any) -> None:
    """A widget, and beside its label what takes it back to the preset where it was changed."""
    name, changed = state["name"], state["changed"]
    key = f"{panel.experiment.slug}.{name}"
    if panel.watched is not None and panel.watched.mine and (control.live or name.startswith(STOP)):
        # A widget for each run: for a script or two after Same seed the browser still sends what the slider of the run
        # before it was moved to, which would be taken for a change of the new run.
        key += f".{panel.watched.id}"

    def put_unless_outdated(name: str, value: Any) -> None:
        if not panel.outdated:
            put(name, value)

    label = say(control.title)
    if control.live and panel.driving:
        label += " :green-badge[" + _("live") + "]"
    if changed:
        label += " :primary[●]"
    with st.container(key=f"control.{name}", gap=None):
        widget(
            control, value, put_unless_outdated, key=key, label=label, help=state["help"], disabled=state["disabled"]
        )
        if changed and not state["disabled"]:
            base = panel.draft.base_stop() if name.startswith(STOP) else panel.draft.base()
            st.button(
                "↺",
                key=f"reset.{name}",
                type="tertiary",
                help=_("Back to what the preset says"),
                on_click=_reset,
                args=(put_unless_outdated, control.name, getattr(base, control.name)),
            )


@touch
def _reset(put: Any, name: str, value: Any) -> None:
    put(name, value)


def _device(panel: Panel) -> None:
    key = f"{panel.experiment.slug}.device"
    if (found := devices()) is not None and panel.draft.device not in found:
        known = ", ".join(found)
        notify(
            Sentence(
                N_("There is no device {name} here; there are: {known}."),
                {"name": panel.draft.device[:40], "known": known},
            )
        )
        panel.draft.device = found[0]
    offered = found or list(dict.fromkeys(["cpu", panel.draft.device]))
    if st.session_state.get(key) != panel.draft.device:
        st.session_state[key] = panel.draft.device
    help = _("What the network trains on.")
    st.selectbox(
        _("Device"),
        offered,
        format_func=lambda device: {"cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}.get(device, device),
        key=key,
        on_change=_take_device,
        args=(panel, key),
        disabled=panel.driving or len(offered) == 1,
        help=_fixed(help) if panel.driving else help,
    )


@touch
def _take_device(panel: Panel, key: str) -> None:
    panel.draft.device = st.session_state[key]
