"""A setting that is a whole text: pasted, or a file. Its kind stores the text, the setting holds the text's name."""

import json

import streamlit as st

from core.data import uploads
from core.field_kinds import UPLOADED_TEXT
from core.words import N_, Refusal
from pages.parts.field_widgets import WidgetProps, labelled, widget_for
from pages.parts.language import _, to_markdown, to_plain
from pages.parts.session import callback, notify, show_notices

#: Characters that stay in the box to be mended: the browser sends them along with every click.
_STAYS = 200_000

#: Megabytes that the browser sends. More than can be taken, for what it refuses itself it refuses without a sentence.
_SENT = 200


@widget_for(UPLOADED_TEXT)
def text_upload(props: WidgetProps) -> None:
    """Show the beginning of the text in use, and take another."""
    control, key = props.control, props.key
    # An uploader cannot be emptied, only made anew: a file that was stored or refused does not stay in it.
    count = f"{key}.files"
    st.session_state.setdefault(count, 0)
    box, file = f"{key}.paste", f"{key}.file.{st.session_state[count]}"

    def take(content: bytes) -> bool:
        try:
            props.put(UPLOADED_TEXT.store(content, control.name, control.title))
        except Refusal as refusal:
            notify(refusal.sentence, key)  # beside the box: on a phone the sidebar covers the page
            return False
        return True

    @callback
    def pasted() -> None:
        text = str(st.session_state[box])
        if text.strip():
            take(text.encode("utf-8", "replace"))
        if len(text) > _STAYS:
            st.session_state[box] = ""

    @callback
    def chosen() -> None:
        chosen = st.session_state[file]
        if chosen is None:
            return
        st.session_state[count] += 1
        if take(chosen.getvalue()):
            st.session_state[box] = ""  # what was pasted before is no longer what is learned

    with labelled(props, "upload"):
        if props.value:
            try:
                text = uploads.summary(props.value, control.name, control.title)
                beginning = " ".join(text.beginning.split())[:60]
                st.caption(_("{count} characters: {beginning}…", count=f"{text.characters:,}", beginning=beginning))
            except Refusal as refusal:
                st.caption(to_markdown(refusal.sentence))
        with st.container(key=f"{key}.notices"):  # a place that stays, so that the box keeps its own
            show_notices(key)
        st.text_area(
            _("Paste a text"),
            key=box,
            on_change=pasted,
            height=120,
            placeholder=to_plain(N_("Paste a text here, then press Ctrl+Enter")),
            label_visibility="collapsed",
            disabled=props.disabled,
        )
        choose = json.dumps(to_plain(N_("Choose a file")), ensure_ascii=False)
        st.html(f"<style>:root {{ --tf-choose: {choose}; }}</style>")
        st.file_uploader(
            _("or choose a text file (UTF-8, up to 20 MB)"),
            key=file,
            max_upload_size=_SENT,
            on_change=chosen,
            disabled=props.disabled,
        )
