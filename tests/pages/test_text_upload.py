"""A pasted text is stored, and the setting holds its name."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.data import uploads


def script() -> None:
    import streamlit as st

    from core.algorithms.word2vec.config import Word2VecConfig
    from pages.parts.field_widgets import WidgetProps
    from pages.parts.fields import controls
    from pages.parts.session import show_notices
    from pages.parts.widgets import widget

    def put(name: str) -> None:
        st.session_state["name"] = name

    show_notices()
    name = st.session_state.get("name", "")
    widget(WidgetProps(controls(Word2VecConfig)["text"], name, put, key="own", label="Text", help="", disabled=False))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    return AppTest.from_function(script, default_timeout=60).run()


def test_a_pasted_text_is_stored_and_its_beginning_shown(app: AppTest) -> None:
    assert not app.caption
    app.text_area[0].set_value("the cat eats the fish\n宝玉").run()
    assert not app.exception
    name = app.session_state["name"]
    assert uploads.read(name) == "the cat eats the fish\n宝玉"
    assert [c.value for c in app.caption] == ["24 characters: the cat eats the fish 宝玉…"]


def test_the_beginning_of_a_text_is_no_markdown(app: AppTest) -> None:
    app.text_area[0].set_value("![x](http://evil.example/x.png) *and* :red[more]").run()
    assert [c.value for c in app.caption] == [
        "48 characters: \\!\\[x\\]\\(http\\:\u2060\\/\\/evil\\.example\\/x\\.png\\) \\*and\\* \\:\u2060red\\[more\\]…"
    ]
