"""This person's runs of an algorithm: which settings differ, how they ended; open, resume, delete, export."""

from pathlib import Path
from typing import Any

import streamlit as st

from core.events import ENDED, Scalars
from core.experiment import Experiment
from core.field_kinds import FieldKind
from core.runs.server.engine import engine
from core.runs.store import export
from core.runs.store.library import RunView
from core.words import N_, Refusal
from pages.parts import fields
from pages.parts.draft import Draft
from pages.parts.language import _, to_markdown
from pages.parts.local_time import local_time
from pages.parts.markdown import escape
from pages.parts.session import callback, owner
from pages.parts.watched_run import WatchedRun, adopt, run_log, show_no_run, show_run
from pages.parts.widgets import format_number

#: Runs listed at first.
_FIRST = 10

STATES = {
    "queued": N_("waiting"),
    "preparing": N_("preparing"),
    "resumed": N_("training"),
    "running": N_("training"),
    "paused": N_("paused"),
    "finished": N_("finished"),
    "stopped": N_("stopped"),
    "diverged": N_("diverged"),
    "failed": N_("failed"),
    "interrupted": N_("interrupted"),
}
_COLOURS = {"finished": "green", "diverged": "red", "failed": "red", "interrupted": "orange", "stopped": "gray"}


def runs(experiment: Experiment, draft: Draft, watched: WatchedRun | None) -> None:
    """The list, newest first."""
    found = engine().runs(owner(), experiment.slug)
    if not found:
        st.caption(_("Your runs will be listed here. Press Train to make the first."))
        return
    key = f"runs.{experiment.slug}.more"
    for view in found if st.session_state.get(key) else found[:_FIRST]:
        _row(experiment, draft, view, watched is not None and watched.id == view.info.id)
    if len(found) > _FIRST and not st.session_state.get(key):
        st.session_state[key] = st.button(_("Show all {n}", n=len(found)))


def _row(experiment: Experiment, draft: Draft, view: RunView, open_now: bool) -> None:
    info, state = view.info, view.head.state
    with st.container(border=True, key=f"run.{info.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            preset = next((p.title for p in experiment.presets if p.name == info.preset), "")
            title, word = to_markdown(preset or experiment.title), to_markdown(STATES.get(state, state))
            colour = _COLOURS.get(state, "blue")
            st.markdown(
                f"**{title}** :{colour}-badge[{word}] :gray[{local_time(info.created)}]",
                width="content",
            )
            with st.container(horizontal=True, width="content", gap="xsmall"):
                if experiment.files and view.checkpoints:
                    _files(experiment, view)
                _buttons(draft, view, open_now)
        st.caption(" · ".join([*_start(experiment, view), *_different(experiment, view), *_last(experiment, view)]))


def _buttons(draft: Draft, view: RunView, open_now: bool) -> None:
    run = view.info.id
    label = _("Shown above") if open_now else _("Open")
    if st.button(label, key=f"open.{run}", disabled=open_now, icon=":material/visibility:"):
        _open(draft, view)
        st.rerun()
    if view.resumable and st.button(_("Resume"), key=f"resume.{run}", icon=":material/play_arrow:"):
        _resume(draft, view)
        st.rerun()
    with st.popover(_("Delete"), icon=":material/delete:", key=f"confirm.{run}"):
        if view.head.state in ENDED:
            st.markdown(_("Delete this run for good?"))
        else:
            st.markdown(_("This run has not ended: it is stopped first. Delete it for good?"))
        if st.button(_("Yes, delete it"), key=f"delete.{run}", type="primary"):
            _delete(run, open_now)
            st.rerun()


def _files(experiment: Experiment, view: RunView) -> None:
    """A run's exported files: written at the press of a button, in a process of their own, then offered one by one."""
    run, folder = view.info.id, engine().library.folder(view.info.id)
    with st.popover(to_markdown(experiment.files), icon=":material/download:", key=f"files.{run}"):
        found = export.exported_files(folder)
        prepare = not export.is_current(folder)  # a run that trains is soon saved again: what there is stays offered
        if prepare and st.button(_("Prepare the files"), key=f"prepare.{run}", icon=":material/description:"):
            _prepare(folder)
            found = export.exported_files(folder)
        if found:
            st.caption(_("step {n}", n=format_number(export.step_of(found[0]))))
        for path in found:
            size = path.stat().st_size
            size_text = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} KB"
            label = escape(f"{path.name} ({size_text})")
            st.download_button(label, path.read_bytes, file_name=path.name, key=f"file.{run}.{path.name}")


@callback
def _prepare(folder: Path) -> None:
    with st.spinner(_("Writing the files")):
        export.export_files(folder)


@callback
def _open(draft: Draft, view: RunView) -> None:
    adopt(draft, WatchedRun(view, mine=True))
    show_run(view.info.id)


@callback
def _resume(draft: Draft, view: RunView) -> None:
    engine().resume(view.info.id, owner())
    adopt(draft, WatchedRun(view, mine=True))
    show_run(view.info.id)


@callback
def _delete(run: str, open_now: bool) -> None:
    engine().delete(run, owner())
    if open_now:
        show_no_run()


def _start(experiment: Experiment, view: RunView) -> list[str]:
    """The run it started from."""
    start = view.info.start_from
    if start is None:
        return []
    preset = next((p.title for p in experiment.presets if p.name == start.preset), experiment.title)
    return [_("started from {run} at step {n}", run=preset, n=format_number(start.step))]


def _different(experiment: Experiment, view: RunView) -> list[str]:
    """The settings that differ from the run's preset."""
    try:
        config = engine().library.config(view.info)
    except Refusal as refusal:
        return [to_markdown(refusal.sentence)]
    base = Draft.of(experiment, view.info.preset).base()
    controls = fields.controls(experiment.config)
    return [
        f"{to_markdown(control.title)} {_value(control, getattr(config, name))}"
        for name, control in controls.items()
        if getattr(config, name) != getattr(base, name)
    ]


def _value(control: fields.Control, value: Any) -> str:
    """A setting's value as Markdown."""
    if isinstance(control.kind, FieldKind):
        return to_markdown(control.kind.summary(value))
    if control.kind == "switch":
        return _("on") if value else _("off")
    if isinstance(value, tuple | list):
        return "-".join(_word(control, v) for v in value) or "–"
    return escape(format_number(value)) if isinstance(value, int | float) else _word(control, value)


def _word(control: fields.Control, option: Any) -> str:
    """The word for an option, or what was typed, as Markdown."""
    return to_markdown(control.labels[option]) if option in control.labels else escape(str(option))


def _last(experiment: Experiment, view: RunView) -> list[str]:
    """Where it stands: steps, and the last value of each metric that has a better side."""
    values: dict[str, float] = {}
    with run_log(view.info.id) as log:
        for record in log.latest(Scalars, 60) if log else ():
            if isinstance(record.event, Scalars):
                values = dict(record.event.values) | values
    metrics = [m for m in experiment.metrics if m.better and m.name in values]
    return [
        _("step {n}", n=format_number(view.head.step)),
        *(f"{to_markdown(metric.title)} {values[metric.name]:.3g}" for metric in metrics),
    ]
