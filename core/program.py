"""Loads what an experiment runs: the modules of its package, which import torch. The server never calls this.

An algorithm's package (``Experiment.program``) holds, by convention,

- ``train``: ``load``, ``build`` and ``train``, the algorithm itself;
- ``metrics``: ``log_metrics``, what is measured while it trains;
- ``snapshots``: ``SNAPSHOTS`` and ``STATIC_SNAPSHOTS``, what its panels draw;
- ``probes``: ``probe``, where the experiment declares probes;
- ``export``: ``export`` and ``inference_state``, each where the experiment needs it.

:mod:`core.experiment` says what each of them takes and returns.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from core.events import Array, Event
from core.experiment import Experiment, Request, State

#: A function of the state that returns a panel's arrays, ``None`` where there is nothing to draw.
SnapshotFunction = Callable[[Any], Mapping[str, Array] | None]


@dataclass(frozen=True, slots=True)
class Program:
    """The functions of an algorithm's package. What the package does not have is ``None``."""

    load: Callable[[Any], Any]
    build: Callable[[Any, Any, str], State]
    train: Callable[[Any], Iterator[Event]]
    log_metrics: Callable[[Any], Iterator[Event]]
    snapshots: Mapping[str, SnapshotFunction]
    static_snapshots: Mapping[str, SnapshotFunction]
    probe: Callable[[Any, str, Iterator[Request]], Iterator[Event]] | None
    export: Callable[[Any, Path], list[Path]] | None
    inference_state: Callable[[dict[str, Any]], dict[str, Any]] | None

    def begin(self, config: Any, device: str) -> State:
        """A training at step 0: data, networks, optimisers.

        Raises:
            Refusal: the data cannot be had, or not with these settings.
        """
        return self.build(config, self.load(config), device)


def program_of(experiment: Experiment) -> Program:
    """The program of an experiment; imports torch."""
    return _program(experiment.program, bool(experiment.probes))


@cache
def _program(package: str, probes: bool) -> Program:
    train, metrics, snapshots = (
        importlib.import_module(f"{package}.{name}") for name in ("train", "metrics", "snapshots")
    )
    export = _optional(f"{package}.export")
    return Program(
        load=train.load,
        build=train.build,
        train=train.train,
        log_metrics=metrics.log_metrics,
        snapshots=snapshots.SNAPSHOTS,
        static_snapshots=getattr(snapshots, "STATIC_SNAPSHOTS", {}),
        probe=importlib.import_module(f"{package}.probes").probe if probes else None,
        export=getattr(export, "export", None),
        inference_state=getattr(export, "inference_state", None),
    )


def _optional(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise  # it is there, and lacks something itself
        return None
