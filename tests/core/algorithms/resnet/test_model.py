"""The networks against their formulas, written out in ``reference.py`` without a module of torch.nn."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from core.algorithms.resnet.config import ResNetConfig
from core.algorithms.resnet.model import Block, ResNet, Sizes, batch_statistics, initialise, sample_gates
from core.training import generator
from tests.core.algorithms.resnet import reference

ORDERS = {"post": False, "pre": True}


def network(*, residual: bool = True, seed: int = 0, channels: int = 1, **changed) -> ResNet:
    """A small one with initial weights; the scales, shifts and statistics of its batch norm are drawn, too."""
    settings = {"n": 2, "width": 3, "stride": 1} | changed
    net = ResNet(channels, 10, residual=residual, **settings).double()
    initialise(net, generator(seed, "weights"))
    rng = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=rng))
            for tensor in (module.bias.data, module.running_mean):
                tensor.copy_(torch.randn(tensor.shape, generator=rng))
    return net


def pictures(n: int = 5, channels: int = 1, side: int = 8) -> Tensor:
    return torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("residual", [True, False], ids=["residual", "plain"])
@pytest.mark.parametrize("projection", [False, True], ids=["A", "B"])
@pytest.mark.parametrize("batch_norm", [True, False], ids=["norm", "no norm"])
def test_the_whole_network_is_what_the_papers_write(order, residual, projection, batch_norm):
    pre = ORDERS[order]
    net = network(residual=residual, pre_activation=pre, projection=projection, batch_norm=batch_norm, stride=2)
    x = pictures(side=16)
    for training in (False, True):
        net.train(training)
        expected = reference.logits(x, net.state_dict(), n=2, stride=2, residual=residual, pre=pre, training=training)
        torch.testing.assert_close(net(x), expected)


@pytest.mark.parametrize("order", ORDERS)
def test_a_plain_block_is_a_residual_one_without_the_addition(order):
    pre = ORDERS[order]
    made = [
        Block(3, 3, 1, residual=r, pre_activation=pre, first=False, batch_norm=True, projection=False).double()
        for r in (True, False)
    ]
    x = pictures(channels=3)
    for block in made:
        for conv in (block.conv1, block.conv2):
            torch.nn.init.normal_(conv.weight, generator=torch.Generator().manual_seed(int(conv is block.conv2)))
    residual, plain = (block(x) for block in made)
    if pre:
        torch.testing.assert_close(residual - x, plain)
    else:
        torch.testing.assert_close(residual, torch.relu(made[0].branch(x) + x))
        torch.testing.assert_close(plain, torch.relu(made[0].branch(x)))
    assert not torch.allclose(residual, plain)


def test_a_shortcut_that_changes_the_shape_keeps_every_other_pixel_and_adds_channels_of_zero():
    block = Block(2, 5, 2, residual=True, pre_activation=False, first=False, batch_norm=True, projection=False)
    x = torch.arange(2 * 7 * 7.0).view(1, 2, 7, 7)
    y = block.shortcut(x)
    assert y.shape == (1, 5, 4, 4)
    assert y[0, 1, 3, 2] == x[0, 1, 6, 4]
    assert y[0, 2:].abs().max() == 0


@pytest.mark.parametrize(("n", "published"), [(3, 0.27), (9, 0.85)])
def test_there_are_as_many_parameters_as_published(n, published):
    """He et al. 2015, table 6: ResNet-20 has 0.27 M, ResNet-56 0.85 M; shortcuts of zeros have none."""
    for residual in (True, False):
        net = ResNet(3, 10, n=n, width=16, stride=1, residual=residual)
        count = sum(p.numel() for p in net.parameters())
        assert round(count / 1e6, 2) == published
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) + 1 == 6 * n + 2 == ResNetConfig(n=n).depth


def test_maps_have_the_published_sizes():
    net, seen = ResNet(3, 10, n=2, width=16, stride=1, residual=True).eval(), []
    for block in net.blocks:
        block.register_forward_hook(lambda _, __, y: seen.append(tuple(y.shape[1:])))
    net(torch.zeros(1, 3, 32, 32))
    assert seen == [(16, 32, 32)] * 2 + [(32, 16, 16)] * 2 + [(64, 8, 8)] * 2
    config = ResNetConfig(data="cifar10", n=2, width=16, stride=1)
    assert [(c, side**2) for c, side, _ in (seen[0], seen[2], seen[4])] == list(config.stages)


@pytest.mark.parametrize("projection", [False, True], ids=["A", "B"])
def test_both_networks_begin_with_the_same_weights(projection):
    nets = [ResNet(1, 10, n=2, width=4, stride=2, residual=r, projection=projection) for r in (True, False)]
    for net in nets:
        initialise(net, generator(7, "weights"))
    residual, plain = (net.state_dict() for net in nets)
    assert all(torch.equal(value, residual[name]) for name, value in plain.items())
    assert {name.split(".", 2)[-1].split(".")[0] for name in residual.keys() - plain.keys()} <= {"projection"}
    assert bool(residual.keys() - plain.keys()) == projection


def test_initial_weights_have_the_variance_that_rectifiers_need():
    net = ResNet(1, 10, n=1, width=32, stride=1, residual=True, projection=True, batch_norm=False)
    initialise(net, generator(0, "weights"))
    for block in net.blocks:
        for conv in (block.conv1, block.conv2, *([block.projection[0]] if block.projection else [])):
            n_in = conv.weight[0].numel()
            assert conv.weight.var().item() == pytest.approx(2 / n_in, rel=0.08)
            assert conv.bias.abs().max() == 0
    assert net.linear.weight.var().item() == pytest.approx(1 / 128, rel=0.15)


def test_with_zero_gamma_every_block_passes_its_input_on():
    net = network()
    initialise(net, generator(0, "weights"), zero_gamma=True)
    for block in net.blocks:
        block.norm2.bias.data.zero_()
    x = pictures()
    torch.testing.assert_close(net.train()(x), net(x, [0.0] * 6))
    plain = ResNet(1, 10, n=1, width=2, stride=1, residual=False)
    initialise(plain, generator(0, "weights"), zero_gamma=True)
    assert min(block.norm2.weight.min().item() for block in plain.blocks) == 1


# Stochastic depth


def test_later_blocks_are_skipped_more_often():
    net = network(n=4, drop=0.6)
    assert net.survival == pytest.approx([1 - (i + 1) / 12 * 0.6 for i in range(12)])
    assert network(n=4, drop=0.6, residual=False).survival == [1.0] * 12
    rng, times = generator(0, "stochastic depth"), 3000
    gates = torch.tensor([sample_gates(net, rng) for _ in range(times)])
    assert set(gates.unique().tolist()) == {0.0, 1.0}
    for kept, p in zip(gates.mean(dim=0).tolist(), net.survival, strict=True):
        assert kept == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / times))


def test_a_test_takes_the_expectation_of_what_training_draws():
    block = network(n=1, pre_activation=True, drop=0.5).eval().blocks[2]
    x, p = rectified_input(), 0.7
    expected = p * block(x, 1.0) + (1 - p) * block(x, 0.0)
    torch.testing.assert_close(block(x, p), expected)
    net = network(drop=0.5).eval()
    weights = net.state_dict()
    expected = reference.logits(pictures(), weights, n=2, stride=1, residual=True, training=False, gates=net.survival)
    torch.testing.assert_close(net(pictures()), expected)


def rectified_input() -> Tensor:
    return pictures(channels=6).relu()


def test_a_skipped_branch_is_neither_learned_nor_normalised():
    net = network().train()
    before = copy.deepcopy(net.state_dict())
    net(pictures(), [1, 0, 1, 1, 1, 1]).sum().backward()
    skipped = dict(net.blocks[1].named_parameters())
    assert all(p.grad is None for p in skipped.values())
    assert all(p.grad is not None for p in net.blocks[0].parameters())
    assert torch.equal(net.blocks[1].norm1.running_mean, before["blocks.1.norm1.running_mean"])
    assert not torch.equal(net.blocks[0].norm1.running_mean, before["blocks.0.norm1.running_mean"])


# What is measured of a network


def test_statistics_of_the_batch_leave_the_running_ones_alone():
    net = network().eval()
    before = copy.deepcopy(net.state_dict())
    with batch_statistics(net):
        found = net(pictures())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not net.training
    torch.testing.assert_close(found, net.train()(pictures()))


def test_sizes_are_those_of_what_is_added_up():
    net, sizes = network(n=1).eval(), []
    x = net.norm(net.conv(pictures())).relu()
    net(pictures(), None, sizes)
    assert len(sizes) == 3 and isinstance(sizes[0], Sizes)
    first = net.blocks[0]
    branch = first.branch(x)
    assert sizes[0].shortcut.item() == pytest.approx((x**2).mean().sqrt().item())
    assert sizes[0].branch.item() == pytest.approx((branch**2).mean().sqrt().item())
    assert sizes[0].spread.item() == pytest.approx((x + branch).relu().std().item())
