"""The loop: its episodes, its target network, its evaluations, and what it refuses."""

import gymnasium
import numpy as np
import pytest
import torch

from core.algorithms.dqn.agent import episode_seed, epsilon_at, make_env
from core.algorithms.dqn.config import DQNConfig
from core.algorithms.dqn.metrics import discounted_returns, evidence, unknown, update_metrics
from core.algorithms.dqn.train import beta, load
from core.data.environments import Env
from core.events import Note, Pulse
from core.experiment import Diverged
from core.words import Refusal
from tests.core.algorithms.dqn.cases import KINDS
from tests.core.algorithms.dqn.cases import SMALL as TINY
from tests.core.algorithms.dqn.training import advance, evaluated, program, run, snapshots, start
from tests.core.algorithms.trial import through_checkpoint

SMALL = {"layers": (16,), "learning_starts": 50, "train_every": 4, "gradient_steps": 2, "batch_size": 16, "buffer": 500}
QUICK = SMALL | {"evaluate_every": 100, "evaluate_episodes": 2, "epsilon_steps": 200}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "double table"])  # whose episodes are too short
def test_a_checkpoint_of_the_contract_suite_is_of_an_episode_under_way(kind):
    tree = through_checkpoint(advance(start(KINDS[kind]), 150).state_dict())
    assert len(tree["env"]["actions"]) > 0
    resumed = start(KINDS[kind])
    resumed.load_state_dict(tree)
    assert not resumed.episode_restarted and resumed.env.actions == tree["env"]["actions"].tolist()


