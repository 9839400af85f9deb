"""The network against independent oracles: PyTorch's own modules, formulas, numbers worked out by hand."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.algorithms.dnn.config import DNNConfig
from core.algorithms.dnn.model import ACTIVATIONS, MLP, add_penalty_gradients, initialise, loss_function
from core.algorithms.dnn.train import make_optimizer

TWIN = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "identity": nn.Identity,
}


def network(widths=(3, 7, 5, 4), activation="tanh", batch_norm=False, seed=0, how="xavier", scale=1.0):
    draw = torch.Generator().manual_seed(seed)
    model = MLP(widths, activation, batch_norm=batch_norm, generator=torch.Generator().manual_seed(9))
    initialise(model, how, scale, draw)
    for layer in model.layers:  # biases too, so that they count in a comparison
        nn.init.normal_(layer.bias, generator=draw)
    return model


def twin_of(model: MLP) -> nn.Sequential:
    """The same network of PyTorch's own parts, with the same weights."""
    parts: list[nn.Module] = []
    for i, layer in enumerate(model.layers):
        copy = nn.Linear(layer.in_features, layer.out_features)
        copy.load_state_dict(layer.state_dict())
        parts.append(copy)
        if i < len(model.layers) - 1:
            if model.norms is not None:
                parts.append(nn.BatchNorm1d(layer.out_features))
            parts.append(TWIN[model.activation]())
    return nn.Sequential(*parts)


def examples(classes: int, n=16, features=3):
    draw = torch.Generator().manual_seed(4)
    x = torch.randn(n, features, generator=draw)
    y = torch.randint(classes, (n,), generator=draw) if classes > 1 else torch.randn(n, generator=draw)
    return x, y


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_values_and_gradients_are_those_of_a_sequential_twin(activation, batch_norm):
    model = network(activation=activation, batch_norm=batch_norm)
    twin = twin_of(model)
    x, y = examples(4)
    F.cross_entropy(twin(x), y).backward()
    loss_function(model(x), y, "cross_entropy").backward()
    torch.testing.assert_close(model(x), twin(x))
    for ours, theirs in zip(weights_and_biases(model), weights_and_biases(twin), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def weights_and_biases(model: nn.Module):
    return [p for m in model.modules() if isinstance(m, nn.Linear) for p in m.parameters()]


ORACLES = {
    ("cross_entropy", 4): nn.CrossEntropyLoss(),
    ("squared", 4): lambda z, y: ((F.softmax(z, 1) - torch.eye(4)[y]) ** 2).sum() / len(y),
    ("squared", 1): lambda z, y: nn.MSELoss()(z.squeeze(1), y),
    ("absolute", 1): lambda z, y: nn.L1Loss()(z.squeeze(1), y),
    ("huber", 1): lambda z, y: nn.HuberLoss()(z.squeeze(1), y),
}


@pytest.mark.parametrize(("criterion", "outputs"), ORACLES)
def test_losses_and_their_gradients_are_those_of_their_definition(criterion, outputs):
    z = (3 * torch.randn(20, outputs, generator=torch.Generator().manual_seed(1))).requires_grad_()
    _, y = examples(outputs, n=20)
    ours = loss_function(z, y, criterion)
    theirs = ORACLES[criterion, outputs](z, y)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, z)[0], torch.autograd.grad(theirs, z)[0])


