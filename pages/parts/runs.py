"""This person's earlier runs of an algorithm: what was different, how they ended; open, resume, delete."""

import time
from datetime import UTC, datetime, timedelta

import streamlit as st

from core.events import ENDED, Scalars
from core.experiment import Experiment, Stop
from core.runs.engine import engine
from core.runs.library import RunView
from core.settings import to_text
from core.words import N_, Refusal
from pages.parts import fields
from pages.parts.draft import Draft
from pages.parts.language import _, say
from pages.parts.session import notify, owner, show_notices, touch
from pages.parts.watch import Watched
from pages.parts.widgets import shown

#: Runs listed before a person asks for more.
_FIRST = 12

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


def runs(experiment: Experiment, seen: Watched | None) -> None:
    """The list, newest first."""
    found = engine().library.runs(owner(), experiment.slug)
    if not found:
        st.caption(_("Your runs will be listed here. Press Train to make the first."))
        return
    key = f"runs.{experiment.slug}.more"
    for view in found if st.session_state.get(key) else found[:_FIRST]:
        _row(experiment, view, seen is not None and seen.id == view.info.id)
    if len(found) > _FIRST and not st.session_state.get(key):
        st.button(_("Show all {n}", n=len(found)), key=key)
