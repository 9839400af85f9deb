"""The networks against torch's own layers, hand-worked cases and their paper."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.algorithms.cnn import sizes
from core.algorithms.cnn.config import CNNConfig
from core.algorithms.cnn.model import (
    Dropout,
    PartialConvolution,
    Squash,
    Subsampling,
    make_network,
)
from core.training import generator


def network(seed=0, **settings):
    config = CNNConfig(**settings)
    return make_network(config, generator(seed, "weights"), Dropout(generator(seed, "dropout"))).eval()


def pictures(n=4, channels=1, side=28):
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(1))


def by_hand(x, weight, bias, stride, padding):
    """A convolution as its formula has it, one product after the other."""
    n, channels, height, width = x.shape
    outputs, _, k, _ = weight.shape
    padded = np.zeros((n, channels, height + 2 * padding, width + 2 * padding))
    padded[:, :, padding : padding + height, padding : padding + width] = x
    rows, columns = ((side + 2 * padding - k) // stride + 1 for side in (height, width))
    z = np.zeros((n, outputs, rows, columns))
    for i in range(rows):
        for j in range(columns):
            for u in range(k):
                for v in range(k):
                    z[:, :, i, j] += padded[:, :, stride * i + u, stride * j + v] @ weight[:, :, u, v].T
    return z + bias[:, None, None]


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (5, 2, 2), (2, 3, 0), (1, 1, 0)])
def test_a_convolution_is_its_formula(kernel, stride, padding):
    model = network(blocks=(3,), kernel=kernel, stride=stride, padding=padding, pooling="none", data="digits")
    first = model.features.convolution1
    with torch.no_grad():
        first.bias.copy_(torch.tensor([0.5, -1.0, 2.0]))
    x = pictures(2, side=8)
    expected = by_hand(x.numpy(), first.weight.detach().numpy(), first.bias.detach().numpy(), stride, padding)
    np.testing.assert_allclose(first(x).detach().numpy(), expected, atol=1e-5)
    layer = CNNConfig(
        blocks=(3,), kernel=kernel, stride=stride, padding=padding, pooling="none", data="digits"
    ).layers()[0]
    assert layer.shape == expected.shape[1:]


def test_pooling_takes_the_largest_or_the_mean_of_four():
    x = torch.tensor([[[[1.0, 5.0, 0.0, 2.0], [3.0, -1.0, 4.0, 2.0]]]])
    for pooling, expected in (("max", [[5.0, 4.0]]), ("average", [[2.0, 2.0]])):
        pool = network(blocks=(1,), pooling=pooling).features.pooling1
        assert pool(x)[0, 0].tolist() == expected


def test_the_whole_network_is_torch_s_own_layers_in_a_row():
    model = network(blocks=(4, 6), batch_norm=True, dense=(10,), activation="tanh")
    with torch.no_grad():
        for norm in (model.features.norm1, model.features.norm2):
            norm.running_mean.uniform_(-1, 1)
            norm.running_var.uniform_(0.5, 2)
            norm.weight.uniform_(0.5, 2)
    x, w = pictures(), model.state_dict()
    for i in (1, 2):
        z = F.conv2d(x, w[f"features.convolution{i}.weight"], w[f"features.convolution{i}.bias"], padding=1)
        mean, variance, gamma, beta = (
            w[f"features.norm{i}.{name}"][:, None, None] for name in ("running_mean", "running_var", "weight", "bias")
        )
        x = F.max_pool2d(torch.tanh((z - mean) / (variance + 1e-5).sqrt() * gamma + beta), 2)
    x = torch.tanh(x.flatten(1) @ w["head.dense1.weight"].T + w["head.dense1.bias"])
    x = x @ w["head.output.weight"].T + w["head.output.bias"]
    torch.testing.assert_close(model(pictures()), x)


def test_global_average_pooling_reads_the_mean_of_each_map():
    model = network(blocks=(4, 6), head="average", dense=(50,))
    maps = model.features(pictures())
    expected = F.linear(maps.mean(dim=(2, 3)), model.head.output.weight, model.head.output.bias)
    torch.testing.assert_close(model(pictures()), expected)
    assert not hasattr(model.head, "dense1")


def test_a_shifted_picture_shifts_the_maps():
    model = network(blocks=(4,), pooling="none", padding=1)
    x = torch.zeros(1, 1, 28, 28)
    x[..., 8:18, 8:18] = pictures(1, side=10)
    moved = torch.roll(x, (3, -2), (2, 3))
    torch.testing.assert_close(torch.roll(model.features(x), (3, -2), (2, 3)), model.features(moved))


# Sizes

NETWORKS = {
    "default": {},
    "strided": {"blocks": (5, 7), "kernel": 5, "stride": 2, "padding": 1, "pooling": "none", "batch_norm": True},
    "average": {"blocks": (16, 32, 64), "head": "average"},
    "colour": {"data": "shapes", "blocks": (8,), "dense": ()},
    "deep": {"blocks": (4, 4, 4, 4), "dense": (12, 7)},
    "mlp": {"network": "mlp"},
    "lenet5": {"network": "lenet5"},
    "second half": {"subset": "second"},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_and_shapes_are_those_of_the_network_built(name):
    config, model = CNNConfig(**NETWORKS[name]), network(**NETWORKS[name])
    layers = config.layers()
    built = sum(p.numel() for p in model.parameters())
    unused = 0
    if name == "lenet5":  # weights of C3 that the table leaves out
        unused = int((model.features.convolution2.joined == 0).sum()) * 25
    assert sum(layer.parameters for layer in layers) == built - unused
    maps = model.features(pictures(1, *config.image_shape[:2]))
    if config.network != "mlp":
        last = next(la for la in reversed(layers) if la.kind in ("convolution", "pooling"))
        assert tuple(maps.shape[1:]) == last.shape
    assert model(pictures(1, *config.image_shape[:2])).shape == (1, config.outputs)


def test_multiplications_are_those_of_a_hand_worked_case():
    # 28 × 28 places of 3 × 3 × 1 × 16 weights, 14 × 14 of 3 × 3 × 16 × 32, and the dense layers.
    expected = 784 * 9 * 16 + 196 * 9 * 16 * 32 + 7 * 7 * 32 * 64 + 64 * 10
    assert sum(layer.multiplications for layer in CNNConfig().layers()) == expected
    assert sum(layer.parameters for layer in CNNConfig().layers()) == 105_866
    average = CNNConfig(blocks=(16, 32, 64), head="average").layers()
    assert sum(layer.parameters for layer in average) == 23_946


@pytest.mark.parametrize("settings", [{}, {"blocks": (8, 8, 8)}, {"batch_norm": True}, {"data": "shapes"}])
def test_the_perceptron_has_as_many_parameters_to_within_half_a_unit(settings):
    both = [sum(layer.parameters for layer in CNNConfig(**settings, network=n).layers()) for n in ("cnn", "mlp")]
    config = CNNConfig(**settings)
    assert abs(both[0] - both[1]) <= (math.prod(config.image_shape) + 1 + config.outputs) / 2


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "mlp"])
def test_the_receptive_field_is_where_the_gradient_comes_from(name):
    settings = NETWORKS[name] | ({"pooling": "average"} if NETWORKS[name].get("pooling", "max") == "max" else {})
    config, model = CNNConfig(**settings), network(**settings)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.abs() + 0.01)  # nothing cancels, nothing is dead
    x = pictures(1, *config.image_shape[:2]).requires_grad_()
    found, of = {}, {}
    value, names = x, iter([la for la in config.layers() if la.kind in ("convolution", "pooling")])
    for module in model.features:
        value = module(value)
        if isinstance(module, nn.Conv2d | nn.AvgPool2d | Subsampling):
            layer = next(names)
            of[layer], found[layer] = layer, value
    for layer, maps in found.items():
        row, column = (n // 2 for n in maps.shape[2:])
        gradient = torch.autograd.grad(maps[0, 0, row, column], x, retain_graph=True)[0][0].abs().sum(dim=0)
        rows, columns = (gradient.sum(dim=1 - d).nonzero().flatten() for d in (0, 1))
        side = config.image_shape[1]
        for place, seen in ((row, rows), (column, columns)):
            first = layer.start + layer.jump * place
            assert (seen.min(), seen.max()) == (max(first, 0), min(first + layer.field, side) - 1), layer


# LeNet-5


def test_lenet5_has_the_parameters_of_its_paper():
    counts = [layer.parameters for layer in CNNConfig(network="lenet5").layers()]
    assert counts == [156, 12, 1516, 32, 48_120, 10_164, 850]  # section II.B, but for the outputs
    assert sum(counts[:-1]) == 60_000
    assert [layer.shape[1] for layer in CNNConfig(network="lenet5").layers()][:5] == [28, 14, 10, 5, 1]


def test_the_table_joins_maps_as_the_paper_says():
    sizes_of = [len(maps) for maps in sizes.LENET_TABLE]
    assert sizes_of == [3] * 6 + [4] * 9 + [6]
    # Each map of S2 is read by ten of C3's.
    assert [sum(m in maps for maps in sizes.LENET_TABLE) for m in range(6)] == [10] * 6
    assert len(set(sizes.LENET_TABLE)) == 16


def test_a_map_of_c3_reads_only_those_of_its_row():
    layer = PartialConvolution(6, sizes.LENET_TABLE, 5)
    x = pictures(1, 6, 14).requires_grad_()
    for row, maps in enumerate(sizes.LENET_TABLE):
        gradient = torch.autograd.grad(layer(x)[0, row].sum(), x)[0][0].abs().sum(dim=(1, 2))
        assert gradient.nonzero().flatten().tolist() == list(maps)


def test_squashing_and_sub_sampling_are_those_of_the_paper():
    torch.testing.assert_close(Squash()(torch.tensor([1.0, -1.0])), torch.tensor([1.0, -1.0]), atol=1e-4, rtol=0)
    layer = Subsampling(2)
    with torch.no_grad():
        layer.weight[:, 0, 0], layer.bias[:, 0, 0] = torch.tensor([2.0, 0.5]), torch.tensor([1.0, -1.0])
    x = torch.arange(16.0).view(1, 2, 2, 4)
    assert layer(x)[0, :, 0].tolist() == [[2 * (0 + 1 + 4 + 5) + 1, 2 * (2 + 3 + 6 + 7) + 1],
                                          [0.5 * (8 + 9 + 12 + 13) - 1, 0.5 * (10 + 11 + 14 + 15) - 1]]  # fmt: skip


# Weights and masks


def test_initial_weights_have_the_deviation_of_the_papers():
    model = network(blocks=(64, 128), dense=(256,))
    for layer, gain in ((model.features.convolution2, 2.0), (model.head.dense1, 2.0)):
        W = layer.weight.detach()
        assert W.var().item() == pytest.approx(gain / W[0].numel(), rel=0.03)
        assert not layer.bias.any()
    lenet = network(network="lenet5")
    C3 = lenet.features.convolution2
    for row, maps in enumerate(sizes.LENET_TABLE):
        limit = 2.4 / (25 * len(maps))
        assert 0.9 * limit < C3.weight[row].abs().max().item() <= limit


def test_dropout_zeroes_its_share_keeps_the_mean_and_draws_from_its_own_generator():
    layer = Dropout(torch.Generator().manual_seed(0))
    layer.p = 0.25
    held = torch.get_rng_state()
    out = layer(torch.ones(100_000))
    assert torch.equal(held, torch.get_rng_state())
    assert (out == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert out.mean().item() == pytest.approx(1.0, abs=0.01)
    torch.testing.assert_close(layer.eval()(torch.ones(5)), torch.ones(5))


def test_a_frozen_network_keeps_its_batch_norm_as_it_was():
    model = network(batch_norm=True, frozen=True).train()
    before = {name: value.clone() for name, value in model.features.state_dict().items()}
    model(pictures()).sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in model.features.state_dict().items())
    assert all(p.grad is None for p in model.features.parameters())
    assert all(p.grad is not None for p in model.head.parameters())
