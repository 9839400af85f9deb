"""The files that can be exported from a run: its program writes them from the newest checkpoint.

They are written in a process of its own (``python -m core export``), since only that may import torch, and kept in the
run's folder until they are written from a newer checkpoint.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from core import registry
from core.runs.store import checkpoints
from core.runs.store.library import Library
from core.runs.store.paths import PROJECT, export_folder, exports_folder
from core.runs.store.restore import restore
from core.words import N_, Refusal

#: Seconds that writing the files may take.
TIMEOUT_S = 300


def export_run(library: Library, run: str, target: Path, step: int | None = None) -> list[Path]:
    """Write a run's files into ``target``. Imports the algorithm and torch with it.

    Args:
        step: from the newest checkpoint saved at this step at the latest; ``None`` for the newest of all.

    Raises:
        Refusal: this run has no files, or has saved nothing yet.
    """
    info = library.info(run)
    experiment = registry.get(info.slug)
    if not experiment.files:
        raise Refusal("run", N_("{title} has no files to take along."), title=experiment.title)
    restored = restore(library.folder(run), step, device="cpu")
    if restored is None or restored.program.export is None:
        if step is not None:
            raise Refusal("step", N_("This run has saved nothing at step {step} or before."), step=step)
        raise Refusal("run", N_("This run has saved nothing yet."))
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".writing-") as place:
        written: list[Path] = restored.program.export(restored.state, Path(place))
        for path in written:
            path.replace(target / path.name)
    return [target / path.name for path in written]


def exported_files(folder: Path) -> list[Path]:
    """The files of a run's folder that were exported last; none where they have yet to be written."""
    return next((files for place in reversed(_places(folder)) if (files := _files(place))), [])


def step_of(file: Path) -> int:
    """The step of the checkpoint that an exported file was written from."""
    return int(file.parent.name)


def is_current(folder: Path) -> bool:
    """Whether there is nothing newer to export."""
    steps, files = checkpoints.steps(folder), exported_files(folder)
    return not steps or (bool(files) and step_of(files[0]) == steps[-1])


def export_files(folder: Path) -> list[Path]:
    """Write those of the newest checkpoint, in a process of its own, wait for it, and delete those of earlier ones. A
    run that trains may save itself meanwhile: the files are those of the checkpoint that was the newest at first.

    Raises:
        Refusal: it could not be done.
    """
    steps = checkpoints.steps(folder)
    if not steps:
        return []
    place = export_folder(folder, steps[-1])
    if not _files(place):
        step, to = str(steps[-1]), str(place)
        command = [sys.executable, "-m", "core", "export", folder.name, "--step", step, "--to", to]
        env = {**os.environ, "TENFOLD_RUNS": str(folder.parent), "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise Refusal("run", N_("Writing the files took too long.")) from None
        if done.returncode:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or [""]
            raise Refusal("run", N_("The files could not be written: {why}"), why=lines[-1])
    for other in _places(folder):
        if other != place:
            shutil.rmtree(other, ignore_errors=True)
    return _files(place)


def _places(folder: Path) -> list[Path]:
    """The folders of exported files, by the steps of their checkpoints."""
    return sorted(path for path in exports_folder(folder).glob("?????????") if path.name.isdecimal())


def _files(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else []
