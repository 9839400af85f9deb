"""The page of the residual network."""

from pages.parts.algorithm_page import algorithm_page

algorithm_page("resnet")
