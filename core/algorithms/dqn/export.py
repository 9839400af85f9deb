"""What a recording keeps of an agent: what it needs to play, not what it needs to learn on."""

from typing import Any


def inference_state(tree: dict[str, Any]) -> dict[str, Any]:
    """A saved state without replay buffer, target network and the moments of the optimiser."""
    return {name: part for name, part in tree.items() if name not in ("replay_buffer", "target_network", "optimizer")}
