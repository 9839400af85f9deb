"""When something is told: at steps that are dense at first and then ever farther apart, never by the clock."""


def told(step: int) -> bool:
    """Whether measurements of the training are told after ``step`` steps: all up to 512, then some 500 in each doubling."""
    return step % (1 << max(0, step.bit_length() - 9)) == 0


def evaluated(step: int, every: int) -> bool:
    """Whether the agent is evaluated after ``step`` steps; before the first, too."""
    return step % every == 0
