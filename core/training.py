"""What every training needs beside its mathematics: seeds by purpose, a state that saves itself, a finite loss.

An algorithm's ``build`` makes a :class:`Training` and sets its networks, optimisers and generators as attributes; the
class says which of them a checkpoint keeps (``saved``). Its ``train`` is the loop of the paper and yields
:meth:`Training.next_step` whenever the state is consistent. Everything else - what is logged, drawn, saved, paused - is
done by others between two steps.
"""

import copy
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from core.events import Note, Step
from core.experiment import Diverged
from core.metrics import Diagnosis, newly_diagnosed
from core.words import N_, Refusal, Sentence

T = TypeVar("T")
E = TypeVar("E")
Row = TypeVar("Row", bound=tuple[Any, ...])


def seed_of(seed: int, purpose: str, number: int = 0) -> int:
    """A seed of 63 bits for one purpose, such as ``"weights"`` or ``"shuffle"``, and its ``number``-th use.

    Streams of other seeds, purposes and numbers have nothing in common with it (numpy's ``SeedSequence``).
    """
    state = np.random.SeedSequence([seed, number, *purpose.encode()]).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def generator(seed: int, purpose: str, device: str | torch.device = "cpu") -> torch.Generator:
    """PyTorch's random generator for one purpose. One on the CPU gives the same numbers for every device."""
    return torch.Generator(device).manual_seed(seed_of(seed, purpose))


