"""Everything a training of the two networks needs to go on: both, their optimisers, the noise, whose turn it is."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.diagnoses import Evaluation
from core.algorithms.gan.model import Net, latent, packed
from core.algorithms.gan.source import Source
from core.experiment import Diverged

#: The parts of a round, in their order.
PARTS = ("D", "G")

#: Fixed noise: for measurements, and as many of them for pictures.
MEASURED, SHOWN = 2000, 300


class State:
    """A training between two updates.

    Attributes:
        step: updates made, of either network.
        G, D, slow: the networks, and the running average of G.
        draw: the generator of all random numbers of the training.
        fixed: noise that stays, (MEASURED, latent), for measurements and pictures.
        done: updates of the part in turn that its round has had.
        averaged: updates of G since its average began.
        measured: what was found at the last updates, by metric name.
        history: the last evaluations, for the diagnoses.
        before: at the last of them, the mode that G sent each of the fixed noise to; empty before the first.
        since: the same of the evaluation before it.
        active: diagnoses that hold at the moment, so that each is told once.
    """

    def __init__(
        self,
        config: GANConfig,
        source: Source,
        device: str,
        nets: tuple[Net, Net],
        optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer],
        draw: torch.Generator,
        fixed: Tensor,
    ) -> None:
        self.config, self.source, self.device = config, source, torch.device(device)
        self.G, self.D = nets
        self.slow = copy.deepcopy(self.G)
        self.slow.mode = "test"
        self.optimizers = dict(zip(("G", "D"), optimizers, strict=True))
        self.draw, self.fixed = draw, fixed
        self.step = self.done = self.averaged = 0
        self._due = PARTS[0]
        self.measured: dict[str, float] = {}
        self.history: list[Evaluation] = []
        self.before = np.zeros(0, np.uint8)
        self.since = np.zeros(0, np.uint8)
        self.active: set[str] = set()
        self.scene: Any = None  # core.algorithms.gan.observe keeps what never changes over here

    @property
    def due(self) -> str:
        """The part whose update is next, ``"D"`` or ``"G"``. Setting it to the other one begins that one's turn."""
        return self._due

    @due.setter
    def due(self, part: str) -> None:
        if part != self._due:
            self._due, self.done = part, 0

    def advance(self) -> None:
        """An update of the part in turn was made: it may be the other one's turn."""
        self.step += 1
        self.done += 1
        if self.done >= self.config.updates(self._due):
            self.due = PARTS[1 - PARTS.index(self._due)]

    def real(self) -> Tensor:
        """A batch of real samples as D takes them one by one, new at each call."""
        return self.source.sample(self.config.batch_size, self.draw)

    def noise(self) -> Tensor:
        """A batch of noise for G."""
        return latent(self.config.batch_size, self.config.latent, self.config.noise, self.draw)

    def shown(self, x: Tensor) -> Tensor:
        """Samples as D is shown them in training: blurred by instance noise, in packs."""
        if self.config.instance_noise:
            x = x + self.config.instance_noise * torch.randn(x.shape, generator=self.draw, device=x.device)
        return packed(x, self.config.packing)

    def samples(self, z: Tensor, *, live: bool = False) -> Tensor:
        """What G makes of z as at a test, by its average where there is one, or as it is now. Without a gradient."""
        net = self.slow if self.config.ema and not live else self.G
        mode, net.mode = net.mode, "test"
        try:
            with torch.no_grad():
                made: Tensor = net(z)
                return made
        finally:
            net.mode = mode

    def judge(self, x: Tensor) -> Tensor:
        """D's answers (n,) for samples (n, …) of one kind, as in training: judged among themselves.

        With packing a sample's pack is filled up by those that follow it, and batch norm goes by these samples. A
        gradient may be taken, and flows to each sample as the first of its pack; nothing in D changes.
        """
        others = [x.detach().roll(-i, dims=0) for i in range(1, self.config.packing)]
        return self._asked(torch.cat([x, *others], dim=1), "play")  # (n, m·d, …)

    def believed(self, places: Tensor, company: Tensor) -> Tensor:
        """D's answers (n,) for places (n, …) that are samples of neither kind, without a gradient.

        With packing each is judged beside the first m - 1 of ``company``; batch norm goes by what it remembers of both
        kinds.
        """
        others = [one.expand(len(places), *one.shape) for one in company[: self.config.packing - 1]]
        with torch.no_grad():
            return self._asked(torch.cat([places, *others], dim=1), "test")

    def _asked(self, x: Tensor, mode: str) -> Tensor:
        held, self.D.mode = self.D.mode, mode
        try:
            answers: Tensor = self.D(x)
            return answers[:, 0]
        finally:
            self.D.mode = held

    def turn(self, config: GANConfig) -> None:
        """Take changed live settings; the loop reads them at its next update."""
        if config.ema and not self.config.ema:  # an average that begins in the midst begins with what there is
            self.slow.load_state_dict(self.G.state_dict())
            self.averaged = 0
        self.config = config

    def state_dict(self) -> dict[str, Any]:
        """All of it, as a tree of dicts, lists, numbers, strings, arrays and tensors.

        Raises:
            Diverged: a weight is no longer a number, so that there is nothing left to go on with.
        """
        if not all(p.isfinite().all() for net in (self.G, self.D) for p in net.parameters()):
            raise Diverged("a weight is no longer a number")
        return {
            "G": self.G.state_dict(),
            "D": self.D.state_dict(),
            "slow": self.slow.state_dict(),
            "optimizers": {
                part: [slots for _, slots in sorted(one.state_dict()["state"].items())]
                for part, one in self.optimizers.items()
            },
            "draw": self.draw.get_state(),
            "due": self._due,
            "done": self.done,
            "averaged": self.averaged,
            "step": self.step,
            "measured": dict(self.measured),
            "history": [list(one) for one in self.history],
            "before": self.before,
            "since": self.since,
            "active": sorted(self.active),
        }

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        """Become the state that :meth:`state_dict` told of; the config must be the same but for live settings."""
        self.G.load_state_dict(tree["G"])
        self.D.load_state_dict(tree["D"])
        self.slow.load_state_dict(tree["slow"])
        for part, slots in tree["optimizers"].items():
            # The settings say what the groups are; moments and step counts of each weight are what was learned.
            groups = self.optimizers[part].state_dict()["param_groups"]
            held = dict(enumerate(copy.deepcopy(slots)))  # PyTorch would take the very tensors
            self.optimizers[part].load_state_dict({"state": held, "param_groups": groups})
        self.draw.set_state(torch.as_tensor(tree["draw"]))
        self._due = str(tree["due"])
        self.done, self.averaged, self.step = (int(tree[name]) for name in ("done", "averaged", "step"))
        self.measured = dict(tree["measured"])
        self.history = [Evaluation(*one) for one in tree["history"]]
        self.before, self.since = (np.array(tree[name], np.uint8) for name in ("before", "since"))
        self.active = set(tree["active"])


def bare(x: Tensor) -> np.ndarray[Any, Any]:
    """A tensor's numbers."""
    return x.detach().cpu().numpy()