OPTIMISERS = {
    "sgd": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.8),
    "nesterov": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.8, nesterov=True),
    "rmsprop": lambda p, lr: torch.optim.RMSprop(p, lr),
    "adam": lambda p, lr: torch.optim.Adam(p, lr, weight_decay=0.0, foreach=False, fused=False),
    "adamw": lambda p, lr: torch.optim.AdamW(p, lr, weight_decay=0.0, foreach=False, fused=False),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_weights_after_three_steps_are_those_of_a_twin(name):
    model = network()
    twin = twin_of(model)
    config = DNNConfig(optimizer=name, lr=0.02, momentum=0.8)
    ours, theirs = make_optimizer(model, config), OPTIMISERS[name](twin.parameters(), 0.02)
    x, y = examples(4)
    for _ in range(3):
        for net, optimiser in ((model, ours), (twin, theirs)):
            optimiser.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimiser.step()
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_slopes_are_those_of_autograd(activation):
    function, slope = ACTIVATIONS[activation]
    z = torch.linspace(-6, 6, 240, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(slope(z.detach()), torch.autograd.grad(function(z).sum(), z)[0])


@pytest.mark.parametrize(
    ("how", "activation", "variance"),
    [
        ("xavier", "tanh", 2 / (400 + 300)),
        ("kaiming", "relu", 2 / 400),
        ("kaiming", "leaky_relu", 2 / ((1 + 0.01**2) * 400)),
        ("normal", "tanh", 0.3**2),
        ("zeros", "tanh", 0.0),
    ],
)
def test_initial_weights_have_the_variance_of_the_papers(how, activation, variance):
    model = MLP((400, 300), activation, batch_norm=False, generator=torch.Generator())
    initialise(model, how, 0.3, torch.Generator().manual_seed(2))
    W = model.weights[0].detach()
    assert W.var().item() == pytest.approx(variance, rel=0.02)  # 120,000 weights: 0.4 % is one deviation
    assert abs(W.mean().item()) < 4 * math.sqrt(variance / W.numel()) + 1e-12
    assert not model.layers[0].bias.any()
    if how == "xavier":  # uniform up to the limit of eq. 16
        limit = math.sqrt(6 / (400 + 300))
        assert limit * 0.999 < W.abs().max().item() <= limit


def test_kaiming_keeps_the_signal_through_many_rectified_layers_and_xavier_does_not():
    def last_square(how):
        model = MLP((256,) * 20 + (1,), "relu", batch_norm=False, generator=torch.Generator())
        initialise(model, how, 1.0, torch.Generator().manual_seed(0))
        pre_activations = []
        model(torch.randn(64, 256, generator=torch.Generator().manual_seed(1)), pre_activations)
        return pre_activations[-1].square().mean().item()

    assert 0.2 < last_square("kaiming") / 2 < 5
    assert last_square("xavier") < 1e-3


def test_l1_and_l2_add_their_gradients_by_hand():
    model = network()
    x, y = examples(4)
    loss_function(model(x), y, "cross_entropy").backward()
    plain = [p.grad.clone() for p in model.parameters()]
    add_penalty_gradients(model, 0.03, 0.2)
    for (name, p), g in zip(model.named_parameters(), plain, strict=True):
        expected = g + 0.2 * p.detach() + 0.03 * p.detach().sign() if name.endswith("weight") else g
        torch.testing.assert_close(p.grad, expected)


def test_l2_of_adamw_is_decoupled_decay_of_the_weights_alone():
    model, plain = network(), network()
    decayed = make_optimizer(model, DNNConfig(optimizer="adamw", lr=0.1, l2=0.5))
    without = make_optimizer(plain, DNNConfig(optimizer="adamw", lr=0.1, l2=0.0))
    x, y = examples(4)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for net, optimiser in ((model, decayed), (plain, without)):
        loss_function(net(x), y, "cross_entropy").backward()
        optimiser.step()
    for (name, a), b in zip(model.named_parameters(), plain.parameters(), strict=True):
        decay = 0.1 * 0.5 * before[name] if name.endswith("weight") else torch.zeros_like(a)
        torch.testing.assert_close(a, b - decay, rtol=1e-5, atol=1e-6)


def test_dropout_keeps_the_expected_value_and_rests_at_a_test():
    model = MLP((1, 4000, 1), "identity", batch_norm=False, generator=torch.Generator().manual_seed(0))
    initialise(model, "zeros", 1.0, torch.Generator())
    with torch.no_grad():
        model.layers[0].bias.fill_(1.0)
        model.layers[1].weight.fill_(1 / 4000)
    model.dropout = 0.25
    x = torch.zeros(50, 1)
    out = model(x)
    assert out.mean().item() == pytest.approx(1.0, abs=0.01)
    assert out.std().item() == pytest.approx(math.sqrt(0.25 / 0.75 / 4000), rel=0.35)
    model.eval()
    torch.testing.assert_close(model(x), torch.ones(50, 1))
    model.train()
    assert not torch.equal(model(x), model(x))


def test_dropout_draws_from_its_own_generator():
    model = network()
    model.dropout = 0.5
    x, _ = examples(4)
    torch.manual_seed(0)
    held = torch.get_rng_state()
    model.generator.manual_seed(3)
    first = model(x)
    model.generator.manual_seed(3)
    torch.testing.assert_close(first, model(x))
    assert torch.equal(held, torch.get_rng_state())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_reach_every_parameter(activation):
    model = network(activation=activation, batch_norm=True)
    x, y = examples(4, n=64)
    loss_function(model(x), y, "cross_entropy").backward()
    for name, p in model.named_parameters():
        if "layers" in name and name.endswith("bias") and not name.startswith("layers.2"):
            continue  # batch norm takes any bias before it away again
        assert p.grad is not None, name
        assert p.grad.abs().max() > 1e-8, name
