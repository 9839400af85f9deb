"""A page with a slider and the stage, under an address of its own as the real pages are."""

import json
import sys
from pathlib import Path
from typing import Any

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pages.parts.stage import stage
from tests.browser.fake_server import PAGE


def home() -> None:
    st.write("home")


def dnn() -> None:
    rate = st.sidebar.slider("rate", 0, 10)
    data: dict[str, Any] = PAGE | {"page": "dnn", "run": st.query_params.get("run"), "changed": rate > 0}
    data["lang"] = "zh" if st.sidebar.toggle("zh") else "en"
    result = stage(data, key="stage")
    st.code(json.dumps({"action": result.action, "fallback": result.fallback}))


st.set_page_config(layout="wide")
st.navigation([st.Page(home, default=True), st.Page(dnn, url_path="dnn")], position="top").run()
