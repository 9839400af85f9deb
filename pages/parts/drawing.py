"""A setting that is drawn: a small canvas, assets/draw/draw.js; :mod:`core.drawing` tells how a drawing is written."""

from collections.abc import Callable

import streamlit as st

from core.words import N_
from pages.parts.language import say
from pages.parts.served import origin, served
from pages.parts.session import touch

_WORDS = {
    "draw": N_("Draw with mouse, pen or finger"),
    "keys": N_("The arrow keys move the pen, with Shift they draw; space sets a point, Backspace takes it back."),
    "undo": N_("Take the last stroke back"),
    "clear": N_("Clear the drawing"),
    "count": N_("{n} points"),
    "full": N_("{n} points, the most: a longer drawing is thinned evenly"),
}

_canvas = served("tenfold_drawing", "draw/draw.js")


def drawing(text: str, put: Callable[[str], None], *, key: str, label: str, disabled: bool) -> None:
    """Show a drawing to draw on.

    Args:
        text: the drawing as the setting holds it.
        put: called with the new text after each stroke.
        key: keeps the canvas mounted through reruns.
        label: what it is, for ears.
    """

    @touch
    def drawn() -> None:
        if said := (st.session_state.get(key) or {}).get("drawn"):
            put(str(said["text"]))

    _canvas(
        key=key,
        data={
            **origin(),
            "text": text,
            "label": label,
            "disabled": disabled,
            "words": {name: say(word) for name, word in _WORDS.items()},
        },
        default={"drawn": None},
        on_drawn_change=drawn,
    )
