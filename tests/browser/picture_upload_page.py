"""A page with nothing but the setting for pictures of one's own."""

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.image_config import ImageConfig
from pages.parts.field_widgets import WidgetProps
from pages.parts.fields import controls
from pages.parts.language import choose_language, to_markdown
from pages.parts.style import style
from pages.parts.widgets import widget


def put(name: str) -> None:
    st.session_state["name"] = name


st.set_page_config(layout="wide", initial_sidebar_state="expanded")
choose_language()
style()
st.title("Own pictures")
control = controls(ImageConfig)["pictures"]
with st.sidebar:
    name, disabled = st.session_state.get("name", ""), bool(st.session_state.get("off"))
    widget(WidgetProps(control, name, put, "own", to_markdown(control.title), to_markdown(control.help), disabled))
st.code(st.session_state.get("name", ""))
st.toggle("off", key="off")
