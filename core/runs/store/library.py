"""The library of runs: a folder each, which holds all there is to know of it; delete the folder and the run is gone.

A run belongs to whoever holds the token it was made with; the folder keeps the token's hash alone. Anybody who knows
a run's id may read it.
"""

import hashlib
import importlib.metadata
import json
import platform
import re
import reprlib
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

import core
from core import registry, settings
from core.events import ENDED
from core.experiment import Config, Stop
from core.field_kinds import KEPT, Kept, kind_of
from core.runs.store import checkpoints, control, disk
from core.runs.store.log import Head, LogReader
from core.runs.store.paths import RECORDED, info_file, log_file, runs_folder, start_file
from core.runs.store.worker_lock import alive
from core.words import N_, Refusal, Sentence

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_START = re.compile(r"([A-Za-z0-9_-]{1,64})(?:@([0-9]{1,9}))?")
_PREFIX = "recorded-"
#: Held while a run takes, or gives up, what is kept for its settings.
_keeping = threading.Lock()

#: Stands for the weights of no run, where a preset names one.
RANDOM = "random"

#: Bytes that a checkpoint may have for a run to start from it: it is kept until the run is deleted.
MAX_START = 1 << 29


class StartFrom(BaseModel):
    """The run with whose weights another begins.

    Attributes:
        run, step: which one, and when the checkpoint was saved. The run may have been deleted since.
        preset: that run's, ``""`` for none.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    step: int
    preset: str = ""

    def __str__(self) -> str:
        """As :func:`parse_start` reads it. A recorded run has one checkpoint, which may be recorded anew."""
        return self.run if self.run.startswith(_PREFIX) else f"{self.run}@{self.step}"


@dataclass(frozen=True, slots=True)
class Start:
    """A checkpoint that a run may start from.

    Attributes:
        about: what the new run keeps of where it comes from.
        created: when that run began, in seconds since 1970.
    """

    about: StartFrom
    file: Path
    created: float

    @property
    def recorded(self) -> bool:
        """Whether it is of a run that comes with the app, which is everybody's."""
        return self.about.run.startswith(_PREFIX)


def parse_start(text: str) -> tuple[str, int | None]:
    """A run's id and a step, ``None`` for its newest checkpoint, from ``RUN`` or ``RUN@STEP``.

    Raises:
        Refusal: it does not read like that.
    """
    found = _START.fullmatch(text)
    if found is None:
        raise Refusal(
            "start_from",
            N_("A run to start from reads like {example}; it was {value}."),
            example="RUN@2000",
            value=reprlib.repr(text)[1:-1],
        )
    return found[1], None if found[2] is None else int(found[2])


class RunInfo(BaseModel):
    """What a run is; written once.

    Attributes:
        config, stop: settings as plain JSON, checked again by whoever uses them.
        device: what it was to train on, e.g. ``"cpu"``.
        owner: SHA-256 of the owner's token; ``""`` for a run of the command line, which is nobody's on the page.
        created: seconds since 1970.
        versions: of Python, Tenfold, torch and what else shapes the numbers.
        parent: the run that this one repeats.
        preset: name of the preset it started from, ``""`` for none.
        start_from: the run with whose weights it begins; ``None`` where it begins with random ones.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    slug: str
    config: dict[str, Any]
    stop: dict[str, Any]
    device: str = "cpu"
    owner: str = ""
    created: float = 0.0
    versions: dict[str, str] = {}
    parent: str | None = None
    preset: str = ""
    start_from: StartFrom | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as a list or a page shows it.

    Attributes:
        head: where it stands; ``state`` may also be ``"queued"`` or ``"interrupted"``.
        place: place in the queue, 0 where it does not wait.
        resumable: whether it can be continued from a checkpoint.
        sentence: why it was interrupted, where that is known.
        stop: the stop condition in force.
        speed: requested steps a second, 0 for full speed.
        checkpoints: the steps whose state was saved, rising.
    """

    info: RunInfo
    head: Head
    place: int = 0
    resumable: bool = False
    sentence: Sentence | None = None
    stop: Stop = Stop()  # noqa: RUF009 - frozen
    speed: float = 0.0
    checkpoints: tuple[int, ...] = ()


