"""Looks at a training that runs on: panels come in turn, the foremost each time, and nothing in the state changes."""

import importlib
from typing import Any

import pytest

from core.events import Snapshot, Step
from core.registry import experiments
from tests.core.algorithms.driven import same, saved

#: Panels that are told only when there is something new: another node to follow, another evaluation.
RARE = {"gnn": {"field"}, "dqn": {"calibration"}}


@pytest.mark.parametrize("slug", list(experiments()))
def test_panels_come_in_turn_and_the_foremost_at_each_look(slug: str) -> None:
    experiment = experiments()[slug]
    program: Any = importlib.import_module(experiment.program)
    config = experiment.config(**experiment.presets[0].settings)
    state = program.build(config, program.load(config), "cpu")
    for event in program.train(state):
        if isinstance(event, Step) and event.step == 5:
            break

    def told(everything: bool) -> set[str]:
        return {e.panel for e in program.observe(state, everything=everything) if isinstance(e, Snapshot)}

    whole = told(True)
    before = saved(state.state_dict())
    looks = [told(False) for _ in range(6)]
    assert same(before, saved(state.state_dict()))
    foremost = next(panel.name for panel in experiment.panels if panel.size == "hero")
    assert all(foremost in look for look in looks)
    assert all(look < whole for look in looks), "each is less work than all of them"
    assert set().union(*looks) == whole - RARE.get(slug, set()), "and none is forgotten"
    assert told(True) == whole
