"""Drives one training: the only caller of ``next()`` on it.

Between two updates the driver looks at what is asked of the run (pause, single steps, slow motion, turned knobs,
stop), keeps the log, saves checkpoints and has the state observed, so that an algorithm holds no control code at all.
What it does beside training is kept to a few hundredths of the time (:mod:`core.runs.worker.pacing`).
"""

import importlib
import math
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, cast

from core import registry, settings
from core.data import cache
from core.events import Checkpoint, Event, Failure, Frame, Knob, Note, Pulse, Scalars, Snapshot, Status, Step, Text
from core.experiment import Config, Diverged, Program, Rounds, State, Stop
from core.runs.store import checkpoints
from core.runs.store.library import RunInfo
from core.runs.store.log import Head, LogWriter, mend
from core.runs.worker import control, pacing
from core.runs.worker.clock import Clock
from core.runs.worker.control_reader import Asked
from core.runs.worker.failures import sentence_of
from core.runs.worker.resume_log import Earlier
from core.words import N_, Refusal, Sentence

#: Seconds between two batches to the log, and between two looks at what is asked.
FLUSH_S, LOOK_S = 0.08, 0.04

#: A stop waits so long for the end of an update before it gives up what was done since the last checkpoint.
PATIENCE_S = 1.0

#: Seconds between two looks while nothing moves.
NAP_S = 0.01


class Stopped(BaseException):
    """Asked to stop while the data was being prepared. No Exception: it has to come through those who catch these."""


