"""What the toy's panels draw."""

import torch

from core.events import Array
from tests.toy.train import ToyState


def weights(state: ToyState) -> dict[str, Array]:
    return {"weights": torch.cat([p.detach().flatten() for p in state.model.parameters()]).cpu().numpy()}


SNAPSHOTS = {"weights": weights}
