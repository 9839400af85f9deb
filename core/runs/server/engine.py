"""The engine: what a page may do with runs. One in each server process; any thread may call it.

It keeps the queue and knows which runs have a worker. All else it reads from the runs' folders, so that a new server
finds what an old one left: living runs are adopted by their locks, and those that never started wait again.
"""

import logging
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psutil

from core import registry, settings
from core.events import ENDED
from core.experiment import Config, Stop
from core.runs.server import stopping
from core.runs.server.launchers import ProbeConnection, launcher
from core.runs.server.queue import Queue
from core.runs.store import checkpoints, control
from core.runs.store.disk import disk_refusal
from core.runs.store.library import Library, RunView, Start, fingerprint
from core.runs.store.paths import log_file
from core.runs.store.worker_lock import alive, worker_process
from core.runs.worker import probe_worker
from core.runs.worker.failures import LOCKED, why
from core.runs.worker.process import slots
from core.words import N_, Refusal, Sentence

_log = logging.getLogger(__name__)

#: Seconds between two checks of the locks of the runs whose end nobody reports.
POLL_S = 0.5

ENDED_BY_FORCE = N_("It was in a long operation and had to be ended: what it did since its last checkpoint is lost.")

#: Seconds that a run to be deleted has to end.
DELETE_S = 10.0

#: Seconds that the running runs have to save themselves when the server ends.
CLOSE_S = 4.0

#: Seconds that a run has to save itself before its last checkpoint is probed.
SAVE_S = 0.6


