"""Makes the recorded run that a page plays before anybody pressed Train: a real run, thinned to what a film needs."""

import dataclasses
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.events import Checkpoint, Snapshot, Text
from core.experiment import Stop
from core.program import Program, program_of
from core.registry import get
from core.runs.store import checkpoints
from core.runs.store.library import Library
from core.runs.store.log import LogReader, LogWriter, Record
from core.runs.store.paths import RECORDED, checkpoints_folder, info_file, log_file
from core.runs.worker import process
from core.settings import check, from_text

#: Bytes of a checkpoint that a recording may keep: it is part of every download.
CHECKPOINT = 2_000_000

#: Frames of a recording. The time line plays them in some twelve seconds.
FRAMES = 72


def record(slug: str, preset_name: str = "", seed: int = 0, stop: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Train a preset (the first where none is named) and keep its log as the algorithm's recorded run, and where the
    algorithm has probes its last checkpoint. A named preset that others start from is recorded in a folder of its own,
    always with its last checkpoint.

    Args:
        stop: changes of the preset's stop condition, as texts.

    Returns:
        The recording's folder. Its picture is taken in a browser (``tests/browser/pictures.py``).
    """
    experiment = get(slug)
    preset = next((p for p in experiment.presets if p.name == preset_name), experiment.presets[0])
    config = check(experiment.config, {"seed": seed, **preset.settings})
    started_from = bool(preset_name) and any(p.start_from == preset.name for p in experiment.presets)
    target = RECORDED / (f"{slug}-{preset.name}" if started_from else slug)
    with tempfile.TemporaryDirectory() as scratch:
        library = Library(Path(scratch), RECORDED)
        start = library.start(experiment.start_from(preset), slug)
        ends = from_text(Stop, stop, preset.stop)
        info = library.create(slug, config, ends, "cpu", "recorded", preset=preset.name, start=start)
        folder = library.folder(info.id)
        process.work(folder)
        target.mkdir(parents=True, exist_ok=True)
        log_file(target).unlink(missing_ok=True)
        copy_thinned(log_file(folder), log_file(target), FRAMES)
        keep_checkpoint(folder, target, program_of(experiment) if experiment.probes or started_from else None)
        recorded = info.model_copy(update={"id": f"recorded-{target.name}", "owner": ""})
        info_file(target).write_text(recorded.model_dump_json(indent=1) + "\n")
    return target


def keep_checkpoint(source: Path, target: Path, program: Program | None, most: int = CHECKPOINT) -> None:
    """Keep a run's last checkpoint for its probes and for runs that start from it, without what only a training needs,
    unless it has more than ``most`` bytes. None is kept without a ``program``."""
    shutil.rmtree(checkpoints_folder(target), ignore_errors=True)
    saved = checkpoints.newest(source)
    if program is None or saved is None:
        return
    reduced = program.inference_state(saved.state) if program.inference_state else saved.state
    file = checkpoints.save(target, dataclasses.replace(saved, state=reduced))
    if (checkpoints_folder(target) / file).stat().st_size > most:
        shutil.rmtree(checkpoints_folder(target))


def copy_thinned(source: Path, target: Path, frames: int) -> None:
    """Copy a log without its checkpoints and with ``frames`` snapshots a panel, spread evenly over the film."""
    reader = LogReader(source)
    records = [r for r in reader.events() if not isinstance(r.event, Checkpoint)]
    chosen = _evenly_spread(records, frames)
    writer = LogWriter(target)
    for record in records:
        if not isinstance(record.event, Snapshot | Text) or record.seq in chosen:
            writer.append(record.event)
    writer.flush(dataclasses.replace(reader.head(), device="cpu"))
    writer.compact()
    reader.close()


def _evenly_spread(records: list[Record], frames: int) -> set[int]:
    """Sequence numbers of the snapshots to keep: by panel, evenly, the first and the last among them."""
    by_panel: dict[str, list[int]] = {}
    for record in records:
        event: Any = record.event
        if isinstance(event, Snapshot | Text):
            by_panel.setdefault(event.panel, []).append(record.seq)
    chosen = set()
    for seqs in by_panel.values():
        count = min(frames, len(seqs))
        chosen |= {seqs[round(i * (len(seqs) - 1) / max(count - 1, 1))] for i in range(count)}
    return chosen
