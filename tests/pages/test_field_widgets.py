"""A kind of setting is one object in core and one widget in pages: nothing else knows of it."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import field_kinds
from core.experiment import Config, Setting
from core.field_kinds import FieldKind
from pages.parts import fields
from pages.parts.draft import Draft, from_address, to_address
from pages.parts.field_widgets import widget_of
from pages.parts.runs import _value
from tests.pages.toy import toy
from tests.toy.kind import STAMP


class Stamped(Config):
    stamp: str = Setting("#1", "Stamp", "What to post.", group="Data", kind=STAMP)


def script() -> None:
    import streamlit as st

    from pages.parts.field_widgets import WidgetProps, widget_for
    from pages.parts.fields import controls
    from pages.parts.session import callback, set_widget
    from pages.parts.widgets import widget
    from tests.pages.test_field_widgets import Stamped
    from tests.toy.kind import STAMP

    @widget_for(STAMP)
    def stamp(props: WidgetProps) -> None:
        @callback
        def chosen() -> None:
            props.put(STAMP.store(int(st.session_state[props.key]), props.control.name, props.control.title))

        set_widget(props.key, STAMP.load(props.value, "", ""))
        st.number_input(props.label, key=props.key, on_change=chosen, step=1)

    def put(value: str) -> None:
        st.session_state["value"] = value

    value = st.session_state.get("value", "#1")
    widget(WidgetProps(controls(Stamped)["stamp"], value, put, key="own", label="Stamp", help="", disabled=False))


def test_a_further_kind_needs_one_object_and_one_widget() -> None:
    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    assert app.number_input[0].value == 1
    app.number_input[0].set_value(7).run()
    assert app.session_state["value"] == "#7"
    assert fields.controls(Stamped)["stamp"].kind is STAMP


def test_a_further_kind_goes_through_the_address_and_the_list_of_runs() -> None:
    from dataclasses import replace

    experiment: Any = replace(toy, config=Stamped, presets=toy.presets[:1])
    draft, refused = from_address(experiment, {"stamp": "#42"})
    assert not refused and to_address(draft, {}) == {"stamp": "#42"}
    _, refused = from_address(experiment, {"stamp": "blue"})
    assert [str(sentence) for sentence in refused] == ["Stamp must be a stamp such as #7; it was blue."]
    assert Draft.of(experiment).config().model_dump()["stamp"] == "#1"
    assert _value(fields.controls(Stamped)["stamp"], "#42") == "stamp \\#42"


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(field_kinds).values() if isinstance(kind, FieldKind) and not isinstance(kind, type)]
)
def test_every_kind_has_a_widget(kind: FieldKind) -> None:
    assert callable(widget_of(kind))


def test_a_kind_without_a_widget_is_an_error() -> None:
    class Bare:
        name = "bare"

    with pytest.raises(TypeError, match="no widget for settings of the kind 'bare'"):
        widget_of(Bare())  # type: ignore[arg-type]
