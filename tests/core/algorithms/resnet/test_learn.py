"""What the page teaches is true: every printed formula and number against torch."""

import copy
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import core.algorithms
from core.algorithms.resnet.metrics import initial, ratio, sizes
from core.algorithms.resnet.model import ResNet, initialise
from core.training import generator
from tests.core.algorithms.resnet.training import start

FOLDER = Path(core.algorithms.__file__).parent / "resnet"
TEXTS = {lang: (FOLDER / f"learn.{lang}.md").read_text("utf-8") for lang in ("en", "zh")}


def printed(formula: str) -> None:
    """Both texts show ``formula``: what is computed next to this call is what a person reads."""
    for lang, text in TEXTS.items():
        assert formula in text, f"learn.{lang}.md does not print {formula}"


@pytest.fixture
def net() -> ResNet:
    """Five pre-activated blocks of one stage and more, in double precision."""
    made = ResNet(1, 10, n=5, width=3, stride=1, residual=True, pre_activation=True).double().eval()
    initialise(made, generator(0, "weights"))
    return made


def test_a_block_adds_its_input(net):
    printed("y = F(x) + x")
    x = torch.randn(4, 3, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(net.blocks[1](x), net.blocks[1].branch(x) + x)


def test_the_sum_of_the_branches_and_its_gradient(net):
    printed(r"x_L = x_l + \sum_{i=l}^{L-1} F_i(x_i)")
    printed(
        r"\frac{\partial \mathcal{L}}{\partial x_l} = \frac{\partial \mathcal{L}}{\partial x_L} "
        r"\left(1 + \frac{\partial}{\partial x_l} \sum_{i=l}^{L-1} F_i(x_i)\right)"
    )
    blocks = list(net.blocks)[1:5]  # of one stage: their shortcuts are the identity
    x_l = torch.randn(2, 3, 6, 6, dtype=torch.float64, requires_grad=True)
    target = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    x, branches = x_l, []
    for block in blocks:
        branches.append(block.branch(x))
        x = block(x)
    torch.testing.assert_close(x, x_l + sum(branches))
    x.retain_grad()
    loss = ((x - target) ** 2).sum()
    (whole,) = torch.autograd.grad(loss, x_l, retain_graph=True)
    (at_top,) = torch.autograd.grad(loss, x, retain_graph=True)
    (through,) = torch.autograd.grad(sum(branches), x_l, at_top)
    torch.testing.assert_close(whole, at_top + through)


def test_parameters_and_layers_as_published():
    printed("$6n + 2$")
    for words in ("0.27", "0.85"):
        printed(words)
    for n, millions in ((3, 0.27), (9, 0.85)):
        for residual in (True, False):
            made = ResNet(3, 10, n=n, width=16, stride=1, residual=residual)
            assert round(sum(p.numel() for p in made.parameters()) / 1e6, 2) == millions


def test_what_batch_norm_behind_a_relu_does_to_the_gradient():
    """A wide network without convolutions; He's or any other scale of the weights makes no difference."""
    printed(r"\frac{\tfrac12}{\tfrac12 - \tfrac1{2\pi}} = \frac{\pi}{\pi - 1} \approx 1.47")
    printed(r"$\tfrac12 - \tfrac1{2\pi}$")
    expected = math.pi / (math.pi - 1)
    assert round(expected, 2) == 1.47
    z = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    assert z.relu().var().item() == pytest.approx(0.5 - 0.5 / math.pi, rel=0.01)
    for scale in (1.0, 30.0):
        torch.manual_seed(0)
        x = torch.randn(512, 512)
        signals = []
        for _ in range(9):
            layer = nn.Linear(512, 512, bias=False)
            nn.init.normal_(layer.weight, std=scale * math.sqrt(2 / 512))
            x = nn.BatchNorm1d(512)(layer(x)).relu()
            x.retain_grad()
            signals.append(x)
        (x * torch.randn(512, 512)).sum().backward()
        squares = [signal.grad.square().sum().item() for signal in signals]
        growth = [before / after for before, after in pairwise(squares)]
        assert sum(growth) / len(growth) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_gradients_at_56_layers_before_the_first_step(batch_norm, seed):
    """The first block's over the last one's: explodes with batch norm, not without; shortcuts keep it near 1."""
    s = start({"data": "mnist_5k", "n": 9, "width": 8, "stride": 2, "batch_norm": batch_norm, "seed": seed})
    losses, norms = initial(s)
    found = {name: ratio(row.numpy()) for name, row in zip(s.networks, norms, strict=True)}
    if batch_norm:
        assert 1000 <= found["plain"] <= 3000
        assert 4.5 <= found["residual"] <= 6.5
        x, F_x = np.square(sizes(s)["residual"][:, :2]).T
        assert np.mean(x / (x + F_x)) == pytest.approx(4 / 5, abs=0.03)
    else:
        assert 1 <= found["plain"] <= 11
        assert losses["residual"] >= 1000
        assert losses["plain"] < 10


def test_without_batch_norm_the_variance_doubles_from_block_to_block():
    printed("27")
    made = ResNet(1, 10, n=9, width=8, stride=1, residual=True, batch_norm=False, pre_activation=True)
    initialise(made, generator(0, "weights"))
    sizes = []
    made(torch.randn(64, 1, 16, 16), None, sizes)
    squares = torch.stack([size.branch for size in sizes]).square()
    inputs = torch.stack([size.shortcut for size in sizes]).square()
    inside = [i for i in range(27) if i % 9]  # a shortcut that halves the picture pads it with zeros
    growth = (squares + inputs)[inside] / inputs[inside]
    assert growth.log().mean().exp().item() == pytest.approx(2, rel=0.25)


def test_stochastic_depth():
    printed(r"p_l = 1 - \frac{l}{L} (1 - p_L), \qquad y = h(x) + p_l F(x)")
    made = ResNet(1, 10, n=2, width=3, stride=1, residual=True, pre_activation=True, drop=0.4).double().eval()
    L, p_L = 6, 0.6
    assert made.survival == pytest.approx([1 - i / L * (1 - p_L) for i in range(1, L + 1)])
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    initialise(made, generator(0, "weights"))
    block, p = made.blocks[1], made.survival[1]
    torch.testing.assert_close(block(x, p), block.shortcut(x) + p * block.branch(x))


def test_a_relu_at_the_end_of_the_branch_lets_the_signal_only_grow(net):
    x = torch.randn(4, 3, 6, 6, dtype=torch.float64).relu()
    branch = net.blocks[1].branch(x)
    assert ((x + branch.relu()) >= x).all()
    assert ((x + branch) < x).any()


def test_zero_gamma_stops_a_plain_network():
    plain = ResNet(1, 10, n=1, width=2, stride=1, residual=False)
    initialise(plain, generator(0, "weights"))
    for block in plain.blocks:
        block.norm2.weight.data.zero_()
    plain(torch.randn(8, 1, 8, 8)).square().sum().backward()
    assert plain.conv.weight.grad.abs().max() == 0
    kept = copy.deepcopy(plain)
    assert all(block.conv1.weight.grad is None or block.conv1.weight.grad.abs().max() == 0 for block in kept.blocks)
