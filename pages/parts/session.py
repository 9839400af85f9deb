"""What one person's tab knows: who they are, what they have set, and what there is to tell them."""

import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from core.experiment import Experiment
from core.words import Refusal, Sentence
from pages.parts.draft import Draft, from_address, to_address
from pages.parts.language import language, say

_P = ParamSpec("_P")
_NOTICES = "notices"
_TOUCHED = "touched"

#: Seconds for which a browser may still ask with an address that this page has changed since.
_LAG = 1.0


def owner() -> str:
    """The token that says whose a run is: the browser's cookie, or the tab's own where cookies are refused."""
    return st.context.cookies.get("tenfold") or str(st.session_state.setdefault("token", secrets.token_urlsafe(24)))


def notify(sentence: Sentence, place: str = "") -> None:
    """Say this until the person touches a control again: above the stage, or at a ``place`` that shows its own."""
    st.session_state.setdefault(_NOTICES, []).append((place, sentence))


def notices() -> list[tuple[str, Sentence]]:
    return list(st.session_state.get(_NOTICES, []))


def touch(act: Callable[_P, None]) -> Callable[_P, None]:
    """Wraps what a widget calls: what was said before is settled, and a refusal is said instead of raised.

    The script that follows takes the draft for the truth, not the address, which is one script behind.
    """

    @wraps(act)
    def acted(*args: _P.args, **kwargs: _P.kwargs) -> None:
        st.session_state[_NOTICES] = []
        st.session_state[_TOUCHED] = True
        try:
            act(*args, **kwargs)
        except Refusal as refusal:
            notify(refusal.sentence)

    return acted


def draft_of(experiment: Experiment) -> Draft:
    """This tab's draft for a page: as it was left, or as the address asks where the person went to another address."""
    key = f"draft.{experiment.slug}"
    params = _settings()
    touched = st.session_state.pop(_TOUCHED, False)
    left = st.session_state.get(key)
    if left is not None and (
        touched
        or (came_back() and not params)
        or params == st.session_state.get(f"{key}.address")
        or params in _lately(f"{key}.address")
    ):
        return left
    draft, refused = from_address(experiment, st.query_params.to_dict(), language())
    st.session_state[_NOTICES] = [("", sentence) for sentence in refused]
    st.session_state[key] = draft
    return draft


def arrive(page: str) -> None:
    """Note which page is drawn."""
    st.session_state["came"] = st.session_state.get("page") != page
    st.session_state["page"] = page


def came_back() -> bool:
    """Whether the person has just come to this page, by the menu or by an address."""
    return bool(st.session_state.get("came"))


def settle() -> None:
    """The draft and the address agree again: what the address says next is what the person went to."""
    st.session_state.pop(_TOUCHED, None)


def _settings() -> dict[str, str]:
    """The settings in the address."""
    return {n: v for n, v in st.query_params.to_dict().items() if n not in ("run", "step", "lang", "hide")}


def write_address(draft: Draft) -> None:
    """Bring the address up to date with the draft, in one go, and only where it has to change."""
    params = st.query_params.to_dict()
    try:
        address = to_address(draft, params, language())
    except Refusal:
        return  # settings that nobody could open stay out of the address; Train says what is wrong
    if address != params:
        st.query_params.from_dict(address)
    key = f"draft.{draft.experiment.slug}.address"
    settings, before = _settings(), st.session_state.get(key)
    if before is not None and before != settings:
        lately = st.session_state.get(f"{key}.lately", [])[-20:]
        st.session_state[f"{key}.lately"] = [*lately, (time.monotonic(), before)]
    st.session_state[key] = settings


def _lately(key: str) -> list[dict[str, str]]:
    """Addresses that this page had a moment ago: nobody went there, the browser has not heard of the change."""
    now = time.monotonic()
    return [settings for then, settings in st.session_state.get(f"{key}.lately", []) if now - then < _LAG]


def show_notices(place: str = "") -> None:
    """All there is to tell here, a sentence each."""
    for where, sentence in notices():
        if where == place:
            st.error(say(sentence), icon=":material/info:")
