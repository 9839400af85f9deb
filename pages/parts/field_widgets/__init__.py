"""The widgets of settings that are not typed, such as a drawing: a module here for each kind of ``core.field_kinds``.

A module registers its widget by :func:`widget_for`. All modules of this package are imported before the first look-up,
so that a further kind is a further module and nothing else.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st

from core.field_kinds import FieldKind
from pages.parts.fields import Control


@dataclass(frozen=True, slots=True)
class WidgetProps:
    """What a widget shows, and where the value goes that a person chooses.

    Attributes:
        put: called with the new value.
        key: of the Streamlit widget; stable, so that it keeps its focus through a rerun.
        label, help: Markdown in the person's language.
    """

    control: Control
    value: Any
    put: Callable[[Any], None]
    key: str
    label: str
    help: str
    disabled: bool


Widget = Callable[[WidgetProps], None]

_WIDGETS: dict[str, Widget] = {}


def widget_for(kind: FieldKind) -> Callable[[Widget], Widget]:
    """Registers the decorated function as the widget of a kind."""

    def register(widget: Widget) -> Widget:
        _WIDGETS[kind.name] = widget
        return widget

    return register


def widget_of(kind: FieldKind) -> Widget:
    """The widget of a kind.

    Raises:
        TypeError: none is registered.
    """
    _import_widgets()
    try:
        return _WIDGETS[kind.name]
    except KeyError:
        raise TypeError(f"no widget for settings of the kind {kind.name!r}") from None


@cache
def _import_widgets() -> None:
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)


@contextmanager
def labelled(props: WidgetProps, name: str) -> Iterator[None]:
    """A container that begins with the setting's label, for a widget without one. ``name`` is part of its CSS class."""
    with st.container(key=f"{props.key}.labelled.{name}", gap="xxsmall"):
        st.markdown(props.label, help=props.help)
        yield