def fingerprint(token: str) -> str:
    """What a run keeps of its owner's token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Library:
    """All runs under one folder, and the recorded ones that come with the app.

    Args:
        root: folder of the runs; default ``TENFOLD_RUNS``, else the user's data folder.
        recorded: folder of the recorded runs.
    """

    def __init__(self, root: Path | None = None, recorded: Path = RECORDED) -> None:
        self.root = root or runs_folder()
        self.recorded = recorded

    def create(
        self,
        slug: str,
        config: Config,
        stop: Stop,
        device: str,
        owner_token: str,
        parent: str | None = None,
        preset: str = "",
        start: Start | None = None,
    ) -> RunInfo:
        """Make a run's folder. The run is queued until a worker takes it.

        Args:
            start: the checkpoint with whose weights it begins; the run keeps it. ``None`` for random ones.

        Raises:
            Refusal: the disk is full or read-only, or something that the settings name is not kept here any more.
        """
        info = RunInfo(
            id=secrets.token_hex(12),  # no "-" in front, which a command line would take for an option
            slug=slug,
            config=config.model_dump(mode="json"),
            stop=stop.model_dump(mode="json"),
            device=device,
            owner=fingerprint(owner_token) if owner_token else "",
            created=time.time(),
            versions=versions(),
            parent=parent,
            preset=preset,
            start_from=start.about if start else None,
        )
        folder = self.root / info.id
        try:
            folder.mkdir(parents=True)
            if start:
                checkpoints.link(start.file, start_file(folder))
            control.write(folder, control.Control())
            with _keeping:
                for kind, value in _kept(info):
                    kind.claim(value)
                disk.replace(info_file(folder), info.model_dump_json(indent=1).encode())  # last: now it is a run
        except Refusal:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise disk.disk_refusal(error) from error
        return info

    def folder(self, run: str) -> Path:
        """The run's folder.

        Raises:
            Refusal: no such run.
        """
        if _ID.fullmatch(run):
            folder = self.recorded / run.removeprefix(_PREFIX) if run.startswith(_PREFIX) else self.root / run
            with suppress(OSError):
                if info_file(folder).is_file():
                    return folder
        raise Refusal("run", N_("There is no such run here; it may have been deleted."))

    def info(self, run: str) -> RunInfo:
        """What the run is.

        Raises:
            Refusal: no such run, or its description is damaged.
        """
        path = info_file(self.folder(run))
        try:
            written = path.stat()
            return _info(path, written.st_mtime_ns, written.st_size).model_copy(update={"id": run})
        except (OSError, ValueError, ValidationError, RecursionError):
            raise Refusal("run", N_("The description of this run is damaged; it cannot be shown.")) from None

    def config(self, info: RunInfo) -> Config:
        """The run's settings, as its experiment understands them today.

        Raises:
            Refusal: it does not, or there is no such experiment any more.
        """
        return settings.check(registry.get(info.slug).config, info.config)

    def reader(self, run: str) -> LogReader:
        """The run's log.

        Raises:
            FileNotFoundError: nothing was written yet.
        """
        return LogReader(log_file(self.folder(run)), recorded=run.startswith(_PREFIX))

    def head(self, run: str) -> Head:
        """Where the run stands by its log; the default where there is no log yet, or none that can be read."""
        try:
            reader = self.reader(run)
        except (OSError, sqlite3.Error):
            return Head()
        try:
            return reader.head()
        finally:
            reader.close()

    def view(self, run: str) -> RunView:
        """How the run stands.

        Raises:
            Refusal: no such run, or its description is damaged.
        """
        info = self.info(run)
        folder = self.folder(run)
        living = not run.startswith(_PREFIX) and alive(folder)  # before the log: a worker may end in between
        head = self.head(run)
        stop = self.stop(info)
        saved = checkpoints.steps(folder)
        if run.startswith(_PREFIX):
            return RunView(info, head, stop=stop, checkpoints=saved)
        requested = control.read(folder)
        if not living and head.state not in ENDED:
            if requested.mode == "stop":  # before it began, or its worker had to be killed
                head = replace(head, state="stopped", steps_per_s=0.0)
            elif head.state != "queued" or saved:
                head = replace(head, state="interrupted", steps_per_s=0.0)
        resumable = self.resumable(folder, head, stop)
        return RunView(info, head, resumable=resumable, stop=stop, speed=requested.speed, checkpoints=saved)

    def start(self, text: str, slug: str) -> Start | None:
        """The checkpoint that ``RUN`` or ``RUN@STEP`` names: the newest, or the newest at that step or before. ``None``
        for random weights: ``""`` or :data:`RANDOM`.

        Raises:
            Refusal: no such run, one of another algorithm, or it has no such checkpoint.
        """
        if text in ("", RANDOM):
            return None
        run, step = parse_start(text)
        try:
            info = self.info(run)
        except Refusal as refusal:
            raise Refusal("start_from", refusal.sentence.template) from None
        if info.slug != slug:
            titles = {each: Sentence(e.title) for each, e in registry.experiments().items()}
            raise Refusal(
                "start_from",
                N_("The run to start from is one of {other}; it has to be one of {title}."),
                other=titles.get(info.slug, info.slug),
                title=titles[slug],
            )
        for path in reversed(checkpoints.files(self.folder(run))):
            saved = int(path.stem) if path.stem.isdecimal() else -1
            if saved < 0 or (step is not None and saved > step) or not checkpoints.is_complete(path):
                continue
            size = path.stat().st_size
            if size > MAX_START:
                raise Refusal(
                    "start_from",
                    N_("The run to start from has saved {size} MB; at most {most} MB can be taken."),
                    size=size >> 20,
                    most=MAX_START >> 20,
                )
            return Start(StartFrom(run=run, step=saved, preset=info.preset), path, info.created)
        if step is None:
            raise Refusal("start_from", N_("The run to start from has saved nothing yet."))
        raise Refusal("start_from", N_("The run to start from has saved nothing at step {step} or before."), step=step)

    def same_start(self, run: str) -> Start | None:
        """What a run began with, for one that repeats it; ``None`` for random weights.

        Raises:
            Refusal: no such run, or what it began with is not kept any more.
        """
        info = self.info(run)
        if info.start_from is None:
            return None
        if (kept := start_file(self.folder(run))).is_file():
            return Start(info.start_from, kept, info.created)
        return self.start(str(info.start_from), info.slug)  # a recording keeps its log alone

    def starts(self, owner_token: str, slug: str) -> list[Start]:
        """What a person's new run may start from: their own runs' newest checkpoints, the newest run first, then those
        of the recorded runs."""
        owner = fingerprint(owner_token)
        mine = [info for info in self.infos() if info.owner == owner and info.slug == slug]
        try:
            recorded = sorted(path.name for path in self.recorded.iterdir() if path.name.partition("-")[0] == slug)
        except OSError:
            recorded = []
        ids = [info.id for info in sorted(mine, key=lambda info: info.created, reverse=True)]
        found = []
        for run in (*ids, *(_PREFIX + name for name in recorded)):
            with suppress(Refusal, OSError):
                found += [start] if (start := self.start(run, slug)) else []
        return found

    def stop(self, info: RunInfo) -> Stop:
        """The stop condition in force: the one the run began with, or what its owner changed it to."""
        changed = None if info.id.startswith(_PREFIX) else control.read(self.folder(info.id)).stop
        if changed is not None:
            return changed
        try:
            return Stop.model_validate(info.stop)
        except ValidationError:
            return Stop()

    def resumable(self, folder: Path, head: Head, stop: Stop) -> bool:
        """Whether a run that stands so has something to continue from, and something left to do."""
        if head.state not in ENDED or head.state == "diverged":
            return False
        last = min(stop.steps, head.end or stop.steps)
        if head.state == "finished" and (head.step >= last or 0 < stop.seconds <= head.trained_s):
            return False
        return any(checkpoints.is_complete(path) for path in reversed(checkpoints.files(folder)))

    def ids(self) -> list[str]:
        """Every run, recorded ones left out."""
        try:
            return [path.name for path in self.root.iterdir() if _ID.fullmatch(path.name) and info_file(path).is_file()]
        except OSError:
            return []

    def runs(self, owner_token: str, slug: str | None = None) -> list[RunView]:
        """This person's runs, newest first; those whose description is damaged are left out."""
        mine = [info for info in self.infos() if info.owner == fingerprint(owner_token) and slug in (None, info.slug)]
        return [self.view(info.id) for info in sorted(mine, key=lambda info: info.created, reverse=True)]

    def infos(self) -> Iterator[RunInfo]:
        """What every run is, recorded ones and those with a damaged description left out."""
        for run in self.ids():
            with suppress(Refusal):
                yield self.info(run)

    def owns(self, run: str, owner_token: str) -> bool:
        """Whether the run is this person's. Nobody owns a recorded one."""
        if not owner_token or run.startswith(_PREFIX):
            return False
        return secrets.compare_digest(self.info(run).owner, fingerprint(owner_token))

    def delete(self, run: str, owner_token: str) -> None:
        """Remove a run that does not train.

        Raises:
            Refusal: no such run, another's, training now, or the disk does not let it go.
        """
        if not self.owns(run, owner_token):
            raise Refusal("run", N_("This run belongs to somebody else: you may watch it."))
        folder, info = self.folder(run), self.info(run)
        if alive(folder):
            raise Refusal("run", N_("This run is still training: stop it first."))
        try:
            info_file(folder).unlink()  # first: now it is no run any more, whatever happens to the rest
            self._discard(info)
            shutil.rmtree(folder)
        except OSError as error:
            raise disk.disk_refusal(error) from error

    def _discard(self, gone: RunInfo) -> None:
        """Delete what was kept for the settings of a deleted run, and for no other's."""
        with _keeping:
            if values := set(_kept(gone)):
                in_use = {item for info in self.infos() for item in _kept(info)}
                for kind, value in values - in_use:
                    kind.discard(value)
            for kind in KEPT:
                kind.discard_unclaimed()


def _kept(info: RunInfo) -> Iterator[tuple[Kept, str]]:
    """The settings of a run that name something kept for it, as (kind, value)."""
    with suppress(Refusal):  # there is no such experiment any more
        for name, field in registry.get(info.slug).config.model_fields.items():
            kind, value = kind_of(field), info.config.get(name)
            if isinstance(kind, Kept) and value and isinstance(value, str):
                yield kind, value


@lru_cache(maxsize=4096)  # written once, and read for every run that is listed
def _info(path: Path, modified: int, size: int) -> RunInfo:
    return RunInfo.model_validate(json.loads(path.read_bytes()))


def versions() -> dict[str, str]:
    """Versions that shape a run's numbers, without importing any of them."""
    found = {"tenfold": core.__version__, "python": platform.python_version()}
    for package in ("torch", "numpy", "scikit-learn"):
        with suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found
