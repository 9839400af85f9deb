"""The loop: it learns, repeats itself, goes on where it was left, and judges itself only by episodes of their own."""

import gymnasium
import numpy as np
import pytest
import torch

from core.algorithms.dqn import train as program
from core.algorithms.dqn.config import DQNConfig
from core.algorithms.dqn.environments import World
from core.algorithms.dqn.evaluate import Outcome, discounted, evaluate, pairs
from core.algorithms.dqn.measure import last_update
from core.algorithms.dqn.schedule import beta, epsilon
from core.algorithms.dqn.train import update
from core.events import Snapshot, Step
from core.experiment import Diverged
from core.words import Refusal
from tests.core.algorithms.dqn.training import advance, run, start
from tests.core.algorithms.driven import Told, same, saved

SMALL = {"layers": (16,), "learning_starts": 50, "train_every": 4, "gradient_steps": 2, "batch_size": 16, "buffer": 500}
QUICK = SMALL | {"evaluate_every": 100, "evaluate_episodes": 2, "epsilon_steps": 200}
KINDS = {
    "plain": QUICK,
    "everything": QUICK
    | {"double": True, "dueling": True, "n_step": 3, "prioritised": True, "target": "soft", "buffer": 100},
    "no replay": QUICK | {"replay": False, "target": "none", "huber": False, "clip": 0.0},
    "slippery": QUICK | {"environment": "FrozenLake-v1", "slip": True},
    "swing": QUICK | {"environment": "Acrobot-v1", "limit": 60},
    "table": {"environment": "FrozenLake-v1", "method": "q_learning", "lr": 0.5, "evaluate_every": 100, "slip": True},
    "double table": {"environment": "over_estimation", "method": "q_learning", "double": True, "evaluate_every": 100},
    "sarsa": {"environment": "CliffWalking-v1", "method": "sarsa", "lr": 0.5, "evaluate_every": 100, "limit": 40},
}


@pytest.mark.parametrize("kind", KINDS)
def test_n_steps_saved_loaded_and_n_more_are_2n_bit_for_bit(kind):
    whole_state = start(KINDS[kind])
    whole = run(whole_state, 300)
    half = start(KINDS[kind])
    first = advance(half, 150)
    tree = saved(half.state_dict())
    if kind != "double table":  # its episodes have at most two steps
        assert len(tree["world"]["done"]) > 0, "the test is of an episode that is under way"
    advance(half, 250)  # must not reach into what was saved
    torch.manual_seed(12345)
    np.random.seed(12345)
    resumed = start(KINDS[kind])
    resumed.load_state_dict(tree)
    assert not resumed.reseeded
    rest = run(resumed, 300)
    assert same(whole_state.state_dict(), resumed.state_dict())
    for name, curve in whole.curves.items():
        assert curve == first.curves.get(name, []) + rest.curves.get(name, []), name


