"""What this machine can train on. Asking takes seconds the first time, so no page ever waits for the answer."""

import threading
from functools import cache

from core.runs.server.engine import engine


@cache
def _asked() -> list[list[str]]:
    """Where the answer will be; asked for once by this process."""
    answers: list[list[str]] = []
    threading.Thread(target=lambda: answers.append(engine().devices()), name="devices", daemon=True).start()
    return answers


def devices() -> list[str] | None:
    """The devices, ``None`` while they are not known."""
    answers = _asked()
    return answers[0] if answers else None
