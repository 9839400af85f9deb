"""The props of the stage: panels and words of the experiment, the run to show, whether the draft differs from it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.experiment import Experiment
from core.runs.server.engine import engine
from core.runs.server.hub import hub
from core.web import assets_version
from core.words import Refusal
from pages.parts import fields
from pages.parts.draft import Draft
from pages.parts.fields import applies
from pages.parts.language import language
from pages.parts.session import owner
from pages.parts.watched_run import WatchedRun, changed_settings

#: Steps a second of the speed control; 0 is full speed.
SPEEDS = (1, 5, 25, 0)


def stage_props(experiment: Experiment, draft: Draft, watched: WatchedRun | None) -> dict[str, Any]:
    """The data of the stage. Its words are English: the stage translates them itself."""
    recorded = None if watched else _recorded(experiment)
    settings = _settings_in_force(watched, recorded) or draft.values
    return {
        "page": experiment.slug,
        "version": assets_version(),
        "lang": language(),
        "run": watched.id if watched else None,
        "recorded": recorded,
        "recordedAs": _preset(experiment, recorded) if recorded else None,
        "mine": bool(watched and watched.mine),
        "step": _step(),
        "keys": True,
        "panels": [
            {
                "name": panel.name,
                "title": panel.title,
                "sentence": panel.sentence,
                "curves": bool(panel.metrics),
                "metrics": list(panel.metrics),
                "size": panel.size,
                "scale": panel.scale,
                "click": panel.click,
            }
            for panel in experiment.panels
            if applies(panel.shown_if, settings)
        ],
        "metrics": [
            {"name": metric.name, "title": metric.title, "sentence": metric.sentence, "better": metric.better}
            for metric in experiment.metrics
        ],
        "fields": {
            name: control.title
            for name, control in fields.controls(experiment.config).items()
            if name not in {panel.click for panel in experiment.panels}  # what is clicked changes what is shown alone
        },
        "speeds": list(SPEEDS),
        "parts": list(experiment.parts),
        "probes": [
            {
                "name": probe.name,
                "title": probe.title,
                "sentence": probe.sentence,
                "keys": {key: dict(request) for key, request in probe.keys.items()},
                "labels": dict(probe.labels),
                "idle": None if probe.idle is None else dict(probe.idle),
                "beat": probe.beat,
                "click": probe.click,
                "text": probe.text,
                "canvas": probe.canvas,
                "canvasSize": probe.canvas_size,
                "point": None if probe.point is None else list(probe.point),
            }
            for probe in experiment.probes
            if applies(probe.shown_if, settings)
        ],
        "changed": draft_differs(experiment, draft, watched),
        "batch": None,
        "frame": None,
        "refusal": None,
    }


def draft_differs(experiment: Experiment, draft: Draft, watched: WatchedRun | None) -> bool:
    """Whether a new run would have other settings than the one on the stage."""
    if watched is not None and watched.mine and watched.active:
        return False  # what is fixed cannot be changed, and what is live has been changed in the run itself
    recorded = None if watched else _recorded(experiment)
    settings = _settings_in_force(watched, recorded)
    info = watched.view.info if watched else engine().library.info(recorded) if recorded else None
    return info is not None and draft.differs(settings, str(info.start_from or ""))


def fallback_props(run: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """What changed since the stage's last request where it has no socket, or why there is nothing."""
    panels = [str(panel) for panel in request.get("panels") or []]
    # A position in another run's log means nothing in this one: it is sent from the start.
    since, step = (request.get("since"), request.get("step")) if request.get("run") == run else (0, None)
    try:
        props = {"batch": hub().batch(run, since if isinstance(since, int) else 0, panels, owner())}
        if isinstance(step, int) and step >= 0:  # a step of the time line that the stage does not have yet
            props["frame"] = hub().frame_at(run, step, panels) | {"step": step}
        return props
    except Refusal as refusal:
        return {"refusal": asdict(refusal.sentence)}


def _recorded(experiment: Experiment) -> str | None:
    """The recorded run that plays until somebody trains."""
    run = f"recorded-{experiment.slug}"
    try:
        engine().library.info(run)
    except Refusal:
        return None
    return run


def _preset(experiment: Experiment, run: str) -> str | None:
    """Title of the preset that a run was started from."""
    name = engine().library.info(run).preset
    return next((preset.title for preset in experiment.presets if preset.name == name), None)


def _settings_in_force(watched: WatchedRun | None, recorded: str | None) -> dict[str, Any]:
    """The settings of the run that the stage shows, empty where it shows none."""
    if watched is not None:
        return watched.view.info.config | changed_settings(watched)
    return engine().library.info(recorded).config if recorded else {}


def _step() -> int | None:
    text = st.query_params.get("step", "")
    return int(text) if text.isdecimal() and len(text) < 12 else None
