"""The page of deep Q-learning."""

from pages.parts.algorithm_page import algorithm_page

algorithm_page("dqn")
