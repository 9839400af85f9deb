"""What the page claims of each preset, measured: the very settings of the preset, to its very end."""

import numpy as np
import pytest

from core.algorithms.dqn.spec import experiment
from core.data.environments import Env
from tests.core.algorithms.dqn.training import run, start
from tests.core.algorithms.trial import Log

pytestmark = pytest.mark.claim

STEPS = {p.name: int(p.stop["steps"]) for p in experiment.presets}

TITLES = {p.name: p.title for p in experiment.presets}

#: The first seed in the suite, the others in `make experiments`.
FEW = [0, pytest.param(1, marks=pytest.mark.long), pytest.param(2, marks=pytest.mark.long)]


def outcome(preset, name: str, **changed) -> Log:
    return run(start(preset(name, **changed)), STEPS[name])


def diagnoses(log: Log) -> list[str]:
    return [note.diagnosis for note in log.notes]


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_tuned_cartpole_balances(preset, measured, seed):
    log = outcome(preset, "cartpole", seed=seed)
    assert log.state.config.evaluate_episodes == 20
    # Reached, not kept: with this rate the returns fall again now and then, which the page names forgetting.
    best = max(mean for _, mean in log.curves["test/return"])
    measured(f"{TITLES['cartpole']}: best mean of 20 greedy episodes, seed {seed}", best, at_least=475)


def test_without_a_target_network_q_explodes_and_the_page_says_so(preset, measured):
    log, title = run(start(preset("no_target", evaluate_episodes=1)), 2500), TITLES["no_target"]
    measured(f"{title}: largest Q by step 2,500", max(q for _, q in log.curves["q/online"]), at_least=1e4)
    measured(f"{title}: is it named?", "Q diverges" in diagnoses(log), exactly=True)


def exact(env: Env, gamma: float) -> np.ndarray:
    """Q* by value iteration over the table of a Gymnasium environment, (states, actions)."""
    P = env.env.unwrapped.P
    Q = np.zeros((env.n_states, env.n_actions))
    for _ in range(1000):
        V = Q.max(axis=1)
        for s in range(env.n_states):
            for a in range(env.n_actions):
                Q[s, a] = sum(p * (r + gamma * (not over) * V[s2]) for p, s2, r, over in P[s][a])
    return Q


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_table_of_the_lake_is_that_of_value_iteration(preset, measured, seed):
    state, title = outcome(preset, "lake", seed=seed).state, TITLES["lake"]
    off = np.abs(state.q(np.arange(16)) - exact(state.env, state.config.gamma)).max()
    measured(f"{title}: largest distance from Q* of value iteration, seed {seed}", off, at_most=1e-2)
    measured(f"{title}: return of the greedy way, seed {seed}", state.history[-1].mean_return, exactly=1.0)
    start_worth = state.q(np.arange(1)).max()
    measured(f"{title}: value of the start, seed {seed}", start_worth, at_least=0.77, at_most=0.78)


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_on_slippery_ice_the_start_is_worth_less_than_a_quarter_of_that(preset, measured, seed):
    """What the page says to try: a smaller rate and more steps."""
    state = run(start(preset("lake", slip=True, lr=0.02, seed=seed)), 100_000).state
    true = exact(state.env, state.config.gamma)[0].max()
    measured(f"{TITLES['lake']}, slippery: true value of the start", true, at_least=0.175, at_most=0.185)
    learned = state.q(np.arange(1)).max()
    # A fixed rate never settles: seeds 0 to 7 end at 0.159 to 0.193.
    measured(f"{TITLES['lake']}, slippery: learned value, seed {seed}", learned, at_least=0.15, at_most=0.21)


@pytest.mark.long
def test_an_episode_that_is_cut_off_teaches_values_beyond_its_length(preset, measured):
    log = run(start(preset("cartpole", limit=20)), 20_000)
    measured(f"{TITLES['cartpole']}, at most 20 steps: mean Q", log.last("q/online"), at_least=40)
    measured(f"{TITLES['cartpole']}, at most 20 steps: longest episode", log.state.episode_stats.longest, at_most=20)


def test_who_never_explores_never_sees_the_goal_and_the_page_says_so(preset, measured):
    log, title = outcome(preset, "never_explores"), TITLES["never_explores"]
    measured(f"{title}: highest return", log.state.episode_stats.highest, exactly=0)
    measured(f"{title}: what is named", ", ".join(diagnoses(log)), exactly="never explores")
    named = "never explores" in diagnoses(outcome(preset, "lake"))
    measured(f"{TITLES['lake']}: is missing exploration named?", named, exactly=False)


@pytest.mark.parametrize("seed", FEW)
def test_q_learning_walks_along_the_cliff_and_sarsa_keeps_away_from_it(preset, measured, seed):
    short, safe = (outcome(preset, name, seed=seed) for name in ("cliff_q", "cliff_sarsa"))
    # -13 is the shortest way there is.
    measured(f"{TITLES['cliff_q']}: return of the greedy way, seed {seed}", short.last("test/return"), exactly=-13)
    online = [np.mean([r for at, r in log.curves["train/return"] if at > 10_000]) for log in (short, safe)]
    more = online[1] - online[0]
    measured(f"{TITLES['cliff_sarsa']}: return in training above Q-learning's, seed {seed}", more, at_least=10)
    for name, log, wavers in (("cliff_q", short, False), ("cliff_sarsa", safe, True)):
        measured(f"{TITLES[name]}: is wavering diagnosed, seed {seed}", "wavers" in diagnoses(log), exactly=wavers)


@pytest.mark.parametrize("seed", range(5))
def test_double_over_estimates_a_and_b_less(preset, measured, seed):
    both = [outcome(preset, name, seed=seed) for name in ("trap", "trap_double")]
    plain, double = (np.mean([v for _, v in log.curves["value/estimate"]]) for log in both)
    measured(f"{TITLES['trap']}: diagnoses, with and without, seed {seed}", sum(len(t.notes) for t in both), exactly=0)
    measured(f"{TITLES['trap']}: value of the start, truly 0, seed {seed}", plain, at_least=0.005)
    measured(f"{TITLES['trap_double']}: its error over plain's, seed {seed}", abs(double) / abs(plain), at_most=0.5)


@pytest.mark.parametrize("seed", FEW)
def test_the_two_states_are_worth_what_bellmans_equation_says(preset, measured, seed):
    state = outcome(preset, "two_state", seed=seed).state
    g = state.config.gamma
    # Staying in state 1 pays 1 for ever; the other three lead there in one step, or in two.
    known = np.array([[g * g / (1 - g), g / (1 - g)], [1 / (1 - g), g * g / (1 - g)]])
    off = np.abs(state.q(np.arange(2)) - known).max()
    measured(f"{TITLES['two_state']}: largest distance from Q*, seed {seed}", off, at_most=1e-2)
