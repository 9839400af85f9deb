"""The unit's own test."""

from tests.core.algorithms.trial import start


def test_it_has_two_weights_and_a_bias() -> None:
    assert sum(p.numel() for p in start("perceptron", {}).model.parameters()) == 3