class Training:
    """A training between two steps.

    Attributes:
        saved: names of the attributes that a checkpoint keeps, beside ``step`` and ``active``. Each may be a module, an
            optimiser, a random generator (PyTorch's or numpy's), anything with ``state_dict`` and ``load_state_dict``,
            or plain data: numbers, strings, tensors, arrays, and lists, tuples, dicts, sets and deques of these.
        learned_arrays: names of arrays and tensors that are learned beside the modules in ``saved``, such as a table.
        config: the settings in force; live ones change between two steps, so the loop reads them at every step.
        step: steps made.
        loss: of the last step, a scalar on the device; ``None`` before the first.
        active: diagnoses that hold at the moment, so that each is logged once.
        end: the step after which ``train`` returns by itself; 0 where it does not.
    """

    saved: ClassVar[tuple[str, ...]] = ()
    learned_arrays: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Any, data: Any, device: str) -> None:
        self.config, self.data, self.device = config, data, torch.device(device)
        self.step = self.end = 0
        self.loss: Tensor | None = None
        self.active: set[str] = set()
        self._cache: dict[Any, Any] = {}
        self._step_cache: dict[Any, Any] = {}
        self._cached_step = -1

    def next_step(self, loss: Tensor | None = None, *, epoch: float | None = None, part: str = "") -> Step:
        """Count a step that was made; the event to yield.

        Args:
            loss: of this step, where it had one; a scalar. On an accelerator it is checked only where metrics are
                logged, because to read it makes the device wait.
            epoch, part: as in :class:`~core.events.Step`.

        Raises:
            Diverged: the loss is not finite. The step does not count.
        """
        if loss is not None:
            self.loss = loss.detach()
            if (self.device.type == "cpu" or self.should_log(self.step + 1)) and not math.isfinite(self.loss.item()):
                raise Diverged(f"the loss is {self.loss.item()}")
        self.step += 1
        return Step(self.step, epoch, part)

    def should_log(self, step: int) -> bool:
        """Whether metrics are logged after ``step`` steps: by the count of steps, never by the clock."""
        return step % log_spacing(step) == 0

    def apply_config(self, config: Any) -> None:
        """Take changed live settings; the loop reads them at its next step."""
        self.config = config
        self._cached_step = -1  # a snapshot may depend on them

    def diagnose(self, diagnoses: Sequence[Diagnosis[E]], evidence: E) -> Iterator[Note]:
        """A note for each diagnosis that begins to hold with this evidence."""
        for name, values in newly_diagnosed(diagnoses, evidence, self.active).items():
            yield Note(self.step, name, values)

    def cached(self, make: Callable[[Self], T]) -> T:
        """``make(self)``, made once for this training, such as the grid that a snapshot is drawn over. Never saved."""
        if make not in self._cache:
            self._cache[make] = make(self)
        return cast(T, self._cache[make])

    def cached_at_step(self, make: Callable[[Self], T]) -> T:
        """``make(self)``, made once for each step: what several snapshots or metrics of one step have in common."""
        if self._cached_step != self.step:
            self._step_cache, self._cached_step = {}, self.step
        if make not in self._step_cache:
            self._step_cache[make] = make(self)
        return cast(T, self._step_cache[make])

    def state_dict(self) -> dict[str, Any]:
        """All that is saved, as a tree of dicts, lists, numbers, strings, arrays and tensors.

        Raises:
            Diverged: a weight is not finite, so that there is nothing left to go on with.
        """
        parts = {name: getattr(self, name) for name in self.saved}
        modules = [part for part in parts.values() if isinstance(part, nn.Module)]
        if not all(p.isfinite().all() for module in modules for p in module.parameters()):
            raise Diverged("a weight is not finite")
        tree = {name: _state_of(part) for name, part in parts.items()}
        return {"step": self.step, "active": sorted(self.active), **tree}

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        """Load what :meth:`state_dict` returned; the config must be the same but for live settings.

        What the tree lacks (a recording drops what only a training needs) stays as it was built.
        """
        self.step, self.active = int(tree["step"]), set(tree["active"])
        for name in self.saved:
            if name in tree:
                setattr(self, name, _restored(getattr(self, name), tree[name], self.device))
        self._cache, self._step_cache, self._cached_step = {}, {}, -1

    def load_weights(self, tree: Mapping[str, Any]) -> None:
        """Begin with what another run of this algorithm has learned: the parameters and buffers of the modules in
        ``saved``, and ``learned_arrays``. The step, optimisers, random generators and all else stay as they were built.

        An algorithm overrides it where more has to agree than names and shapes, or where a part is to stay its own: it
        then passes on a tree that holds that part as it was built.

        Args:
            tree: what the other's :meth:`state_dict` returned, or what a recording kept of it.

        Raises:
            Refusal: a name or a shape differs; then nothing was changed.
        """
        here: dict[str, Tensor] = {}
        there: dict[str, Any] = {}
        modules: set[int] = set()  # a module of two names, such as a target network that is no copy, is loaded once
        for name in (*self.saved, *self.learned_arrays):
            part = getattr(self, name)
            if isinstance(part, nn.Module) and id(part) not in modules:
                modules.add(id(part))
                here |= {f"{name}.{key}": value for key, value in part.state_dict().items()}
                there |= {f"{name}.{key}": value for key, value in (tree.get(name) or {}).items()}
            elif name in self.learned_arrays:
                here[name] = torch.as_tensor(part)  # the same memory
                there |= {name: tree[name]} if name in tree else {}
        check_shapes(here, there)
        with torch.no_grad():
            for name, value in here.items():
                value.copy_(torch.as_tensor(there[name]))
        self._cache, self._step_cache, self._cached_step = {}, {}, -1


def check_shapes(here: Mapping[str, Any], there: Mapping[str, Any]) -> None:
    """Whether another run's weights (``there``) have the names and the shapes of one's own (``here``).

    Raises:
        Refusal: they do not; it names the first that differs and both shapes.
    """
    for name in {**here, **there}:
        a, b = (tuple(weights[name].shape) if name in weights else None for weights in (there, here))
        if a != b:
            raise Refusal(
                "start_from",
                N_("The run to start from does not fit these settings: {name} is {there} there and {here} here."),
                name=name,
                there=_shape(a),
                here=_shape(b),
            )


def _shape(shape: tuple[int, ...] | None) -> Sentence | str:
    if shape is None:
        return Sentence(N_("missing"))
    return " × ".join(map(str, shape)) or "1"


