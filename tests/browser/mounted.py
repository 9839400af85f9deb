"""The stage in real Streamlit, fed by the scripted server: ``streamlit run tests/browser/mounted.py``."""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser.scripted import Script, routes  # noqa: E402

app = st.App(ROOT / "tests/browser/mounted_page.py", routes=routes(Script()))