class Driver:
    """One life of a run, from its folder, whose lock the caller holds.

    Args:
        folder: the run's folder.
        info: what the run is.
        threads: what torch shall use; a resumed run uses what it used before, or its last bits would differ.
        watch: told where the run stands, with every batch.

    Raises:
        Refusal: the run's settings are none that its experiment understands.
    """

    def __init__(
        self, folder: Path, info: RunInfo, threads: int, watch: Callable[[Head], None] = lambda head: None
    ) -> None:
        self.folder = folder
        self.info = info
        self.threads = threads
        self.watch = watch
        self.experiment = registry.get(info.slug)
        self.config: Config = settings.check(self.experiment.config, info.config)
        self.stop = settings.check(Stop, info.stop)
        mend(folder / "log.sqlite")
        self.log = LogWriter(folder / "log.sqlite")
        self.terminated = False  # set by a signal: ends as a stop does

        self.state = "queued"
        self.step = 0
        self.epoch = -1.0
        self.part = ""
        self.end = 0  # the training's own, where it has one
        self.task, self.share = "", 0.0
        self.ending = ""  # the state to end in, once that is known

        self._asked = Asked(folder)
        self._clock = Clock()
        self._flushed = 0.0
        self._calm_until, self._calm_before = 0.0, 0
        self._stopping = 0.0  # when a stop was first seen
        self._stepped = 0  # of control.steps
        self._forced = False  # the step under way is of a part whose turn it was not
        self._due = 0.0  # of the next step in slow motion
        self._reached = False  # the metric of the stop condition
        self._observed = -1
        self._early = pacing.Early()
        self._rate = pacing.Rate()

    def run(self) -> str:
        """Prepare, train and end; the state it ended in, which is on the log as well.

        Raises:
            OSError, sqlite3.Error: the log cannot be written.
        """
        try:
            program, state = self._prepare()
            self._train(program, state)
        except Stopped:
            self._status("stopped")
        except Diverged:
            why = N_("Diverged at step {step}: the loss is no longer a number. Try a smaller learning rate.")
            self._status("diverged", Sentence(why, {"step": self.step}))
        except sqlite3.Error:
            raise
        except Exception as error:
            sentence = sentence_of(error)
            self.log.append(Failure(self.step, sentence, traceback.format_exc()))
            self._status("failed", sentence)
        self._clock.stop()
        self._flush()
        self.log.close()
        return self.state

    # Before the training

    def _prepare(self) -> tuple[Program, State]:
        import torch  # not before: the server imports this module's neighbours, and never torch

        self._earlier = Earlier(self.folder / "log.sqlite")
        self.step = self._earlier.step
        self._status("preparing")
        self._flush()
        program: Program = cast(Program, importlib.import_module(self.experiment.program))
        saved = checkpoints.newest(self.folder) if self._earlier.lived else None
        if saved:
            self.config = settings.check(self.experiment.config, saved.config)
            self.threads = saved.threads
        torch.set_num_threads(self.threads)
        told = cache.progress.set(self.preparing)
        try:
            data = program.load(self.config)
        finally:
            cache.progress.reset(told)
        state = program.build(self.config, data, self.info.device)
        if saved:
            state.load_state_dict(saved.state)
            self._clock.before = saved.trained_s
        self.step, self.task, self.share = state.step, "", 0.0
        self.end = int(getattr(state, "end", 0))
        if self._earlier.lived:
            knobs = self._earlier.resumed(state.step)
            for knob in knobs:
                if knob.step == state.step:
                    self.config = settings.with_setting(self.config, knob.field, knob.new)
            self._asked.again = [knob for knob in knobs if knob.step > state.step]
            state.turn(self.config)
            self._status("resumed")
        return program, state

    def preparing(self, task: str, share: float) -> None:
        """Tell how far a long preparation is (a download), and leave it if asked to stop.

        Raises:
            Stopped: asked to stop.
        """
        self.task, self.share = task, share
        self._look()
        if self._asked.now.mode == "stop" or self.terminated:
            raise Stopped
        if perf_counter() - self._flushed > FLUSH_S:
            self._flush()

    # The training

    def _train(self, program: Program, state: State) -> None:
        self._status("running")
        looks = self.experiment.looks or pacing.OBSERVE_SHARE, pacing.OBSERVE_SOONEST_S, pacing.OBSERVE_LATEST_S
        self._observing = pacing.Pace(*looks)
        self._saving = pacing.Pace(pacing.SAVE_SHARE, pacing.SAVE_SOONEST_S, pacing.SAVE_LATEST_S, pacing.FIRST_SAVE_S)
        self._clock.start()
        self._whole(Step(state.step), program, state)
        self._observing = pacing.Pace(*looks)  # the first look also makes what never changes: its cost tells nothing
        training = program.train(state)
        self._flushed = 0.0  # what comes first is told at once
        while not self.ending:
            event = next(training, None)
            if type(event) is Step:
                self._whole(event, program, state)
            elif event is not None:
                self._tell(event)
                if type(event) is Pulse and self._observing.ready(perf_counter()):
                    self._observe(program, state, everything=False)
            else:
                self.ending = "finished"
            if perf_counter() - self._flushed > FLUSH_S:
                self._flush()
                self._give_up_waiting()
        ending = self.ending
        if ending != "abandoned":
            self._observe(program, state)
            self._save(state)
        if ending == "finished":
            self._due_at_the_end(training)
        self._status("stopped" if ending == "abandoned" else ending)

    def _whole(self, event: Step, program: Program, state: State) -> None:
        """An update was made and the state is whole: all that may happen between two updates happens here."""
        self.step, self.part = event.step, event.part
        if event.epoch is not None:
            self.epoch = event.epoch
        now = perf_counter()
        if now < self._calm_until and event.step < self._calm_before:
            return  # the usual case, and all that most steps pay
        self._look()
        if self._asked.waiting:
            self._turn_knobs(state)
        self._check_the_end()
        if self.ending:
            return
        early, free = self._early(self.step), self._asked.free
        if early or self._observing.ready(now):
            self._observe(program, state, everything=early or not free)
        if event.step and (self._asked.save or self._saving.ready(now)):
            self._save(state)
        if self._asked.slow:
            self._slowly(program, state)
        if self._asked.now.mode == "pause":
            self._pause(program, state)
        self._calm()

    def _calm(self) -> None:
        """Until when, and before which step, there is nothing to do between two updates."""
        self._calm_until = perf_counter() + LOOK_S if self._asked.free else 0.0
        steps = [self.stop.steps, *(step for step in pacing.EARLY if step > self.step)]
        self._calm_before = min(steps + [knob.step for knob in self._asked.again])

    def _check_the_end(self) -> None:
        if self._asked.now.mode == "stop" or self.terminated:
            self.ending = "stopped"
        elif self._reached or self.step >= self.stop.steps or 0 < self.stop.seconds <= self._clock.seconds:
            self.ending = "finished"

    def _give_up_waiting(self) -> None:
        """In a long evaluation the state is not ours to save: a stop then falls back to the last checkpoint."""
        unseen = self._asked.unseen()
        if unseen or self.terminated:
            asked = self.terminated or (unseen is not None and unseen.mode == "stop")
            self._stopping = (self._stopping or perf_counter()) if asked else 0.0
        if self._stopping and perf_counter() - self._stopping > PATIENCE_S:
            self.ending = "abandoned"

    def _due_at_the_end(self, training: Iterator[Event]) -> None:
        """Hear what is still due after the last update; the update that would follow is made and forgotten."""
        self.ending = ""
        for event in training:
            self._look()
            if type(event) is Step or self.terminated or self._asked.now.mode == "stop":
                return
            self._tell(event)
            if perf_counter() - self._flushed > FLUSH_S:
                self._flush()

    def _pause(self, program: Program, state: State) -> None:
        """Wait until asked to go on, to make a single step or to stop."""
        if self.state != "paused":
            self._status("paused")
        elif self._asked.now.part != control.ROUND or self._round_ended(state):
            self._stepped += 1
        self._clock.stop()
        self._observe(program, state)
        if self._forced:  # out of turn: the log does not tell of it, so nobody could repeat it
            self._forced = False
            self._save(state)
        self._flush()
        while self._asked.now.mode == "pause" and self._stepped >= self._asked.now.steps and not self.terminated:
            time.sleep(NAP_S)
            self._look()
            self._turn_knobs(state)
            if self._asked.save:
                self._save(state)
            if self.log.waiting:
                self._flush()
        self._check_the_end()
        if self._asked.now.mode != "pause" and not self.ending:
            self._status("running")
            self._flush()
        elif not self.ending and self._asked.now.part in self.experiment.parts:
            self._forced = cast(Rounds, state).due != self._asked.now.part
            cast(Rounds, state).due = self._asked.now.part
        self._clock.start()
        self._due = 0.0

    def _round_ended(self, state: State) -> bool:
        """Whether the update just made was a round's last."""
        parts = self.experiment.parts
        return not parts or (self.part != parts[0] and cast(Rounds, state).due == parts[0])

    def _slowly(self, program: Program, state: State) -> None:
        """Slow motion: every step is observed, then waited for."""
        period = 1 / self._asked.now.speed
        if 2 * self._observing.cost < period:
            self._observe(program, state)
        self._flush()
        self._clock.stop()
        self._due = max(self._due + period, perf_counter())
        while (left := self._due - perf_counter()) > 0 and self._asked.slow and not self.terminated:
            time.sleep(min(left, NAP_S))
            self._look()
            if self._asked.save:
                self._save(state)
        self._check_the_end()
        self._clock.start()

    # What is asked

    def _look(self) -> None:
        """See what is asked of the run."""
        before = self._asked.now
        if not self._asked.look():
            return
        now = self._asked.now
        if now.speed != before.speed:
            self._due = 0.0
        if now.mode != "pause":
            self._stepped = now.steps
        if now.stop is not None and now.stop != before.stop:
            self.stop, self._reached = now.stop, False

    def _turn_knobs(self, state: State) -> None:
        for field, value in self._asked.turns(self.step):
            self._turn(state, field, value)

    def _turn(self, state: State, field: str, value: Any) -> None:
        try:
            config = settings.with_setting(self.config, field, value)
        except Refusal:
            return  # the server checks what it writes; what else stands in the file is nobody's wish
        self.log.append(Knob(self.step, field, getattr(self.config, field), getattr(config, field)))
        self.config = config
        state.turn(config)

    # What is told

    def _tell(self, event: Event) -> None:
        """Log what the training yields; Pulse says nothing."""
        if not isinstance(event, Scalars | Snapshot | Text | Frame | Note):
            return
        if isinstance(event, Scalars | Text | Frame | Note) and self._earlier.told(event):
            return
        self.log.append(event)
        if isinstance(event, Scalars):
            for name, value in event.values.items():
                if name.endswith("/loss") and not math.isfinite(value):
                    raise Diverged
            if self.stop.metric in event.values and not self.ending:
                self._reach(event.values[self.stop.metric])

    def _reach(self, value: float) -> None:
        metric = settings.metric_of(self.experiment, self.stop.metric)
        higher = metric is not None and metric.better == "high"
        if value >= self.stop.value if higher else value <= self.stop.value:
            self._reached, self._calm_until = True, 0.0  # ends once the next update is whole

    def _observe(self, program: Program, state: State, everything: bool = True) -> None:
        if self._observed == self.step:
            return
        self._observing.begin()
        for event in program.observe(state, everything):
            if isinstance(event, Snapshot | Text | Frame | Note):
                self.log.append(event)
        self._observing.done()
        self._observed = self.step if everything else -1
        self._early.took(self.step, self._observing.cost)

    def _save(self, state: State) -> None:
        self._saving.begin()
        self._asked.saved = self._asked.now.saves
        self._flush()  # first: what led to a saved state is never lost, for nobody would tell it again
        config = self.config.model_dump(mode="json")
        saved = checkpoints.Saved(self.step, config, self._clock.seconds, self.threads, state.state_dict())
        file = checkpoints.save(self.folder, saved)
        self.log.append(Checkpoint(self.step, file))
        self._saving.done()

    def _status(self, state: str, sentence: Sentence | None = None) -> None:
        self.state = state
        self._rate.reset()
        self.log.append(Status(state, self.step, sentence))

    def _flush(self) -> None:
        head = Head(
            state=self.state,
            step=self.step,
            epoch=self.epoch,
            part=self.part,
            steps_per_s=self._rate(self.step) if self.state == "running" else 0.0,
            trained_s=self._clock.seconds,
            task=self.task,
            share=self.share,
            device=self.info.device,
            end=self.end,
        )
        self.log.flush(head)
        self._flushed = perf_counter()
        self.watch(head)