def _state_of(part: Any) -> Any:
    if isinstance(part, torch.optim.Optimizer):
        # By index: a weight that has had no gradient so far has no slots, and those after it must not take its place.
        return [[i, slots] for i, slots in sorted(part.state_dict()["state"].items())]
    if isinstance(part, torch.Generator):
        return part.get_state()
    if isinstance(part, np.random.Generator):
        return part.bit_generator.state
    if hasattr(part, "state_dict"):
        return part.state_dict()
    if isinstance(part, set):
        return sorted(part)
    return list(part) if isinstance(part, deque) else part


def _restored(part: Any, saved: Any, device: torch.device) -> Any:
    """``part`` as it was saved; never the very objects of the tree, which may be those of a training in progress."""
    if isinstance(part, torch.optim.Optimizer):
        # The settings say what the groups are; the slots of each weight (moments, step counts) are what was learned.
        groups = part.state_dict()["param_groups"]
        part.load_state_dict({"state": dict(copy.deepcopy(saved)), "param_groups": groups})
        for weight, slots in part.state.items():
            for name, slot in slots.items():
                # A checkpoint's tensors are contiguous, whatever the weight's strides. A fused optimiser goes through
                # the memory of both alike, and would mix up the elements without a word.
                if isinstance(slot, Tensor) and slot.shape == weight.shape:
                    slots[name] = torch.empty_like(weight).copy_(slot)
    elif isinstance(part, torch.Generator):
        part.set_state(torch.as_tensor(saved))
    elif isinstance(part, np.random.Generator):
        part.bit_generator.state = copy.deepcopy(saved)
    elif hasattr(part, "load_state_dict"):
        part.load_state_dict(copy.deepcopy(saved))
    elif isinstance(part, deque):
        return deque(copy.deepcopy(saved), maxlen=part.maxlen)
    elif isinstance(part, set):
        return set(saved)
    else:
        return _copied(saved, part.device if isinstance(part, Tensor) else device)
    return part


def _copied(saved: Any, device: torch.device) -> Any:
    if isinstance(saved, Tensor):
        return saved.to(device, copy=True)
    if isinstance(saved, Mapping):
        return {name: _copied(value, device) for name, value in saved.items()}
    if isinstance(saved, list | tuple):
        return type(saved)(_copied(value, device) for value in saved)
    return copy.deepcopy(saved)


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give every group of parameters this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = lr


class EpochBatches:
    """Row numbers of a training part, each epoch in a new random order, without replacement.

    Args:
        n: rows.
        generator: of the CPU, so that a seed gives the same order on every device.
        min_batch: a last batch of fewer rows is left out; 2 for batch norm, which cannot normalise a single row.

    Attributes:
        order, cursor: this epoch's order (n,) of int64, and how many of its rows were used.
        epochs: epochs completed.
    """

    def __init__(self, n: int, generator: torch.Generator, min_batch: int = 1) -> None:
        self.generator, self.min_batch = generator, min_batch
        self.order = torch.randperm(n, generator=generator)
        self.cursor = self.epochs = 0

    def next(self, batch_size: int) -> Tensor:
        """Row numbers of the next batch, (at most ``batch_size``,) of int64 on the CPU."""
        if self.epoch_ended:
            self.order = torch.randperm(len(self.order), generator=self.generator)
            self.cursor, self.epochs = 0, self.epochs + 1
        rows = self.order[self.cursor : self.cursor + batch_size]
        self.cursor += len(rows)
        return rows

    @property
    def epoch(self) -> float:
        """Passes over the rows so far, as a fraction."""
        return self.epochs + self.cursor / len(self.order)

    @property
    def epoch_ended(self) -> bool:
        """Whether the last batch was an epoch's last."""
        return self.cursor > len(self.order) - self.min_batch

    def state_dict(self) -> dict[str, Any]:
        order = self.order.to(torch.int32)  # half the size
        return {"order": order, "cursor": self.cursor, "epochs": self.epochs, "generator": self.generator.get_state()}

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        self.order = torch.as_tensor(tree["order"]).to(torch.int64)
        self.cursor, self.epochs = int(tree["cursor"]), int(tree["epochs"])
        self.generator.set_state(torch.as_tensor(tree["generator"]))


