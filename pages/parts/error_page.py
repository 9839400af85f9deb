"""What a person sees of an error that nobody foresaw: a sentence in their language. The server's log has the rest."""

import streamlit as st

from core.words import Refusal
from pages.parts.language import _
from pages.parts.session import show_refusal


def error_page(error: Exception) -> bool:
    """Takes the place of Streamlit's traceback; Streamlit has logged the error already."""
    if isinstance(error, Refusal):
        show_refusal(error.sentence)
    else:
        st.error(
            _("This part of the page failed; your runs are safe and go on. Reload the page to try again."),
            icon=":material/info:",
        )
    return True
