"""What holds for every algorithm that is registered, whatever it learns; its own tests hold what is its own.

Each algorithm supplies its cases (:mod:`tests.core.algorithms.contract`). An algorithm without them fails here.
"""

import importlib
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core import registry
from core.events import Pulse, Step
from core.settings import with_setting
from core.words import Refusal
from tests.core.algorithms.contract import Cases, Effect, Overfit, Trial, differ, initial, learned, share_weights
from tests.core.algorithms.trial import Log, modules, program, run, same, snapshots, start, through_checkpoint

SLUGS = list(registry.experiments())


def cases(slug: str) -> Cases:
    """The cases of an algorithm, from its own folder of tests."""
    found: Cases = importlib.import_module(f"tests.core.algorithms.{slug}.cases").CASES
    return found


def each(kind: str, live: bool = False) -> pytest.MarkDecorator:
    """Parameters ``slug`` and ``case``: every case of this kind of every algorithm; or those of live settings alone."""
    found: list[Any] = []
    for slug in SLUGS:
        of = getattr(cases(slug), kind)
        if live:
            of = [case for case in of if is_live(slug, case.setting)]
        named = of.items() if isinstance(of, dict) else ((getattr(c, "setting", "") or c.name, c) for c in of)
        found += [pytest.param(slug, case, id=f"{slug}-{name}") for name, case in named]
    return pytest.mark.parametrize(("slug", "case"), found)


def is_live(slug: str, setting: str) -> bool:
    """Whether the setting may change while a run trains."""
    extra = registry.get(slug).config.model_fields[setting].json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("live"))


@pytest.fixture(autouse=True)
def own_folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for uploaded texts; what an algorithm's cases replace because it is slow."""
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    cases(request.getfixturevalue("slug")).patch(monkeypatch)


# What is learned follows from the settings and the seed


@pytest.mark.parametrize("slug", SLUGS)
def test_every_setting_has_a_case(slug: str) -> None:
    assert {effect.setting for effect in cases(slug).effects} == set(registry.get(slug).config.model_fields)


@each("effects")
def test_a_setting_has_an_effect(slug: str, case: Effect) -> None:
    trials = []
    for value in case.values:
        state = start(slug, {**cases(slug).settings, **case.context, case.setting: value})
        trials.append(Trial(slug, state, Log(state)))
    if case.aspect is not initial:
        share_weights(trials)
    for trial in trials:
        run(slug, trial.state, case.steps, trial.log)
    found = [case.aspect(trial) for trial in trials]
    for (a, one), (b, other) in combinations(zip(case.values, found, strict=True), 2):
        assert differ(one, other), f"{case.setting}: {a} does the same as {b}"


@each("resume")
def test_the_same_seed_gives_the_same_run(slug: str, case: dict[str, Any]) -> None:
    logs = [run(slug, start(slug, case), 8) for _ in range(2)]
    assert logs[0].curves and same(logs[0].curves, logs[1].curves)
    assert same(*(through_checkpoint(log.state.state_dict()) for log in logs))
    assert same(*(snapshots(slug, log.state) for log in logs))


@each("resume")
def test_n_steps_a_checkpoint_and_n_more_are_2n_steps(slug: str, case: dict[str, Any]) -> None:
    n = cases(slug).half
    whole = run(slug, start(slug, case), 2 * n)
    first = run(slug, start(slug, case), n)
    assert first.state.step == n, "the case is long enough"
    tree = through_checkpoint(first.state.state_dict())
    run(slug, first.state, n + 3)  # must not reach into what was saved
    torch.manual_seed(12345)
    np.random.seed(12345)
    resumed = start(slug, case)
    resumed.load_state_dict(tree)
    kept = Log(resumed, {name: [point for point in c if point[0] <= n] for name, c in first.curves.items()})
    rest = run(slug, resumed, 2 * n, kept)
    assert same(through_checkpoint(whole.state.state_dict()), through_checkpoint(resumed.state_dict()))
    assert same(whole.curves, {name: curve for name, curve in rest.curves.items() if curve})


@each("resume")
def test_settings_that_stay_what_they_were_change_nothing(slug: str, case: dict[str, Any]) -> None:
    """Whoever takes a run up may apply those that were saved with it, at whatever step that was."""
    n = cases(slug).half
    whole, log = run(slug, start(slug, case), n), run(slug, start(slug, case), 0)
    for event in program(slug).train(log.state):
        log.append(event)
        if isinstance(event, Step):
            if log.state.should_log(event.step):
                for measured in program(slug).log_metrics(log.state):
                    log.append(measured)
            log.state.apply_config(log.state.config.model_copy())
            if event.step == n:
                break
    tree = through_checkpoint(log.state.state_dict())
    assert same(through_checkpoint(whole.state.state_dict()), tree) and same(whole.curves, log.curves)
    loaded = start(slug, case)
    loaded.load_state_dict(tree)
    loaded.apply_config(loaded.config.model_copy())
    assert same(tree, through_checkpoint(loaded.state_dict()))


@each("resume")
def test_a_state_is_loaded_as_a_copy(slug: str, case: dict[str, Any]) -> None:
    one, other = run(slug, start(slug, case), 3).state, start(slug, case)
    other.load_state_dict(one.state_dict())
    before = through_checkpoint(one.state_dict())
    run(slug, other, 6)
    assert same(before, through_checkpoint(one.state_dict()))


