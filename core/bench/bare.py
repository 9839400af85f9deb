"""The same training without any engine: its loop and its metrics, and nothing else.

Reads a line of JSON for each measurement. One with ``warm`` and ``seconds`` is answered with the steps that stand at
either end of such a stretch, one with ``first`` and ``last`` with the steps a second between the two. Each is measured
in a process of its own, which comes to be as a run's worker does: by a fork of a warm one, where that is safe.
"""

import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch

from core import registry
from core.events import Step
from core.program import program_of
from core.runs.server.launchers import CAN_FORK
from core.runs.worker import process, zygote


def steps(slug: str, preset: str, seed: int) -> Iterator[int]:
    """Train; each step as it is made."""
    experiment = registry.get(slug)
    settings = next(one for one in experiment.presets if one.name == preset).settings
    config = experiment.config(**{**settings, "seed": seed})
    program = program_of(experiment)
    state = program.begin(config, "cpu")
    for event in program.train(state):
        if isinstance(event, Step):
            if state.should_log(event.step):
                for _ in program.log_metrics(state):
                    pass
            yield event.step


def stretch(slug: str, preset: str, seed: int, warm: float, seconds: float) -> tuple[int, int]:
    """The first step after ``warm`` seconds, and the first after ``seconds`` more."""
    clock, begin, first = time.perf_counter, time.perf_counter(), 0
    for step in steps(slug, preset, seed):
        if not first and clock() - begin >= warm:
            begin, first = clock(), step
        elif first and clock() - begin >= seconds:
            return first, step
    raise RuntimeError("a training ended by itself")


def rate(slug: str, preset: str, seed: int, first: int, last: int) -> float:
    """Steps a second from step ``first`` to ``last``."""
    begin = 0.0
    for step in steps(slug, preset, seed):
        if step == first:
            begin = time.perf_counter()
        elif step == last:
            return (last - first) / (time.perf_counter() - begin)
    raise RuntimeError("a training ended by itself")


def measure(request: dict[str, Any], threads: int) -> None:
    """Measure what is requested and print it."""
    process.be_nice()  # as the watched one: on a machine that does other things as well, only equals can be compared
    torch.set_num_threads(threads)
    print(json.dumps(rate(**request) if "first" in request else stretch(**request)), flush=True)


def main() -> None:
    zygote.warm()
    multiprocessing.set_start_method("fork" if CAN_FORK else "spawn")
    print("ready", flush=True)
    for line in sys.stdin:
        child = multiprocessing.Process(target=measure, args=(json.loads(line), int(sys.argv[1])))
        child.start()
        child.join()
        if child.exitcode:
            sys.exit(child.exitcode)  # so that nobody waits for an answer that will not come


if __name__ == "__main__":
    main()
