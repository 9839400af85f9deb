"""What the CNN page teaches is true: every printed formula against torch."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import core.algorithms
from core.algorithms.cnn.config import CNNConfig

FOLDER = Path(core.algorithms.__file__).parent / "cnn"
TEXTS = {lang: (FOLDER / f"learn.{lang}.md").read_text("utf-8") for lang in ("en", "zh")}


def printed(formula: str) -> None:
    """Both texts show ``formula``: what is computed next to this call is what a person reads."""
    for lang, text in TEXTS.items():
        assert formula in text, f"learn.{lang}.md does not print {formula}"


@pytest.mark.parametrize(("k", "s", "p"), [(3, 1, 1), (5, 2, 0), (4, 3, 2)])
def test_convolution_and_the_number_of_its_places(k, s, p):
    printed(r"z_{o,i,j} = b_o + \sum_{c=1}^{C} \sum_{u=0}^{k-1} \sum_{v=0}^{k-1} w_{o,c,u,v}\;")
    printed(r"x_{c,\; s i + u - p,\; s j + v - p}")
    printed(r"m = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1")
    printed(r"$O(C k^2 + 1)$")
    rng = np.random.default_rng(0)
    n, C, O = 11, 2, 3  # noqa: E741 - as in the text
    x, w, b = rng.normal(size=(C, n, n)), rng.normal(size=(O, C, k, k)), rng.normal(size=O)
    z = F.conv2d(*(torch.tensor(a) for a in (x[None], w, b)), stride=s, padding=p)[0].numpy()
    m = (n + 2 * p - k) // s + 1
    assert z.shape == (O, m, m)
    assert w.size + b.size == O * (C * k**2 + 1)

    def pixel(c, row, column):
        return x[c, row, column] if 0 <= row < n and 0 <= column < n else 0.0

    for o, i, j in ((0, 0, 0), (1, m - 1, 0), (2, m // 2, m - 1)):
        places = [(c, u, v) for c in range(C) for u in range(k) for v in range(k)]
        total = b[o] + sum(w[o, c, u, v] * pixel(c, s * i + u - p, s * j + v - p) for c, u, v in places)
        assert z[o, i, j] == pytest.approx(total)


def test_receptive_field_of_two_blocks():
    printed(r"r' = r + (k - 1)\, j, \qquad j' = s\, j")
    r, j = 1, 1
    for k, s in ((3, 1), (2, 2), (3, 1), (2, 2)):
        r, j = r + (k - 1) * j, s * j
    assert (r, j) == (10, 4)
    assert "10 × 10" in TEXTS["en"] and "10 × 10" in TEXTS["zh"]
    last = [layer for layer in CNNConfig().layers() if layer.kind == "pooling"][-1]
    assert (last.field, last.jump) == (10, 4)


def test_grad_cam_and_fgsm_are_printed_as_they_are_tested():
    """``test_explain`` computes them so."""
    printed(r"\alpha_k^c = \frac{1}{Z} \sum_i \sum_j \frac{\partial y^c}{\partial A_{ij}^k}, \qquad")
    printed(r"L^c = \text{ReLU}\Bigl( \sum_k \alpha_k^c A^k \Bigr)")
    printed(r"\tilde x = x + \epsilon\, \text{sign}\bigl( \nabla_x\, \mathcal{L}(x, y) \bigr)")


def test_label_smoothing():
    printed(r"$1 - \epsilon_s + \epsilon_s / K$")
    printed(r"$\epsilon_s / K$")
    K, smoothing, logits, y = 5, 0.3, torch.randn(1, 5, generator=torch.Generator().manual_seed(0)), torch.tensor([2])
    wanted = torch.full((K,), smoothing / K)
    wanted[2] = 1 - smoothing + smoothing / K
    expected = -(wanted * logits.log_softmax(dim=1)).sum()
    torch.testing.assert_close(F.cross_entropy(logits, y, label_smoothing=smoothing), expected)


def test_lenet_s_sum_is_four_means():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    torch.testing.assert_close(4 * F.avg_pool2d(x, 2), F.conv2d(x, torch.ones(1, 1, 2, 2), stride=2))
