"""The toy's answers, and the ways in which an answer can fail."""

import os
import time
from collections.abc import Iterator

import numpy as np
import torch

from core.drawn_picture import ink
from core.events import Event, Snapshot
from core.experiment import overtaken
from tests.toy.spec import Question
from tests.toy.train import ToyState

#: Events of an answer that comes piece by piece, a tenth of a second apart.
PIECES = 15


def probe(state: ToyState, name: str, requests: Iterator[Question]) -> Iterator[Event]:
    """What the network outputs at the place (x, share of ink); how many requests this session has had."""
    for count, question in enumerate(requests, start=1):
        if question.how == "by error":
            raise RuntimeError("the toy does not know")
        if question.how == "by death":
            os._exit(3)
        if question.how == "no more":
            return
        if question.how == "slowly":
            time.sleep(0.2)
        while question.how == "never":
            time.sleep(0.01)
        share = float(ink(question.drawing, 56).mean()) / 255
        with torch.no_grad():
            output = state.model(torch.tensor([[question.x, share]])).numpy()
            if question.how == "piecewise":
                for _ in range(PIECES):
                    yield Snapshot(state.step, name, {"output": output[0], "count": np.array([count])})
                    if overtaken(requests):
                        break
                    time.sleep(0.1)
            if question.how == "twice":
                yield Snapshot(state.step, name, {"output": output[0], "count": np.array([count])})
            yield Snapshot(state.step, name, {"output": output[0], "count": np.array([count])})
