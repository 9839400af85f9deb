"""Finds the algorithms: every ``core/algorithms/<slug>/spec.py`` holds an ``experiment``.

``TENFOLD_ALGORITHMS`` may name more modules that hold one, separated by commas: an algorithm of one's own, or a test's.
"""

import importlib
import os
from functools import cache
from pathlib import Path

from core.experiment import Experiment
from core.words import N_, Refusal

_ALGORITHMS = Path(__file__).parent / "algorithms"


@cache
def experiments() -> dict[str, Experiment]:
    """All experiments by slug, in the order of the menu."""
    found = {}
    for spec in sorted(_ALGORITHMS.glob("*/spec.py")):
        module = importlib.import_module(f"core.algorithms.{spec.parent.name}.spec")
        experiment: Experiment = module.experiment
        if experiment.slug != spec.parent.name:
            raise ValueError(f"{spec} declares the slug {experiment.slug!r}")
        found[experiment.slug] = experiment
    for name in filter(None, os.environ.get("TENFOLD_ALGORITHMS", "").split(",")):
        experiment = importlib.import_module(name.strip()).experiment
        found[experiment.slug] = experiment
    return dict(sorted(found.items(), key=lambda item: (item[1].place, item[0])))


def get(slug: str) -> Experiment:
    """The experiment called ``slug``.

    Raises:
        Refusal: there is none.
    """
    try:
        return experiments()[slug]
    except KeyError:
        known = ", ".join(experiments())
        raise Refusal(
            "algorithm", N_("There is no algorithm called {slug}; there are: {known}."), slug=slug or "''", known=known
        ) from None