@each("resume")
def test_a_training_begins_with_the_weights_of_another(slug: str, case: dict[str, Any]) -> None:
    """What was learned is the other's; the step, optimisers, random generators and all else are as they were built."""
    one = run(slug, start(slug, case), 12).state
    for value in learned(Trial(slug, one, Log(one))).values():
        value.add_(0.01 if value.is_floating_point() else 1)  # an agent may have found nothing to learn yet
    tree = through_checkpoint(one.state_dict())
    began, built = start(slug, case), start(slug, case)
    began.load_weights(tree)
    others, own, first = (learned(Trial(slug, state, Log(state))) for state in (one, began, built))
    assert same(others, own) and not any(same(value, first[name]) for name, value in own.items())
    for name, value in first.items():
        value.copy_(own[name])
    assert began.step == 0 and same(*(through_checkpoint(state.state_dict()) for state in (began, built)))
    run(slug, began, 3)
    assert same(tree, through_checkpoint(one.state_dict())), "it has the weights to itself"


@pytest.mark.parametrize("slug", SLUGS)
def test_weights_of_another_shape_are_refused_by_name(slug: str) -> None:
    one, other = (start(slug, cases(slug).settings) for _ in range(2))
    tree = through_checkpoint(run(slug, one, 2).state.state_dict())
    for name, value in learned(Trial(slug, one, Log(one))).items():
        if value.numel() > 1:
            before = through_checkpoint(other.state_dict())
            with pytest.raises(Refusal, match=re.escape(name)) as refused:
                other.load_weights(without_a_column(tree, value))
            assert refused.value.field == "start_from"
            assert same(before, through_checkpoint(other.state_dict())), "nothing was loaded"
            return
    raise AssertionError("nothing that could have another shape")


def without_a_column(tree: Any, value: Any) -> Any:
    """A state's tree, in which all arrays like ``value`` are one narrower."""
    if isinstance(tree, dict):
        return {name: without_a_column(part, value) for name, part in tree.items()}
    if isinstance(tree, torch.Tensor | np.ndarray) and tree.shape == value.shape and same(torch.as_tensor(tree), value):
        return tree[..., :-1]
    return tree


# What is measured and drawn changes nothing


@each("resume")
def test_metrics_and_snapshots_change_nothing_that_is_learned(slug: str, case: dict[str, Any]) -> None:
    quiet, watched = start(slug, case), start(slug, case)
    for event in program(slug).train(quiet):
        if isinstance(event, Step) and event.step == 12:
            break
    log = Log(watched)
    for step in range(13):
        run(slug, watched, step, log)
        before = through_checkpoint(watched.state_dict())
        generators = torch.get_rng_state(), np.random.get_state()
        training = {name: network.training for name, network in modules(watched).items()}
        snapshots(slug, watched)
        assert same(before, through_checkpoint(watched.state_dict()))
        assert same(generators, (torch.get_rng_state(), np.random.get_state()))
        assert training == {name: network.training for name, network in modules(watched).items()}
    one, other = (learned(Trial(slug, state, Log(state))) for state in (quiet, watched))
    assert same(one, other)


@pytest.mark.parametrize("slug", SLUGS)
def test_metrics_and_snapshots_are_declared(slug: str) -> None:
    experiment, one = registry.get(slug), program(slug)
    panels = {panel.name for panel in experiment.panels}
    hero = next(panel.name for panel in experiment.panels if panel.size == "hero")
    assert next(iter(one.snapshots)) == hero, "the hero comes first"
    assert set(one.snapshots) <= panels
    assert not set(one.static_snapshots) & set(one.snapshots)
    patterns = [re.escape(metric.name).replace(r"\*", ".*") for metric in experiment.metrics]
    state = start(slug, cases(slug).settings)
    for name in run(slug, state, 8).curves:
        assert any(re.fullmatch(pattern, name) for pattern in patterns), f"no sentence explains {name}"


@each("effects", live=True)
def test_a_live_setting_may_change_between_two_steps(slug: str, case: Effect) -> None:
    """It is taken by the state, and by whatever in the state had taken its earlier value."""
    trials = []
    for value in (case.values[0], case.values[-1]):
        state = start(slug, {**cases(slug).settings, **case.context, case.setting: case.values[0]})
        trial = Trial(slug, state, run(slug, state, case.steps))
        config = with_setting(state.config, case.setting, value)
        state.apply_config(config)
        assert state.config is config
        end = 2 * case.steps + 2  # where parts take turns, each has another
        run(slug, state, end, trial.log)
        assert state.step == end
        trials.append(trial)
    unchanged, changed = map(case.aspect, trials)
    assert differ(unchanged, changed), f"{case.setting} stays what it was"


# What a network has to do


@each("gradient")
def test_gradients_reach_every_parameter(slug: str, case: dict[str, Any]) -> None:
    state = start(slug, case)
    reached: set[str] = set()
    steps = 0
    for event in program(slug).train(state):
        if isinstance(event, Step | Pulse):
            for name, network in modules(state).items():
                for key, p in network.named_parameters():
                    if p.grad is not None and p.grad.isfinite().all() and p.grad.abs().sum() > 0:
                        reached.add(f"{name}.{key}")
        steps += isinstance(event, Step)
        if steps == cases(slug).gradient_steps:
            break
    wanted = {
        f"{name}.{key}"
        for name, network in modules(state).items()
        for key, p in network.named_parameters()
        if p.requires_grad and name not in getattr(state, "averages", ())
    }
    assert wanted and wanted <= reached, sorted(wanted - reached)


@each("overfit")
def test_one_batch_can_be_learned_by_heart(slug: str, case: Overfit) -> None:
    state = start(slug, case.settings)
    case.prepare(state)
    assert case.measure(run(slug, state, case.steps)) < case.below
