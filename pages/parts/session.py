"""What one person's tab holds: who they are, their draft settings, and the notices to show them."""

import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import streamlit as st

from core.experiment import Experiment
from core.words import Refusal, Sentence
from pages.parts.draft import Draft, from_address, to_address
from pages.parts.language import language, to_markdown

_P = ParamSpec("_P")
_NOTICES = "notices"
_EDITED = "draft edited"

#: Seconds for which a browser may still send an address that this page has replaced since.
_LAG = 1.0


def owner() -> str:
    """The token that a run belongs to: the browser's cookie, or the tab's own where cookies are refused."""
    return st.context.cookies.get("tenfold") or str(st.session_state.setdefault("token", secrets.token_urlsafe(24)))


def notify(sentence: Sentence, place: str = "") -> None:
    """Show this until the person uses a control again: above the stage, or at a ``place`` that shows its own."""
    st.session_state.setdefault(_NOTICES, []).append((place, sentence))


def notices() -> list[tuple[str, Sentence]]:
    """All notices as (place, sentence)."""
    return list(st.session_state.get(_NOTICES, []))


def show_notices(place: str = "") -> None:
    """Draw the notices of a place, one sentence each."""
    for where, sentence in notices():
        if where == place:
            show_refusal(sentence)


def show_refusal(sentence: Sentence) -> None:
    """Draw a sentence about something that was refused."""
    st.error(to_markdown(sentence), icon=":material/info:")


def callback(act: Callable[_P, None]) -> Callable[_P, None]:
    """Wraps a widget's callback: earlier notices go, and a refusal becomes a notice.

    The script run that follows takes the draft for the truth, not the address, which is one run behind.
    """

    @wraps(act)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> None:
        st.session_state[_NOTICES] = []
        st.session_state[_EDITED] = True
        try:
            act(*args, **kwargs)
        except Refusal as refusal:
            notify(refusal.sentence)

    return wrapped


def set_widget(key: str, value: Any) -> None:
    """Make a widget show ``value``. Does nothing where it does already, so that a slider in motion is left alone."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def params_without(*names: str) -> dict[str, str]:
    """The parameters of the address but for these."""
    return {name: value for name, value in st.query_params.to_dict().items() if name not in names}


def draft_of(experiment: Experiment) -> Draft:
    """This tab's draft for a page: as it was left, or from the address where the person went to another address."""
    key = f"draft.{experiment.slug}"
    params = _settings()
    edited = st.session_state.pop(_EDITED, False)
    left = st.session_state.get(key)
    if left is not None and (
        edited
        or (just_entered() and not params)
        or params == st.session_state.get(f"{key}.address")
        or params in _recent(f"{key}.address")
    ):
        return left
    draft, refused = from_address(experiment, st.query_params.to_dict(), language())
    st.session_state[_NOTICES] = [("", sentence) for sentence in refused]
    st.session_state[key] = draft
    return draft


def enter(page: str) -> None:
    """Note which page this script run draws."""
    st.session_state["entered"] = st.session_state.get("page") != page
    st.session_state["page"] = page


def just_entered() -> bool:
    """Whether the person has just come to this page, by the menu or by an address."""
    return bool(st.session_state.get("entered"))


def mark_written() -> None:
    """The address holds the draft again: another address from now on is one that the person went to."""
    st.session_state.pop(_EDITED, None)


def _settings() -> dict[str, str]:
    """The settings in the address."""
    return params_without("run", "step", "lang", "hide")


def write_address(draft: Draft) -> None:
    """Bring the address up to date with the draft, in one go, and only where it has to change."""
    params = st.query_params.to_dict()
    try:
        address = to_address(draft, params, language())
    except Refusal:
        return  # settings that nobody could open stay out of the address; Train shows what is wrong
    if address != params:
        st.query_params.from_dict(address)
    key = f"draft.{draft.experiment.slug}.address"
    settings, before = _settings(), st.session_state.get(key)
    if before is not None and before != settings:
        recent = st.session_state.get(f"{key}.recent", [])[-20:]
        st.session_state[f"{key}.recent"] = [*recent, (time.monotonic(), before)]
    st.session_state[key] = settings


def _recent(key: str) -> list[dict[str, str]]:
    """Addresses that this page had a moment ago: nobody went there, the browser does not know of the change yet."""
    now = time.monotonic()
    return [settings for then, settings in st.session_state.get(f"{key}.recent", []) if now - then < _LAG]
