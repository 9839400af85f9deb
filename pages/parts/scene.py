"""What the stage is told: the panels and words of the experiment, the run in sight, and whether the draft differs."""

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
from pages.parts.language import language
from pages.parts.session import owner
from pages.parts.watch import Watched, turned

#: Steps a second of the speed control; 0 is full speed.
SPEEDS = (1, 5, 25, 0)


def recorded(experiment: Experiment) -> str | None:
    """The recorded run that plays until somebody trains."""
    run = f"recorded-{experiment.slug}"
    try:
        engine().library.info(run)
    except Refusal:
        return None
    return run


def scene(experiment: Experiment, draft: Draft, seen: Watched | None) -> dict[str, Any]:
    """The data of the stage, in English words that it looks up itself."""
    played = None if seen else recorded(experiment)
    shown = _shown_settings(seen, played)
    return {
        "page": experiment.slug,
        "version": assets_version(),
        "lang": language(),
        "run": seen.id if seen else None,
        "recorded": played,
        "recordedAs": _preset(experiment, played) if played else None,
        "mine": bool(seen and seen.mine),
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
            }
            for panel in experiment.panels
            if all((shown or draft.values).get(name) in values for name, values in panel.shown_if.items())
        ],
        "metrics": [
            {"name": metric.name, "title": metric.title, "sentence": metric.sentence, "better": metric.better}
            for metric in experiment.metrics
        ],
        "fields": {name: control.title for name, control in fields.controls(experiment.config).items()},
        "speeds": list(SPEEDS),
        "parts": list(experiment.parts),
        "probes": [
            {
                "name": probe.name,
                "title": probe.title,
                "sentence": probe.sentence,
                "keys": {key: dict(asked) for key, asked in probe.keys.items()},
                "labels": dict(probe.labels),
                "idle": None if probe.idle is None else dict(probe.idle),
                "beat": probe.beat,
                "click": probe.click,
                "text": probe.text,
            }
            for probe in experiment.probes
            if all((shown or draft.values).get(name) in values for name, values in probe.shown_if.items())
        ],
        "changed": changed(draft, seen, experiment),
        "batch": None,
        "frame": None,
        "refusal": None,
    }


def _preset(experiment: Experiment, run: str) -> str | None:
    """Title of the preset that a run was started from."""
    name = engine().library.info(run).preset
    return next((preset.title for preset in experiment.presets if preset.name == name), None)


def changed(draft: Draft, seen: Watched | None, experiment: Experiment) -> bool:
    """Whether a run made now would have other settings than the one in sight."""
    if seen is not None and seen.mine and seen.active:
        return False  # what is fixed cannot be changed, and what is live has been turned in the run itself
    shown = _shown_settings(seen, None if seen else recorded(experiment))
    return bool(shown) and draft.differs(shown)


def _shown_settings(seen: Watched | None, played: str | None) -> dict[str, Any]:
    """The settings of the run that the stage shows."""
    if seen is not None:
        return seen.view.info.config | turned(seen)
    return engine().library.info(played).config if played else {}


def _step() -> int | None:
    text = st.query_params.get("step", "")
    return int(text) if text.isdecimal() and len(text) < 12 else None


def news(run: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage that has no socket is fed with, or why there is nothing."""
    panels = [str(panel) for panel in asked.get("panels") or []]
    # Another run's place says nothing of this one: all of it is told.
    since, step = (asked.get("since"), asked.get("step")) if asked.get("run") == run else (0, None)
    try:
        fed = {"batch": hub().batch(run, since if isinstance(since, int) else 0, panels, owner())}
        if isinstance(step, int) and step >= 0:  # looked back at, and not there yet
            fed["frame"] = hub().frame_at(run, step, panels) | {"step": step}
        return fed
    except Refusal as refusal:
        return {"refusal": asdict(refusal.sentence)}
