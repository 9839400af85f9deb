"""An action of the stage is carried out once, however often the browser sends it."""

from typing import Any

import pytest
import streamlit as st

from core import registry
from pages.parts import algorithm_page
from pages.parts.draft import Draft


class Started:
    """An engine that only counts the runs it is to start."""

    def __init__(self) -> None:
        self.runs = 0

    def start(self, *arguments: Any, **more: Any) -> str:
        self.runs += 1
        return f"run {self.runs}"

    def move(self, stage: str, owner: str, run: str) -> None:
        pass


def test_an_action_that_is_sent_again_starts_no_second_run(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, shown = Started(), []
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(algorithm_page, "engine", lambda: engine)
    monkeypatch.setattr(algorithm_page, "hub", lambda: engine)
    monkeypatch.setattr(algorithm_page, "owner", lambda: "me")
    monkeypatch.setattr(algorithm_page, "show_run", shown.append)
    experiment = registry.get("dnn")
    draft = Draft.of(experiment)
    press = {"do": "train", "stage": "a", "id": "a.1"}
    for action in (press, press, {**press, "id": "a.2"}, {"do": "train", "stage": "a"}, {"do": "train", "stage": "a"}):
        algorithm_page._act(experiment, draft, None, action)
    assert shown == ["run 1", "run 2", "run 3", "run 4"]
