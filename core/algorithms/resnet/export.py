"""What a recording keeps of both networks: what they need to predict, not what they need to train on."""

from typing import Any


def inference_state(tree: dict[str, Any]) -> dict[str, Any]:
    """A saved state without the optimiser's momentum."""
    return {name: part for name, part in tree.items() if name != "optimizer"}
