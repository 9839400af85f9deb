"""A setting that is a set of pictures in classes: files, a zip, or taken by the camera. The session holds the classes
as they are built up; as soon as they are a set its kind stores it, and the setting holds the set's name."""

import base64
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from PIL import Image

from core.data import pictures
from core.data.image_data import displayed
from core.events import Array
from core.field_kinds import PICTURES
from core.figures import atlas
from core.words import N_, Refusal, Sentence
from pages.parts.component import component, origin
from pages.parts.field_widgets import WidgetProps, labelled, widget_for
from pages.parts.language import _, to_markdown, to_plain
from pages.parts.session import callback, notify, show_notices

_WORDS = {
    "count": N_("{n} pictures"),
    "remove": N_("Take out picture {n} of {name}"),
    "removeClass": N_("Take out the class {name}"),
}

#: Sentences shown at a time.
_SHOWN = 5
#: Pictures in a row of a sheet.
_COLUMNS = 16
#: Megabytes of a file, and of a zip, that the browser sends. More than can be taken, for what it refuses itself it
#: refuses without a sentence.
_FILE_SENT, _ZIP_SENT = 30, 100

_thumbnails = component("tenfold_thumbnails", "thumbnails/thumbnails.js")


@dataclass
class _Session:
    """What one person's tab holds of a setting.

    Attributes:
        value: the set that the classes were stored as, ``""`` while they are none.
        sheets: images of all pictures of a class, by the hash of these.
    """

    value: str = ""
    draft: pictures.Draft = field(default_factory=pictures.Draft)
    sheets: dict[str, str] = field(default_factory=dict)


@widget_for(PICTURES)
def picture_upload(props: WidgetProps) -> None:
    """Show the classes with their pictures, and take more."""
    control, key = props.control, props.key
    session = _session(props)
    # An uploader cannot be emptied, only made anew.
    count = f"{key}.brought"
    st.session_state.setdefault(count, 0)
    number = st.session_state[count]
    name, files, archive = f"{key}.class", f"{key}.files.{number}", f"{key}.zip.{number}"
    camera, shot = f"{key}.camera", f"{key}.shot.{number}"

    def obstacle() -> Sentence | None:
        """What the classes lack to be a set."""
        try:
            pictures.check(session.draft.classes, control.name, control.title)
        except Refusal as refusal:
            return refusal.sentence
        return None

    def change(act: Callable[[], Sequence[Sentence]]) -> None:
        """Change the draft; what it is now becomes the setting's value."""
        before = session.draft.total
        try:
            refused = act()
        except Refusal as refusal:
            refused = [refusal.sentence]
        for sentence in refused[:_SHOWN]:
            notify(sentence, key)  # beside the box: on a phone the sidebar covers the page
        if more := len(refused[_SHOWN:]):
            notify(Sentence(N_("{n} further files were not taken."), {"n": more}), key)
        if session.draft.total == before:
            return
        replaced, session.value = session.value, ""
        if obstacle() is None:
            try:
                session.value = PICTURES.store(session.draft.classes, control.name, control.title)
            except Refusal as refusal:
                notify(refusal.sentence, key)
        props.put(session.value)
        pictures.release(replaced)

    @callback
    def brought(box: str, add: Callable[[str, list[tuple[str, bytes]]], Sequence[Sentence]]) -> None:
        chosen = st.session_state[box]
        if not chosen:
            return
        st.session_state[count] += 1
        several = chosen if isinstance(chosen, list) else [chosen]
        change(lambda: add(str(st.session_state.get(name, "")), [(one.name, one.getvalue()) for one in several]))

    @callback
    def removed() -> None:
        gone = (st.session_state.get(key) or {}).get("removed")
        if gone and len(session.draft.classes.get(gone["name"], [])) == gone["of"]:  # else the page has gone on since
            change(lambda: session.draft.remove(gone["name"], gone["number"]) or [])

    def add_files(of: str, several: list[tuple[str, bytes]]) -> Sequence[Sentence]:
        return session.draft.add_files(of, several, control.name)

    def add_zip(of: str, several: list[tuple[str, bytes]]) -> Sequence[Sentence]:
        return session.draft.add_zip(*several[0], control.name)

    with labelled(props, "upload"):
        st.caption(
            _(
                "Pictures stay on this server, cropped and made small. They are deleted with the last run that uses "
                "them, or after a day if none does."
            )
        )
        with st.container(key=f"{key}.state"):
            if props.value and not session.value:
                st.caption(to_markdown(Sentence(_NOT_HERE)))
            elif not session.value and (sentence := obstacle()):
                st.caption(to_markdown(sentence))
        with st.container(key=f"{key}.shown"):
            if session.draft.total:
                _thumbnails(
                    key=key,
                    data={
                        **origin(),
                        "classes": [
                            {"name": of, "count": len(those), "sheet": _sheet(session, those)}
                            for of, those in session.draft.classes.items()
                        ],
                        "columns": _COLUMNS,
                        "disabled": props.disabled,
                        "words": {word: to_plain(text) for word, text in _WORDS.items()},
                    },
                    on_removed_change=removed,
                )
        with st.container(key=f"{key}.notices"):  # a place that stays, so that the boxes keep their own
            show_notices(key)
        choose = json.dumps(to_plain(N_("Choose files")), ensure_ascii=False)
        st.html(f"<style>:root {{ --tf-choose: {choose}; }}</style>")
        st.text_input(
            _("Class"),
            key=name,
            max_chars=pictures.NAME_LENGTH,
            placeholder=to_plain(N_("Name of a class, such as: cup")),
            disabled=props.disabled,
        )
        st.file_uploader(
            _("Pictures of this class (JPEG, PNG, GIF, BMP, WebP)"),
            key=files,
            accept_multiple_files=True,
            max_upload_size=_FILE_SENT,
            on_change=brought,
            args=(files, add_files),
            disabled=props.disabled,
        )
        if st.toggle(_("Use the camera"), key=camera, disabled=props.disabled) and not props.disabled:
            st.camera_input(_("Take a picture of this class"), key=shot, on_change=brought, args=(shot, add_files))
        st.file_uploader(
            _("or a zip with a folder for each class"),
            key=archive,
            max_upload_size=_ZIP_SENT,
            on_change=brought,
            args=(archive, add_zip),
            disabled=props.disabled,
        )


_NOT_HERE = N_("These pictures are not kept on this machine. Add them again.")


def _session(props: WidgetProps) -> _Session:
    """The classes of this tab. They are read again where the setting has another set, as after a reload."""
    kept = f"{props.key}.session"
    session: _Session = st.session_state.setdefault(kept, _Session())
    if props.value != session.value or (session.value and not pictures.known(session.value)):
        session = st.session_state[kept] = _Session()
        if props.value:
            with suppress(Refusal):  # a sentence stands where the classes would be
                session.draft = pictures.Draft(PICTURES.load(props.value, props.control.name, props.control.title))
                session.value = props.value
    return session


def _sheet(session: _Session, those: Sequence[Array]) -> str:
    """All pictures of a class as one image."""
    x = np.stack(those)
    digest = hashlib.sha256(x.tobytes()).hexdigest()
    if digest not in session.sheets:
        if len(session.sheets) > 2 * pictures.CLASSES[1]:
            session.sheets.clear()
        file = io.BytesIO()
        Image.fromarray(atlas(displayed(x), _COLUMNS, gap=0)).save(file, "WEBP", quality=80)
        session.sheets[digest] = "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
    return session.sheets[digest]
