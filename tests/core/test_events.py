"""Events are plain, frozen and closed."""

import dataclasses
import subprocess
import sys
import typing

import pytest

from core import events
from core.runs.store.log import _KINDS
from core.runs.store.paths import PROJECT


def test_events_are_frozen_and_small() -> None:
    for kind in typing.get_args(events.Event):
        fields = dataclasses.fields(kind)
        event = kind(**{field.name: 0 for field in fields})
        for field in fields:
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(event, field.name, 1)
        assert not hasattr(event, "__dict__")


def test_every_event_but_the_workers_own_can_be_logged() -> None:
    logged = {kind.__name__.lower() for kind in typing.get_args(events.Event)} - {"step", "pulse"}
    assert set(_KINDS) == logged


def test_a_run_that_ended_is_in_a_known_state() -> None:
    assert set(events.STATES) >= events.ENDED
    assert not {"queued", "preparing", "running", "paused", "resumed"} & events.ENDED


def test_events_need_no_torch() -> None:
    code = "import sys, core.events; assert not {'torch', 'pandas', 'streamlit'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=60)
