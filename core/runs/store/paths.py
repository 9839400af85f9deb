"""Where everything is: the project's own folders, the runs, and the files in the folder of one run."""

import os
from pathlib import Path

import platformdirs

#: The checkout: what a child process starts in, so that it finds ``core``.
PROJECT = Path(__file__).parents[3]

ASSETS = PROJECT / "assets"

#: The recorded runs that come with the app: a folder for each algorithm, and for each preset that others start from.
RECORDED = ASSETS / "recorded"


def runs_folder() -> Path:
    """The folder of the runs: ``TENFOLD_RUNS``, else one in the user's data folder."""
    chosen = os.environ.get("TENFOLD_RUNS")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("tenfold")) / "runs"


def info_file(run: Path) -> Path:
    """What the run is. Written once, as the last file of a new run: a folder without it is no run."""
    return run / "run.json"


def log_file(run: Path) -> Path:
    """The events, in SQLite. Written by the worker."""
    return run / "log.sqlite"


def control_file(run: Path) -> Path:
    """What the server requests of the worker."""
    return run / "control.json"


def lock_file(run: Path) -> Path:
    """Locked by the worker as long as it lives."""
    return run / "worker.lock"


def process_file(run: Path) -> Path:
    """Which process took the lock last."""
    return run / "worker.json"


def output_file(run: Path) -> Path:
    """What the worker printed."""
    return run / "worker.out"


def checkpoints_folder(run: Path) -> Path:
    return run / "checkpoints"


def start_file(run: Path) -> Path:
    """The checkpoint of another run with whose weights this one begins, where it does."""
    return run / "start.safetensors"


def exports_folder(run: Path) -> Path:
    """Exported files, in a folder for each checkpoint that some were written from."""
    return run / "files"


def export_folder(run: Path, step: int) -> Path:
    """The files exported from the checkpoint saved at ``step``."""
    return exports_folder(run) / f"{step:09d}"
