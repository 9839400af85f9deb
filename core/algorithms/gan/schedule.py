"""After which updates something is told: by the count of steps alone, so that a seed gives one curve anywhere."""

from core.algorithms.gan.config import GANConfig

#: Updates between two evaluations of generated samples, once there were so many.
EVALUATE = 256
#: Largest spacing of what is told: points in the plane take a thousand updates a second, images less.
SPARSEST, SPARSEST_IMAGES = 32, 8


def spacing(config: GANConfig, step: int) -> int:
    """1 up to step 63, then doubled with the steps up to a fixed one; from step 131,072 on doubled again."""
    bits = step.bit_length()
    sparsest = SPARSEST if config.flat else SPARSEST_IMAGES
    return max(min(1 << max(0, bits - 6), sparsest), 1 << max(0, bits - 12))


def told(config: GANConfig, step: int) -> bool:
    """Whether anything is told after ``step`` updates."""
    return step % spacing(config, step) == 0


def noted(config: GANConfig, step: int) -> bool:
    """Whether the update that leads to ``step`` is to be measured: one of the last round before something is told."""
    every = spacing(config, step)
    return -step % every < config.d_steps + config.g_steps


def evaluated(config: GANConfig, step: int) -> bool:
    """Whether generated samples are looked at after ``step`` updates: at 0, 16, 32, … and at each 256."""
    every = max(EVALUATE, spacing(config, step))
    return step % every == 0 or (16 <= step < every and step & (step - 1) == 0)
