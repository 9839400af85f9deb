"""What the DNN page teaches is true: every printed formula against torch."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import core.algorithms

FOLDER = Path(core.algorithms.__file__).parent / "dnn"
TEXTS = {lang: (FOLDER / f"learn.{lang}.md").read_text("utf-8") for lang in ("en", "zh")}


def printed(formula: str) -> None:
    """Both texts show ``formula``: what is computed next to this call is what a person reads."""
    for lang, text in TEXTS.items():
        assert formula in text, f"learn.{lang}.md does not print {formula}"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_back_propagation(rng: np.random.Generator) -> None:
    printed(r"z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}, \qquad a^{(l)} = \phi\bigl(z^{(l)}\bigr)")
    printed(r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad \ell = -\log p_y")
    printed(r"$\delta^{(L)} = p - e_y$")
    printed(r"\delta^{(l)} = \bigl(W^{(l+1)}\bigr)^{\top} \delta^{(l+1)} \odot \phi'\bigl(z^{(l)}\bigr)")
    printed(r"= \frac{1}{B} \sum_{i=1}^{B} \delta_i^{(l)} \bigl(a_i^{(l-1)}\bigr)^{\top}")
    printed(r"= \frac{1}{B} \sum_{i=1}^{B} \delta_i^{(l)}")
    widths, B = (3, 5, 4, 2), 6
    x, y = rng.normal(size=(B, 3)), rng.integers(0, 2, size=B)
    W = [rng.normal(size=(n_out, n_in)) for n_in, n_out in pairwise(widths)]
    b = [rng.normal(size=n_out) for n_out in widths[1:]]

    a, z = [x], []  # rows are examples, so that W a is a @ W.T
    for layer in range(3):
        z.append(a[-1] @ W[layer].T + b[layer])
        a.append(np.tanh(z[-1]))
    p = np.exp(z[-1]) / np.exp(z[-1]).sum(1, keepdims=True)
    delta = [np.zeros(0)] * 3
    delta[2] = p - np.eye(2)[y]
    for layer in (1, 0):
        delta[layer] = delta[layer + 1] @ W[layer + 1] * (1 - np.tanh(z[layer]) ** 2)

    layers = [nn.Linear(n_in, n_out, dtype=torch.float64) for n_in, n_out in pairwise(widths)]
    for layer, weight, bias in zip(layers, W, b, strict=True):
        layer.weight.data, layer.bias.data = torch.tensor(weight), torch.tensor(bias)
    loss = F.cross_entropy(
        nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])(torch.tensor(x)), torch.tensor(y)
    )
    loss.backward()
    np.testing.assert_allclose(-np.log(p[np.arange(B), y]).mean(), loss.item())
    for i, layer in enumerate(layers):
        np.testing.assert_allclose(np.einsum("bo,bi->oi", delta[i], a[i]) / B, layer.weight.grad)
        np.testing.assert_allclose(delta[i].mean(0), layer.bias.grad)


def test_error_of_the_squared_loss() -> None:
    printed(r"$\ell = (\hat y - y)^2$")
    printed(r"$2(\hat y - y)$")
    guess = torch.tensor(1.7, requires_grad=True)
    F.mse_loss(guess, torch.tensor(0.4)).backward()
    assert guess.grad is not None
    assert guess.grad.item() == pytest.approx(2 * (1.7 - 0.4))


def test_sigmoid_slope_is_at_most_a_quarter() -> None:
    printed(r"$\tfrac14$")
    z = torch.linspace(-10, 10, 2001, dtype=torch.float64, requires_grad=True)
    torch.sigmoid(z).sum().backward()
    assert z.grad is not None
    assert z.grad.max().item() == pytest.approx(1 / 4)


def test_without_activation_the_network_is_linear(rng: np.random.Generator) -> None:
    first, second, x = rng.normal(size=(5, 3)), rng.normal(size=(2, 5)), rng.normal(size=3)
    np.testing.assert_allclose(second @ (first @ x), (second @ first) @ x)


def test_initialisations() -> None:
    bound = r"\sqrt{\frac{6}{n_\text{in} + n_\text{out}}}"
    printed(rf"W_{{ij}} \sim \mathcal{{U}}\left[-{bound},\ {bound}\,\right]")
    printed(r"$2 / (n_\text{in} + n_\text{out})$")
    printed(r"W_{ij} \sim \mathcal{N}\left(0,\ \frac{2}{n_\text{in}}\right)")
    torch.manual_seed(0)
    n_in, n_out = 300, 500
    W = torch.empty(n_out, n_in)
    nn.init.xavier_uniform_(W)
    limit = (6 / (n_in + n_out)) ** 0.5
    assert limit * 0.999 < W.abs().max().item() <= limit
    assert W.var().item() == pytest.approx(2 / (n_in + n_out), rel=0.02)
    nn.init.kaiming_normal_(W, nonlinearity="relu")
    assert W.var().item() == pytest.approx(2 / n_in, rel=0.02)
    # the doubled variance keeps the size of a signal through ReLU
    x = torch.randn(2000, n_in)
    assert ((torch.relu(x @ W.T)) ** 2).mean().item() == pytest.approx((x**2).mean().item(), rel=0.05)


def steps_of(optimiser: type[torch.optim.Optimizer], **settings: float | bool) -> list[float]:
    """Eight steps of torch's own optimiser on a bent valley."""
    theta = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    made = optimiser([theta], **settings)  # type: ignore[call-arg]
    path = []
    for _ in range(8):
        made.zero_grad()
        (theta**4 / 4 + theta).backward()
        made.step()
        path.append(theta.item())
    return path


