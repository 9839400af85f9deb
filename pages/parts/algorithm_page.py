"""The page that all algorithms share: the sidebar's controls, the stage, and the tabs beneath it."""

from typing import Any

import streamlit as st

from core import registry
from core.events import ENDED
from core.experiment import Experiment
from core.runs.server.engine import engine
from core.runs.server.hub import hub
from core.words import Refusal
from pages.parts.controls import SidebarContext, controls
from pages.parts.devices import devices
from pages.parts.draft import Draft
from pages.parts.language import _, to_markdown
from pages.parts.link import link
from pages.parts.markdown import escape
from pages.parts.session import callback, draft_of, mark_written, notices, owner, show_notices, write_address
from pages.parts.stage import stage
from pages.parts.stage_props import draft_differs, fallback_props, stage_props
from pages.parts.start_from import starts
from pages.parts.tabs import tabs
from pages.parts.watched_run import WatchedRun, show_run, watched_run

_LAST_ACTION = "last action"


def algorithm_page(slug: str) -> None:
    """The page of the algorithm called ``slug``."""
    experiment = registry.get(slug)
    draft = draft_of(experiment)
    watched = watched_run(experiment, draft)
    hidden = frozenset(name.strip() for name in st.query_params.get("hide", "").split(",") if name.strip())
    write_address(draft)
    with st.sidebar:
        context = SidebarContext(experiment, draft, watched, hidden, starts(experiment))
        _sidebar(context, _dependencies(context))
    _header(experiment, draft)
    with st.container(key="notices"):  # a place that stays: the stage must not move, or it would be mounted anew
        show_notices()
    interval = 0.7 if st.session_state.get(f"fallback.{slug}") else None
    st.fragment(_stage, run_every=interval)(experiment, draft, watched)
    with st.container(key="following"):
        if watched is not None and watched.active:
            _follow(watched)
        if devices() is None:
            _await_devices()
    tabs(experiment, draft, watched)


def _dependencies(context: SidebarContext) -> tuple[object, ...]:
    """All that the rest of the page takes from the controls: where it changes, the whole page has to be drawn anew."""
    draft = context.draft
    return draft_differs(context.experiment, draft, context.watched), notices(), bool(draft.changed())


@st.fragment
def _sidebar(context: SidebarContext, drawn_with: tuple[object, ...]) -> None:
    """A moved slider redraws the sidebar alone."""
    controls(context)
    if _dependencies(context) != drawn_with:
        st.rerun()
    write_address(context.draft)
    mark_written()


def _header(experiment: Experiment, draft: Draft) -> None:
    with (
        st.container(key="title", gap=None),
        st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"),
    ):
        st.title(to_markdown(experiment.title), anchor=False, width="content")
        with st.container(key="about", width="stretch"):
            st.markdown(to_markdown(experiment.tagline))
        with st.container(horizontal=True, width="content", gap="small"):
            link(draft)
            paper = experiment.paper
            st.link_button(
                _("Paper"),
                paper.url,
                icon=":material/article:",
                type="tertiary",
                help=escape(f"{paper.authors}: {paper.title} ({paper.year})"),
            )


def _stage(experiment: Experiment, draft: Draft, watched: WatchedRun | None) -> None:
    """Mount the stage, once and for all, and carry out its actions. Without a socket it is fed from here."""
    key, fallback = f"stage.{experiment.slug}", f"fallback.{experiment.slug}"
    props = stage_props(experiment, draft, watched)
    request = (st.session_state.get(key) or {}).get("fallback")
    run = props["run"] or props["recorded"]
    if request and run:
        props |= fallback_props(run, request)
    result = stage(props, key=key, on_action=lambda: _act(experiment, draft, watched, st.session_state[key]["action"]))
    if bool(result.fallback) != bool(st.session_state.get(fallback)):
        st.session_state[fallback] = bool(result.fallback)
        st.rerun()
    if result.action:
        st.rerun()


@callback
def _act(experiment: Experiment, draft: Draft, watched: WatchedRun | None, action: dict[str, Any]) -> None:
    do, name = action.get("do"), action.get("id")
    if name is not None and name == st.session_state.get(_LAST_ACTION):
        return  # the browser sent it again
    st.session_state[_LAST_ACTION] = name
    if do == "train":
        config, stop = draft.config(), draft.stop_condition()
        run = engine().start(
            experiment.slug, config, stop, draft.device, owner(), preset=draft.preset, start_from=draft.start_from
        )
        hub().move(str(action.get("stage", "")), owner(), run)
        show_run(run)
    elif watched is None:
        return
    elif do == "restart":
        run = engine().restart(watched.id, owner())
        hub().move(str(action.get("stage", "")), owner(), run)
        _stop(watched)
        show_run(run)
    elif do == "resume":
        engine().resume(watched.id, owner())
    elif do == "command":
        engine().command(watched.id, owner(), str(action.get("command", "")), action.get("value"))
        if action.get("command") == "setting":
            draft.follow(action.get("value"))
    elif do == "follow":
        draft.follow(action.get("value"))


def _stop(watched: WatchedRun) -> None:
    """End the run that a new one replaces: off the stage it would train on, and slow the new one down."""
    if watched.mine and watched.active:
        engine().command(watched.id, owner(), "stop")


@st.fragment(run_every=1.0)
def _follow(watched: WatchedRun) -> None:
    """Draw the page anew once the run has ended or begun: nothing else needs a clock."""
    try:
        state = engine().view(watched.id).head.state
    except Refusal:
        st.rerun()
    if (state in ENDED) == watched.active:
        st.rerun()


@st.fragment(run_every=1.0)
def _await_devices() -> None:
    """Draw the page anew once the machine's devices are known: the address may name one that it does not have."""
    if devices() is not None:
        st.rerun()
