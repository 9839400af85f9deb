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
    """Find the language of this run of the script and keep it in the session and in the address."""
    asked = st.query_params.get("lang")
    if _CHOSEN not in st.session_state:
        locale = (st.context.locale or "").split("-")[0].lower()
        st.session_state[_CHOSEN] = locale if locale in LANGUAGES else "en"
    if asked in LANGUAGES and not st.session_state.pop(_CHOSEN + ".clicked", False):
        st.session_state[_CHOSEN] = asked
    if asked != language():
        st.query_params["lang"] = language()


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
