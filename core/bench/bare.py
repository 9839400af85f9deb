"""The same training without any engine: a loop over ``program.train`` and nothing else, in a process of its own.

Reads a line of JSON for each measurement and answers with steps a second.
"""

import importlib
import json
import sys
import time

from core import registry
from core.events import Step
from core.runs import worker


def rate(slug: str, preset: str, seed: int, warm: float, seconds: float) -> float:
    """Steps a second over ``seconds`` after ``warm`` seconds."""
    experiment = registry.get(slug)
    settings = next(one for one in experiment.presets if one.name == preset).settings
    config = experiment.config(**{**settings, "seed": seed})
    program = importlib.import_module(experiment.program)
    training = program.train(program.build(config, program.load(config), "cpu"))
    clock = time.perf_counter
    steps, begin = 0, clock()
    for event in training:
        if isinstance(event, Step) and clock() - begin >= warm:
            break
    begin = clock()
    for event in training:
        if isinstance(event, Step):
            steps += 1
            if clock() - begin >= seconds:
                break
    return steps / (clock() - begin)


def main() -> None:
    import torch

    worker.be_nice()  # as the watched one: on a machine that does other things as well, only equals can be compared
    torch.set_num_threads(int(sys.argv[1]))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(rate(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
