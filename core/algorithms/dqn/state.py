"""Everything an agent needs to go on: what it knows, what it remembers, where it stands, and its dice."""

import copy
from collections import deque
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.algorithms.dqn import tabular
from core.algorithms.dqn.config import DQNConfig
from core.algorithms.dqn.environments import World
from core.algorithms.dqn.model import QNetwork, initialise
from core.algorithms.dqn.replay import NStep, Replay
from core.events import Array
from core.experiment import Diverged

#: What random numbers are drawn for; each purpose has a stream of its own.
WEIGHTS, ACTIONS, BATCHES, EPISODES, JUDGED, SHOWN, PLAYED = 301, 302, 303, 304, 305, 306, 307

#: Episodes that the running mean is over, and errors of a table that are kept.
RECENT, SURPRISES = 20, 64


def seed_of(seed: int, purpose: int, number: int = 0) -> int:
    """A seed of its own for each seed, purpose and number.

    Those of episodes that are judged, shown or played are 2³¹ or more and all others below: none was trained on.
    """
    drawn = int(np.random.SeedSequence([seed, purpose, number]).generate_state(1)[0]) & 0x7FFFFFFF
    return drawn | (purpose in (JUDGED, SHOWN, PLAYED)) << 31


class Tally:
    """Returns and lengths of the training's episodes.

    Attributes:
        episodes: begun so far. returned, lasted: reward and steps of the one under way.
        recent: returns of the last :data:`RECENT`.
        ended: (return, length) of those that ended since the last telling.
        over: how many ended so far.
        lowest, highest: of all returns so far. longest: of all lengths. largest: of all |rewards|.
    """

    def __init__(self) -> None:
        self.episodes, self.returned, self.lasted = 0, 0.0, 0
        self.recent: list[float] = []
        self.ended: list[tuple[float, int]] = []
        self.over, self.longest, self.largest = 0, 0, 0.0
        self.lowest, self.highest = 0.0, 0.0

    def count(self, reward: float) -> None:
        self.returned += reward
        self.lasted += 1
        self.largest = max(self.largest, abs(reward))

    def end(self) -> None:
        """The episode is over."""
        first = not self.over
        self.lowest = self.returned if first else min(self.lowest, self.returned)
        self.highest = self.returned if first else max(self.highest, self.returned)
        self.over, self.longest = self.over + 1, max(self.longest, self.lasted)
        self.recent = [*self.recent[1 - RECENT :], self.returned]
        self.ended.append((self.returned, self.lasted))
        self.returned, self.lasted = 0.0, 0

    def state_dict(self) -> dict[str, Any]:
        return copy.deepcopy(vars(self))

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        vars(self).update(copy.deepcopy(tree))
        self.ended = [(float(r), int(n)) for r, n in tree["ended"]]


