"""The stage in real Streamlit, connected to the fake server: ``streamlit run tests/browser/streamlit_harness.py``."""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser.fake_server import FakeServer, routes  # noqa: E402

app = st.App(ROOT / "tests/browser/streamlit_harness_page.py", routes=routes(FakeServer()))
