"""Grad-CAM, FGSM and what is recorded of a forward pass, against their formulas."""

import pytest
import torch
from torch.nn import functional as F

from core.algorithms.cnn.explain import grad_cam, recorded, sign_of_gradient, slope_of, slopes, smallest_change
from tests.core.algorithms.cnn.test_model import network, pictures


def test_grad_cam_is_its_two_equations():
    model = network(blocks=(3, 5), dense=(8,)).double()
    x, classes = pictures(2).double(), torch.tensor([3, 7])
    maps = torch.relu(model.features.convolution2(model.features[:3](x))).detach()
    for i, c in enumerate(classes.tolist()):
        A = maps[i : i + 1].clone().requires_grad_()
        logit = model.head(model.features.pooling2(A))[0, c]
        alpha = torch.autograd.grad(logit, A)[0].sum(dim=(2, 3)) / A[0, 0].numel()  # eq. 1
        expected = sum(a * m for a, m in zip(alpha[0], A[0].detach(), strict=True)).clamp(min=0)  # eq. 2
        torch.testing.assert_close(grad_cam(model, x, classes)[i], expected)


def test_grad_cam_under_global_average_pooling_is_the_class_activation_map():
    """With a mean over places and one linear layer α_k is the layer's weight over the number of places."""
    model = network(blocks=(4,), pooling="none", head="average")
    x, classes = pictures(3), torch.tensor([0, 4, 9])
    maps = model.features(x)
    expected = F.relu(torch.einsum("nk,nkhw->nhw", model.head.output.weight[classes], maps)) / maps[0, 0].numel()
    torch.testing.assert_close(grad_cam(model, x, classes), expected)


@pytest.mark.parametrize("settings", [{"frozen": True}, {"network": "lenet5"}])
def test_grad_cam_needs_no_trainable_convolutions_and_leaves_no_gradient(settings):
    model = network(**settings)
    found = grad_cam(model, pictures(), torch.tensor([0, 1, 2, 3]))
    assert found.shape[1] == (10 if settings.get("network") else 14) and found.abs().sum() > 0
    assert all(p.grad is None for p in model.parameters())


def test_the_sign_is_that_of_a_numeric_gradient():
    model = network(blocks=(3,), dense=(6,), activation="tanh", pooling="average").double()
    x, y = pictures(1).double(), torch.tensor([3])
    found, h = sign_of_gradient(model, x, y), 1e-5
    for row, column in ((3, 4), (10, 10), (14, 20), (27, 27), (0, 13)):
        up, down = x.clone(), x.clone()
        up[..., row, column] += h
        down[..., row, column] -= h
        slope = (F.cross_entropy(model(up), y) - F.cross_entropy(model(down), y)) / (2 * h)
        assert found[0, 0, row, column] == slope.sign()


def test_the_smallest_change_changes_and_a_smaller_one_does_not():
    model = network(blocks=(4,), dense=(16,))
    x = pictures(1)[0]
    y = model(x[None]).argmax()
    epsilon, changed, direction = smallest_change(model, x)
    assert 0 < epsilon <= 128 and changed.min() >= 0 and changed.max() <= 1
    assert model(changed[None]).argmax() != y
    assert (changed - x).abs().max().item() <= epsilon / 255 + 1e-6
    assert torch.equal(direction, sign_of_gradient(model, x[None], y[None])[0])
    for levels in range(1, epsilon):
        assert model((x + direction * levels / 255).clamp(0, 1)[None]).argmax() == y
    assert smallest_change(model, x, largest=epsilon - 1)[0] == 0


@pytest.mark.parametrize("settings", [{"batch_norm": True}, {"network": "mlp"}, {"network": "lenet5"}])
def test_every_layer_is_recorded_in_its_order(settings):
    model = network(**settings)
    with recorded(model) as record:
        model(pictures())
    model(pictures(1))  # no longer recorded
    names = {
        "mlp": ["dense1"],
        "lenet5": ["convolution1", "pooling1", "convolution2", "pooling2", "convolution3", "dense1"],
    }.get(settings.get("network"), ["convolution1", "pooling1", "convolution2", "pooling2", "dense1"])
    assert list(record.outputs) == names
    assert list(record.inputs) == [name for name in names if not name.startswith("pooling")]
    activation = slope_of(model)
    for name, z in record.inputs.items():
        torch.testing.assert_close(record.outputs[name], activation(z))
        assert len(z) == 4


def test_slopes_are_those_of_the_activation():
    z = torch.tensor([-2.0, -0.5, 0.5, 2.0])
    assert slopes(torch.nn.ReLU(), z).tolist() == [0, 0, 1, 1]
    torch.testing.assert_close(slopes(torch.nn.Tanh(), z), 1 - torch.tanh(z) ** 2)
