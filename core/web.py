"""What the server serves beside Streamlit's own: the cookie that makes a run its owner's, and the stage's files.

Files requested with ``?v=<version>`` are kept by the browser for good; without it they are validated each time. Nothing
comes from another host: Plotly's bundle is the installed package's.
"""

import gzip
import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import re
import secrets
from functools import cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.runs.server.socket import COOKIE
from core.runs.store.paths import ASSETS

#: Environment variable with modules, separated by commas, whose ``routes(base)`` the app serves as well.
EXTENSIONS = "TENFOLD_EXTENSIONS"

#: Seconds that the cookie lasts after the last visit; browsers allow no more.
MAX_AGE_S = 400 * 24 * 3600

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,128}")
_FOREVER = "public, max-age=31536000, immutable"


@cache
def assets_version() -> str:
    """Changes with every file of the components and with the words."""
    found = hashlib.sha256()
    for path in sorted(ASSETS.rglob("*")):
        if path.suffix in (".js", ".css", ".po"):
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:12]


def extension_routes(base: str = "") -> list[BaseRoute]:
    """Routes of the modules that :data:`EXTENSIONS` names; none for a user's server."""
    names = filter(None, os.environ.get(EXTENSIONS, "").split(","))
    return [route for name in names for route in importlib.import_module(name).routes(base)]


@cache
def plotly_version() -> str:
    return importlib.metadata.version("plotly")


class Cookie:
    """Gives each browser a token of its own with the first document, before any socket is opened.

    Only documents (``Accept: text/html``) give one: of the many requests a fresh page sends at once, two would
    otherwise make two tokens.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if scope["type"] != "http" or scope["method"] != "GET" or "text/html" not in headers.get("accept", ""):
            await self._app(scope, receive, send)
            return
        known = re.search(rf"(?:^|;\s*){COOKIE}=([^;]*)", headers.get("cookie", ""))
        token = known[1].strip() if known and _TOKEN.fullmatch(known[1].strip()) else secrets.token_urlsafe(32)
        value = f"{COOKIE}={token}; HttpOnly; Max-Age={MAX_AGE_S}; Path=/; SameSite=Lax"
        https = "https" in (scope["scheme"], headers.get("x-forwarded-proto", "").split(",")[0].strip())

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", f"{value}; Secure" if https else value)
            await send(message)

        await self._app(scope, receive, with_cookie)


class _Assets(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope["query_string"] and response.status_code < 400
        response.headers["Cache-Control"] = _FOREVER if versioned else "no-cache"
        return response


@cache
def _plotly() -> tuple[bytes, bytes]:
    """Plotly's bundle, plain and compressed."""
    spec = importlib.util.find_spec("plotly")  # located, not imported: 4.8 MB of text and no Python
    folder = Path(next(iter(spec.submodule_search_locations or ()))) if spec else Path()
    plain = (folder / "package_data" / "plotly.min.js").read_bytes()
    return plain, gzip.compress(plain, 6)


async def _plotly_js(request: Request) -> Response:
    plain, packed = await run_in_threadpool(_plotly)
    headers = {"Cache-Control": _FOREVER if "v" in request.query_params else "no-cache", "Vary": "Accept-Encoding"}
    headers["ETag"] = etag = f'"{plotly_version()}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type="text/javascript", headers={**headers, "Content-Encoding": "gzip"})
    return Response(plain, media_type="text/javascript", headers={**headers, "Content-Encoding": "identity"})


async def _words(request: Request) -> Response:
    from core.catalogue import catalogue

    language = request.path_params["language"]
    words = await run_in_threadpool(catalogue, language) if re.fullmatch(r"[a-z]{2}", language) else {}
    caching = _FOREVER if "v" in request.query_params else "no-cache"
    return JSONResponse(words, headers={"Cache-Control": caching})


def routes(base: str = "") -> list[BaseRoute]:
    """The stage's files below the app's base address."""
    return [
        Route(f"{base}/lab/plotly.min.js", _plotly_js),
        Route(f"{base}/lab/words/{{language}}.json", _words),
        Mount(f"{base}/lab/assets", _Assets(directory=ASSETS, check_dir=False)),
    ]
