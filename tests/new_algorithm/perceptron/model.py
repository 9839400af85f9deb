"""One unit: the sigmoid of a weighted sum. Rosenblatt 1958, trained by the gradient of the logistic loss instead."""

import torch
from torch import nn


def unit(rng: torch.Generator) -> nn.Linear:
    """w (1, 2) and b (1,), drawn by ``rng``."""
    model = nn.utils.skip_init(nn.Linear, 2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.randn(1, 2, generator=rng))
        model.bias.zero_()
    return model
