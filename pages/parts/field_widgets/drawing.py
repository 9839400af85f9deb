"""A setting that is drawn, on a small canvas: assets/draw/draw.js. :mod:`core.drawing` defines how it is written."""

import streamlit as st

from core.field_kinds import DRAWING
from core.words import N_
from pages.parts.component import component, origin
from pages.parts.field_widgets import WidgetProps, labelled, widget_for
from pages.parts.language import to_plain
from pages.parts.session import callback

_WORDS = {
    "draw": N_("Draw with mouse, pen or finger"),
    "keys": N_("The arrow keys move the pen, with Shift they draw; space sets a point, Backspace takes it back."),
    "undo": N_("Take the last stroke back"),
    "clear": N_("Clear the drawing"),
    "count": N_("{n} points"),
    "full": N_("{n} points, the most: a longer drawing is thinned evenly"),
}

_canvas = component("tenfold_drawing", "draw/draw.js")


@widget_for(DRAWING)
def drawing(props: WidgetProps) -> None:
    """Show a drawing to draw on; each stroke puts a new value."""

    @callback
    def drawn() -> None:
        if result := (st.session_state.get(props.key) or {}).get("drawn"):
            props.put(str(result["text"]))

    with labelled(props, "drawing"):
        _canvas(
            key=props.key,
            data={
                **origin(),
                "text": props.value,
                "label": to_plain(props.control.title),
                "disabled": props.disabled,
                "words": {name: to_plain(word) for name, word in _WORDS.items()},
            },
            default={"drawn": None},
            on_drawn_change=drawn,
        )
