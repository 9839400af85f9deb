"""The stage in a page: mounts the custom component and passes it its props.

What the browser sends comes back as the result's ``action`` (a trigger, one dict) and ``fallback`` (a state, a dict
while no socket can be had, else ``None``); assets/stage/stage.js is the other end.
"""

from collections.abc import Callable
from typing import Any

from pages.parts.component import component

_component = component("tenfold_stage", "stage/stage.js")


def _ignore() -> None:
    """Streamlit keeps a value only where it has a callback; the page reads it from the result."""


def stage(data: dict[str, Any], key: str, on_action: Callable[[], None] = _ignore) -> Any:
    """Mount the stage, or pass changed props to the mounted one.

    Args:
        data: what to draw: page, version, lang, run, recorded, recordedAs, mine, step, keys, panels, metrics, fields,
            speeds, parts, probes, changed, batch, frame, refusal.
        key: keeps the stage mounted through reruns; a page has one.
        on_action: called with an action in ``st.session_state[key]``, before anything is drawn.

    Returns:
        an object with ``action`` (``None``, or what was pressed just now, such as ``{"do": "train"}``) and
        ``fallback`` (``None``, or ``{"run", "since", "panels", "step"}`` while the page has to feed the stage by
        ``batch`` and, for a step on the time line, ``frame``).
    """
    return _component(
        key=key,
        data=data,
        default={"fallback": None},
        on_action_change=on_action,
        on_fallback_change=_ignore,
    )
