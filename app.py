"""Tenfold: ``streamlit run app.py``. Streamlit's pages, the live socket and the stage's files in one server.

Streamlit finds ``app`` in this module and serves it; the engine starts with the server and stops with it, leaving what
trains resumable.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware

from core import web
from core.runs.server import socket
from core.runs.server.engine import engine
from core.runs.server.hub import hub
from pages.parts.error_page import error_page


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    await asyncio.to_thread(engine)
    try:
        async with hub().running():
            yield
    finally:
        await asyncio.to_thread(engine().close)


base = f"/{st.config.get_option('server.baseUrlPath').strip('/')}".rstrip("/")

app = st.App(
    "pages/navigation.py",
    lifespan=lifespan,
    routes=[*socket.routes(hub(), base), *web.routes(base), *web.extension_routes(base)],
    middleware=[Middleware(web.Cookie)],
    on_script_error=error_page,
)
