"""Drives one training: the only caller of ``next()`` on it.

Between two steps the driver applies what is requested of the run (pause, single steps, slow motion, changed settings,
stop), logs metrics, takes snapshots and saves checkpoints, so that an algorithm holds no control code at all. What it
does beside training is kept to a few hundredths of the time (:mod:`core.runs.worker.pacing`).
"""

import math
import sqlite3
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import cast

from core import registry, settings
from core.data import cache
from core.events import Checkpoint, Event, Failure, Note, Pulse, Scalars, SettingChanged, Snapshot, Status, Step, Text
from core.experiment import Config, Diverged, Rounds, State, Stop
from core.program import Program
from core.runs.store import checkpoints, control
from core.runs.store.library import RunInfo
from core.runs.store.log import Head, LogWriter, mend
from core.runs.store.paths import log_file
from core.runs.store.restore import begin, restore
from core.runs.worker import pacing
from core.runs.worker.clock import Clock
from core.runs.worker.control_reader import ControlReader
from core.runs.worker.failures import sentence_of
from core.runs.worker.resume_log import ResumeLog
from core.runs.worker.snapshots import SnapshotRotation
from core.words import N_, Refusal, Sentence

#: Seconds between two batches to the log, and between two reads of the control file.
FLUSH_S, CONTROL_S = 0.08, 0.04

#: A stop waits so long for the end of a step before it gives up what was done since the last checkpoint.
PATIENCE_S = 1.0

#: Seconds between two reads of the control file while nothing moves.
NAP_S = 0.01


class Stopped(BaseException):
    """A stop was requested while the data was being prepared. No Exception: it must pass those who catch these."""


