"""Q-learning: act, see what comes of it, and correct what the action was thought to be worth.

A step is a step in the environment: ε, the replay buffer and the target network are all counted in such steps, and so
is the time of every curve. The mathematics and the papers are in ``model.py``, ``replay.py`` and ``tabular.py``;
:func:`train_network` is deep Q-learning, :func:`train_table` learning with a table.
"""

import copy
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from core.algorithms.dqn.config import DQNConfig
from core.algorithms.dqn.environments import Env, EpisodeStats, episode_seed
from core.algorithms.dqn.model import Batch, QNetwork, initialise, q_of_actions, td_loss, td_target, update_target
from core.algorithms.dqn.replay import NStepBuffer, ReplayBuffer, bytes_per_transition
from core.algorithms.dqn.tabular import double_q_learning, q_learning, sarsa
from core.events import Array, Event, Pulse
from core.training import History, Training, generator, seed_of
from core.words import N_, Refusal

#: Bytes that a replay buffer may take.
BUFFER_BYTES = 1 << 28


class Evaluation(NamedTuple):
    """Mean return of an evaluation's episodes and its standard error."""

    step: int
    mean_return: float
    standard_error: float


class BaseAgent(Training, ABC):
    """What an agent has whether a network or a table holds its values.

    Attributes:
        env: where it acts. rng: chooses random actions, and the table of double Q-learning.
        episodes: begun so far. episode_stats: of those that ended. history: every evaluation.
        episode_restarted: the environment did not repeat the episode under way when the training was resumed.
    """

    saved: ClassVar[tuple[str, ...]] = ("env", "rng", "episodes", "episode_stats", "history")

    config: DQNConfig

    def __init__(self, config: DQNConfig, env: Env, device: str) -> None:
        super().__init__(config, env, device)
        self.env = env
        self.rng = np.random.default_rng(seed_of(config.seed, "exploration"))
        self.episodes = 0
        self.episode_stats = EpisodeStats()
        self.history = History(Evaluation)
        self.episode_restarted = False

    def start_episode(self) -> None:
        """Begin an episode, with a seed of its own."""
        self.env.reset(episode_seed(self.config.seed, "training", self.episodes))
        self.episodes += 1

    @abstractmethod
    def q(self, observations: Array) -> Array:
        """Q of each action, (n, actions), for observations (n, size) or numbers of states (n,).

        In double Q-learning the mean of both tables.
        """

    def should_log(self, step: int) -> bool:
        """After each of 512 steps, then 256 times in each doubling, and where an evaluation is due."""
        return step % (1 << max(0, step.bit_length() - 9)) == 0 or step % self.config.evaluate_every == 0

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        """As :meth:`Training.load_state_dict`; a new episode begins where the one under way cannot be repeated."""
        super().load_state_dict(tree)
        if not self.env.replayed:
            self.start_episode()
            self.episode_restarted = True


class DQN(BaseAgent):
    """An agent whose values are a network's.

    Attributes:
        target_network: ``q_network`` itself where there is no copy.
        last_update: of the last update ``loss`` (), ``td_error`` (n,), ``target`` (n,) and of its batch ``observation``
            and ``action``; empty before the first.
    """

    saved = (
        *BaseAgent.saved,
        "q_network",
        "target_network",
        "optimizer",
        "replay_buffer",
        "n_step_buffer",
        "last_update",
    )

    q_network: QNetwork
    target_network: QNetwork
    optimizer: torch.optim.Optimizer
    replay_buffer: ReplayBuffer
    n_step_buffer: NStepBuffer
    last_update: dict[str, Tensor]

    def start_episode(self) -> None:
        super().start_episode()
        self.n_step_buffer.pending.clear()  # no rewards are added up across two episodes

    def load_weights(self, tree: Mapping[str, Any]) -> None:
        """As :meth:`Training.load_weights`; a recording keeps the network alone, and its copy becomes the target."""
        super().load_weights({"target_network": tree.get("q_network", {}), **tree})

    def apply_config(self, config: DQNConfig) -> None:
        super().apply_config(config)
        for group in self.optimizer.param_groups:
            group["lr"] = config.lr

    def record_update(self, batch: Batch, y: Tensor, td_error: Tensor, loss: Tensor) -> None:
        """Keep what metrics and snapshots show of an update."""
        self.last_update = {
            "loss": loss.detach(),
            "td_error": td_error.detach(),
            "target": y,
            "observation": batch.observation,
            "action": batch.action,
        }

    @torch.no_grad()
    def q(self, observations: Array) -> Array:
        x = torch.from_numpy(np.ascontiguousarray(observations)).to(self.device)
        Q: Array = self.q_network(x).cpu().numpy()
        return Q


