"""The page of the deep neural network."""

from pages.parts.algorithm_page import algorithm_page

algorithm_page("dnn")
