"""The files that can be exported from a run: its program writes them from the newest checkpoint.

They are written in a process of its own (``python -m core export``), since only that may import torch, and kept in the
run's folder until the run has a newer checkpoint.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from core import registry
from core.runs.store import checkpoints
from core.runs.store.library import Library
from core.runs.store.paths import PROJECT, export_folder
from core.runs.store.restore import restore
from core.words import N_, Refusal

#: Seconds that writing the files may take.
TIMEOUT_S = 300


def export_run(library: Library, run: str, target: Path) -> list[Path]:
    """Write a run's files into ``target``. Imports the algorithm and torch with it.

    Raises:
        Refusal: this run has no files, or has saved nothing yet.
    """
    info = library.info(run)
    experiment = registry.get(info.slug)
    if not experiment.files:
        raise Refusal("run", N_("{title} has no files to take along."), title=experiment.title)
    restored = restore(library.folder(run), device="cpu")
    if restored is None or restored.program.export is None:
        raise Refusal("run", N_("This run has saved nothing yet."))
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".writing-") as place:
        written: list[Path] = restored.program.export(restored.state, Path(place))
        for path in written:
            path.replace(target / path.name)
    return [target / path.name for path in written]


def exported_files(folder: Path) -> list[Path]:
    """The files exported from the newest checkpoint of a run's folder; none where they have yet to be written."""
    place = _place(folder)
    return sorted(p for p in place.iterdir() if p.is_file()) if place is not None and place.is_dir() else []


def export_files(folder: Path) -> list[Path]:
    """Write them, in a process of its own, and wait for it.

    Raises:
        Refusal: it could not be done.
    """
    place = _place(folder)
    if place is not None and not exported_files(folder):
        command = [sys.executable, "-m", "core", "export", folder.name, "--to", str(place)]
        env = {**os.environ, "TENFOLD_RUNS": str(folder.parent), "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise Refusal("run", N_("Writing the files took too long.")) from None
        if done.returncode:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [""]
            raise Refusal("run", N_("The files could not be written: {why}"), why=lines[-1])
    return exported_files(folder)


def _place(folder: Path) -> Path | None:
    """Where the files of the newest checkpoint lie; nowhere without one."""
    steps = checkpoints.steps(folder)
    return export_folder(folder, steps[-1]) if steps else None
