"""The language of a session: from the address, else as chosen before, else the browser's."""

import streamlit as st

from core.catalogue import LANGUAGES, translate
from core.words import Sentence
from pages.parts.markdown import escape

_CHOSEN = "language"


def language() -> str:
    """Code of the language of this session."""
    return str(st.session_state.get(_CHOSEN, "en"))


def to_markdown(text: str | Sentence) -> str:
    """``text``, marked elsewhere, in the language of this session, for whatever in Streamlit parses Markdown.

    A template is ours and may hold Markdown. Its values may come from anybody and are escaped; a value that is Markdown
    of ours is given as a :class:`~core.words.Sentence`.
    """
    return translate(language(), text, escape)


def to_plain(text: str | Sentence) -> str:
    """``text`` in the language of this session, for a component's data or an attribute: nothing there is Markdown."""
    return translate(language(), text)


def _(text: str, **values: object) -> str:
    """Marks ``text`` for translation and translates it; its ``{names}`` are filled as :func:`to_markdown` does."""
    return to_markdown(Sentence(text, values) if values else text)


def choose_language() -> None:
    """Find the language of this script run and keep it in the session, and in the address where it is not the
    browser's own: a link without a language opens in each reader's own."""
    requested = st.query_params.get("lang")
    locale = (st.context.locale or "").split("-")[0].lower()
    own = locale if locale in LANGUAGES else "en"
    clicked = st.session_state.pop(_CHOSEN + ".clicked", False)
    if requested in LANGUAGES and not clicked:
        st.session_state[_CHOSEN] = requested
    st.session_state.setdefault(_CHOSEN, own)
    if language() != own and requested != language():
        st.query_params["lang"] = language()
    elif language() == own and requested is not None and requested != own:
        del st.query_params["lang"]


def _clicked() -> None:
    if choice := st.session_state[_CHOSEN + ".switch"]:
        st.session_state[_CHOSEN] = choice
        st.session_state[_CHOSEN + ".clicked"] = True  # the address still names the old one


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