class TabularAgent(BaseAgent):
    """An agent whose values stand in a table.

    Attributes:
        table: (1 or 2, states, actions); double Q-learning has two.
        next_action: which SARSA has chosen already, else ``None``.
        td_errors: the last 64.
    """

    saved = (*BaseAgent.saved, "table", "next_action", "td_errors")
    learned_arrays = ("table",)

    table: Array
    next_action: int | None
    td_errors: deque[float]

    def start_episode(self) -> None:
        super().start_episode()
        self.next_action = None

    def q(self, observations: Array) -> Array:
        mean: Array = self.table[:, observations].mean(axis=0)
        return mean


Agent = DQN | TabularAgent


def load(config: DQNConfig) -> Env:
    """The environment of the settings, in which an agent makes its data.

    Raises:
        Refusal: no such environment exists, its actions cannot be counted, it needs a package that is not here, or so
            many of its steps do not fit into memory.
    """
    env = Env(config)
    step_bytes = bytes_per_transition(env.shape, prioritised=config.prioritised)
    if not config.tabular and config.replay and config.buffer * step_bytes > BUFFER_BYTES:
        raise Refusal(
            "buffer",
            N_("Buffer: {buffer} steps of {environment} would take {megabytes} MB; at most {most} fit."),
            buffer=config.buffer,
            environment=config.name,
            megabytes=config.buffer * step_bytes >> 20,
            most=BUFFER_BYTES // step_bytes,
        )
    return env


def build(config: DQNConfig, env: Env, device: str) -> Agent:
    """Networks, optimiser and replay buffer, or a table, at the start of the first episode."""
    return build_table(config, env, device) if config.tabular else build_network(config, env, device)


def build_network(config: DQNConfig, env: Env, device: str) -> DQN:
    s = DQN(config, env, device)
    n_inputs, one_hot = env.n_states or env.shape[0], env.n_states > 0
    s.q_network = QNetwork(n_inputs, env.n_actions, config.layers, one_hot=one_hot, dueling=config.dueling)
    initialise(s.q_network, generator(config.seed, "weights"))
    s.q_network.to(s.device)
    s.target_network = s.q_network
    if config.target != "none":
        s.target_network = copy.deepcopy(s.q_network).requires_grad_(False)
    s.optimizer = torch.optim.Adam(s.q_network.parameters(), lr=config.lr, fused=True)
    # Without replay the newest steps are all there is to learn from.
    capacity = config.buffer if config.replay else config.train_every
    rng = np.random.default_rng(seed_of(config.seed, "replay"))
    s.replay_buffer = ReplayBuffer(capacity, env.shape, rng, config.alpha if config.prioritised else None)
    s.n_step_buffer = NStepBuffer(config.n_step, config.gamma)
    s.last_update = {}
    s.start_episode()
    return s


def build_table(config: DQNConfig, env: Env, device: str) -> TabularAgent:
    s = TabularAgent(config, env, device)
    s.table = np.zeros((2 if config.double else 1, env.n_states, env.n_actions))
    s.td_errors = deque(maxlen=64)
    s.start_episode()
    return s


def train(s: Agent) -> Iterator[Event]:
    """Train the agent ``s``. A generator: yields after every step in the environment, from ``s.step`` on, without end.

    Args:
        s: the state of this training: environment, networks or table, optimiser, replay buffer.

    Raises:
        Diverged: the loss is not finite.
    """
    return train_network(s) if isinstance(s, DQN) else train_table(s)


