"""The little CSS that Streamlit's theme cannot express."""

from functools import cache
from pathlib import Path

import streamlit as st

_FILE = Path(__file__).parents[2] / "assets" / "theme" / "page.css"


@cache
def _css() -> str:
    return _FILE.read_text(encoding="utf-8")


def style() -> None:
    """Put Tenfold's CSS into the page."""
    st.html(f"<style>{_css()}</style>")
