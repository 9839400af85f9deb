"""What the page claims of each preset, measured."""

import pytest

from tests.core.algorithms.trial import run, start

pytestmark = pytest.mark.claim


@pytest.mark.parametrize("name", ["apart"])
def test_two_clouds_are_separated(name: str) -> None:
    assert run("perceptron", start("perceptron", {}), 200).last("test/accuracy") == 1.0
