"""The right widget for each kind of setting. A widget shows a value and calls ``put`` with the one a person chose."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from pages.parts.drawing import drawing
from pages.parts.fields import Control
from pages.parts.kept import kept
from pages.parts.language import _, language, say
from pages.parts.session import touch

Put = Callable[[str, Any], None]


def widget(control: Control, value: Any, put: Put, *, key: str, label: str, help: str, disabled: bool) -> None:
    """Draw a control.

    Args:
        put: called with the control's name and its new value.
        key: of the widget; stable, so that it keeps its focus through a rerun.
        label, help: in the person's language.
    """
    frame: dict[str, Any] = {"label": label, "help": help, "disabled": disabled}
    if control.kind in ("choice", "choices"):
        key = f"{key}.{language()}"  # Streamlit's browser knows an option by its words
    if control.kind == "switch":
        _keep(key, value)
        st.toggle(key=key, on_change=_put_widget, args=(put, control.name, key), **frame)
    elif control.kind == "choice":
        _choice(control, value, put, key, frame)
    elif control.kind == "choices":
        _keep(key, list(value))
        st.pills(
            options=list(control.options),
            selection_mode="multi",
            format_func=lambda option: say(control.label(option)),
            key=key,
            on_change=_put_widget,
            args=(put, control.name, key),
            **frame,
        )
    elif control.kind == "wholes":
        _wholes(control, value, put, key, frame)
    elif control.kind == "drawing":
        with st.container(key=f"{key}.drawing", gap="xxsmall"):
            st.markdown(label, help=help)
            drawing(value, partial(put, control.name), key=key, label=say(control.title), disabled=disabled)
    elif control.kind == "kept":
        with st.container(key=f"{key}.kept", gap="xsmall"):
            st.markdown(label, help=help)
            kept(control, value, partial(put, control.name), key=key, disabled=disabled)
    elif control.kind == "text":
        _keep(key, value)
        st.text_input(key=key, on_change=_put_widget, args=(put, control.name, key), **frame)
    else:
        _number(control, value, put, key, frame)


def _keep(key: str, value: Any) -> None:
    """Make the widget show ``value``; says nothing where it does already, so that a moving slider is left alone."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


@touch
def _put_widget(put: Put, name: str, key: str) -> None:
    put(name, st.session_state[key])


def _choice(control: Control, value: Any, put: Put, key: str, frame: dict[str, Any]) -> None:
    _keep(key, value)
    frame |= {
        "options": list(control.options),
        "format_func": lambda option: say(control.label(option)),
        "key": key,
        "on_change": _put_widget,
        "args": (put, control.name, key),
    }
    if len(control.options) <= 3 and sum(len(say(control.label(o))) for o in control.options) <= 24:
        st.segmented_control(required=True, width="stretch", **frame)
    else:
        st.selectbox(**frame)


def _number(control: Control, value: Any, put: Put, key: str, frame: dict[str, Any]) -> None:
    whole = control.kind == "whole"
    frame |= {"key": key, "on_change": _put_widget, "args": (put, control.name, key)}
    if (stops := control.stops()) is not None:
        value = int(value) if whole else float(value)
        _keep(key, value)
        options = sorted({*stops, value})
        st.select_slider(options=options, format_func=shown, **frame)
        return
    cast = int if whole else float
    limits = {
        "min_value": None if control.low is None else cast(control.low),
        "max_value": None if control.high is None else cast(control.high),
    }
    _keep(key, cast(value))
    if control.slides():
        st.slider(step=cast(control.step), format=None if whole else _format(control.step), **limits, **frame)
    else:
        st.number_input(step=1 if whole else None, format=None if whole else "%g", **limits, **frame)


def _format(step: float) -> str:
    """As many decimals as the slider's step has."""
    text = f"{step:.6f}".rstrip("0")
    return f"%.{len(text.split('.')[1])}f"


def shown(value: Any) -> str:
    """A number as a person reads it: 0.0003, 20,000, 1e-6."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6f}".rstrip("0") if 1e-4 <= abs(value) < 1 else f"{value:g}".replace("e-0", "e-")


def _wholes(control: Control, value: Any, put: Put, key: str, frame: dict[str, Any]) -> None:
    """One number for each entry, + for another like the last, − to drop the last."""
    numbers = list(value)
    with st.container(key=f"{key}.list", gap="xxsmall"):
        st.markdown(frame["label"], help=frame["help"])
        with st.container(horizontal=True, gap="xxsmall", vertical_alignment="bottom"):
            for i, number in enumerate(numbers):
                one = f"{key}.{i}"
                _keep(one, int(number))
                st.number_input(
                    _("{title}, entry {n}", title=say(control.title), n=i + 1),
                    min_value=None if control.low is None else int(control.low),
                    max_value=None if control.high is None else int(control.high),
                    step=1,
                    key=one,
                    on_change=_put_entry,
                    args=(put, control.name, key, i, numbers),
                    disabled=frame["disabled"],
                    label_visibility="collapsed",
                    width=64,
                )
            st.button(
                "−",
                key=f"{key}.fewer",
                help=_("Drop the last"),
                on_click=_put_list,
                args=(put, control.name, numbers[:-1]),
                disabled=frame["disabled"] or len(numbers) <= control.fewest,
            )
            last = numbers[-1] if numbers else int(control.low or 8)
            st.button(
                "+",
                key=f"{key}.more",
                help=_("Add one"),
                on_click=_put_list,
                args=(put, control.name, [*numbers, last]),
                disabled=frame["disabled"] or len(numbers) >= control.most,
            )


@touch
def _put_entry(put: Put, name: str, key: str, i: int, numbers: list[int]) -> None:
    put(name, (*numbers[:i], int(st.session_state[f"{key}.{i}"]), *numbers[i + 1 :]))


@touch
def _put_list(put: Put, name: str, numbers: list[int]) -> None:
    put(name, tuple(numbers))
