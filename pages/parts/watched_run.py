"""The run that a page shows: whose it is, its state, and which settings are in force."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core import registry
from core.events import ENDED, SettingChanged
from core.experiment import Experiment
from core.runs.server.engine import engine
from core.runs.store.library import RunInfo, RunView
from core.runs.store.log import LogReader
from core.words import N_, Refusal, Sentence
from pages.parts.draft import Draft
from pages.parts.session import just_entered, notify, owner, params_without


@dataclass(frozen=True, slots=True)
class WatchedRun:
    """A run on the stage.

    Attributes:
        mine: whether it belongs to the person in front of this page.
    """

    view: RunView
    mine: bool

    @property
    def id(self) -> str:
        return self.view.info.id

    @property
    def active(self) -> bool:
        """Whether it trains, waits or pauses: it has not ended."""
        return self.view.head.state not in ENDED


def watched_run(experiment: Experiment, draft: Draft) -> WatchedRun | None:
    """The run that the address names. Where this tab shows it for the first time, the draft takes its settings,
    unless the address has settings of its own and the run has ended."""
    key = f"run.{experiment.slug}"
    run = st.query_params.get("run")
    if not run and just_entered() and (run := st.session_state.get(key)):
        show_run(run)
    if not run:
        st.session_state.pop(key, None)
        return None
    try:
        view = engine().view(run)
        mine = engine().library.owns(run, owner())
        if view.info.slug != experiment.slug:
            title = Sentence(registry.get(view.info.slug).title)
            raise Refusal("run", N_("That run is one of {title}; open it on that page."), title=title)
    except Refusal as refusal:
        st.session_state.pop(key, None)
        show_no_run()
        notify(refusal.sentence)
        return None
    watched = WatchedRun(view, mine)
    if st.session_state.get(key) != run:
        own_settings = draft.changed() or "preset" in st.query_params
        if not own_settings or (mine and watched.active):
            adopt(draft, watched)
        st.session_state[key] = run
    return watched


def show_run(run: str) -> None:
    """Put a run into the address, and with it onto the stage."""
    st.query_params.from_dict(params_without("step") | {"run": run})


def show_no_run() -> None:
    """Take the run out of the address, and with it off the stage."""
    st.query_params.from_dict(params_without("run", "step"))


def adopt(draft: Draft, watched: WatchedRun) -> None:
    """Set the draft as the run is set now, live settings that were changed on the way included."""
    info = watched.view.info
    known = {p.name for p in draft.experiment.presets}
    draft.preset = info.preset if info.preset in known else draft.experiment.presets[0].name
    try:
        draft.values = engine().library.config(info).model_dump() | changed_settings(watched)
    except Refusal as refusal:  # an older version's settings: it can be watched, not repeated
        notify(refusal.sentence)
    draft.stop, draft.device = watched.view.stop.model_dump(), info.device
    draft.start_from = _start_of(info)


def _start_of(info: RunInfo) -> str:
    """What a run started from, as a new run could; ``""`` where that checkpoint is there no more."""
    if info.start_from is None:
        return ""
    try:
        start = engine().find_start(str(info.start_from), info.slug, owner())
    except Refusal:
        return ""
    return str(info.start_from) if start and start.about == info.start_from else ""


def changed_settings(watched: WatchedRun) -> dict[str, Any]:
    """The live settings that were changed while it trained, with their last values."""
    with run_log(watched.id) as log:
        changes = [record.event for record in log.events(SettingChanged)] if log else []
    return {change.field: change.new for change in changes if isinstance(change, SettingChanged)}


@contextmanager
def run_log(run: str) -> Iterator[LogReader | None]:
    """The log of a run, ``None`` where it has none yet."""
    try:
        reader = engine().library.reader(run)
    except FileNotFoundError:
        yield None
        return
    try:
        yield reader
    finally:
        reader.close()
