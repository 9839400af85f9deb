"""Environments: how an episode ends, is repeated and is drawn, and which environments are refused."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from core.data.environments import DEFAULT_TIME_LIMIT, Env
from core.words import Refusal


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Nowhere-v3", "has no Nowhere-v3"),
        ("CartPole-v99", "has no CartPole-v99"),
        ("ALE/Pong-v5", "has no ALE/Pong-v5"),
        ("Pendulum-v1", "cannot be counted"),
        ("LunarLander-v3", "needs a package"),
    ],
)
def test_what_cannot_be_had_is_refused_in_a_sentence(name: str, says: str) -> None:
    with pytest.raises(Refusal, match=says) as refused:
        Env(name)
    assert refused.value.field == "other"


def test_an_episode_terminates_or_is_cut_off() -> None:
    env = Env("CartPole-v1", limit=3)
    env.reset(0)
    assert [(env.step(0).done, env.ended) for _ in range(3)] == [(False, 0), (False, 0), (True, 2)]
    env.reset(0)
    assert env.ended == 0
    falls = Env("CartPole-v1")
    falls.reset(0)
    while not falls.ended:
        last = falls.step(0)
    assert falls.ended == 1 and last.terminated and len(falls.actions) < 12
    assert falls.episode_return == len(falls.actions)


class Endless(gymnasium.Env[Any, Any]):
    """Neither ends by itself nor has a limit; its drawing fails."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium has it
    observation_space = gymnasium.spaces.Discrete(2, start=5)
    action_space = gymnasium.spaces.Discrete(2, start=3)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        return 5, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 2 + action, 0.0, False, False, {}

    def render(self) -> Any:
        raise RuntimeError("no pen")


def test_states_and_actions_count_from_zero_without_a_limit_one_is_set_and_no_drawing_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gymnasium.register("Endless-v0", Endless)
    monkeypatch.setattr("core.data.environments.DEFAULT_TIME_LIMIT", 4)
    env = Env("Endless-v0", render=True)
    gymnasium.registry.pop("Endless-v0")
    assert (env.n_states, env.n_actions, env.shape, int(env.reset(0))) == (2, 2, (), 0)
    assert int(env.step(1).next_observation) == 1
    assert env.env.render_mode == "rgb_array" and env.render() is None
    for _ in range(3):
        env.step(1)
    assert env.ended == 2 and DEFAULT_TIME_LIMIT == 1000


def test_an_episode_is_played_again_from_its_seed_and_actions() -> None:
    env, again = Env("FrozenLake-v1", is_slippery=True), Env("FrozenLake-v1", is_slippery=True)
    env.reset(3)
    for _ in range(2):
        env.step(0)  # along the edge: too few steps to fall into a hole
    again.load_state_dict(env.state_dict())
    assert again.replayed and again.actions == env.actions and np.array_equal(again.observation, env.observation)
    steady = Env("FrozenLake-v1", is_slippery=False)
    steady.load_state_dict(env.state_dict() | {"observation": np.asarray(15)})
    assert not steady.replayed
