"""A setting that is a whole text: pasted, or a file. :mod:`core.data.uploads` keeps it, the setting holds its name."""

import json
from collections.abc import Callable

import streamlit as st

from core.data import uploads
from core.words import Refusal
from pages.parts.fields import Control
from pages.parts.language import _, say
from pages.parts.session import notify, show_notices, touch

#: Characters that stay in the box to be mended: it is sent along with every click.
_STAYS = 200_000

#: Megabytes that the browser sends. More than can be taken, for what it refuses itself it refuses without a sentence.
_SENT = 200


def kept(control: Control, name: str, put: Callable[[str], None], *, key: str, disabled: bool) -> None:
    """Show a kept text's beginning, and take another.

    Args:
        name: the text as the setting holds it, ``""`` where there is none yet.
        put: called with the new name.
        key: of the widgets.
    """
    # An uploader cannot be emptied, only made anew; it holds no file that was refused, or that lies in the folder now.
    count = f"{key}.files"
    st.session_state.setdefault(count, 0)
    box, file = f"{key}.paste", f"{key}.file.{st.session_state[count]}"

    def take(content: bytes) -> bool:
        # Said beside the box: on a phone the controls lie over the page.
        try:
            put(uploads.keep(content, control.name, control.title))
        except Refusal as refusal:
            notify(refusal.sentence, key)
            return False
        return True

    @touch
    def pasted() -> None:
        text = str(st.session_state[box])
        if text.strip():
            take(text.encode("utf-8", "replace"))
        if len(text) > _STAYS:
            st.session_state[box] = ""

    @touch
    def chosen() -> None:
        chosen = st.session_state[file]
        if chosen is None:
            return
        st.session_state[count] += 1
        if take(chosen.getvalue()):
            st.session_state[box] = ""  # what was pasted before is no longer what is learned

    if name:
        try:
            text = uploads.summary(name, control.name, control.title)
            beginning = " ".join(text.beginning.split())[:60]
            st.caption(_("{count} characters: {beginning}…", count=f"{text.characters:,}", beginning=beginning))
        except Refusal as refusal:
            st.caption(say(refusal.sentence))
    with st.container(key=f"{key}.said"):  # a place that stays, so that the box keeps its own
        show_notices(key)
    st.text_area(
        _("Paste a text"),
        key=box,
        on_change=pasted,
        height=120,
        placeholder=_("Paste a text here, then press Ctrl+Enter"),
        label_visibility="collapsed",
        disabled=disabled,
    )
    choose = json.dumps(_("Choose a file"), ensure_ascii=False)
    st.html(f"<style>:root {{ --tf-choose: {choose}; }}</style>")
    st.file_uploader(
        _("or choose a text file (UTF-8, up to 20 MB)"),
        key=file,
        max_upload_size=_SENT,
        on_change=chosen,
        disabled=disabled,
    )
