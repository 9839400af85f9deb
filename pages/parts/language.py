"""The language a person reads: from the address, else as chosen before, else the browser's."""

import streamlit as st

from core.catalogue import LANGUAGES, translate
from core.words import Sentence

_CHOSEN = "language"


def language() -> str:
    """Code of the language of this session."""
    return str(st.session_state.get(_CHOSEN, "en"))


def _(text: str, **values: object) -> str:
    """Marks ``text`` for translation, looks it up, and fills its ``{names}``."""
    return say(Sentence(text, values)) if values else translate(language(), text)


def say(text: str | Sentence) -> str:
    """``text``, marked elsewhere, in the language of this session."""
    return translate(language(), text)


def choose_language() -> None:
    """Find the language of this run of the script and keep it in the session, and in the address where it is not the
    browser's own: a link that says nothing is read by each in their own language."""
    asked = st.query_params.get("lang")
    locale = (st.context.locale or "").split("-")[0].lower()
    own = locale if locale in LANGUAGES else "en"
    clicked = st.session_state.pop(_CHOSEN + ".clicked", False)
    if asked in LANGUAGES and not clicked:
        st.session_state[_CHOSEN] = asked
    st.session_state.setdefault(_CHOSEN, own)
    if language() != own and asked != language():
        st.query_params["lang"] = language()
    elif language() == own and asked is not None and asked != own:
        del st.query_params["lang"]


def _clicked() -> None:
    if choice := st.session_state[_CHOSEN + ".switch"]:
        st.session_state[_CHOSEN] = choice
        st.session_state[_CHOSEN + ".clicked"] = True  # the address still says the old one


def language_switch() -> None:
    """English | 中文, one click."""
    key = _CHOSEN + ".switch"
    if st.session_state.get(key) != language():
        st.session_state[key] = language()
    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=key,
        on_change=_clicked,
        required=True,
        label_visibility="collapsed",
    )
