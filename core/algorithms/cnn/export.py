"""What a recording keeps of a training: what it needs to classify, and for another run to begin with."""

from typing import Any


def inference_state(tree: dict[str, Any]) -> dict[str, Any]:
    """A saved state without the moments of the optimiser and the probabilities of the last evaluation."""
    return {name: part for name, part in tree.items() if name not in ("optimizer", "probabilities")}
