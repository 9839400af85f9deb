"""The page of the setting, with the scripts it loads: ``streamlit run tests/browser/picture_upload_harness.py``."""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from core.web import routes  # noqa: E402

app = st.App(ROOT / "tests/browser/picture_upload_page.py", routes=routes())
