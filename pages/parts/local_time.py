"""Moments in the person's own time."""

from datetime import UTC, datetime, timedelta

import streamlit as st


def local_time(seconds: float) -> str:
    """A moment, in seconds since 1970, to the minute."""
    offset = timedelta(minutes=-(st.context.timezone_offset or 0))
    return f"{datetime.fromtimestamp(seconds, UTC) + offset:%Y-%m-%d %H:%M}"
