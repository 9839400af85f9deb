"""Everything a training of a graph network needs to go on: network, optimiser, generators, the best epoch so far."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from core.algorithms.gnn.config import GNNConfig
from core.algorithms.gnn.diagnoses import Evaluation
from core.algorithms.gnn.model import GNN
from core.algorithms.gnn.tasks import Seen, Task
from core.data.graphs import Graph
from core.experiment import Diverged


@dataclass(frozen=True, slots=True)
class Chosen:
    """The epoch that the validation part likes best so far, and what the test says of it: never the other way round.

    Attributes:
        score, loss: of the validation part; the later epoch has to be better.
        test: score of the test part at that epoch.
    """

    step: int = -1
    score: float = -1.0
    loss: float = float("inf")
    test: float = 0.0


class State:
    """A training between two updates.

    Attributes:
        step: updates made.
        task: what is learned; it holds the data.
        graph: the one graph, ``None`` where there are many.
        draw: the generator of what is drawn besides dropout masks: edges left out, pairs not joined, batches.
        chosen: the best epoch so far.
        history: evaluations so far, for the diagnoses; ``active``: those that hold at the moment.
    """

    def __init__(
        self,
        config: GNNConfig,
        task: Task,
        graph: Graph | None,
        device: str,
        model: GNN,
        optimizer: torch.optim.Optimizer,
        draw: torch.Generator,
    ) -> None:
        self.config, self.task, self.graph, self.device = config, task, graph, torch.device(device)
        self.model, self.optimizer, self.draw = model, optimizer, draw
        self.step = 0
        self.chosen = Chosen()
        self.history: list[Evaluation] = []
        self.active: set[str] = set()
        self._seen: Seen | None = None
        self.scenery: Any = None  # core.algorithms.gnn.observe keeps what it draws over here

    @torch.no_grad()
    def look(self) -> Seen:
        """What can be seen of the present parameters; found once for each step. Changes nothing."""
        if self._seen is None or self._seen.step != self.step:
            self.model.eval()
            try:
                self._seen = self.task.look(self.model, self.step)
            finally:
                self.model.train()
        return self._seen

    def turn(self, config: GNNConfig) -> None:
        """Take changed live settings; the loop reads them at its next step."""
        self.config = config

    def state_dict(self) -> dict[str, Any]:
        """All of it, as a tree of dicts, lists, numbers, strings, arrays and tensors.

        Raises:
            Diverged: a weight is no longer a number, so that there is nothing left to go on with.
        """
        if not all(p.isfinite().all() for p in self.model.parameters()):
            raise Diverged("a weight is no longer a number")
        chosen = self.chosen
        return {
            "model": self.model.state_dict(),
            "optimizer": [slots for _, slots in sorted(self.optimizer.state_dict()["state"].items())],
            "draw": self.draw.get_state(),
            "masks": self.model.drop.generator.get_state(),
            "step": self.step,
            "chosen": np.array([chosen.step, chosen.score, chosen.loss, chosen.test], np.float64),
            "history": np.array(self.history, dtype=np.float64).reshape(-1, len(Evaluation._fields)),
            "active": sorted(self.active),
        }

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        """Become the state that :meth:`state_dict` told of; the config must be the same but for live settings."""
        self.model.load_state_dict(tree["model"])
        # The settings say what the groups are; the slots of each weight (moments, step counts) are what was learned.
        groups = self.optimizer.state_dict()["param_groups"]
        slots = dict(enumerate(copy.deepcopy(tree["optimizer"])))  # PyTorch would take the very tensors
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        self.draw.set_state(torch.as_tensor(tree["draw"]))
        self.model.drop.generator.set_state(torch.as_tensor(tree["masks"]))
        self.step = int(tree["step"])
        step, *rest = np.asarray(tree["chosen"]).tolist()
        self.chosen = Chosen(int(step), *rest)
        self.history = [Evaluation(int(row[0]), *map(float, row[1:])) for row in np.asarray(tree["history"])]
        self.active = set(tree["active"])
        self._seen = None