ETA, MU, RHO, BETA_1, BETA_2, EPSILON, DECAY = 0.05, 0.9, 0.99, 0.9, 0.999, 1e-8, 0.1


def slope(theta: float) -> float:
    return theta**3 + 1


def test_sgd_and_momentum() -> None:
    printed(r"\theta_t = \theta_{t-1} - \eta\, g_t")
    printed(r"v_t = \mu v_{t-1} + g_t, \quad \theta_t = \theta_{t-1} - \eta\, v_t")
    printed(r"v_t = \mu v_{t-1} + g_t, \quad \theta_t = \theta_{t-1} - \eta\,(g_t + \mu v_t)")
    sgd, momentum, nesterov = [1.5], [1.5], [1.5]
    v = w = 0.0
    for _ in range(8):
        sgd.append(sgd[-1] - ETA * slope(sgd[-1]))
        v = MU * v + slope(momentum[-1])
        momentum.append(momentum[-1] - ETA * v)
        g = slope(nesterov[-1])
        w = MU * w + g
        nesterov.append(nesterov[-1] - ETA * (g + MU * w))
    np.testing.assert_allclose(sgd[1:], steps_of(torch.optim.SGD, lr=ETA))
    np.testing.assert_allclose(momentum[1:], steps_of(torch.optim.SGD, lr=ETA, momentum=MU))
    np.testing.assert_allclose(nesterov[1:], steps_of(torch.optim.SGD, lr=ETA, momentum=MU, nesterov=True))


def test_rmsprop() -> None:
    printed(r"s_t = \rho s_{t-1} + (1 - \rho)\, g_t^2")
    printed(r"\theta_t = \theta_{t-1} - \eta\, \frac{g_t}{\sqrt{s_t} + \epsilon}")
    path, s = [1.5], 0.0
    for _ in range(8):
        g = slope(path[-1])
        s = RHO * s + (1 - RHO) * g**2
        path.append(path[-1] - ETA * g / (s**0.5 + EPSILON))
    np.testing.assert_allclose(path[1:], steps_of(torch.optim.RMSprop, lr=ETA, alpha=RHO, eps=EPSILON))


def test_adam_and_adamw() -> None:
    printed(r"m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t, & \hat m_t &= \frac{m_t}{1 - \beta_1^t}")
    printed(r"s_t &= \beta_2 s_{t-1} + (1 - \beta_2)\, g_t^2, & \hat s_t &= \frac{s_t}{1 - \beta_2^t}")
    printed(r"\theta_t &= \theta_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{\hat s_t} + \epsilon}")
    printed(r"$1 - \eta\lambda$")
    for decay in (0.0, DECAY):
        path, m, s = [1.5], 0.0, 0.0
        for t in range(1, 9):
            g = slope(path[-1])
            m, s = BETA_1 * m + (1 - BETA_1) * g, BETA_2 * s + (1 - BETA_2) * g**2
            update = m / (1 - BETA_1**t) / ((s / (1 - BETA_2**t)) ** 0.5 + EPSILON)
            path.append(path[-1] * (1 - ETA * decay) - ETA * update)
        settings = {"lr": ETA, "eps": EPSILON, "weight_decay": decay}
        np.testing.assert_allclose(path[1:], steps_of(torch.optim.AdamW, **settings))
        if not decay:
            np.testing.assert_allclose(path[1:], steps_of(torch.optim.Adam, **settings))


def test_batch_norm(rng: np.random.Generator) -> None:
    printed(r"\hat z = \frac{z - \mu_B}{\sqrt{\sigma_B^2 + \epsilon}}, \qquad \tilde z = \gamma \hat z + \beta")
    z, gamma, beta = rng.normal(2, 3, size=(8, 4)), rng.normal(size=4), rng.normal(size=4)
    norm = nn.BatchNorm1d(4, dtype=torch.float64)
    norm.weight.data, norm.bias.data = torch.tensor(gamma), torch.tensor(beta)
    expected = gamma * (z - z.mean(0)) / np.sqrt(z.var(0) + norm.eps) + beta
    np.testing.assert_allclose(norm(torch.tensor(z)).detach().numpy(), expected)


def test_dropout_keeps_the_expected_value() -> None:
    printed(r"\tilde a = \frac{m \odot a}{1 - p}, \qquad m_j \sim \text{Bernoulli}(1 - p)")
    torch.manual_seed(0)
    p, a = 0.3, torch.full((100_000,), 2.0)
    dropped = F.dropout(a, p, training=True)
    assert sorted(set(dropped.tolist())) == pytest.approx([0.0, 2.0 / (1 - p)])
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.01)
    assert dropped.mean().item() == pytest.approx(2.0, abs=0.02)
    assert torch.equal(F.dropout(a, p, training=False), a)


def test_softmax_twice_keeps_the_loss_high() -> None:
    """The mistake is as the text describes it: a sure and right answer still costs much."""
    logits, right = torch.tensor([[50.0, 0.0, 0.0]]), torch.tensor([0])
    assert F.cross_entropy(logits, right).item() < 1e-6
    assert F.cross_entropy(logits.softmax(1), right).item() > 0.5
