"""The page of the graph neural networks."""

from pages.parts.algorithm_page import algorithm_page

algorithm_page("gnn")