def train_network(s: DQN) -> Iterator[Event]:
    """Deep Q-learning: Mnih et al. (2015), algorithm 1."""
    while True:
        config = s.config  # live settings may have changed
        action = epsilon_greedy(s, epsilon_at(config, s.step))
        transition = s.env.step(action)
        s.episode_stats.record(s.env, transition)
        for n_step_transition, discount in s.n_step_buffer.push(transition):
            s.replay_buffer.add(n_step_transition, discount, s.step)
        if transition.done:
            s.start_episode()

        t = s.step + 1  # the steps made, with this one
        if config.target == "hard" and t % config.target_every == 0:
            update_target(s.target_network, s.q_network)  # before this step's updates, so that these use one target
        loss: Tensor | None = None
        if t > config.learning_starts and t % config.train_every == 0 and s.replay_buffer.size:
            for i in range(config.gradient_steps):
                if i:
                    yield Pulse()  # lets the driver draw or stop during a long series of updates
                if config.replay:
                    batch = s.replay_buffer.sample(config.batch_size, s.device, beta(config, t))
                else:
                    batch = s.replay_buffer.newest(config.train_every, s.device)
                y = td_target(batch, s.q_network, s.target_network, config.double)
                td_error = y - q_of_actions(s.q_network, batch)
                loss = td_loss(td_error, batch.weight, config.huber)
                s.optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                if config.clip:
                    clip_grad_norm_(s.q_network.parameters(), config.clip)
                s.optimizer.step()
                if config.prioritised:
                    s.replay_buffer.update_priorities(td_error.detach().cpu().numpy())
                if config.target == "soft":
                    update_target(s.target_network, s.q_network, config.tau)
                s.record_update(batch, y, td_error, loss)
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield s.next_step(loss)


def train_table(s: TabularAgent) -> Iterator[Event]:
    """Learning with a table: Sutton and Barto (2018), sections 6.4 (SARSA), 6.5 (Q-learning) and 6.7 (double)."""
    while True:
        config, Q = s.config, s.table
        epsilon = epsilon_at(config, s.step)
        action = epsilon_greedy(s, epsilon) if s.next_action is None else s.next_action
        transition = s.env.step(action)
        s.episode_stats.record(s.env, transition)
        if config.method == "sarsa":
            s.next_action = epsilon_greedy(s, epsilon)  # in the state that was reached; the next step takes it
            td_error = sarsa(Q[0], transition, s.next_action, config.lr, config.gamma)
        elif config.double:
            i = int(s.rng.integers(2))
            td_error = double_q_learning(Q[i], Q[1 - i], transition, config.lr, config.gamma)
        else:
            td_error = q_learning(Q[0], transition, config.lr, config.gamma)
        s.td_errors.append(td_error)
        if transition.done:
            s.start_episode()
        # Between two steps the driver logs metrics, takes snapshots, saves and applies changed settings.
        yield s.next_step()


def epsilon_greedy(s: Agent, epsilon: float) -> int:
    """An action at random with probability ε, else the best by the present estimate, the first of equals."""
    if s.rng.random() < epsilon:
        return int(s.rng.integers(s.env.n_actions))
    return int(s.q(s.env.observation[None])[0].argmax())


def epsilon_at(config: DQNConfig, step: int) -> float:
    """Share of random actions after ``step`` steps: linear from the first to the last; all of them in the warm-up."""
    if not config.tabular and step < config.learning_starts:
        return 1.0
    left = max(0.0, 1 - step / config.epsilon_steps)
    return config.epsilon_end + left * (config.epsilon_start - config.epsilon_end)


def beta(config: DQNConfig, step: int) -> float:
    """Exponent of the importance weights: linear from ``config.beta`` to 1 while ε comes down."""
    return config.beta + (1 - config.beta) * min(1.0, step / config.epsilon_steps)
