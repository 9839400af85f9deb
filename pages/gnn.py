"""The page of the graph neural networks."""

from pages.parts.bench import bench

bench("gnn")
