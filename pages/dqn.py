"""The page of deep Q-learning."""

from pages.parts.bench import bench

bench("dqn")
