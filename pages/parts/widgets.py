"""The widget of each setting: by its type here, by its kind in :mod:`pages.parts.field_widgets`."""

from functools import partial
from typing import Any

import streamlit as st

from core.words import Sentence
from pages.parts.field_widgets import Widget, WidgetProps, labelled, widget_of
from pages.parts.fields import Control
from pages.parts.language import _, language, to_markdown, to_plain
from pages.parts.session import callback, set_widget


def widget(props: WidgetProps) -> None:
    """Draw a control."""
    kind = props.control.kind
    draw = _WIDGETS[kind] if isinstance(kind, str) else widget_of(kind)
    draw(props)


def _switch(props: WidgetProps) -> None:
    st.toggle(**_common(props, props.key, props.value))


def _text(props: WidgetProps) -> None:
    st.text_input(**_common(props, props.key, props.value))


def _choice(props: WidgetProps) -> None:
    control = props.control
    common = _common(props, _key_of_options(props), props.value)
    if len(control.options) <= 3 and sum(len(_plain_option(control, o)) for o in control.options) <= 24:
        st.segmented_control(
            options=list(control.options),
            format_func=partial(_markdown_option, control),
            required=True,
            width="stretch",
            **common,
        )
    else:
        st.selectbox(options=list(control.options), format_func=partial(_plain_option, control), **common)


def _choices(props: WidgetProps) -> None:
    st.pills(
        options=list(props.control.options),
        selection_mode="multi",
        format_func=partial(_markdown_option, props.control),
        **_common(props, _key_of_options(props), list(props.value)),
    )


def _number(props: WidgetProps) -> None:
    control, whole = props.control, props.control.kind == "whole"
    cast = int if whole else float
    value = cast(props.value)
    common = _common(props, props.key, value)
    if (stops := control.stops()) is not None:
        st.select_slider(options=sorted({*stops, value}), format_func=format_number, **common)
        return
    limits = {
        "min_value": None if control.low is None else cast(control.low),
        "max_value": None if control.high is None else cast(control.high),
    }
    if control.slides():
        st.slider(step=cast(control.step), format=None if whole else _decimals(control.step), **limits, **common)
    else:
        st.number_input(step=1 if whole else None, format=None if whole else "%g", **limits, **common)


def _wholes(props: WidgetProps) -> None:
    """One number for each entry, + for another like the last, − to drop the last."""
    control, key = props.control, props.key
    numbers = list(props.value)
    with (
        labelled(props, "list"),
        st.container(horizontal=True, gap="xxsmall", vertical_alignment="bottom"),
    ):
        for i, number in enumerate(numbers):
            entry = f"{key}.{i}"
            set_widget(entry, int(number))
            st.number_input(
                _("{title}, entry {n}", title=Sentence(control.title), n=i + 1),
                min_value=None if control.low is None else int(control.low),
                max_value=None if control.high is None else int(control.high),
                step=1,
                key=entry,
                on_change=_put_entry,
                args=(props, numbers, i, entry),
                disabled=props.disabled,
                label_visibility="collapsed",
                width=64,
            )
        st.button(
            "−",
            key=f"{key}.fewer",
            help=_("Drop the last"),
            on_click=_put,
            args=(props, tuple(numbers[:-1])),
            disabled=props.disabled or len(numbers) <= control.fewest,
        )
        last = numbers[-1] if numbers else int(control.low or 8)
        st.button(
            "+",
            key=f"{key}.more",
            help=_("Add one"),
            on_click=_put,
            args=(props, (*numbers, last)),
            disabled=props.disabled or len(numbers) >= control.most,
        )


_WIDGETS: dict[str, Widget] = {
    "choice": _choice,
    "choices": _choices,
    "number": _number,
    "switch": _switch,
    "text": _text,
    "whole": _number,
    "wholes": _wholes,
}


def _common(props: WidgetProps, key: str, value: Any) -> dict[str, Any]:
    """The arguments that all of Streamlit's widgets take; the widget shows ``value``."""
    set_widget(key, value)
    return {
        "label": props.label,
        "help": props.help,
        "disabled": props.disabled,
        "key": key,
        "on_change": _put_widget,
        "args": (props, key),
    }


def _key_of_options(props: WidgetProps) -> str:
    """Streamlit's browser knows an option by its words, so each language has a widget of its own."""
    return f"{props.key}.{language()}"


def _plain_option(control: Control, option: Any) -> str:
    return to_plain(control.label(option))


def _markdown_option(control: Control, option: Any) -> str:
    return to_markdown(control.label(option))


@callback
def _put(props: WidgetProps, value: Any) -> None:
    props.put(value)


@callback
def _put_widget(props: WidgetProps, key: str) -> None:
    props.put(st.session_state[key])


@callback
def _put_entry(props: WidgetProps, numbers: list[int], i: int, key: str) -> None:
    props.put((*numbers[:i], int(st.session_state[key]), *numbers[i + 1 :]))


def _decimals(step: float) -> str:
    """A format with as many decimals as the slider's step has."""
    text = f"{step:.6f}".rstrip("0")
    return f"%.{len(text.split('.')[1])}f"


def format_number(value: Any) -> str:
    """A number as a person writes it: 0.0003, 20,000, 1e-6."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6f}".rstrip("0") if 1e-4 <= abs(value) < 1 else f"{value:g}".replace("e-0", "e-")
