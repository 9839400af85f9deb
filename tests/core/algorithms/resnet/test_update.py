"""Two updates of the loop against the formula written out, both networks at once.

Gradients are taken through ``reference.py``, which shares nothing with the algorithm; weight decay, momentum and the
rate's drop are written down here.
"""

import copy

import pytest
import torch
from torch import Tensor

from core.algorithms.resnet.train import learning_rate
from tests.core.algorithms.resnet import reference
from tests.core.algorithms.resnet.training import TINY, program, start

RATE, MU, DECAY = 0.1, 0.8, 0.05
SETTINGS = TINY | {"lr": RATE, "momentum": MU, "weight_decay": DECAY, "lr_steps": (1,), "batch_size": 12}
KINDS = {
    "2015": {},
    "2016": {"order": "pre"},
    "no norm": {"batch_norm": False, "lr": 0.01},
    "B": {"shortcut": "B"},
    "stochastic depth": {"drop": 0.9},
}


def learned(net) -> dict[str, Tensor]:
    return {name: p.detach().clone().double() for name, p in net.named_parameters()}


@pytest.mark.parametrize("kind", KINDS)
def test_two_updates_are_those_of_the_formula(kind):
    settings = SETTINGS | KINDS[kind]
    s = start(settings)
    rate = s.config.lr
    weights = {name: learned(net) for name, net in s.networks.items()}
    velocity = {name: {key: torch.zeros_like(w) for key, w in of.items()} for name, of in weights.items()}
    batches, gate_rng = copy.deepcopy(s.batches), torch.Generator()
    gate_rng.set_state(s.gate_rng.get_state())
    data = s.x_train.double() / 255
    mean, deviation = data.mean(dim=(0, 2, 3), keepdim=True), data.std(dim=(0, 2, 3), correction=0, keepdim=True)
    training = program.train(s)
    for step in range(2):
        rows = batches.next(12)
        x, y = (data[rows] - mean) / deviation, s.y_train[rows]
        losses = []
        for name, theta in weights.items():
            gates = None
            if name == "residual" and s.config.drop:
                kept = torch.rand(3, generator=gate_rng)
                gates = [float(kept[i] < 1 - (i + 1) / 3 * s.config.drop) for i in range(3)]
            leaves = {key: w.clone().requires_grad_() for key, w in theta.items()}
            z = reference.logits(
                x, leaves, n=1, stride=1, residual=name == "residual", pre=s.config.order == "pre", gates=gates
            )
            loss = reference.cross_entropy(z, y)
            losses.append(loss.item())
            gradients = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
            for (key, w), g in zip(theta.items(), gradients, strict=True):
                skipped = gates and any(not gate and f"blocks.{i}." in key for i, gate in enumerate(gates))
                if g is None or (skipped and "projection" not in key):
                    continue  # nothing pulls at what a step leaves out, not even its own momentum
                v = velocity[name][key] = MU * velocity[name][key] + g + DECAY * w
                theta[key] = w - (rate if step == 0 else rate / 10) * v
        next(training)
        assert s.loss.item() == pytest.approx(sum(losses), rel=1e-4)
        assert s.recent_losses[:, step].tolist() == pytest.approx(losses, rel=1e-4)
    for name, net in s.networks.items():
        for key, found in learned(net).items():
            torch.testing.assert_close(found, weights[name][key], rtol=2e-3, atol=2e-5, msg=f"{name} {key}")


def test_the_rate_is_a_tenth_after_each_of_its_steps():
    config = start(TINY | {"lr": 0.5, "lr_steps": (10, 40)}).config
    assert [learning_rate(config, step) for step in (0, 9, 10, 39, 40, 1000)] == pytest.approx(
        [0.5, 0.5, 0.05, 0.05, 0.005, 0.005]
    )
