"""The page of the generative adversarial network."""

from pages.parts.bench import bench

bench("gan")
