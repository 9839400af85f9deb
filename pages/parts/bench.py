"""The page that all algorithms share: controls in the sidebar, the stage, and what there is to read beneath it."""

from typing import Any

import streamlit as st

from core import registry
from core.events import ENDED
from core.experiment import Experiment
from core.runs.server.engine import engine
from core.runs.server.hub import hub
from core.words import Refusal
from pages.parts import scene
from pages.parts.controls import Panel, controls
from pages.parts.draft import Draft
from pages.parts.language import _, say
from pages.parts.link import link
from pages.parts.session import draft_of, notices, owner, settle, show_notices, touch, write_address
from pages.parts.stage import stage
from pages.parts.tabs import tabs
from pages.parts.watch import Watched, show_run, watched


def bench(slug: str) -> None:
    """The page of the algorithm called ``slug``."""
    experiment = registry.get(slug)
    draft = draft_of(experiment)
    seen = watched(experiment, draft)
    hidden = frozenset(name.strip() for name in st.query_params.get("hide", "").split(",") if name.strip())
    write_address(draft)
    with st.sidebar:
        _controls(Panel(experiment, draft, seen, hidden), _told(experiment, draft, seen))
    _header(experiment, draft)
    with st.container(key="notices"):  # a place that stays: the stage must not move, or it would be mounted anew
        show_notices()
    beat = 0.7 if st.session_state.get(f"fallback.{slug}") else None
    st.fragment(_stage, run_every=beat)(experiment, draft, seen)
    with st.container(key="following"):
        if seen is not None and seen.active:
            _follow(seen)
    tabs(experiment, draft, seen)


def _told(experiment: Experiment, draft: Draft, seen: Watched | None) -> tuple[object, ...]:
    """All that the rest of the page takes from the controls: where it changes, the whole page has to be drawn anew."""
    return scene.changed(draft, seen, experiment), notices(), bool(draft.changed())


@st.fragment
def _controls(panel: Panel, told: tuple[object, ...]) -> None:
    """A moved slider redraws the sidebar alone."""
    controls(panel)
    if _told(panel.experiment, panel.draft, panel.watched) != told:
        st.rerun()
    write_address(panel.draft)
    settle()


def _header(experiment: Experiment, draft: Draft) -> None:
    with (
        st.container(key="title", gap=None),
        st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"),
    ):
        st.title(say(experiment.title), anchor=False, width="content")
        with st.container(key="about", width="stretch"):
            st.markdown(say(experiment.tagline))
        with st.container(horizontal=True, width="content", gap="small"):
            link(draft)
            paper = experiment.paper
            st.link_button(
                _("Paper"),
                paper.url,
                icon=":material/article:",
                type="tertiary",
                help=f"{paper.authors}: {paper.title} ({paper.year})",
            )


def _stage(experiment: Experiment, draft: Draft, seen: Watched | None) -> None:
    """Mount the stage, once and for all, and do what it asks. Without a socket it is fed from here."""
    key = f"stage.{experiment.slug}"
    data = scene.scene(experiment, draft, seen)
    asked = (st.session_state.get(key) or {}).get("fallback")
    run = data["run"] or data["recorded"]
    if asked and run:
        data |= scene.news(run, asked)
    result = stage(data, key=key, on_action=lambda: _act(experiment, draft, seen, st.session_state[key]["action"]))
    if bool(result.fallback) != bool(st.session_state.get(f"fallback.{experiment.slug}")):
        st.session_state[f"fallback.{experiment.slug}"] = bool(result.fallback)
        st.rerun()
    if result.action:
        st.rerun()


@touch
def _act(experiment: Experiment, draft: Draft, seen: Watched | None, action: dict[str, Any]) -> None:
    do = action.get("do")
    if do == "train":
        config, stop = draft.config(), draft.until()
        run = engine().start(experiment.slug, config, stop, draft.device, owner(), preset=draft.preset)
        hub().move(str(action.get("stage", "")), owner(), run)
        show_run(run)
    elif seen is None:
        return
    elif do == "restart":
        run = engine().restart(seen.id, owner())
        hub().move(str(action.get("stage", "")), owner(), run)
        _leave(seen)
        show_run(run)
    elif do == "resume":
        engine().resume(seen.id, owner())
    elif do == "command":
        engine().command(seen.id, owner(), str(action.get("command", "")), action.get("value"))


def _leave(seen: Watched | None) -> None:
    """End the run that a new one takes the place of: out of sight it would train on, in the way of the new one."""
    if seen is not None and seen.mine and seen.active:
        engine().command(seen.id, owner(), "stop")


@st.fragment(run_every=1.0)
def _follow(seen: Watched) -> None:
    """Draw the page anew once the run has ended or begun: nothing else is asked of the clock."""
    try:
        state = engine().view(seen.id).head.state
    except Refusal:
        st.rerun()
    if (state in ENDED) == seen.active:
        st.rerun()
