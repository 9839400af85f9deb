"""What follows the count of steps: how much is left to chance, how batches are weighed, and when something is told."""

from core.algorithms.dqn.config import DQNConfig


def epsilon(config: DQNConfig, step: int) -> float:
    """Share of random actions after ``step`` steps: linear from the first to the last; all of them in the warm-up."""
    if not config.tabular and step < config.learning_starts:
        return 1.0
    left = max(0.0, 1 - step / config.epsilon_steps)
    return config.epsilon_end + left * (config.epsilon_start - config.epsilon_end)


def beta(config: DQNConfig, step: int) -> float:
    """Exponent of the importance weights: linear from ``config.beta`` to 1 while ε comes down."""
    return config.beta + (1 - config.beta) * min(1.0, step / config.epsilon_steps)


def told(step: int) -> bool:
    """Whether measurements are told after ``step`` steps: at all up to 512, then at 256 in each doubling."""
    return step % (1 << max(0, step.bit_length() - 9)) == 0


def evaluated(step: int, every: int) -> bool:
    """Whether the agent is evaluated after ``step`` steps; before the first, too."""
    return step % every == 0
