"""The bench's command line: a table for people, JSON for machines."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from core import registry
from core.bench.measures import Figure, Plan, measure, quick


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m core bench", description="Measure what the engine costs.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--quick", action="store_true", help="rough figures in half a minute")
    parser.add_argument("--algorithm", default="", help="which algorithm trains, and no other; see list")
    parser.add_argument("--preset", default="", help="with which settings; the first where none is named")
    options = parser.parse_args(arguments)
    slug = options.algorithm or "dnn"
    preset = options.preset or registry.get(slug).presets[0].name
    plan = quick(slug, preset) if options.quick else Plan(slug, preset)
    others = (
        [] if options.algorithm or options.quick else [_other(slug) for slug in registry.experiments() if slug != "dnn"]
    )
    begin = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="tenfold-bench-", ignore_cleanup_errors=True) as folder:
            figures = measure(plan, Path(folder), others)
    except (RuntimeError, OSError) as error:
        print(f"The bench could not be run: {error}", file=sys.stderr)
        return 1
    seconds = time.monotonic() - begin
    if options.json:
        print(json.dumps(_message(plan, figures, seconds)))
    else:
        print(_table(figures))
        print(f"\n{plan.slug}, preset {plan.preset}, {os.cpu_count()} cores, {seconds:.0f} s")
    return 0


def _other(slug: str) -> Plan:
    """Fewer pairs: the whole bench takes less than five minutes."""
    return Plan(slug, registry.get(slug).presets[0].name, pairs=4)


def _message(plan: Plan, figures: Sequence[Figure], seconds: float) -> dict[str, object]:
    return {
        "algorithm": plan.slug,
        "preset": plan.preset,
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "seconds": round(seconds, 1),
        "figures": [{**asdict(figure), "value": round(figure.value, 4), "held": figure.held} for figure in figures],
    }


def _table(figures: Sequence[Figure]) -> str:
    rows = [("", "measured", "threshold", "", "")]
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        limit = "" if figure.limit is None else f"{sign} {figure.limit:g} {figure.unit}".strip()
        held = {None: "", True: "yes", False: "NO"}[figure.held]
        rows.append((figure.name, f"{figure.value:.3g} {figure.unit}".strip(), limit, held, figure.detail))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
