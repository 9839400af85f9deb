"""The script that Streamlit runs: the frame around every page, and the list of pages."""

from pathlib import Path

import streamlit as st

from core.registry import experiments
from core.words import N_, Refusal
from pages.parts.language import _, choose_language, language_switch, to_plain
from pages.parts.session import enter, show_refusal
from pages.parts.style import style
from pages.parts.theme import theme_switch

PAGES = Path(__file__).parent
THEME = PAGES.parent / "assets" / "theme"


def _pages() -> dict[str, list[st.Page]]:
    """Home, then the algorithms that exist, by family, in the order of the menu."""
    sections: dict[str, list[st.Page]] = {
        "": [st.Page(PAGES / "home.py", title=to_plain(N_("Home")), url_path="home", default=True)]
    }
    for slug, experiment in experiments().items():
        page = st.Page(PAGES / f"{slug}.py", title=to_plain(experiment.title), url_path=slug)
        sections.setdefault(to_plain(experiment.family), []).append(page)
    return sections


def main() -> None:
    choose_language()
    about = _("Tenfold: a live laboratory for the algorithms that every course on deep learning teaches.")
    # The menu is there for its theme switch; it would be hidden if it held nothing else.
    st.set_page_config("Tenfold", str(THEME / "icon.svg"), layout="wide", menu_items={"About": about})
    style()
    st.logo(str(THEME / "logo.svg"), size="large", icon_image=str(THEME / "logo.svg"))
    page = st.navigation(_pages(), position="top")
    with st.container(key="header", horizontal=True, gap="xsmall", width="content", vertical_alignment="center"):
        language_switch()
        theme_switch()
    enter(page.url_path)
    try:
        page.run()
    except Refusal as refusal:  # the last resort: a sentence, never a traceback
        show_refusal(refusal.sentence)


main()
