"""The app as the bench serves it: Tenfold, and a route by which the bench starts runs."""

import streamlit as st

import app as tenfold
from core.bench.start_route import start_route

app = st.App(
    tenfold.MAIN_SCRIPT,
    lifespan=tenfold.lifespan,
    routes=[*tenfold.routes, start_route(tenfold.base)],
    middleware=tenfold.middleware,
    on_script_error=tenfold.mishap,
)
