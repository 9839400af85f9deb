"""The page of the deep neural network."""

from pages.parts.bench import bench

bench("dnn")
