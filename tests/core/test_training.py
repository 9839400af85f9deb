"""The base of all trainings: seeds by purpose, a state that saves itself, batches, statistics of an update."""

from collections import deque
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from core.experiment import Diverged
from core.training import EpochBatches, History, Training, UpdateStatistics, generator, log_spacing, seed_of
from core.words import Refusal


def test_streams_of_neighbouring_seeds_purposes_and_numbers_have_nothing_in_common() -> None:
    seeds = [
        seed_of(s, purpose, n) for s in range(20) for purpose in ("weights", "shuffle", "eights", "") for n in (0, 1)
    ]
    assert len({seed % 2**32 for seed in seeds}) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert generator(7, "weights").initial_seed() == seed_of(7, "weights")
    first = [torch.rand(1000, generator=generator(seed, "weights")) for seed in range(8)]
    assert np.abs(np.corrcoef(torch.stack(first).numpy()) - np.eye(8)).max() < 0.15  # 5 standard errors of 1,000


class Point(NamedTuple):
    step: int
    loss: float


class Everything(Training):
    saved = ("model", "optimizer", "rng", "torch_rng", "history", "window", "names", "tensor", "nothing", "nested")

    def __init__(self) -> None:
        super().__init__(None, None, "cpu")
        self.model = torch.nn.Linear(3, 2)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.1)
        self.rng, self.torch_rng = np.random.default_rng(1), generator(1, "masks")
        self.history = History(Point)
        self.window: deque[float] = deque(maxlen=3)
        self.names: set[str] = set()
        self.tensor = torch.zeros(2, dtype=torch.int64)
        self.nothing: Any = None
        self.nested: dict[str, Any] = {}

    def advance(self) -> None:
        self.optimizer.zero_grad()
        loss = self.model(torch.rand(4, 3, generator=self.torch_rng)).square().mean()
        loss.backward()
        self.optimizer.step()
        self.history.append(Point(self.step, float(loss.detach())))
        self.window.append(self.rng.random())
        self.names.add(f"step {self.step}")
        self.tensor = self.tensor + self.step
        self.nothing = torch.ones(1)
        self.nested = {"a": [np.arange(2), (1, "b")]}
        self.next_step(loss)


def test_all_kinds_of_parts_come_back() -> None:
    one, other = Everything(), Everything()
    for _ in range(5):
        one.advance()
    one.active.add("stalled")
    other.load_state_dict(one.state_dict())
    assert other.step == 5 and other.active == {"stalled"}
    for training in (one, other):
        training.advance()
    assert torch.equal(one.model.weight, other.model.weight)
    assert one.rng.random() == other.rng.random()
    assert list(one.history) == list(other.history) and isinstance(other.history[0].step, int)
    assert one.window == other.window and other.window.maxlen == 3
    assert one.names == other.names
    assert torch.equal(one.tensor, other.tensor) and one.tensor.dtype == other.tensor.dtype
    assert other.nested["a"][1] == (1, "b") and np.array_equal(other.nested["a"][0], [0, 1])
    other.nested["a"][0][:] = 9
    assert one.nested["a"][0].tolist() == [0, 1], "what was loaded is a copy"


def test_what_a_recording_left_out_stays_as_it_was_built() -> None:
    one, other = Everything(), Everything()
    one.advance()
    tree = one.state_dict()
    del tree["optimizer"], tree["window"]
    other.load_state_dict(tree)
    assert torch.equal(one.model.weight, other.model.weight) and not other.optimizer.state and not other.window


def test_a_training_takes_the_weights_of_another_and_nothing_else() -> None:
    one, other, built = Everything(), Everything(), Everything()
    for _ in range(5):
        one.advance()
    weight = other.model.weight
    other.cached(lambda s: s.step)
    other.load_weights(one.state_dict())
    assert other.model.weight is weight, "the optimiser knows the parameter"
    assert torch.equal(weight, one.model.weight) and torch.equal(other.model.bias, one.model.bias)
    assert weight.data_ptr() != one.model.weight.data_ptr()
    assert other.step == 0 and not other.optimizer.state and not other.history and not other.window and not other.names
    assert other.rng.random() == built.rng.random() and not other._cache


def test_weights_that_do_not_fit_are_refused_by_the_name_of_the_first_that_differs() -> None:
    one, other = Everything(), Everything()
    for there, name, sentence in (
        (torch.nn.Linear(4, 2), "model.weight", "model.weight is 2 × 4 there and 2 × 3 here."),
        (torch.nn.Linear(3, 2, bias=False), "model.bias", "model.bias is missing there and 2 here."),
        (torch.nn.Bilinear(3, 3, 2), "model.weight", "model.weight is 2 × 3 × 3 there and 2 × 3 here."),
        (torch.nn.Sequential(torch.nn.Linear(3, 2)), "model.weight", "model.weight is missing there and 2 × 3 here."),
    ):
        before = other.model.weight.clone()
        with pytest.raises(Refusal, match=f"{name}.*") as refused:
            other.load_weights({**one.state_dict(), "model": there.state_dict()})
        assert str(refused.value).endswith(sentence) and refused.value.field == "start_from"
        assert torch.equal(other.model.weight, before)
    more = {**one.model.state_dict(), "scale": torch.tensor(1.0)}
    with pytest.raises(Refusal, match=r"model\.scale is 1 there and missing here\."):
        other.load_weights({**one.state_dict(), "model": more})
    with pytest.raises(Refusal, match=r"model\.weight is missing there"):
        other.load_weights({"step": 3, "active": []})