class Engine:
    """Starts runs, passes commands on to them, and knows how they stand.

    Args:
        library: default the one in ``TENFOLD_RUNS``.
        runs_at_once: default ``TENFOLD_SLOTS``, else one a core.
    """

    def __init__(self, library: Library | None = None, runs_at_once: int | None = None) -> None:
        self.library = library or Library()
        self._lock = threading.RLock()
        self._queue = Queue(runs_at_once or slots())
        self._last_written: dict[str, float] = {}  # when a run's log was last written before its worker was launched
        self._unreported: set[str] = set()  # running, and no child of the launcher
        self._exit_codes: dict[str, int | None] = {}
        self._closed = threading.Event()
        self._stopping = stopping.Stopping(self._worker)
        self._launcher = launcher(self._exited)
        self._adopt()
        threading.Thread(target=self._watch, name="engine", daemon=True).start()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed.is_set()

    # For pages

    def start(
        self,
        slug: str,
        config: Config,
        stop: Stop,
        device: str,
        owner: str,
        parent: str | None = None,
        preset: str = "",
        start_from: str = "",
    ) -> str:
        """Start a run, or let it wait for a slot; its id.

        Args:
            start_from: ``RUN`` or ``RUN@STEP``, one's own or a recorded one: the run begins with the weights of that
                run's newest checkpoint, or the newest at that step or before. ``""`` for random ones.

        Raises:
            Refusal: no such device, nothing to start from, too many waiting runs, or the disk cannot take it.
        """
        return self._start(slug, config, stop, device, owner, parent, preset, self.find_start(start_from, slug, owner))

    def find_start(self, start_from: str, slug: str, owner: str) -> Start | None:
        """The checkpoint that :meth:`start` would begin with; ``None`` for random weights.

        Raises:
            Refusal: as there.
        """
        start = self.library.start(start_from, slug)
        if start and not start.recorded and not self.library.owns(start.about.run, owner):
            raise Refusal("start_from", N_("The run to start from belongs to somebody else: choose one of yours."))
        return start

    def _start(
        self,
        slug: str,
        config: Config,
        stop: Stop,
        device: str,
        owner: str,
        parent: str | None,
        preset: str,
        start: Start | None,
    ) -> str:
        experiment = registry.get(slug)
        stop = settings.check_stop(experiment, stop.model_dump(), config)
        if device != "cpu":
            self._check_device(device)
        with self._lock:
            self._queue.check(fingerprint(owner))
            info = self.library.create(slug, config, stop, device, owner, parent, preset, start)
            self._queue.add(info.id, info.owner)
            self._fill()
        return info.id

    def command(self, run: str, owner: str, do: str, value: Any = None) -> None:
        """Give a run a command: pause, resume, step (value: a part, "round" or nothing), speed (steps a second,
        0 for full), stop, setting (``{"field", "value"}``) or stop_condition (the fields of a Stop).

        Raises:
            Refusal: another's run, ended, or the value is not allowed.
        """
        self._check_owner(run, owner)
        if do == "resume":
            return self.resume(run, owner)
        with self._lock:
            if do == "stop":
                return self._stop(run)
            if self.view(run).head.state in ENDED and do != "stop_condition":
                raise Refusal("run", N_("This run has ended."))
            self._write_control(run, self._with_command(run, do, value))
        return None

    def resume(self, run: str, owner: str) -> None:
        """Continue a run that ended or was interrupted from its newest readable checkpoint; one that pauses goes on.

        Raises:
            Refusal: another's run, nothing to continue from, nothing left to do, or too many waiting runs.
        """
        self._check_owner(run, owner)
        self._wait_for_exit(run)
        with self._lock:
            view = self.view(run)
            current = control.read(self.library.folder(run))
            if view.head.state not in ENDED:
                return self._write_control(run, current.model_copy(update={"mode": "run"}))
            if view.head.state == "finished" and not view.resumable:
                raise Refusal("run", N_("This run is at its end. Change when it stops, then resume it."))
            if not view.resumable:
                raise Refusal("run", N_("Nothing was saved that this run could continue from. Start it again."))
            self._queue.check(view.info.owner)
            new = control.Control(speed=current.speed, stop=current.stop, in_sight=current.in_sight)
            self._write_control(run, new)
            self._queue.add(run, view.info.owner)
            self._fill()
        return None

    def restart(self, run: str, owner: str) -> str:
        """Start a run with the settings, the seed and the first weights of this one; the new run's id.

        Raises:
            Refusal: as :meth:`start`, or these settings are not understood any more.
        """
        info = self.library.info(run)
        config, stop, start = self.library.config(info), self.library.stop(info), self.library.same_start(run)
        return self._start(info.slug, config, stop, info.device, owner, run, info.preset, start)

    def delete(self, run: str, owner: str) -> None:
        """Remove a run; one that trains is stopped first.

        Raises:
            Refusal: another's run, it cannot be stopped, or the disk does not let it go.
        """
        self._check_owner(run, owner)
        with self._lock, suppress(Refusal):  # on a full disk its worker is ended by force
            self._stop(run)
        deadline = time.monotonic() + DELETE_S
        while run in self._queue.running and time.monotonic() < deadline:
            time.sleep(0.02)
        with self._lock:
            self.library.delete(run, owner)
            self._exit_codes.pop(run, None)

    def view(self, run: str) -> RunView:
        """How a run stands.

        Raises:
            Refusal: no such run, or its description is damaged.
        """
        view = self.library.view(run)
        with self._lock:
            place = self._queue.place(run)
            silent = run in self._queue.running and view.head.time == self._last_written.get(run)
            code = self._exit_codes.get(run)
        state = view.head.state
        if place:
            return replace(view, head=replace(view.head, state="queued"), place=place, resumable=False)
        if silent:
            return replace(view, head=replace(view.head, state="preparing"), resumable=False)
        if state == "stopped" and code == -signal.SIGKILL:
            return replace(view, sentence=Sentence(ENDED_BY_FORCE))
        if state == "queued" and not run.startswith("recorded-"):
            view = replace(view, head=replace(view.head, state="interrupted"))
        return replace(view, sentence=why(code)) if view.head.state == "interrupted" else view

    def starts(self, owner: str, slug: str) -> list[Start]:
        """What this person's new run may start from, the newest of their runs first, then the recorded ones."""
        return self.library.starts(owner, slug)

    def runs(self, owner: str, slug: str | None = None) -> list[RunView]:
        """This person's runs, newest first."""
        return [self.view(view.info.id) for view in self.library.runs(owner, slug)]

    def probe(self, run: str, name: str, step: int | None) -> ProbeConnection:
        """Start a session of a probe with the run's newest checkpoint, or the newest at ``step`` or before.

        Raises:
            Refusal: no such run or probe, or nothing was saved yet.
        """
        info, folder = self.library.info(run), self.library.folder(run)
        probe_worker.named(info.slug, name, info.config)
        if not any(step is None or saved <= step for saved in checkpoints.steps(folder)):
            raise Refusal("step", N_("Nothing was saved of this run yet that could be played with."))
        return self._launcher.probe(folder, name, step)

    def save(self, run: str) -> None:
        """Have a run that trains or pauses save itself, and wait for it; not for long, where it is in a long step.

        Raises:
            Refusal: no such run, or its folder cannot be written.
        """
        head, folder = self.view(run).head, self.library.folder(run)
        if head.state not in ("running", "paused") or max(checkpoints.steps(folder), default=0) >= head.step:
            return
        with self._lock:
            current = control.read(folder)
            self._write_control(run, current.model_copy(update={"saves": current.saves + 1}))
        deadline = time.monotonic() + SAVE_S
        while time.monotonic() < deadline and max(checkpoints.steps(folder), default=0) < head.step:
            time.sleep(0.02)

    def set_in_sight(self, run: str, panels: tuple[str, ...]) -> None:
        """Let a run's worker know which snapshot panels anybody has in sight. Where that cannot be written it goes by
        what it knew before."""
        with self._lock, suppress(Refusal, OSError):
            folder = self.library.folder(run)
            current = control.read(folder)
            if current.in_sight != panels:
                control.write(folder, current.model_copy(update={"in_sight": panels}))

    def devices(self) -> list[str]:
        """What a training can run on; ``"cpu"`` is always there. The first call may take seconds."""
        return self._launcher.devices()

    def close(self) -> None:
        """Let the running runs save themselves and end; they and the waiting ones can go on under the next server."""
        if self._closed.is_set():
            return
        self._closed.set()
        with self._lock:
            running = [self.library.root / run for run in self._queue.running]
            for folder in running:
                try:
                    control.write(folder, control.read(folder).model_copy(update={"mode": "stop"}))
                except OSError:
                    continue
        deadline = time.monotonic() + CLOSE_S
        while time.monotonic() < deadline and any(alive(folder) for folder in running):
            time.sleep(0.02)
        self._launcher.close()

    # Commands

    def _write_control(self, run: str, new: control.Control) -> None:
        try:
            control.write(self.library.folder(run), new)
        except OSError as error:
            raise disk_refusal(error) from error
        if new.mode != "stop":
            self._stopping.discard(run)

    def _stop(self, run: str) -> None:
        """Have a run's worker end, by force where it does not, or see that it gets none. An ended run stays as it is.

        Raises:
            Refusal: its worker could not be requested to end, so that it will be ended by force.
        """
        running = run in self._queue.running
        if not self._queue.remove(run) and not running:
            return
        if running and self._launcher.withdraw(run):
            self._queue.running.discard(run)
            running = False
        if running:
            self._stopping.add(run)  # first: a worker can be ended on a full disk, too
        try:
            self._write_control(run, control.read(self.library.folder(run)).model_copy(update={"mode": "stop"}))
        except Refusal:
            if running:
                raise
        self._fill()

    def _with_command(self, run: str, do: str, value: Any) -> control.Control:
        """The run's control file with this command in it.

        Raises:
            Refusal: there is no such command, or its value is not allowed.
        """
        current = control.read(self.library.folder(run))
        info = self.library.info(run)
        experiment = registry.get(info.slug)
        match do:
            case "pause":
                return current.model_copy(update={"mode": "pause"})
            case "step":
                known = (*experiment.parts, control.ROUND) if experiment.parts else ()
                part = value if value in known else ""
                return current.model_copy(update={"mode": "pause", "steps": current.steps + 1, "part": part})
            case "speed":
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1000:
                    raise Refusal("speed", N_("The speed must be between 0 and 1000 steps a second."))
                return current.model_copy(update={"speed": float(value)})
            case "setting":
                if not isinstance(value, Mapping) or not isinstance(value.get("field"), str) or "value" not in value:
                    raise Refusal("setting", N_("A changed setting needs a field and a value."))
                if len(current.changes) >= control.MOST_CHANGES:
                    sentence = N_("A run takes {most} changed settings; stop this one and continue it to change more.")
                    raise Refusal(value["field"], sentence, most=control.MOST_CHANGES)
                config = self.library.config(info)
                for earlier in current.changes:
                    config = settings.with_setting(config, earlier.field, earlier.value)
                settings.with_setting(config, value["field"], value["value"])
                change = control.SettingRequest(field=value["field"], value=value["value"])
                return current.model_copy(update={"changes": (*current.changes, change)})
            case "stop_condition":
                stop = dict(value) if isinstance(value, Mapping) else {}
                return current.model_copy(
                    update={"stop": settings.check_stop(experiment, stop, self.library.config(info))}
                )
            case _:
                raise Refusal("command", N_("There is no command {name}."), name=str(do)[:40])

    def _check_owner(self, run: str, owner: str) -> None:
        if not self.library.owns(run, owner):
            raise Refusal("run", N_("This run belongs to somebody else: you may watch it."))

    def _check_device(self, device: str) -> None:
        known = self.devices()
        if device not in known:
            raise Refusal(
                "device",
                N_("{title} must be one of {choices}; it was {value}."),
                title="Device",
                choices=", ".join(known),
                value=str(device)[:40],
            )

    # Workers

    def _worker(self, run: str) -> psutil.Process | None:
        """The process that holds a run's lock. On a full disk its folder does not name it, but the launcher may."""
        folder = self.library.root / run
        return worker_process(folder) or (self._launcher.process(run) if alive(folder) else None)

    def _adopt(self) -> None:
        """Find what an earlier server left."""
        waiting = []
        for info in self.library.infos():
            folder = self.library.root / info.id
            if not info.owner:
                continue  # the command line's own
            if alive(folder):
                self._queue.running.add(info.id)
                self._unreported.add(info.id)
                self.set_in_sight(info.id, ())  # who watched it has to connect again
                if control.read(folder).mode == "stop":
                    self._stopping.add(info.id)
            elif not log_file(folder).exists() and control.read(folder).mode != "stop":
                waiting.append(info)
        with self._lock:
            for info in sorted(waiting, key=lambda info: info.created):
                self._queue.add(info.id, info.owner)
            self._fill()

    def _fill(self) -> None:
        """Launch what waits into the free slots."""
        while not self._closed.is_set() and (run := self._queue.next()):
            try:
                folder = self.library.folder(run)
                self._last_written[run] = self.library.head(run).time
                self._exit_codes.pop(run, None)
                self._launcher.launch(run, folder)
            except (Refusal, OSError):
                self._queue.running.discard(run)

    def _wait_for_exit(self, run: str) -> None:
        """A worker that has logged its run's end needs a moment to exit."""
        for _ in range(100):
            with self._lock:
                gone = run not in self._queue.running
            if gone or self.library.head(run).state not in ENDED:
                return
            time.sleep(0.01)

    def _exited(self, run: str, code: int | None) -> None:
        with self._lock:
            if code in (None, LOCKED) and alive(self.library.root / run):
                self._unreported.add(run)  # nobody will report its end
                return
            self._queue.running.discard(run)
            self._stopping.discard(run)
            self._unreported.discard(run)
            self._exit_codes[run] = code
            self._fill()

    def _watch(self) -> None:
        """Notice the end of runs that are no children of the launcher, and end those that do not stop."""
        while not self._closed.wait(stopping.POLL_S if self._stopping else POLL_S):
            try:
                with self._lock:
                    self._stopping.escalate()
                    ended = [run for run in self._unreported if not alive(self.library.root / run)]
                for run in ended:
                    self._exited(run, None)
            except Exception:  # or no run would be ended any more, and no slot become free
                _log.exception("the workers could not be looked after")


_engine: Engine | None = None
_engine_lock = threading.Lock()


def engine() -> Engine:
    """This process's engine, made at the first call."""
    global _engine
    with _engine_lock:
        if _engine is None or _engine.closed:
            _engine = Engine()
        return _engine
