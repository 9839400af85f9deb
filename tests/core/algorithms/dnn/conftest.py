"""What the tests of the perceptron share: the folder of fetched data."""

from tests.core.data.conftest import fetched

__all__ = ["fetched"]
