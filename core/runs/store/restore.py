"""A training from its run's folder: at step 0, or as it was saved, for a run that resumes, probes, exported files."""

from dataclasses import dataclass
from pathlib import Path

from core import registry, settings
from core.experiment import Config, State
from core.program import Program, program_of
from core.runs.store import checkpoints
from core.runs.store.checkpoints import Saved
from core.runs.store.library import Library, RunInfo
from core.runs.store.paths import start_file


@dataclass(frozen=True, slots=True)
class Restored:
    """A training as a checkpoint left it.

    Attributes:
        config: the settings in force when it was saved.
        saved: the checkpoint.
    """

    program: Program
    state: State
    config: Config
    saved: Saved


def begin(folder: Path, info: RunInfo, config: Config) -> tuple[Program, State]:
    """The training of a run at step 0, with the weights of another run where it starts from one. Imports torch.

    Raises:
        Refusal: the data cannot be had, or those weights do not fit.
    """
    program = program_of(registry.get(info.slug))
    state = program.begin(config, info.device)
    if info.start_from is not None:
        state.load_weights(checkpoints.load(start_file(folder)).state)
    return program, state


def restore(folder: Path, step: int | None = None, *, device: str = "", threads: int = 0) -> Restored | None:
    """The training of a run as it was saved; ``None`` where nothing was saved. Imports torch, sets its threads.

    Args:
        folder: the run's folder.
        step: the newest checkpoint saved at this step at the latest; ``None`` for the newest of all.
        device: where it shall be; ``""`` for the run's own.
        threads: torch's threads; 0 for those it was trained with, without which its last bits would differ.

    Raises:
        Refusal: the run's description is damaged, or its data cannot be had any more.
    """
    import torch

    info = Library(folder.parent).info(folder.name)
    experiment = registry.get(info.slug)
    saved = checkpoints.newest(folder, step)
    if saved is None:
        return None
    torch.set_num_threads(threads or saved.threads)
    program = program_of(experiment)
    config = settings.check(experiment.config, saved.config)
    state = program.begin(config, device or info.device)
    state.load_state_dict(saved.state)
    return Restored(program, state, config, saved)