class Twins(Training):
    """A network and its copy, or one network by two names; and a table."""

    saved = ("model", "target", "table")
    learned_arrays = ("table",)

    def __init__(self, copies: bool, fill: float) -> None:
        super().__init__(None, None, "cpu")
        self.model = torch.nn.Linear(1, 1)
        self.target = torch.nn.Linear(1, 1) if copies else self.model
        self.table = np.full((2, 2), fill)
        with torch.no_grad():
            for value, network in enumerate((self.target, self.model)):
                network.weight.fill_(fill + value)


def test_a_copy_of_a_network_is_taken_like_any_other_and_a_second_name_is_not() -> None:
    for copies, values in ((True, (6.0, 5.0)), (False, (6.0, 6.0))):
        one, other = Twins(True, 5.0), Twins(copies, 0.0)
        other.load_weights(one.state_dict())
        assert (other.model.weight.item(), other.target.weight.item()) == values
        assert other.table.tolist() == [[5.0, 5.0], [5.0, 5.0]] and other.table is not one.table
    with pytest.raises(Refusal, match=r"table is missing there and 2 × 2 here"):
        other.load_weights({name: part for name, part in one.state_dict().items() if name != "table"})


def test_a_weight_without_a_gradient_so_far_does_not_shift_the_moments_of_the_others() -> None:
    one, other = Everything(), Everything()
    for training in (one, other):
        training.nested = {"weights": [torch.ones(1, requires_grad=True) for _ in range(3)]}
        training.optimizer = torch.optim.Adam(training.nested["weights"], lr=0.1)
    first, unused, last = one.nested["weights"]
    first.grad, last.grad = torch.tensor([2.0]), torch.tensor([3.0])
    one.optimizer.step()
    weights = other.nested["weights"]
    tree = one.state_dict()
    del tree["nested"]
    other.load_state_dict(tree)
    restored = [other.optimizer.state.get(w, {}).get("exp_avg") for w in weights]
    assert unused.grad is None and restored[1] is None
    assert torch.equal(restored[0], one.optimizer.state[first]["exp_avg"])
    assert torch.equal(restored[2], one.optimizer.state[last]["exp_avg"])


def test_a_loss_that_is_not_finite_ends_the_training_and_its_step_does_not_count() -> None:
    training = Everything()
    training.next_step(torch.tensor(1.0))
    for bad in (float("nan"), float("inf")):
        with pytest.raises(Diverged):
            training.next_step(torch.tensor(bad))
    assert training.step == 1
    with torch.no_grad():
        training.model.bias[0] = float("nan")
    with pytest.raises(Diverged):
        training.state_dict()


def test_what_is_cached_for_a_step_is_made_anew_at_the_next() -> None:
    training, made = Everything(), []

    def once(one: Everything) -> int:
        made.append(one.step)
        return one.step

    assert [training.cached_at_step(once), training.cached_at_step(once)] == [0, 0]
    training.advance()
    assert training.cached_at_step(once) == 1 and made == [0, 1]
    assert training.cached(once) == 1
    training.advance()
    assert training.cached(once) == 1 and training.cached_at_step(once) == 2


@pytest.mark.parametrize(("n", "batch", "least"), [(100, 16, 1), (97, 16, 2), (10, 64, 1), (5, 2, 2), (4, 4, 1)])
def test_an_epoch_has_every_row_once_and_then_another_order(n: int, batch: int, least: int) -> None:
    batches = EpochBatches(n, generator(0, "shuffle"), least)
    epochs = []
    for epoch in range(2):
        rows: list[int] = []
        while not rows or not batches.epoch_ended:
            chosen = batches.next(batch)
            assert least <= len(chosen) <= batch
            rows += chosen.tolist()
            assert batches.epoch == pytest.approx(epoch + len(rows) / n)
        epochs.append(rows)
        assert len(set(rows)) == len(rows) > n - least
    assert n < 10 or epochs[0] != epochs[1]


def test_statistics_of_an_update_are_those_of_the_formula() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4, bias=False), torch.nn.Linear(4, 1, bias=False))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    measure = [True]
    statistics = UpdateStatistics(optimizer, list(model.parameters()), lambda: measure[0])
    before = [p.detach().clone() for p in model.parameters()]
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    values = statistics.metrics(["a", "b"], scale=3.0)
    for name, p, old in zip("ab", model.parameters(), before, strict=True):
        assert p.grad is not None
        assert values[f"gradient/{name}"] == pytest.approx(3 * float(p.grad.norm()), rel=1e-5)
        assert values[f"update_ratio/{name}"] == pytest.approx(0.5 * float(p.grad.norm() / old.norm()), rel=1e-4)
    measure[0] = False
    optimizer.step()
    assert statistics.metrics(["a", "b"]) == {}, "a step that is not measured leaves nothing to log"


def test_logs_are_dense_at_first_and_some_thousand_in_any_run() -> None:
    steps = [step for step in range(200_000) if step % log_spacing(step, 64) == 0]
    assert steps[:64] == list(range(64))
    for low in (64, 128, 256, 512, 1024):
        assert sum(low <= step < 2 * low for step in steps) == 32
    assert {b - a for a, b in pairwise(steps) if 4096 < a < 130_000} == {64}
    assert sum(1 for step in range(0, 10_000_000, 64) if step % log_spacing(step, 64) == 0) < 10_000