class Driver:
    """Trains a run from its folder, whose lock the caller holds.

    Args:
        folder: the run's folder.
        info: what the run is.
        threads: torch's threads; a resumed run uses those it was started with, or its last bits would differ.
        on_flush: called with the run's state at every flush of the log.

    Raises:
        Refusal: the run's settings are not those of its experiment.
    """

    def __init__(
        self, folder: Path, info: RunInfo, threads: int, on_flush: Callable[[Head], None] = lambda head: None
    ) -> None:
        self.folder = folder
        self.info = info
        self.threads = threads
        self.on_flush = on_flush
        self.experiment = registry.get(info.slug)
        self.config: Config = settings.check(self.experiment.config, info.config)
        self.stop = settings.check(Stop, info.stop)
        mend(log_file(folder))
        self.log = LogWriter(log_file(folder))
        self.terminated = False  # set by a signal: ends as a stop does

        self.status = "queued"
        self.step = 0
        self.epoch = -1.0
        self.part = ""
        self.end = 0  # the training's own, where it has one
        self.task, self.share = "", 0.0
        self.ending = ""  # the status to end in, once that is known

        self._control = ControlReader(folder)
        self._clock = Clock()
        self._flushed = 0.0
        self._idle_until, self._idle_before = 0.0, 0
        self._stop_seen = 0.0  # when a stop was first seen inside a long evaluation
        self._steps_done = 0  # of control.steps
        self._out_of_turn = False  # the step under way is of a part that was not next
        self._next_slow_step = 0.0
        self._metric_reached = False
        self._start_measured = False  # the metrics of step 0 are in the log
        self._snapshots_at = -1  # the step of which all snapshots were taken
        self._first_steps = pacing.FirstSteps()
        self._rate = pacing.StepRate()

    def run(self) -> str:
        """Prepare, train and end; the status it ended in, which is in the log as well.

        Raises:
            OSError, sqlite3.Error: the log cannot be written.
        """
        try:
            program, state = self._prepare()
            self._train(program, state)
        except Stopped:
            self._log_status("stopped")
        except Diverged:
            why = N_("Diverged at step {step}: the loss is no longer a number. Try a smaller learning rate.")
            self._log_status("diverged", Sentence(why, {"step": self.step}))
        except sqlite3.Error:
            raise
        except Exception as error:
            sentence = sentence_of(error)
            self.log.append(Failure(self.step, sentence, traceback.format_exc()))
            self._log_status("failed", sentence)
        self._clock.stop()
        self._flush()
        self.log.close()
        return self.status

    # Before the training

    def _prepare(self) -> tuple[Program, State]:
        import torch  # not before: the server imports this module's neighbours, and never torch

        resume_log = ResumeLog(log_file(self.folder))
        self.step = resume_log.step
        self._log_status("preparing")
        self._flush()
        reset = cache.progress.set(self.report_progress)
        try:
            restored = restore(self.folder) if resume_log.exists else None
            if restored:
                program, state, self.config = restored.program, restored.state, restored.config
                self.threads, self._clock.before = restored.saved.threads, restored.saved.trained_s
            else:
                torch.set_num_threads(self.threads)
                program, state = begin(self.folder, self.info, self.config)
        finally:
            cache.progress.reset(reset)
        self.step, self.end, self.task, self.share = state.step, state.end, "", 0.0
        if resume_log.exists:
            changes = resume_log.changes_from(state.step)
            config = self.config
            for change in changes:
                if change.step == state.step:
                    config = settings.with_setting(config, change.field, change.new)
            self._control.replayed = [change for change in changes if change.step > state.step]
            if config != self.config:  # changed after it was saved
                self.config = config
                state.apply_config(config)
            self._log_status("resumed")
        self._start_measured = resume_log.measured_start
        return program, state

    def report_progress(self, task: str, share: float) -> None:
        """Log how far a long preparation is (a download), and leave it where a stop is requested.

        Raises:
            Stopped: a stop is requested.
        """
        self.task, self.share = task, share
        self._read_control()
        if self._control.current.mode == "stop" or self.terminated:
            raise Stopped
        if perf_counter() - self._flushed > FLUSH_S:
            self._flush()

    # The training

    def _train(self, program: Program, state: State) -> None:
        self._log_status("running")
        self._rotation = SnapshotRotation(program.snapshots)
        share = self.experiment.snapshot_budget or pacing.SNAPSHOT_SHARE
        self._snapshot_budget = pacing.TimeBudget(share, pacing.SNAPSHOT_SOONEST_S, pacing.SNAPSHOT_LATEST_S)
        self._save_budget = pacing.TimeBudget(
            pacing.SAVE_SHARE, pacing.SAVE_SOONEST_S, pacing.SAVE_LATEST_S, pacing.FIRST_SAVE_S
        )
        self._clock.start()
        if state.step == 0:
            for name, function in program.static_snapshots.items():
                arrays = function(state)
                if arrays is not None:
                    self.log.append(Snapshot(0, name, arrays))
        self._take_snapshots(state)
        # The first snapshots also make what is kept for all others: their cost says nothing about the next ones.
        self._snapshot_budget = pacing.TimeBudget(share, pacing.SNAPSHOT_SOONEST_S, pacing.SNAPSHOT_LATEST_S)
        self._flush()
        if state.step == 0:
            self._log_metrics(program, state)
        self._between_steps(state)
        training = program.train(state)
        while not self.ending:
            event = next(training, None)
            if type(event) is Step:
                self.step, self.part = event.step, event.part
                if event.epoch is not None:
                    self.epoch = event.epoch
                if state.should_log(event.step):
                    self._log_metrics(program, state)
                self._between_steps(state)
            elif event is not None:
                self._inside_step(event, state)
            else:
                self.ending = "finished"
            self._flush_if_due()
        if self.ending != "abandoned":
            self._take_snapshots(state)
            self._save(state)
        self._log_status("stopped" if self.ending == "abandoned" else self.ending)

    def _between_steps(self, state: State) -> None:
        """A step was made and the state is whole: all that may happen between two steps happens here."""
        now = perf_counter()
        if self.ending or (now < self._idle_until and self.step < self._idle_before):
            return  # the usual case, and all that most steps pay
        self._read_control()
        if self._control.has_changes:
            self._apply_changes(state)
        self._check_for_end()
        if self.ending:
            return
        if self._first_steps(self.step):
            self._take_snapshots(state)
        elif self._snapshot_budget.ready(now):
            self._take_snapshots(state, self._due_snapshots())
        if self.step and (self._control.save_requested or self._save_budget.ready(now)):
            self._save(state)
        if self._control.slow_motion:
            self._wait_in_slow_motion(state)
        if self._control.current.mode == "pause":
            self._pause(state)
        self._plan_idle_steps()

    def _plan_idle_steps(self) -> None:
        """Until when, and before which step, there is nothing to do between two steps."""
        self._idle_until = perf_counter() + CONTROL_S if self._control.full_speed else 0.0
        steps = [self.stop.steps, *(step for step in pacing.FIRST_STEPS if step > self.step)]
        self._idle_before = min(steps + [change.step for change in self._control.replayed])

    def _check_for_end(self) -> None:
        if self._control.current.mode == "stop" or self.terminated:
            self.ending = "stopped"
        elif self._metric_reached or self.step >= self.stop.steps or 0 < self.stop.seconds <= self._clock.seconds:
            self.ending = "finished"

    def _log_metrics(self, program: Program, state: State) -> None:
        """Measure and log what is due after this step; at the start only where an earlier worker has not logged it."""
        log = self.step > 0 or not self._start_measured
        for event in program.log_metrics(state):
            if log or type(event) is Pulse:
                self._inside_step(event, state)
            self._flush_if_due()
            if self.ending:
                return
        if self._metric_reached:
            self._idle_until = 0.0

    def _inside_step(self, event: Event, state: State) -> None:
        """Log what the training yields between two steps. At a Pulse the state may be drawn, not saved or changed."""
        if type(event) is Pulse:
            if self._snapshot_budget.ready(perf_counter()):
                self._take_snapshots(state, self._due_snapshots())
        elif isinstance(event, Scalars | Snapshot | Text | Note):
            self.log.append(event)
            if isinstance(event, Scalars):
                self._check_metrics(event)

    def _check_metrics(self, event: Scalars) -> None:
        for name, value in event.values.items():
            if name.endswith("/loss") and not math.isfinite(value):
                raise Diverged
        if self.stop.metric in event.values:
            value = event.values[self.stop.metric]
            metric = settings.metric_of(self.experiment, self.stop.metric)
            higher = metric is not None and metric.better == "high"
            if value >= self.stop.value if higher else value <= self.stop.value:
                self._metric_reached = True

    def _abandon_if_stopped(self) -> None:
        """In a long step the state cannot be saved: a stop then falls back to the last checkpoint."""
        unread = self._control.peek()
        if unread or self.terminated:
            stop = self.terminated or (unread is not None and unread.mode == "stop")
            self._stop_seen = (self._stop_seen or perf_counter()) if stop else 0.0
        if self._stop_seen and perf_counter() - self._stop_seen > PATIENCE_S:
            self.ending = "abandoned"

    # Pause and slow motion

    def _pause(self, state: State) -> None:
        """Wait for a request to go on, to make a single step or to stop."""
        if self.status != "paused":
            self._log_status("paused")
        elif self._control.current.part != control.ROUND or self._round_ended(state):
            self._steps_done += 1
        self._clock.stop()
        self._take_snapshots(state)
        if self._out_of_turn:  # the log does not hold which part was requested, so nobody could repeat it
            self._out_of_turn = False
            self._save(state)
        self._flush()
        current = self._control.current
        while current.mode == "pause" and self._steps_done >= current.steps and not self.terminated:
            time.sleep(NAP_S)
            self._read_control()
            self._apply_changes(state)
            self._take_snapshots(state)  # where a setting was changed: what it changes in a picture is seen at once
            if self._control.save_requested:
                self._save(state)
            if self.log.waiting:
                self._flush()
            current = self._control.current
        self._check_for_end()
        if current.mode != "pause" and not self.ending:
            self._log_status("running")
            self._flush()
        elif not self.ending and current.part in self.experiment.parts:
            rounds = cast(Rounds, state)
            self._out_of_turn = rounds.next_part != current.part
            rounds.next_part = current.part
        self._clock.start()
        self._next_slow_step = 0.0

    def _round_ended(self, state: State) -> bool:
        """Whether the step just made was a round's last."""
        parts = self.experiment.parts
        return not parts or (self.part != parts[0] and cast(Rounds, state).next_part == parts[0])

    def _wait_in_slow_motion(self, state: State) -> None:
        """Every step is drawn, then waited for."""
        period = 1 / self._control.current.speed
        if 2 * self._snapshot_budget.cost < period:
            self._take_snapshots(state)
        self._flush()
        self._clock.stop()
        self._next_slow_step = max(self._next_slow_step + period, perf_counter())
        while (left := self._next_slow_step - perf_counter()) > 0 and self._control.slow_motion and not self.terminated:
            time.sleep(min(left, NAP_S))
            self._read_control()
            if self._control.save_requested:
                self._save(state)
        self._check_for_end()
        self._clock.start()

    # What is requested

    def _read_control(self) -> None:
        before = self._control.current
        if not self._control.refresh():
            return
        now = self._control.current
        if now.speed != before.speed:
            self._next_slow_step = 0.0
        if now.mode != "pause":
            self._steps_done = now.steps
        if now.stop is not None and now.stop != before.stop:
            self.stop, self._metric_reached = now.stop, False

    def _apply_changes(self, state: State) -> None:
        for field, value in self._control.changes(self.step):
            try:
                config = settings.with_setting(self.config, field, value)
            except Refusal:
                continue  # the server checks what it writes; a damaged file changes nothing
            self.log.append(SettingChanged(self.step, field, getattr(self.config, field), getattr(config, field)))
            self.config = config
            state.apply_config(config)
            self._snapshots_at = -1  # those of this step were of other settings

    # What is logged

    def _due_snapshots(self) -> list[str] | None:
        """All where a person goes step by step or slowly, else those whose turn it is."""
        return self._rotation.due(self._control.current.in_sight) if self._control.full_speed else None

    def _take_snapshots(self, state: State, names: list[str] | None = None) -> None:
        """Take these snapshots, all where ``None``, unless all of this step were taken."""
        if self._snapshots_at == self.step:
            return
        self._snapshot_budget.begin()
        for snapshot in self._rotation.take(state, names):
            self.log.append(snapshot)
        self._snapshot_budget.done()
        if names is None:
            self._snapshots_at = self.step
        self._first_steps.spend(self.step, self._snapshot_budget.cost)

    def _save(self, state: State) -> None:
        self._save_budget.begin()
        self._control.saves_done = self._control.current.saves
        self._flush()  # first: what led to a saved state is never lost, for nobody would log it again
        config = self.config.model_dump(mode="json")
        saved = checkpoints.Saved(self.step, config, self._clock.seconds, self.threads, state.state_dict())
        file = checkpoints.save(self.folder, saved)
        self.log.append(Checkpoint(self.step, file))
        self._save_budget.done()

    def _log_status(self, status: str, sentence: Sentence | None = None) -> None:
        self.status = status
        self._rate.reset()
        self.log.append(Status(status, self.step, sentence))

    def _flush_if_due(self) -> None:
        if perf_counter() - self._flushed > FLUSH_S:
            self._flush()
            self._abandon_if_stopped()

    def _flush(self) -> None:
        head = Head(
            state=self.status,
            step=self.step,
            epoch=self.epoch,
            part=self.part,
            steps_per_s=self._rate(self.step) if self.status == "running" else 0.0,
            trained_s=self._clock.seconds,
            task=self.task,
            share=self.share,
            device=self.info.device,
            end=self.end,
        )
        self.log.flush(head)
        self._flushed = perf_counter()
        self.on_flush(head)
