"""A saved training, alive again: one way back for a run that resumes, for probes and for exported files."""

from dataclasses import dataclass
from pathlib import Path

from core import registry, settings
from core.experiment import Config, State
from core.program import Program, program_of
from core.runs.store import checkpoints
from core.runs.store.checkpoints import Saved
from core.runs.store.library import Library


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
