"""The route by which the bench starts runs. Only the server that the bench starts loads it (``TENFOLD_EXTENSIONS``)."""

import asyncio
import os
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core import registry
from core.experiment import Stop
from core.runs.server.engine import engine

#: Environment variable with the secret that a request has to bring in :data:`HEADER`.
SECRET = "TENFOLD_BENCH"
HEADER = "x-tenfold-bench"


def routes(base: str = "") -> list[Route]:
    """``POST /lab/bench/start`` below the app's base address. The environment has to hold a secret.

    Raises:
        KeyError: it holds none.
    """
    secret = os.environ[SECRET]

    async def start(request: Request) -> Response:
        """Start a run as a page would, and answer with its id."""
        if not secrets.compare_digest(request.headers.get(HEADER, ""), secret):
            return Response(status_code=403)
        body = await request.json()
        experiment = registry.get(body["slug"])
        preset = next(preset for preset in experiment.presets if preset.name == body["preset"])
        config = experiment.config(**{**preset.settings, "seed": body["seed"]})
        stop = Stop(steps=body["steps"])
        run = await asyncio.to_thread(
            engine().start, experiment.slug, config, stop, "cpu", body["owner"], None, preset.name
        )
        return JSONResponse({"run": run})

    return [Route(f"{base}/lab/bench/start", start, methods=["POST"])]
