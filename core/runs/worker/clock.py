"""The training's own clock, which stands still in pauses."""

from time import perf_counter


class Clock:
    """Stands still until it is started.

    Attributes:
        before: seconds counted by earlier workers of this run, and by this one until it was last stopped.
    """

    def __init__(self) -> None:
        self.before = 0.0
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        return self.before + (perf_counter() - self._since if self._since is not None else 0.0)

    def start(self) -> None:
        self._since = perf_counter()

    def stop(self) -> None:
        self.before, self._since = self.seconds, None
