"""A tab's draft follows the address where a person went, and no address that merely lags behind."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import session


def page() -> None:
    import streamlit as st

    from core import registry
    from pages.parts.session import draft_of, write_address

    draft = draft_of(registry.get("dnn"))
    if st.session_state.pop("change", False):
        draft.values["noise"] = 0.3
    write_address(draft)
    st.session_state["noise"] = draft.values["noise"]


@pytest.fixture
def changed() -> AppTest:
    """A page whose noise was changed to 0.3 a moment ago."""
    tab = AppTest.from_function(page).run()
    assert tab.session_state["noise"] != 0.3
    tab.session_state["change"] = True
    tab.run()
    assert tab.query_params["noise"] in ("0.3", ["0.3"])
    return tab


def test_a_browser_that_does_not_know_of_the_change_yet_takes_nothing_back(changed: AppTest) -> None:
    changed.query_params.clear()
    assert changed.run().session_state["noise"] == 0.3
    assert changed.query_params["noise"] in ("0.3", ["0.3"])


def test_going_back_later_restores_what_was_there(changed: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_LAG", 0.0)
    changed.query_params.clear()
    assert changed.run().session_state["noise"] != 0.3


def test_another_address_is_followed_at_once(changed: AppTest) -> None:
    changed.query_params["noise"] = "0.1"
    assert changed.run().session_state["noise"] == 0.1


def chinese_page() -> None:
    import streamlit as st

    from core import registry
    from pages.parts.controls import preset_title
    from pages.parts.session import draft_of, write_address

    st.session_state["language"] = "zh"
    word2vec = registry.get("word2vec")
    draft = draft_of(word2vec)
    write_address(draft)
    st.session_state["preset"] = draft.preset
    st.session_state["titles"] = [preset_title(preset) for preset in word2vec.presets if preset.download]


def test_a_page_opens_with_the_preset_of_its_language_and_a_title_says_what_has_to_be_downloaded() -> None:
    tab = AppTest.from_function(chinese_page).run()
    assert tab.session_state["preset"] == "hongloumeng"
    assert not tab.query_params
    (title,) = tab.session_state["titles"]
    assert "1.5 MB" in title
    tab.query_params["preset"] = "cbow"
    assert tab.run().session_state["preset"] == "cbow"
