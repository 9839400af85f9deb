"""A page that puts hostile values into each Streamlit element that parses Markdown."""

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.words import Sentence
from pages.parts.language import to_markdown
from tests.browser.hostile import VALUES

for n, value in enumerate(VALUES):
    text = to_markdown(Sentence("it was {value}.", {"value": value}))
    alone = to_markdown(Sentence("{value}", {"value": value}))
    with st.container(key=f"value-{n}"):
        st.markdown(text)
        st.markdown(alone)
        st.error(text)
        st.info(alone)
        st.caption(text)
        st.toggle(text, key=f"toggle-{n}")
        st.button(text, key=f"button-{n}")
        st.title(alone, anchor=False)