class History(list[Row], Generic[Row]):
    """Evaluations in the order of their steps, rows of numbers of one named tuple, saved as one array."""

    def __init__(self, row: type[Row], rows: Iterable[Row] = ()) -> None:
        super().__init__(rows)
        self.row = row

    def state_dict(self) -> dict[str, Any]:
        return {"rows": np.array(self, np.float64).reshape(len(self), len(self.row.__annotations__))}

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        is_int = [kind is int for kind in self.row.__annotations__.values()]
        rows = np.asarray(tree["rows"], np.float64).tolist()
        self[:] = [self.row(*[int(v) if i else v for v, i in zip(row, is_int, strict=True)]) for row in rows]  # type: ignore[arg-type]


@torch.no_grad()
def update_ema(average: nn.Module, current: nn.Module, decay: float, t: int) -> None:
    """average ← β·average + (1 - β)·current, with β = min(decay, t/(t + 10)) at the t-th update, t ≥ 1.

    So the weights that a training begins with are forgotten. Buffers, such as batch norm's statistics, are copied.
    """
    beta = min(decay, t / (t + 10))
    torch._foreach_lerp_(list(average.parameters()), list(current.parameters()), 1 - beta)
    for mean, now in zip(average.buffers(), current.buffers(), strict=True):
        mean.copy_(now)


class UpdateStatistics:
    """Gradient norm and relative update of each weight, measured at the steps whose metrics are logged.

    It hooks into the optimiser, so that the training loop needs no line for it.

    Args:
        optimizer: the one that updates the weights.
        weights: what is measured, first layer first.
        should_measure: whether the step under way is measured.

    Attributes:
        values: (gradient norm as the optimiser saw it, ‖ΔW‖/‖W‖) of each weight at the last step; empty where it was
            not measured. The ratio is ``None`` for weights that were all 0.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, weights: Sequence[Tensor], should_measure: Callable[[], bool]
    ) -> None:
        self.weights, self.should_measure = list(weights), should_measure
        self.values: list[tuple[float, float | None]] = []
        self._before: list[Tensor] = []
        self._gradients: Sequence[Tensor] = ()
        optimizer.register_step_pre_hook(self._pre)
        optimizer.register_step_post_hook(self._post)

    def _pre(self, *_: Any) -> None:
        self._before = []
        if self.should_measure():
            # One call for all weights, here and below: they may be many and small.
            self._gradients = torch._foreach_norm([W.grad for W in self.weights])  # type: ignore[misc]
            self._before = [W.detach().clone() for W in self.weights]

    def _post(self, *_: Any) -> None:
        self.values = []
        if self._before:
            after = [W.detach() for W in self.weights]
            updates = torch._foreach_norm(torch._foreach_sub(after, self._before))
            norms = torch.stack([*self._gradients, *updates, *torch._foreach_norm(self._before)]).view(3, -1).tolist()
            self.values = [(g, u / w if w > 0 else None) for g, u, w in zip(*norms, strict=True)]

    def metrics(self, names: Sequence[str], scale: float = 1.0) -> dict[str, float]:
        """``gradient/<name>`` and ``update_ratio/<name>`` of the last step; empty where it was not measured.

        Args:
            names: of the weights, such as ``"layer_1"``.
            scale: multiplies the gradient norms; what clipping divided them by.
        """
        found = {f"gradient/{name}": g * scale for name, (g, _) in zip(names, self.values, strict=False)}
        ratios = zip(names, self.values, strict=False)
        return found | {f"update_ratio/{name}": ratio for name, (_, ratio) in ratios if ratio is not None}


def log_spacing(step: int, sparsest: int = 1 << 40) -> int:
    """Steps between two logs of metrics around ``step``, a power of two.

    1 up to step 63, then doubling with the steps up to ``sparsest``, and doubling again once a run would otherwise log
    more than 1,024 points in each doubling of its steps.
    """
    bits = step.bit_length()
    return max(min(1 << max(0, bits - 6), sparsest), 1 << max(0, bits - 11))


def power_of_two(most: float) -> int:
    """The largest power of two that is at most ``most``, at least 1."""
    return 1 << max(0, int(most).bit_length() - 1)
