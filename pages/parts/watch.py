"""The run that a page shows: whose it is, how it stands, and which settings are in force."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from core import registry
from core.events import ENDED, SettingChanged
from core.experiment import Experiment
from core.runs.server.engine import engine
from core.runs.store.library import RunView
from core.words import N_, Refusal, Sentence
from pages.parts.draft import Draft
from pages.parts.session import came_back, notify, owner


@dataclass(frozen=True, slots=True)
class Watched:
    """A run in sight."""

    view: RunView
    mine: bool

    @property
    def id(self) -> str:
        return self.view.info.id

    @property
    def active(self) -> bool:
        """Whether it trains, waits or pauses: it has not ended."""
        return self.view.head.state not in ENDED


def watched(experiment: Experiment, draft: Draft) -> Watched | None:
    """The run that the address names. One that this tab sees for the first time lends its settings to the draft,
    unless the address has settings of its own and the run has ended."""
    key = f"run.{experiment.slug}"
    run = st.query_params.get("run")
    if not run and came_back() and (run := st.session_state.get(key)):
        show_run(run)
    if not run:
        st.session_state.pop(key, None)
        return None
    try:
        view = engine().view(run)
        mine = engine().library.owns(run, owner())
    except Refusal as refusal:
        _forget(key, refusal)
        return None
    if view.info.slug != experiment.slug:
        title = Sentence(registry.get(view.info.slug).title)
        _forget(key, Refusal("run", N_("That run is one of {title}; open it on that page."), title=title))
        return None
    seen = Watched(view, mine)
    if st.session_state.get(key) != run:
        own_settings = draft.changed() or "preset" in st.query_params
        if not own_settings or (mine and seen.active):
            adopt(draft, seen)
        st.session_state[key] = run
    return seen


def _forget(key: str, refusal: Refusal) -> None:
    st.session_state.pop(key, None)
    st.query_params.from_dict({n: v for n, v in st.query_params.to_dict().items() if n not in ("run", "step")})
    notify(refusal.sentence)


def show_run(run: str) -> None:
    """Put a run into the address, and with it onto the stage."""
    st.query_params.from_dict({n: v for n, v in st.query_params.to_dict().items() if n != "step"} | {"run": run})


def adopt(draft: Draft, seen: Watched) -> None:
    """Set the controls as the run is set now, knobs turned in mid-run and all."""
    info = seen.view.info
    known = {p.name for p in draft.experiment.presets}
    draft.preset = info.preset if info.preset in known else draft.experiment.presets[0].name
    try:
        draft.values = engine().library.config(info).model_dump() | turned(seen)
    except Refusal as refusal:  # an older version's settings: it can be watched, not repeated
        notify(refusal.sentence)
    draft.stop, draft.device = seen.view.stop.model_dump(), info.device


def turned(seen: Watched) -> dict[str, Any]:
    """The live settings that were changed while it trained, with their last values."""
    try:
        reader = engine().library.reader(seen.id)
    except FileNotFoundError:
        return {}
    try:
        knobs = [record.event for record in reader.events(SettingChanged)]
    finally:
        reader.close()
    return {knob.field: knob.new for knob in knobs if isinstance(knob, SettingChanged)}
