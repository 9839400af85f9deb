"""The page of the convolutional network."""

from pages.parts.algorithm_page import algorithm_page

algorithm_page("cnn")