class Restless(gymnasium.Env):
    """Does not repeat itself, whatever the seed."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Discrete(2)
    rng = np.random.default_rng(0)

    def reset(self, *, seed=None, options=None):
        return self.rng.random(1, np.float32), {}

    def step(self, action):
        return self.rng.random(1, np.float32), 1.0, False, False, {}


class Broken(Restless):
    def step(self, action):
        raise RuntimeError("the motor is on fire")


@pytest.fixture(autouse=True)
def registered():
    gymnasium.register("Restless-v0", Restless)
    gymnasium.register("Broken-v0", Broken)
    gymnasium.register("Lying-v0", Lying)
    yield
    for name in ("Restless-v0", "Broken-v0", "Lying-v0"):
        gymnasium.registry.pop(name)


def test_an_environment_that_does_not_repeat_itself_begins_anew_and_the_page_says_so():
    half = advance(start(QUICK | {"environment": "other", "other": "Restless-v0", "n_step": 3}), 150)
    assert half.n_step_buffer.pending
    resumed = start(half.config.model_dump())
    resumed.load_state_dict(through_checkpoint(half.state_dict()))
    assert resumed.episode_restarted and resumed.env.actions == [] and resumed.env.episode_return == 0
    assert resumed.episodes == half.episodes + 1
    for a, b in zip(half.q_network.parameters(), resumed.q_network.parameters(), strict=True):
        assert torch.equal(a, b)
    held = resumed.replay_buffer.size
    assert [note.diagnosis for note in run(resumed, 152).notes] == ["begun anew"]
    assert resumed.replay_buffer.size == held, "two steps of the new episode wait for a third, and none of the old one"


class Lying(Restless):
    """Comes to the same states and pays otherwise."""

    def reset(self, *, seed=None, options=None):
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), float(self.rng.random()), False, False, {}


def test_an_episode_that_pays_otherwise_is_no_repetition():
    half = advance(start(QUICK | {"environment": "other", "other": "Lying-v0"}), 150)
    resumed = start(half.config.model_dump())
    resumed.load_state_dict(through_checkpoint(half.state_dict()))
    assert resumed.episode_restarted


def test_an_environment_that_raises_ends_the_training_with_its_own_words():
    with pytest.raises(RuntimeError, match="the motor is on fire"):
        advance(start(QUICK | {"environment": "other", "other": "Broken-v0"}), 5)


def test_gradients_never_reach_the_target_network():
    state = advance(start(KINDS["everything"] | {"target": "hard"}), 60)
    assert state.last_update
    assert all(p.grad is None and not p.requires_grad for p in state.target_network.parameters())


def test_the_replay_buffer_holds_the_true_next_observation_and_who_was_cut_off_is_not_terminated():
    state = start(QUICK | {"limit": 7, "epsilon_end": 1.0})
    seen = []
    reset = state.env.reset
    state.env.reset = lambda seed: seen.append(reset(seed)) or seen[-1]
    advance(state, 70)
    buffer = state.replay_buffer
    for i in range(69):
        if (i + 1) % 7:
            assert np.array_equal(buffer.next_observation[i], buffer.observation[i + 1])
        else:  # the last of an episode: not the first observation of the next
            assert not np.array_equal(buffer.next_observation[i], buffer.observation[i + 1])
            assert any(np.array_equal(buffer.observation[i + 1], first) for first in seen)
    assert not buffer.terminated[:70].any()
    longer = advance(start(QUICK | {"epsilon_end": 1.0}), 200)
    assert 2 <= longer.replay_buffer.terminated[:200].sum() == longer.episode_stats.episodes


@pytest.mark.parametrize(
    ("changed", "equal"),
    [({"target": "none"}, True), ({"target_every": 1000}, False), ({"target": "soft", "tau": 1.0}, True)],
)
def test_the_target_network_stands_still_follows_or_is_the_network(changed, equal):
    state = advance(start(QUICK | changed), 120)
    pairs = zip(state.q_network.parameters(), state.target_network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs) == equal


def test_a_soft_target_network_moves_towards_the_network_after_each_update():
    state = advance(start(QUICK | {"target": "soft", "tau": 0.25, "train_every": 60, "gradient_steps": 1}), 59)
    network, target = ([p.detach().clone() for p in n.parameters()] for n in (state.q_network, state.target_network))
    advance(state, 60)
    for p, before, p_target, behind in zip(
        state.q_network.parameters(), network, state.target_network.parameters(), target, strict=True
    ):
        assert 0 < (p - before).abs().max() <= state.config.lr * 1.001
        torch.testing.assert_close(p_target, 0.75 * behind + 0.25 * p)


def test_updates_and_copies_come_when_the_settings_say():
    state = start(QUICK | {"train_every": 10, "gradient_steps": 3, "learning_starts": 100, "target_every": 30})
    steps = []
    state.optimizer.register_step_post_hook(lambda *_: steps.append(state.step + 1))
    advance(state, 130)
    assert steps == [110] * 3 + [120] * 3 + [130] * 3
    before = [p.clone() for p in state.target_network.parameters()]
    advance(state, 149)
    assert all(torch.equal(a, b) for a, b in zip(before, state.target_network.parameters(), strict=True))
    advance(state, 150)
    assert not all(torch.equal(a, b) for a, b in zip(before, state.target_network.parameters(), strict=True))


def test_between_two_updates_of_a_step_there_is_a_pulse():
    state = start(QUICK | {"train_every": 10, "gradient_steps": 3, "learning_starts": 0})
    events = []
    for event in program.train(state):
        events.append(type(event))
        if state.step == 10:
            break
    assert events.count(Pulse) == 2


def test_without_replay_the_newest_steps_are_learned_from():
    buffer = advance(start(TINY | {"replay": False, "batch_size": 2}), 20).replay_buffer
    assert buffer.added_at[buffer.sampled].tolist() == [16, 17, 18, 19], "all since the last training"


def test_the_copys_values_of_the_last_batch_are_logged_where_there_is_a_copy():
    state = start(QUICK | {"target_every": 1000, "lr": 0.01})
    log = run(state, 200)
    observation, action = state.last_update["observation"], state.last_update["action"]
    with torch.no_grad():
        by_hand = [float(state.target_network(o[None])[0, a]) for o, a in zip(observation, action, strict=True)]
    assert log.last("q/copy") == pytest.approx(np.mean(by_hand), abs=1e-5)
    assert log.last("q/copy") != pytest.approx(log.last("q/online"), abs=1e-3)
    again = start(state.config.model_dump())
    again.load_state_dict(through_checkpoint(state.state_dict()))
    assert update_metrics(again) == update_metrics(state)
    assert "q/copy" not in run(start(QUICK | {"target": "none"}), 200).curves


def test_the_metrics_of_an_update_by_hand():
    state = start(QUICK)
    log, last = run(state, 100), state.last_update
    delta, y = last["td_error"].numpy(), last["target"].numpy()
    huber = np.where(abs(delta) <= 1, delta**2 / 2, abs(delta) - 0.5)
    assert log.last("train/loss") == pytest.approx(huber.mean(), rel=1e-5)
    assert log.last("error/mean") == pytest.approx(abs(delta).mean(), rel=1e-5)
    assert log.last("q/target") == pytest.approx(y.mean(), rel=1e-5)
    assert log.last("q/online") == pytest.approx((y - delta).mean(), rel=1e-5)
    table = start(KINDS["sarsa"])
    log = run(table, 100)
    assert len(table.td_errors) == 64
    assert log.last("train/loss") == pytest.approx(np.square(table.td_errors).mean() / 2, rel=1e-5)
    assert log.last("error/mean") == pytest.approx(np.abs(table.td_errors).mean(), rel=1e-5)


def test_the_diagnoses_go_by_what_was_measured_and_each_is_named_once():
    state = start(QUICK | {"epsilon_end": 1.0, "gamma": 0.9})
    run(state, 200)
    y, delta = state.last_update["target"], state.last_update["td_error"]
    found, stats = evidence(state), state.episode_stats
    assert found.largest_q == max(y.abs().max().item(), (y - delta).abs().max().item())
    assert (found.largest_reward, found.gamma, found.epsilon, found.tabular) == (1.0, 0.9, 1.0, False)
    assert (found.episodes, found.longest) == (stats.episodes, stats.longest) and stats.episodes > 3
    assert found.lowest == stats.lowest < stats.highest == found.highest == stats.longest
    assert found.history == state.history and [evaluation.step for evaluation in found.history] == [0, 100, 200]
    for name in ("target", "td_error"):  # of Q alone, of targets alone
        state.last_update |= {"target": y, "td_error": delta, name: torch.full_like(y, 1e6)}
        named = [note.diagnosis for _ in range(2) for note in program.log_metrics(state) if isinstance(note, Note)]
        assert named == ["Q diverges"]
        state.active.clear()
    table = advance(start(KINDS["sarsa"]), 100)
    assert evidence(table).largest_q == np.abs(table.table).max() > 0 and evidence(table).tabular


def test_each_episode_is_counted_once():
    """Of two states: an episode of A and B takes one step to the end or two over B."""
    state = start({"environment": "over_estimation", "method": "q_learning", "epsilon_end": 1.0})
    episodes = []
    reset = state.env.reset

    def note(seed):
        episodes.append((state.env.episode_return, len(state.env.actions)))
        return reset(seed)

    state.env.reset = note
    log = run(state, 400)
    stats = state.episode_stats
    returns, lengths = zip(*episodes, strict=True)
    assert stats.episodes == len(episodes) == state.episodes - 1
    assert (stats.longest, stats.highest, stats.lowest) == (2, max(returns), min(returns))
    assert stats.largest_reward == max(map(abs, returns))
    assert log.last("recent/return") == pytest.approx(np.mean(returns[-20:]))
    points = log.curves["train/return"]  # every step is logged here, and no two episodes end at one
    assert [value for _, value in points] == list(returns)
    assert [value for _, value in log.curves["train/length"]] == list(lengths)


def test_metrics_are_logged_at_fixed_steps_and_with_every_evaluation():
    state = start(QUICK | {"evaluate_every": 1500})
    steps = [step for step in range(4100) if state.should_log(step)]
    assert steps[:514] == [*range(513), 514]
    assert [s for s in steps if s > 1024][:2] == [1028, 1032] and 1500 in steps and 3000 in steps
    assert sum(2048 <= s < 4096 for s in steps) in (256, 257)


def test_epsilon_and_beta_by_hand():
    config = DQNConfig(learning_starts=100, epsilon_start=0.9, epsilon_end=0.1, epsilon_steps=1000, beta=0.4)
    assert epsilon_at(config, 99) == 1.0
    assert epsilon_at(config, 500) == pytest.approx(0.5) and epsilon_at(config, 5000) == pytest.approx(0.1)
    assert (beta(config, 0), beta(config, 500), beta(config, 9999)) == pytest.approx((0.4, 0.7, 1.0))


def test_evaluations_play_their_own_episodes_without_chance_and_leave_the_training_alone():
    state = start(QUICK | {"evaluate_every": 50, "epsilon_end": 1.0})
    seeds = []
    reset = Env.reset

    def noted(env, seed):
        seeds.append((env is state.env, seed))
        return reset(env, seed)

    Env.reset = noted  # type: ignore[method-assign]
    try:
        run(state, 200)
        snapshots(state)
    finally:
        Env.reset = reset  # type: ignore[method-assign]
    trained, others = ({seed for training, seed in seeds if training is t} for t in (True, False))
    assert len(others) == 3 and not trained & others, "two of the evaluation and one of the episode that is drawn"
    assert len(trained) == state.episodes - 1 > 3, "each episode begins with a seed of its own"
    assert max(trained) < 2**31 <= min(others), "no seed is of both kinds"
    assert [evaluation.step for evaluation in state.history] == [0, 50, 100, 150, 200]
    assert evaluated(state)[0] == evaluated(state)[0]


def test_an_evaluation_by_hand():
    state = advance(start(QUICK | {"gamma": 0.9, "limit": 60, "evaluate_episodes": 3}), 150)
    metrics, pairs = evaluated(state)
    returns, estimates, obtained, drawn = [], [], [], []
    for i in range(3):
        env = make_env(state.config)
        env.reset(episode_seed(0, "evaluation", i))
        Q, steps = [], []
        while not steps or not steps[-1].done:
            Q.append(state.q(env.observation[None])[0])
            steps.append(env.step(int(Q[-1].argmax())))
        rewards = [step.reward for step in steps]
        returns.append(sum(rewards))
        G = [sum(0.9**k * r for k, r in enumerate(rewards[t:])) for t in range(len(rewards))]
        known = len(G) if steps[-1].terminated else len(G) - 29  # 0.9²⁹ < 0.05
        drawn += [(Q[t].max(), G[t]) for t in range(max(known, 0))]
        if known > 0:
            estimates.append(Q[0].max())
            obtained.append(G[0])
    assert metrics["test/return"] == metrics["test/length"] == pytest.approx(np.mean(returns))
    assert metrics["value/estimate"] == pytest.approx(np.mean(estimates), rel=1e-5)
    assert metrics["value/obtained"] == pytest.approx(np.mean(obtained), rel=1e-5)
    assert state.history[-1].standard_error == pytest.approx(np.std(returns, ddof=1) / 3**0.5)
    np.testing.assert_allclose(pairs, drawn, rtol=1e-5)


def test_the_return_obtained_by_hand():
    assert discounted_returns([1.0, 2.0, 4.0], 0.5).tolist() == [1 + 0.5 * (2 + 0.5 * 4), 2 + 0.5 * 4, 4.0]
    # What was cut off misses its end: 0.5⁵ < 0.05, so the last five steps do not count.
    assert [unknown(gamma) for gamma in (0.5, 0.9, 0.0)] == [5, 29, 0]
    assert unknown(1.0) > 10**9, "without a discount all that would have come is missing"


@pytest.mark.parametrize(("gamma", "known"), [(0.99, 0), (0.5, 15), (0.0, 20), (1.0, 0)])
def test_an_episode_that_was_cut_off_early_does_not_say_what_its_start_was_worth(gamma, known):
    state = start(QUICK | {"limit": 20, "gamma": gamma})
    with torch.no_grad():  # pushes where the pole leans, so that it stands for longer than the limit
        for p in state.q_network.parameters():
            p.zero_()
        for sign, unit in ((1.0, 0), (-1.0, 1)):
            state.q_network.hidden[0].weight[unit] = torch.tensor([0.0, 0.0, 5 * sign, sign])
            state.q_network.advantage.weight[1 - unit, unit] = 1.0
    metrics, pairs = evaluated(state)
    assert metrics["test/length"] == 20.0
    assert ("value/obtained" in metrics) == ("value/estimate" in metrics) == (known > 0)
    assert len(pairs) == 2 * known


def test_live_settings_act_at_the_next_update():
    state = advance(start(QUICK), 60)
    state.apply_config(state.config.model_copy(update={"lr": 1e-6}))
    advance(state, 70)
    assert state.optimizer.param_groups[0]["lr"] == 1e-6


def test_a_loss_that_is_not_finite_ends_the_training_and_is_not_saved():
    state = advance(start(QUICK), 60)
    with torch.no_grad():
        state.q_network.advantage.weight[:] = float("nan")
    assert snapshots(state)
    with pytest.raises(Diverged):
        state.state_dict()
    with pytest.raises(Diverged):
        advance(state, 100)


def test_other_environments_are_learned_in():
    for other in ("Taxi-v4", "Blackjack-v1"):
        log = run(start(QUICK | {"environment": "other", "other": other, "limit": 30}), 120)
        assert log.last("train/loss") >= 0
        assert snapshots(log.state)


def test_a_buffer_too_large_and_a_table_of_vectors_are_refused():
    with pytest.raises(Refusal, match="Buffer"):
        load(DQNConfig(environment="other", other="Blackjack-v1", buffer=1_000_000, layers=(8,)))
    with pytest.raises(Refusal, match="Method"):
        load(DQNConfig(environment="other", other="CartPole-v1", method="q_learning"))
