"""The toy's own tests run where it is installed, in a copy of the project."""

collect_ignore = ["perceptron_tests"]
