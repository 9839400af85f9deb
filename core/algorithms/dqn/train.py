"""Q-learning: act, see what comes of it, and correct what the action was thought to be worth.

A step is a step in the environment: ε, the replay memory and the target network are all counted in such steps, and so
is the time of every curve. The agent acts, remembers, and at every so many steps learns from what it remembers. The
papers and the mathematics stand in ``model.py``, ``replay.py`` and ``tabular.py``; here is how they are used.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch

from core.algorithms.dqn import tabular
from core.algorithms.dqn.config import DQNConfig
from core.algorithms.dqn.environments import MEMORY, Transition, World
from core.algorithms.dqn.measure import report
from core.algorithms.dqn.model import follow, loss_of, td_error, td_target
from core.algorithms.dqn.observe import observe
from core.algorithms.dqn.play import probe
from core.algorithms.dqn.schedule import beta, epsilon, evaluated, told
from core.algorithms.dqn.state import State
from core.events import Event, Pulse, Step
from core.experiment import Diverged
from core.words import N_, Refusal

__all__ = ["build", "load", "observe", "probe", "slim", "train"]


def load(config: DQNConfig) -> World:
    """The environment of the settings: an agent makes its data there.

    Raises:
        Refusal: there is none such, its actions cannot be counted, it needs a package that is not here, or so many of
            its steps cannot be remembered.
    """
    world = World(config)
    size = 2 * 4 * max(1, math.prod(world.shape)) + 25
    if not config.tabular and config.replay and config.buffer * size > MEMORY:
        raise Refusal(
            "buffer",
            N_("Buffer: {buffer} steps of {environment} would take {megabytes} MB; at most {most} fit."),
            buffer=config.buffer,
            environment=config.name,
            megabytes=config.buffer * size >> 20,
            most=MEMORY // size,
        )
    return world


def build(config: DQNConfig, data: World, device: str) -> State:
    """Table or networks, memory and dice at step 0, in the first state of the first episode."""
    return State(config, data, device)


def slim(tree: dict[str, Any]) -> dict[str, Any]:
    """A saved state without what only a training needs: the memory, the target, and the moments of the optimiser."""
    if "replay" not in tree:
        return tree
    replay = {name: value[:0] if hasattr(value, "__len__") else value for name, value in tree["replay"].items()}
    slim = tree | {"replay": replay | {"at": 0}, "optimizer": []}
    del slim["target"]
    return slim


def train(state: State) -> Iterator[Event]:
    """Step for step in the environment, from ``state.step`` on, without an end of its own.

    Raises:
        Diverged: the loss is no longer a number.
    """
    while True:
        if told(state.step) or evaluated(state.step, state.config.evaluate_every):
            yield from report(state)

        config = state.config  # anew: live settings may have been turned
        step = state.world.act(act(state))
        state.tally.count(step.reward)
        if state.table is not None:
            learn_table(state, step)
        else:
            for joined, discount in state.joiner.push(step):
                state.replay.add(joined, discount, state.step)
        if step.terminated or step.truncated:
            state.tally.end()
            state.begin()
        state.step += 1
        if state.table is None:
            if config.target == "hard" and state.step % config.target_every == 0:
                follow(state.target, state.online, 1)
            if state.step > config.learning_starts and state.step % config.train_every == 0 and state.replay.size:
                for i in range(config.gradient_steps):
                    if i:
                        yield Pulse()
                    update(state)
        yield Step(state.step)


def act(state: State) -> int:
    """The next action: random with probability ε, else the best by the present estimate, the first of equals."""
    if state.planned is not None:
        return state.planned
    if state.dice.random() < epsilon(state.config, state.step):
        return int(state.dice.integers(state.world.actions))
    return int(state.q(state.world.observation[None])[0].argmax())


def learn_table(state: State, step: Transition) -> None:
    """One update of the table, by the method of the settings."""
    config, Q = state.config, state.table
    assert Q is not None
    if config.method == "sarsa":
        state.planned = None
        state.planned = act(state)  # in the state that was come to; an episode's end forgets it
        delta = tabular.sarsa(Q[0], step, state.planned, config.lr, config.gamma)
    elif config.double:
        a = int(state.dice.integers(2))
        delta = tabular.double_q_learning(Q[a], Q[1 - a], step, config.lr, config.gamma)
    else:
        delta = tabular.q_learning(Q[0], step, config.lr, config.gamma)
    if not math.isfinite(delta):
        raise Diverged(f"the error is {delta}")
    state.updates += 1
    state.surprises.append(delta)


def update(state: State) -> None:
    """One update of the network: Mnih et al., algorithm 1, from the draw of a batch to the gradient step."""
    config, online, replay = state.config, state.online, state.replay
    if config.replay:
        batch = replay.sample(config.batch_size, state.draws, state.device, beta(config, state.step))
    else:
        batch = replay.newest(config.train_every, state.device)
    y = td_target(batch, online, state.target, config.double)
    delta = td_error(batch, online, y)
    loss = loss_of(delta, batch.weight, config.huber)
    if state.device.type == "cpu" and not math.isfinite(loss.item()):  # elsewhere asking makes the device wait
        raise Diverged(f"the loss is {loss.item()}")
    for p in online.parameters():
        p.grad = None
    loss.backward()  # type: ignore[no-untyped-call]
    if config.clip:
        torch.nn.utils.clip_grad_norm_(online.parameters(), config.clip)
    state.optimizer.param_groups[0]["lr"] = config.lr
    state.optimizer.step()
    state.updates += 1
    state.delta, state.targets, state.loss = delta.detach(), y, loss.detach()
    state.seen = batch.observation, batch.action
    if config.prioritised:
        replay.prioritise(delta.detach().cpu().numpy())
    if config.target == "soft":
        follow(state.target, online, config.tau)
