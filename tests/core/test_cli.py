"""The command line: what it prints, how it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from core import registry
from core.__main__ import main
from core.experiment import Experiment, Stop
from core.runs.store import control
from core.runs.store.library import Library
from core.runs.store.paths import PROJECT
from core.runs.store.worker_lock import WorkerLock
from tests.conftest import last_object, until

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Answer = Callable[..., tuple[int, str, str]]


@pytest.fixture
def answer(toy: Experiment, capsys: pytest.CaptureFixture[str]) -> Answer:
    """Status, output and error output of the command line in this process, for what trains nothing."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        return status, *capsys.readouterr()

    return run


def test_train(command_line: Run, answer: Answer) -> None:
    done = command_line("train", "toy", "--preset", "quick", "--set", "layers=4,4", "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    said = last_object(done.stdout)
    assert list(said) == ["slug", "run", "status", "step", "seconds", "steps_per_s", "metrics"]
    assert (said["slug"], said["status"], said["step"]) == ("toy", "finished", 100)
    assert set(said["metrics"]) == {"train/loss", "test/loss"}
    info = Library().info(said["run"])
    assert info.config["layers"] == [4, 4] and info.config["seed"] == 3 and info.config["lr"] == 0.02
    assert info.preset == "quick" and info.stop["steps"] == 100 and info.owner == ""

    again = command_line("train", "toy", "--preset", "quick", "--set", "layers=4,4", "--seed", "3", "--json")
    assert last_object(again.stdout)["metrics"] == said["metrics"], "the same seed gives the same numbers"

    more = command_line("train", "--resume", said["run"], "--steps", "150", "--json")
    assert more.returncode == 0, more.stderr
    assert last_object(more.stdout)["step"] == 150
    status, _, err = answer("train", "--resume", said["run"], "--json")
    assert status == 2 and "cannot be resumed" in err


@pytest.mark.parametrize("standing", ["it trains", "it saved nothing"])
def test_a_resume_that_is_refused_leaves_what_is_requested_of_the_run(
    answer: Answer, toy: Experiment, standing: str
) -> None:
    library = Library()
    info = library.create("toy", toy.config(), Stop(), "cpu", "me")
    folder = library.folder(info.id)
    change = control.SettingRequest(field="lr", value=0.02)
    control.write(folder, control.Control(mode="pause", speed=5.0, steps=3, changes=(change,), in_sight=("weights",)))
    before = control.read(folder)
    with WorkerLock(folder) if standing == "it trains" else nullcontext():
        status, _, err = answer("train", "--resume", info.id, "--steps", "500")
    assert status == 2 and "cannot be resumed" in err
    assert control.read(folder) == before


def test_train_from_another_run(command_line: Run, answer: Answer) -> None:
    parent = last_object(command_line("train", "toy", "--steps", "100", "--json").stdout)
    child = command_line("train", "toy", "--from", f"{parent['run']}@100", "--steps", "1", "--json")
    assert child.returncode == 0, child.stderr
    began = last_object(child.stdout)
    assert began["metrics"]["test/loss"] == parent["metrics"]["test/loss"], "measured at step 0"
    info = Library().info(began["run"])
    assert info.start_from and (info.start_from.run, info.start_from.step) == (parent["run"], 100)
    status, _, err = answer("train", "--resume", parent["run"], "--from", began["run"])
    assert status == 2 and "keeps its settings" in err


def test_until(command_line: Run) -> None:
    done = command_line("train", "toy", "--until", "test/loss<=0.3", "--steps", "100000", "--quiet")
    assert done.returncode == 0 and "finished at step" in done.stdout and "test/loss" in done.stdout


def test_a_diverged_run_is_told(command_line: Run) -> None:
    done = command_line("train", "toy", "--set", "lr=1e30", "--set", "optimiser=sgd", "--json")
    assert done.returncode == 1 and "Diverged at step" in done.stderr
    assert last_object(done.stdout)["status"] == "diverged"
    json.loads(done.stdout.splitlines()[-1], parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "lr=-1"], "lr: Learning rate must be a number between"),
        (["--set", "rl=1"], "There is no setting rl; did you mean lr?"),
        (["--set", "lr=1e999"], "it was 1e999"),
        (["--set", "lr"], "A setting reads like lr=0.01"),
        (["--set", "lr=1,5"], "lr: Learning rate must be a number between"),
        (["--seed", "minus one"], "Seed must be a whole number between"),
        (["--steps", "0"], "Steps must be a whole number between"),
        (["--until", "test/loss"], "A stop condition reads like"),
        (["--until", "loss<=1"], "Metric must be one of train/loss, test/loss"),
        (["--preset", "slow"], "Preset must be one of quick; it was slow."),
        (["--device", "abacus"], "Device must be one of cpu; it was abacus."),
        (["--resume", "unknown"], "There is no such run"),
        (["--from", "unknown"], "There is no such run"),
        (["--from", "a run"], "A run to start from reads like RUN@2000; it was a run."),
        (["--from", "recorded-dqn"], "is one of Deep Q-learning; it has to be one of Toy."),
    ],
)
def test_bad_settings_end_with_a_sentence(answer: Answer, arguments: list[str], sentence: str) -> None:
    status, out, err = answer("train", "toy", *arguments)
    assert status == 2 and out == ""
    assert sentence in err and len(err.splitlines()) == 1
    assert Library().ids() == [], "nothing has begun"


def test_a_bad_setting_is_named_by_its_key_and_ends_the_process_with_status_2(command_line: Run) -> None:
    done = command_line("train", "toy", "--set", "lr=-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "lr: Learning rate must be a number between 1e-6 and 1e+30; it was -1.\n"


def test_an_unknown_algorithm(answer: Answer) -> None:
    status, _, err = answer("train", "perceptron")
    assert status == 2 and "There is no algorithm called perceptron; there are:" in err


def test_interrupt_saves(toy: Experiment) -> None:
    command = [sys.executable, "-m", "core", "train", "toy", "--steps", "10000000", "--json"]
    process = subprocess.Popen(command, cwd=PROJECT, env=dict(os.environ), stdout=subprocess.PIPE, text=True)
    library = Library()
    (run,) = until(library.ids, 60)
    until(lambda: library.head(run).step > 20, 60)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert last_object(out)["status"] == "stopped" and process.returncode == 0
    assert library.view(run).resumable


def test_list(answer: Answer) -> None:
    status, out, _ = answer("list")
    assert status == 0
    for word in ("toy  Toy: Learns a plane.", "quick", "Learning rate: a number between 1e-6 and 1e+30"):
        assert word in out
    listed = json.loads(answer("list", "--json")[1])
    assert [entry["slug"] for entry in listed] == list(registry.experiments())
    assert listed[-1]["settings"]["properties"]["lr"]["title"] == "Learning rate"
