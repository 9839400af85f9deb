"""The whole state of a training as one safetensors file: its tensors, and its tree as JSON in the metadata.

Loading never executes code. Integers, floats (in Python's shortest exact form) and tensors come back bit for bit. A
checksum detects a damaged file. torch is imported by whoever saves or loads, which is the worker and never the server.
"""

import json
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.runs.store import disk
from core.runs.store.paths import checkpoints_folder
from core.words import N_, Refusal

#: Checkpoints kept at the most; at one more, every second one between the first and the last is deleted.
MAX_CHECKPOINTS = 12


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint that was read.

    Attributes:
        step: updates made when it was saved.
        config: settings in force then, as plain JSON.
        trained_s: seconds of training until then.
        threads: torch's threads, which shape the last bits of a sum.
        state: what ``State.load_state_dict`` takes.
    """

    step: int
    config: dict[str, Any]
    trained_s: float
    threads: int
    state: Any


def save(run: Path, saved: Saved) -> str:
    """Write a checkpoint into the run's folder, thin the older ones, return the file's name."""
    import safetensors.torch

    tensors: dict[str, Any] = {}
    tree = _tree(saved.state, tensors, {})
    about = {
        "step": saved.step,
        "config": saved.config,
        "trained_s": saved.trained_s,
        "threads": saved.threads,
        "tree": tree,
    }
    metadata = {"tenfold": json.dumps(about), "sum": str(_sum(tensors))}
    folder = checkpoints_folder(run)
    folder.mkdir(exist_ok=True)
    path = folder / f"{saved.step:09d}.safetensors"
    disk.replace(path, safetensors.torch.save(tensors, metadata))
    for old in _surplus(files(run)):
        old.unlink(missing_ok=True)
    return path.name


def files(run: Path) -> list[Path]:
    """The run's checkpoints, oldest first."""
    return sorted(checkpoints_folder(run).glob("?????????.safetensors"))


def load(path: Path) -> Saved:
    """Read a checkpoint.

    Raises:
        Refusal: it is damaged.
    """
    import safetensors.torch

    try:
        content = path.read_bytes()
        metadata = _metadata(content)
        tensors = safetensors.torch.load(content)
        if metadata["sum"] != str(_sum(tensors)):
            raise ValueError("checksum")
        about = json.loads(metadata["tenfold"])
        tree = _from_tree(about["tree"], tensors)
        return Saved(about["step"], about["config"], about["trained_s"], about["threads"], tree)
    except Exception as error:
        raise Refusal("", N_("The checkpoint {file} is damaged."), file=path.name) from error


def steps(run: Path) -> tuple[int, ...]:
    """The steps at which the run's checkpoints were saved, rising."""
    return tuple(int(path.stem) for path in files(run) if path.stem.isdecimal())


def newest(run: Path, until: int | None = None) -> Saved | None:
    """The newest checkpoint that can be read, saved at step ``until`` at the latest; ``None`` where there is none."""
    for path in reversed(files(run)):
        try:
            if until is not None and int(path.stem) > until:
                continue
            return load(path)
        except (Refusal, ValueError):
            continue
    return None


def is_complete(path: Path) -> bool:
    """Whether a checkpoint is as long as its header says: quick, and without torch."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if 0 < length < size else {}
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return "tenfold" in header.get("__metadata__", {}) and size == 8 + length + max(ends, default=0)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError):
        return False


def link(source: Path, target: Path) -> None:
    """Keep a checkpoint under another name, whatever becomes of the first: as a hard link, which takes no space and no
    time (a checkpoint is never written again), or where there are none as a copy.

    Raises:
        OSError: the disk does not take it, or the checkpoint is gone.
    """
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def _metadata(content: bytes) -> Any:
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]


def _sum(tensors: Mapping[str, Any]) -> int:
    import torch

    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy(), zlib.crc32(name.encode(), total))
    return total


def _tree(value: Any, tensors: dict[str, Any], names: dict[Any, str]) -> Any:
    """``value`` as JSON; its tensors go into ``tensors``, a tensor met twice (tied weights) only once."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {"dict": [[_tree(key, tensors, names), _tree(item, tensors, names)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [_tree(item, tensors, names) for item in value]}
    import torch

    # Whether this was met before is known by the memory of the tree's own, which lives as long as the tree does: a
    # copy's is free again at once, and the next array of the size would be taken for this one.
    if isinstance(value, np.ndarray):
        kind, tensor = "array", torch.from_numpy(np.array(value, order="C"))
        same: Any = (kind, value.ctypes.data, value.shape, value.strides, value.dtype.str)
    else:
        kind, tensor = "tensor", value.detach()
        same = (kind, tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)
    if not tensor.numel() or same not in names:
        names[same] = str(len(tensors))
        tensors[names[same]] = tensor.cpu().clone(memory_format=torch.contiguous_format)
    return {kind: names[same]}


def _from_tree(tree: Any, tensors: Mapping[str, Any]) -> Any:
    if not isinstance(tree, dict):
        return tree
    (kind, inner), *_ = tree.items()
    match kind:
        case "dict":
            return {_from_tree(key, tensors): _from_tree(item, tensors) for key, item in inner}
        case "list":
            return [_from_tree(item, tensors) for item in inner]
        case "tuple":
            return tuple(_from_tree(item, tensors) for item in inner)
        case "array":
            return tensors[inner].numpy()
        case _:
            return tensors[inner]


def _surplus(paths: list[Path]) -> list[Path]:
    """Those to delete, where there are too many."""
    return [path for i, path in enumerate(paths[1:-1], start=1) if i % 2] if len(paths) > MAX_CHECKPOINTS else []
