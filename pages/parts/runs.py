"""This person's earlier runs of an algorithm: what was different, how they ended; open, resume, delete."""

from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

import streamlit as st

from core.events import ENDED, Scalars
from core.experiment import Experiment
from core.runs.server.engine import engine
from core.runs.store import export
from core.runs.store.library import RunView
from core.words import N_, Refusal
from pages.parts import fields
from pages.parts.draft import Draft
from pages.parts.language import _, say
from pages.parts.session import owner, touch
from pages.parts.watch import Watched, adopt, show_run
from pages.parts.widgets import shown

#: Runs listed before a person asks for more.
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


def runs(experiment: Experiment, draft: Draft, seen: Watched | None) -> None:
    """The list, newest first."""
    found = engine().runs(owner(), experiment.slug)
    if not found:
        st.caption(_("Your runs will be listed here. Press Train to make the first."))
        return
    key = f"runs.{experiment.slug}.more"
    for view in found if st.session_state.get(key) else found[:_FIRST]:
        _row(experiment, draft, view, seen is not None and seen.id == view.info.id)
    if len(found) > _FIRST and not st.session_state.get(key):
        st.session_state[key] = st.button(_("Show all {n}", n=len(found)))


def _row(experiment: Experiment, draft: Draft, view: RunView, open_now: bool) -> None:
    info, state = view.info, view.head.state
    with st.container(border=True, key=f"run.{info.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            preset = next((p.title for p in experiment.presets if p.name == info.preset), "")
            colour = _COLOURS.get(state, "blue")
            st.markdown(
                f"**{say(preset) or say(experiment.title)}** :{colour}-badge[{say(STATES.get(state, state))}] "
                f":gray[{_when(info.created)}]",
                width="content",
            )
            with st.container(horizontal=True, width="content", gap="xsmall"):
                if experiment.files and view.checkpoints:
                    _files(experiment, view)
                _buttons(draft, view, open_now)
        st.caption(" · ".join([*_different(experiment, view), *_last(experiment, view)]))


def _buttons(draft: Draft, view: RunView, open_now: bool) -> None:
    run = view.info.id
    label = _("In sight") if open_now else _("Open")
    if st.button(label, key=f"open.{run}", disabled=open_now, icon=":material/visibility:"):
        _open(draft, view)
        st.rerun()
    if view.resumable and st.button(_("Resume"), key=f"resume.{run}", icon=":material/play_arrow:"):
        _resume(draft, view)
        st.rerun()
    training = view.head.state not in ENDED
    with st.popover(
        _("Delete"),
        icon=":material/delete:",
        disabled=training,
        help=_("Stop it first.") if training else None,
        key=f"ask.{run}",
    ):
        st.markdown(_("Delete this run for good?"))
        if st.button(_("Yes, delete it"), key=f"delete.{run}", type="primary"):
            _delete(run, open_now)
            st.rerun()


def _files(experiment: Experiment, view: RunView) -> None:
    """What may be taken along: written when it is asked for, in a process of its own, then offered file by file."""
    run, folder = view.info.id, engine().library.folder(view.info.id)
    with st.popover(say(experiment.files), icon=":material/download:", key=f"files.{run}"):
        found = export.exported_files(folder)
        if not found and st.button(_("Prepare the files"), key=f"prepare.{run}", icon=":material/description:"):
            _prepare(folder)
            found = export.exported_files(folder)
        for path in found:
            size = path.stat().st_size
            shown_size = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} KB"
            st.download_button(
                f"{path.name} ({shown_size})", path.read_bytes, file_name=path.name, key=f"file.{run}.{path.name}"
            )


@touch
def _prepare(folder: Path) -> None:
    with st.spinner(_("Writing the files")):
        export.export_files(folder)


@touch
def _open(draft: Draft, view: RunView) -> None:
    adopt(draft, Watched(view, mine=True))
    show_run(view.info.id)


@touch
def _resume(draft: Draft, view: RunView) -> None:
    engine().resume(view.info.id, owner())
    adopt(draft, Watched(view, mine=True))
    show_run(view.info.id)


@touch
def _delete(run: str, open_now: bool) -> None:
    engine().delete(run, owner())
    if open_now:
        st.query_params.from_dict({n: v for n, v in st.query_params.to_dict().items() if n not in ("run", "step")})


def _when(created: float) -> str:
    """The moment of a run in the person's own time."""
    offset = timedelta(minutes=-(st.context.timezone_offset or 0))
    return f"{datetime.fromtimestamp(created, UTC) + offset:%Y-%m-%d %H:%M}"


def _different(experiment: Experiment, view: RunView) -> list[str]:
    """The settings that differ from the run's preset."""
    try:
        config = engine().library.config(view.info)
    except Refusal as refusal:
        return [say(refusal.sentence)]
    base = Draft.of(experiment, view.info.preset).base()
    controls = fields.controls(experiment.config)
    return [
        f"{say(control.title)} {_value(control, getattr(config, name))}"
        for name, control in controls.items()
        if getattr(config, name) != getattr(base, name)
    ]


def _value(control: fields.Control, value: object) -> str:
    if control.kind == "switch":
        return _("on") if value else _("off")
    if isinstance(value, tuple | list):
        return "-".join(say(control.label(v)) for v in value) or "–"
    return shown(value) if isinstance(value, int | float) else say(control.label(value))


def _last(experiment: Experiment, view: RunView) -> list[str]:
    """Where it stands: steps, and the last value of each metric that has a better side."""
    told = [_("step {n}", n=shown(view.head.step))]
    try:
        reader = engine().library.reader(view.info.id)
    except FileNotFoundError:
        return told
    try:
        values: dict[str, float] = {}
        for record in reader.latest(Scalars, 60):
            if isinstance(record.event, Scalars):
                values = dict(record.event.values) | values
    finally:
        reader.close()
    for metric in experiment.metrics:
        if metric.better and "*" not in metric.name:
            told += [f"{say(metric.title)} {v:.3g}" for name, v in values.items() if fnmatchcase(name, metric.name)]
    return told
