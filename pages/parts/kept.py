"""A setting that is a whole text: pasted, or a file. :mod:`core.data.uploads` keeps it, the setting holds its name."""

from collections.abc import Callable

import streamlit as st

from core.data import uploads
from core.words import Refusal
from pages.parts.language import _, say
from pages.parts.session import touch

#: Characters that can be pasted; a longer text is a file.
_PASTED = 200_000


def kept(name: str, put: Callable[[str], None], *, key: str, disabled: bool) -> None:
    """Show a kept text's beginning, and take another.

    Args:
        name: the text as the setting holds it, ``""`` where there is none yet.
        put: called with the new name.
        key: of the widgets.
    """

    @touch
    def pasted() -> None:
        text = str(st.session_state[f"{key}.paste"])
        if text.strip():
            put(uploads.keep(text.encode("utf-8", "replace")))

    @touch
    def chosen() -> None:
        file = st.session_state[f"{key}.file"]
        if file is not None:
            put(uploads.keep(file.getvalue()))

    if name:
        try:
            text = uploads.read(name)
            beginning = " ".join(text[:200].split())[:60]
            st.caption(_("{count} characters: {beginning}…", count=f"{len(text):,}", beginning=beginning))
        except Refusal as refusal:
            st.caption(say(refusal.sentence))
    st.text_area(
        _("Paste a text"),
        key=f"{key}.paste",
        on_change=pasted,
        max_chars=_PASTED,
        height=120,
        placeholder=_("Paste a text here, then press Ctrl+Enter"),
        label_visibility="collapsed",
        disabled=disabled,
    )
    st.file_uploader(
        _("or choose a text file (UTF-8, up to 20 MB)"),
        type=["txt", "md", "csv", "text"],
        key=f"{key}.file",
        max_upload_size=uploads.MOST // 1_000_000,
        on_change=chosen,
        disabled=disabled,
    )
