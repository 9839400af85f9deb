"""How the bench starts runs in the server it measures: one route, there only while ``TENFOLD_BENCH`` holds a secret."""

import asyncio
import os
import secrets
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

#: Environment variable with the secret, and the header that has to hold it too.
SECRET = "TENFOLD_BENCH"
HEADER = "x-tenfold-bench"


def routes(base: str = "") -> list[BaseRoute]:
    """The route, or nothing: a server that is not being measured has no such door."""
    return [Route(f"{base}/lab/bench/start", _start, methods=["POST"])] if os.environ.get(SECRET) else []


async def _start(request: Request) -> Response:
    """Start a run as a page would, and say when that was asked."""
    from core import registry
    from core.experiment import Stop
    from core.runs.server.engine import engine

    if not secrets.compare_digest(request.headers.get(HEADER, ""), os.environ[SECRET]):
        return Response(status_code=403)
    asked_at = time.time()
    asked = await request.json()
    experiment = registry.get(asked["slug"])
    preset = next(preset for preset in experiment.presets if preset.name == asked["preset"])
    config = experiment.config(**{**preset.settings, "seed": asked["seed"]})
    run = await asyncio.to_thread(
        engine().start, experiment.slug, config, Stop(steps=asked["steps"]), "cpu", asked["owner"], None, preset.name
    )
    return JSONResponse({"run": run, "asked_at": asked_at})
