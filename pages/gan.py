"""The page of the generative adversarial network."""

from pages.parts.algorithm_page import algorithm_page

algorithm_page("gan")
