"""After which steps something is told: by the count of steps alone, never by the clock."""

#: Measurements of a run, and steps at its beginning after each of which there is one.
TOLD, DENSE = 64, 8


def told(step: int, end: int) -> bool:
    """Whether loss and likeness are measured after ``step`` of ``end`` steps; at both ends in any case."""
    return step <= DENSE or step % max(1, end // TOLD) == 0 or step == end


def asked(step: int, per_epoch: int) -> bool:
    """Whether a few analogies are asked: before the first step and after each epoch."""
    return step % per_epoch == 0