class Restless(gymnasium.Env):
    """Does not repeat itself, whatever the seed."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Discrete(2)
    dice = np.random.default_rng(0)

    def reset(self, *, seed=None, options=None):
        return self.dice.random(1, np.float32), {}

    def step(self, action):
        return self.dice.random(1, np.float32), 1.0, False, False, {}


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
    half = start(QUICK | {"environment": "other", "other": "Restless-v0", "n_step": 3})
    advance(half, 150)
    assert half.joiner.waiting
    resumed = start(half.config)
    resumed.load_state_dict(saved(half.state_dict()))
    assert resumed.reseeded and resumed.world.done == [] and resumed.tally.lasted == 0
    assert resumed.tally.episodes == half.tally.episodes + 1
    for a, b in zip(half.online.parameters(), resumed.online.parameters(), strict=True):
        assert torch.equal(a, b)
    held = resumed.replay.size
    assert [note.diagnosis for note in run(resumed, 152).notes] == ["begun anew"]
    assert resumed.replay.size == held, "two steps of the new episode wait for a third, and none of the old one"


class Lying(Restless):
    """Comes to the same states and pays otherwise."""

    def reset(self, *, seed=None, options=None):
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), float(self.dice.random()), False, False, {}


def test_an_episode_that_pays_otherwise_is_no_repetition():
    half = start(QUICK | {"environment": "other", "other": "Lying-v0"})
    advance(half, 150)
    resumed = start(half.config)
    resumed.load_state_dict(saved(half.state_dict()))
    assert resumed.reseeded


def test_an_environment_that_raises_ends_the_training_with_its_own_words():
    with pytest.raises(RuntimeError, match="the motor is on fire"):
        advance(start(QUICK | {"environment": "other", "other": "Broken-v0"}), 5)


def test_the_same_seed_gives_the_same_curve_and_another_a_different_one():
    one, again, other = (run(start(QUICK | {"seed": seed}), 300).curves for seed in (3, 3, 4))
    assert one == again
    assert one["train/loss"] != other["train/loss"]


@pytest.mark.parametrize("kind", ["everything", "table"])
def test_observing_changes_nothing(kind):
    quiet, watched = start(KINDS[kind]), start(KINDS[kind])
    alone = run(quiet, 200)
    heard = Told(watched)
    torch.manual_seed(1)
    held, drawn = torch.get_rng_state(), np.random.get_state()[1].copy()
    for event in program.train(watched):
        heard.hear(event)
        assert all(isinstance(seen, Snapshot) for seen in program.observe(watched))
        if isinstance(event, Step) and event.step >= 200:
            break
    assert torch.equal(held, torch.get_rng_state()) and np.array_equal(drawn, np.random.get_state()[1])
    assert same(quiet.state_dict()["world"], watched.state_dict()["world"])
    for name, curve in heard.curves.items():
        assert curve == alone.curves[name][: len(curve)], name


def test_one_batch_is_learned_by_heart():
    state = start(QUICK | {"target_every": 1000, "lr": 0.01, "clip": 0.0, "learning_starts": 10_000, "batch_size": 8})
    advance(state, 60)

    class Same:
        """The same eight remembered steps, again and again."""

        def integers(self, held: int, size: int) -> np.ndarray:
            return np.arange(size)

    state.draws = Same()  # type: ignore[assignment]
    update(state)
    before = float(state.delta.abs().mean())
    for _ in range(600):
        update(state)
    assert float(state.delta.abs().mean()) < 0.02 * before


def test_gradients_reach_every_parameter_and_never_the_target():
    state = start(KINDS["everything"] | {"target": "hard"})
    advance(state, 60)
    assert state.updates
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in state.online.parameters())
    assert all(p.grad is None and not p.requires_grad for p in state.target.parameters())


def test_the_memory_holds_the_true_next_observation_and_who_was_cut_off_is_not_terminated():
    state = start(QUICK | {"limit": 7, "epsilon_end": 1.0})
    seen = []
    begin = state.world.begin
    state.world.begin = lambda seed: seen.append(begin(seed)) or seen[-1]
    advance(state, 70)
    replay = state.replay
    for i in range(69):
        if (i + 1) % 7:
            assert np.array_equal(replay.next_observation[i], replay.observation[i + 1])
        else:  # the last of an episode: not the first observation of the next
            assert not np.array_equal(replay.next_observation[i], replay.observation[i + 1])
            assert any(np.array_equal(replay.observation[i + 1], first) for first in seen)
    assert not replay.terminated[:70].any()
    longer = start(QUICK | {"epsilon_end": 1.0})
    advance(longer, 200)
    assert 2 <= longer.replay.terminated[:200].sum() == longer.tally.over


@pytest.mark.parametrize(
    ("changed", "reads"),
    [({"target": "none"}, True), ({"target_every": 1000}, False), ({"target": "soft", "tau": 1.0}, True)],
)
def test_the_target_network_stands_still_follows_or_is_the_network(changed, reads):
    state = start(QUICK | changed)
    advance(state, 120)
    same_weights = all(
        torch.equal(a, b) for a, b in zip(state.online.parameters(), state.target.parameters(), strict=True)
    )
    assert same_weights == reads


def test_updates_and_copies_come_when_the_settings_say():
    state = start(QUICK | {"train_every": 10, "gradient_steps": 3, "learning_starts": 100, "target_every": 30})
    updates = [advance(state, n).state.updates for n in (100, 109, 110, 120, 130)]
    assert updates == [0, 0, 3, 6, 9]
    before = [p.clone() for p in state.target.parameters()]
    advance(state, 149)
    assert all(torch.equal(a, b) for a, b in zip(before, state.target.parameters(), strict=True))
    advance(state, 150)
    assert not all(torch.equal(a, b) for a, b in zip(before, state.target.parameters(), strict=True))


def test_what_the_copy_thinks_of_the_last_batch_is_told_where_there_is_a_copy():
    state = start(QUICK | {"target_every": 1000, "lr": 0.01})
    heard = run(state, 200)
    observation, action = state.seen
    with torch.no_grad():
        by_hand = [float(state.target(o[None])[0, a]) for o, a in zip(observation, action, strict=True)]
    assert heard.last("q/copy") == pytest.approx(np.mean(by_hand), abs=1e-5)
    assert heard.last("q/copy") != pytest.approx(heard.last("q/online"), abs=1e-3)
    again = program.build(state.config, program.load(state.config), "cpu")
    again.load_state_dict(saved(state.state_dict()))
    assert last_update(again) == last_update(state)
    assert "q/copy" not in run(start(QUICK | {"target": "none"}), 200).curves


def test_epsilon_and_beta_by_hand():
    config = DQNConfig(learning_starts=100, epsilon_start=0.9, epsilon_end=0.1, epsilon_steps=1000, beta=0.4)
    assert epsilon(config, 99) == 1.0
    assert epsilon(config, 500) == pytest.approx(0.5) and epsilon(config, 5000) == pytest.approx(0.1)
    assert (beta(config, 0), beta(config, 500), beta(config, 9999)) == pytest.approx((0.4, 0.7, 1.0))


def test_evaluations_play_their_own_episodes_without_chance_and_leave_the_training_alone():
    state = start(QUICK | {"evaluate_every": 50})
    seeds = []
    begin = World.begin

    def begun(world, seed):
        seeds.append((world is state.world, seed))
        return begin(world, seed)

    World.begin = begun  # type: ignore[method-assign]
    try:
        run(state, 200)
    finally:
        World.begin = begin  # type: ignore[method-assign]
    trained, judged = ({seed for training, seed in seeds if training is t} for t in (True, False))
    assert len(judged) == 2 and not trained & judged
    assert max(trained) < 2**31 <= min(judged), "no seed is of both kinds"
    returns = [returned for _, returned, _ in state.history]
    assert len(returns) == 5
    twice = [next(told for told in evaluate(state) if isinstance(told, Outcome))[:4] for _ in range(2)]
    assert twice[0] == twice[1]


def test_the_return_obtained_by_hand():
    assert discounted([1.0, 2.0, 4.0], 0.5).tolist() == [1 + 0.5 * (2 + 0.5 * 4), 2 + 0.5 * 4, 4.0]
    Q, G = [[float(i) for i in range(10)]], [discounted([1.0] * 10, 0.5)]
    assert pairs(Q, G, [False], 0.5).tolist() == [[i, G[0][i]] for i in range(10)]
    # What was cut off misses its end: 0.5⁵ < 0.05, so the last five steps say nothing.
    assert pairs(Q, G, [True], 0.5)[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert len(pairs(Q, G, [True], 1.0)) == 0, "without a discount all that would have come is missing"
    assert len(pairs(Q, G, [True], 0.0)) == 10, "nothing later counts"


def test_an_episode_that_was_cut_off_early_does_not_say_what_its_start_was_worth():
    short, whole = ({"limit": limit, "gamma": gamma} for limit, gamma in ((20, 0.99), (20, 0.5)))
    for settings, tells in ((short, False), (whole, True)):
        state = start(QUICK | settings)
        with torch.no_grad():  # pushes where the pole leans, so that it stands for longer than the limit
            for p in state.online.parameters():
                p.zero_()
            for sign, unit in ((1.0, 0), (-1.0, 1)):
                state.online.hidden[0].weight[unit] = torch.tensor([0.0, 0.0, 5 * sign, sign])
                state.online.advantage.weight[1 - unit, unit] = 1.0
        told = next(told for told in evaluate(state) if isinstance(told, Outcome))
        assert told.length == 20.0
        assert np.isfinite(told.discounted) == tells == np.isfinite(told.estimate)


def test_live_settings_act_at_the_next_update():
    state = start(QUICK)
    advance(state, 60)
    state.turn(state.config.model_copy(update={"lr": 1e-6}))
    advance(state, 70)
    assert state.optimizer.param_groups[0]["lr"] == 1e-6


def test_a_loss_that_is_no_number_ends_the_training_and_is_not_saved():
    state = start(QUICK)
    advance(state, 60)
    with torch.no_grad():
        state.online.advantage.weight[:] = float("nan")
    for seen in program.observe(state):
        assert isinstance(seen, Snapshot)
    with pytest.raises(Diverged):
        state.state_dict()
    with pytest.raises(Diverged):
        advance(state, 100)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("Nowhere-v3", "knows no Nowhere-v3"),
        ("CartPole-v99", "knows no CartPole-v99"),
        ("ALE/Pong-v5", "knows no ALE/Pong-v5"),
        ("Pendulum-v1", "cannot be counted"),
        ("LunarLander-v3", "needs a package"),
    ],
)
def test_what_cannot_be_had_is_refused_in_a_sentence(other, says):
    with pytest.raises(Refusal, match=says) as refused:
        program.load(DQNConfig(environment="other", other=other))
    assert refused.value.field == "other"


def test_other_environments_are_learned_in():
    for other in ("Taxi-v4", "Blackjack-v1"):
        told = run(start(QUICK | {"environment": "other", "other": other, "limit": 30}), 120)
        assert told.last("train/loss") >= 0
        assert all(isinstance(seen, Snapshot) for seen in program.observe(told.state))


def test_a_memory_too_large_and_a_table_of_vectors_are_refused():
    with pytest.raises(Refusal, match="Buffer"):
        program.load(DQNConfig(environment="other", other="Blackjack-v1", buffer=1_000_000, layers=(8,)))
    with pytest.raises(Refusal, match="Method"):
        program.load(DQNConfig(environment="other", other="CartPole-v1", method="q_learning"))
