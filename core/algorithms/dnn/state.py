"""Everything a training of the perceptron needs to go on: network, optimiser, generators, place in the data."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.algorithms.dnn.config import DNNConfig
from core.algorithms.dnn.diagnoses import Evaluation
from core.algorithms.dnn.model import MLP
from core.algorithms.dnn.schedule import Schedule
from core.data.dataset import Dataset, scale_of
from core.events import Array
from core.experiment import Diverged

#: Rows of the training part that are looked at in an evaluation. Every data set comes shuffled.
SAMPLE = 500


class State:
    """A training between two updates.

    Attributes:
        step: updates made.
        order, cursor, epochs: this epoch's shuffled rows, how many of them were used, and epochs completed.
        history: every evaluation so far, for the diagnoses.
        measured: gradient norms and update ratios of the last update, where it was one to be logged.
        active: diagnoses that hold at the moment, so that each is told once.
        predicted: the last evaluation's guess, a class number (uint8) for each test row.
        schedule: when something is told.
    """

    def __init__(
        self,
        config: DNNConfig,
        data: Dataset,
        device: str,
        model: MLP,
        optimizer: torch.optim.Optimizer,
        shuffle: torch.Generator,
    ) -> None:
        self.config, self.data, self.device = config, data, torch.device(device)
        self.model, self.optimizer, self.shuffle = model, optimizer, shuffle
        self.mean, self.deviation = (torch.from_numpy(a).to(self.device) for a in scale_of(data.x_train))
        self.y_mean, self.y_deviation = 0.0, 1.0
        if not data.classes:
            self.y_mean, self.y_deviation = float(data.y_train.mean()), float(data.y_train.std()) or 1.0
        self.x_train, self.y_train = self._tensors(data.x_train, data.y_train)
        self.x_test, self.y_test = self._tensors(data.x_test, data.y_test)
        self.step = self.epochs = self.cursor = 0
        self.order = torch.randperm(len(self.x_train), generator=shuffle)
        self.history: list[Evaluation] = []
        self.measured: dict[str, float] = {}
        self.active: set[str] = set()
        self.predicted: Array | None = None
        self.weights = sum(p.numel() for p in model.parameters())
        self.schedule = self._schedule()
        self.plane: Any = None  # core.algorithms.dnn.observe keeps the plane it draws over here

    def _schedule(self) -> Schedule:
        n = len(self.x_train)
        return Schedule.of(self.weights, self.config.batch_size, n, min(n, SAMPLE), len(self.x_test))

    def _tensors(self, x: Array, y: Array) -> tuple[Tensor, Tensor]:
        """Inputs as the first layer takes them (images stay bytes: a quarter of the memory), answers standardised."""
        inputs = torch.from_numpy(np.ascontiguousarray(x)).to(self.device)
        if inputs.dtype != torch.uint8:
            inputs = self.encode(inputs)
        answers = torch.from_numpy(y if self.data.classes else (y - self.y_mean) / self.y_deviation)
        return inputs, answers.to(self.device)

    def encode(self, x: Tensor) -> Tensor:
        """Rows in the data's own units -> standardised by the training part, with the inputs that were asked for."""
        x = (x.float() - self.mean) / self.deviation
        if self.config.features == ("x",):
            return x
        kinds = {
            "x": lambda: x,
            "square": lambda: x**2,
            "product": lambda: x[:, :1] * x[:, 1:],
            "sine": lambda: torch.sin(torch.pi * x),
        }
        return torch.cat([kinds[name]() for name in self.config.features], dim=1)

    def inputs(self, x: Tensor) -> Tensor:
        """A slice of ``x_train`` or ``x_test`` as the network takes it."""
        return self.encode(x) if x.dtype == torch.uint8 else x

    @property
    def epoch(self) -> float:
        return self.epochs + self.cursor / len(self.order)

    @property
    def epoch_ended(self) -> bool:
        """Whether the last update was an epoch's last."""
        return self.cursor >= len(self.order) - (1 if self.config.batch_norm else 0)

    def batch(self) -> tuple[Tensor, Tensor]:
        """The next rows of this epoch's order; a new order when it is used up.

        A last batch of one row is left out under batch norm, which cannot tell a deviation from it.
        """
        if self.epoch_ended:
            self.order = torch.randperm(len(self.order), generator=self.shuffle)
            self.cursor, self.epochs = 0, self.epochs + 1
        rows = self.order[self.cursor : self.cursor + self.config.batch_size].to(self.device)
        self.cursor += len(rows)
        return self.inputs(self.x_train.index_select(0, rows)), self.y_train.index_select(0, rows)

    def turn(self, config: DNNConfig) -> None:
        """Take changed live settings; the loop reads them at its next step."""
        self.config = config
        self.schedule = self._schedule()

    def state_dict(self) -> dict[str, Any]:
        """All of it, as a tree of dicts, lists, numbers, strings, arrays and tensors.

        Raises:
            Diverged: a weight is no longer a number, so that there is nothing left to go on with.
        """
        if not all(p.isfinite().all() for p in self.model.parameters()):
            raise Diverged("a weight is no longer a number")
        return {
            "model": self.model.state_dict(),
            "optimizer": [slots for _, slots in sorted(self.optimizer.state_dict()["state"].items())],
            "shuffle": self.shuffle.get_state(),
            "masks": self.model.generator.get_state(),
            "order": self.order.to(torch.int32),
            "cursor": self.cursor,
            "epochs": self.epochs,
            "step": self.step,
            "history": np.array(self.history, dtype=np.float64).reshape(-1, 5),
            "measured": dict(self.measured),
            "active": sorted(self.active),
            "predicted": self.predicted,
        }

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        """Become the state that :meth:`state_dict` told of; the config must be the same but for live settings."""
        self.model.load_state_dict(tree["model"])
        # The settings say what the groups are; the slots of each weight (moments, step counts) are what was learned.
        groups = self.optimizer.state_dict()["param_groups"]
        slots = dict(enumerate(copy.deepcopy(tree["optimizer"])))  # PyTorch would take the very tensors
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        self.shuffle.set_state(torch.as_tensor(tree["shuffle"]))
        self.model.generator.set_state(torch.as_tensor(tree["masks"]))
        self.order = torch.as_tensor(tree["order"]).to(torch.int64).clone()
        self.cursor, self.epochs, self.step = int(tree["cursor"]), int(tree["epochs"]), int(tree["step"])
        self.history = [Evaluation(int(s), int(e), *map(float, rest)) for s, e, *rest in np.asarray(tree["history"])]
        self.measured = dict(tree["measured"])
        self.active = set(tree["active"])
        self.predicted = None if tree["predicted"] is None else np.asarray(tree["predicted"])
