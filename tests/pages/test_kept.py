"""A text that is pasted is kept, and the setting gets its name."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.data import uploads


def script() -> None:
    import streamlit as st

    from core.algorithms.word2vec.config import Word2VecConfig
    from pages.parts.fields import controls
    from pages.parts.kept import kept
    from pages.parts.session import show_notices

    def put(name: str) -> None:
        st.session_state["name"] = name

    show_notices()
    kept(controls(Word2VecConfig)["text"], st.session_state.get("name", ""), put, key="own", disabled=False)


def test_a_pasted_text_is_kept_and_its_beginning_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.caption
    app.text_area[0].set_value("the cat eats the fish\n宝玉").run()
    assert not app.exception
    name = app.session_state["name"]
    assert uploads.read(name) == "the cat eats the fish\n宝玉"
    assert [c.value for c in app.caption] == ["24 characters: the cat eats the fish 宝玉…"]
