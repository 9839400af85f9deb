"""The script that Streamlit runs: the frame around every page, and the list of pages."""

from pathlib import Path

import streamlit as st

from core.registry import experiments
from pages.parts.language import _, choose_language, language_switch, say
from pages.parts.style import style

PAGES = Path(__file__).parent


def _pages() -> dict[str, list[st.Page]]:
    """Home, then the algorithms that exist, by family, in the order of the menu."""
    sections: dict[str, list[st.Page]] = {
        "": [st.Page(PAGES / "home.py", title=_("Home"), url_path="home", default=True)]
    }
    for slug, experiment in experiments().items():
        page = st.Page(PAGES / f"{slug}.py", title=say(experiment.title), url_path=slug)
        sections.setdefault(say(experiment.family), []).append(page)
    return sections


def main() -> None:
    choose_language()
    st.set_page_config(page_title="Tenfold", page_icon=":material/network_node:", layout="wide")
    style()
    page = st.navigation(_pages(), position="top")
    with st.container(key="header"):
        language_switch()
    page.run()


main()
