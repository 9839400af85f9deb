"""What this machine can train on. Finding out takes seconds the first time, so no page ever waits for it."""

import threading
from functools import cache

from core.runs.server.engine import engine


@cache
def _results() -> list[list[str]]:
    """Where the result will be; looked for once by this process."""
    results: list[list[str]] = []
    threading.Thread(target=lambda: results.append(engine().devices()), name="devices", daemon=True).start()
    return results


def devices() -> list[str] | None:
    """The devices, ``None`` while they are not known."""
    results = _results()
    return results[0] if results else None