class State:
    """A training between two steps in the environment.

    Attributes:
        step: steps in the environment. updates: of the network.
        table: (1 or 2, states, actions) where values stand in a table, else None.
        online, target: the networks; ``target`` is ``online`` itself where there is no copy.
        planned: the next action, where SARSA has chosen it already.
        delta, targets, loss: TD errors, targets and loss of the network's last update, where there was one.
        seen: observations and actions of its batch.
        surprises: the last TD errors of a table.
        history: (step, return, its standard error) of each evaluation.
        pairs: (n, 2) Q(s, a) and the return really obtained from there on, of the last evaluation.
        active: diagnoses that hold at the moment, so that each is told once.
        reseeded: the environment did not repeat itself when the training was taken up.
    """

    def __init__(self, config: DQNConfig, world: World, device: str) -> None:
        self.config, self.world, self.device = config, world, torch.device(device)
        self.step = self.updates = 0
        self.dice = np.random.default_rng(seed_of(config.seed, ACTIONS))
        self.draws = np.random.default_rng(seed_of(config.seed, BATCHES))
        self.tally = Tally()
        self.table: Array | None = None
        self.planned: int | None = None
        self.delta: Tensor | None = None
        self.targets: Tensor | None = None
        self.loss: Tensor | None = None
        self.seen: tuple[Tensor, Tensor] | None = None
        self.surprises: deque[float] = deque(maxlen=SURPRISES)
        self.history: list[tuple[int, float, float]] = []
        self.pairs: Array = np.zeros((0, 2), np.float32)
        self.active: set[str] = set()
        self.reseeded = False
        self.judges: list[World] = []  # core.algorithms.dqn.evaluate keeps its environments here
        self.rollout: Any = None  # core.algorithms.dqn.rollout keeps the episode that is shown here
        if config.tabular:
            self.table = tabular.blank(world.states, world.actions, config.double)
        else:
            self._networks()
        self.begin()

    def _networks(self) -> None:
        config, world = self.config, self.world
        inputs = world.states or world.shape[0]
        made = [QNetwork(inputs, bool(world.states), world.actions, config.layers, config.dueling) for _ in range(2)]
        initialise(made[0], torch.Generator().manual_seed(seed_of(config.seed, WEIGHTS)))
        made[1].load_state_dict(made[0].state_dict())
        self.online = made[0].to(self.device)
        self.target = self.online if config.target == "none" else made[1].to(self.device).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.online.parameters(), lr=config.lr, fused=True)
        self.joiner = NStep(config.n_step, config.gamma)
        # Without replay the newest steps are all there is to learn from.
        capacity = config.buffer if config.replay else config.train_every
        self.replay = Replay(capacity, world.shape, config.alpha if config.prioritised else None)

    def begin(self) -> None:
        """A new episode, with a seed of its own."""
        self.world.begin(seed_of(self.config.seed, EPISODES, self.tally.episodes))
        self.tally.episodes += 1
        self.planned = None

    @torch.no_grad()
    def q(self, observations: Array) -> Array:
        """Q of each action, (n, actions), for observations (n, size) or numbers of states (n,)."""
        if self.table is not None:
            mean: Array = self.table[:, observations].mean(axis=0)
            return mean
        x = torch.from_numpy(np.ascontiguousarray(observations))
        Q: Array = self.online(x.to(self.device)).cpu().numpy()
        return Q

    @property
    def errors(self) -> Array:
        """The last TD errors, (n,) of float32: of the network's last batch, or the table's last steps."""
        if self.delta is not None:
            seen: Array = self.delta.cpu().numpy()
            return seen
        return np.array(self.surprises, np.float32)

    def turn(self, config: DQNConfig) -> None:
        """Take changed live settings; the loop reads them at its next step."""
        self.config = config

    def state_dict(self) -> dict[str, Any]:
        """All of it, as a tree of dicts, lists, numbers, strings, arrays and tensors.

        Raises:
            Diverged: a weight is no longer a number, so that there is nothing left to go on with.
        """
        tree: dict[str, Any] = {
            "step": self.step,
            "updates": self.updates,
            "world": self.world.state_dict(),
            "dice": self.dice.bit_generator.state,
            "draws": self.draws.bit_generator.state,
            "tally": self.tally.state_dict(),
            "planned": self.planned,
            "history": np.array(self.history, np.float64).reshape(-1, 3),
            "pairs": self.pairs,
            "active": sorted(self.active),
            "last": [self.delta, self.targets, self.loss],
            "seen": list(self.seen or ()),
            "surprises": list(self.surprises),
        }
        if self.table is not None:
            return tree | {"table": self.table.copy()}
        if not all(p.isfinite().all() for p in self.online.parameters()):
            raise Diverged("a weight is no longer a number")
        return tree | {
            "online": self.online.state_dict(),
            "target": self.target.state_dict(),
            "optimizer": [slots for _, slots in sorted(self.optimizer.state_dict()["state"].items())],
            "replay": self.replay.state_dict(),
            "joiner": self.joiner.state_dict(),
        }

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        """Become the state that :meth:`state_dict` told of; the config must be the same but for live settings.

        An environment that does not come to the same state when the episode is played again begins a new episode.
        """
        self.step, self.updates = int(tree["step"]), int(tree["updates"])
        self.dice.bit_generator.state = copy.deepcopy(tree["dice"])
        self.draws.bit_generator.state = copy.deepcopy(tree["draws"])
        self.tally.load_state_dict(tree["tally"])
        self.history = [(int(s), *map(float, rest)) for s, *rest in np.asarray(tree["history"])]  # type: ignore[misc]
        self.pairs = np.array(tree["pairs"], np.float32)
        self.active = set(tree["active"])
        last = (None if one is None else torch.as_tensor(one).clone() for one in tree["last"])
        self.delta, self.targets, self.loss = last
        observation_and_action = [torch.as_tensor(one).clone() for one in tree.get("seen", ())]
        self.seen = (observation_and_action[0], observation_and_action[1]) if observation_and_action else None
        self.surprises = deque(tree["surprises"], maxlen=SURPRISES)
        if self.table is not None:
            self.table = np.array(tree["table"], np.float64)
        else:
            self._load_networks(tree)
        self.reseeded = not self.world.load_state_dict(tree["world"])
        if self.reseeded:
            self.tally.returned, self.tally.lasted = 0.0, 0
            if self.table is None:
                self.joiner.waiting.clear()  # no steps are joined across two episodes
            self.begin()
        else:
            self.planned = None if tree["planned"] is None else int(tree["planned"])

    def _load_networks(self, tree: dict[str, Any]) -> None:
        self.online.load_state_dict(tree["online"])
        if self.target is not self.online:
            self.target.load_state_dict(tree.get("target", tree["online"]))  # a slim one has none
        # The settings say what the groups are; the slots of each weight (moments, step counts) are what was learned.
        groups = self.optimizer.state_dict()["param_groups"]
        slots = dict(enumerate(copy.deepcopy(tree["optimizer"])))  # PyTorch would take the very tensors
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        self.replay.load_state_dict(tree["replay"])
        self.joiner.load_state_dict(tree["joiner"])
