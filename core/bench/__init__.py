"""``python -m core bench``: what the engine costs, measured on a real server, real workers and real sockets."""

from collections.abc import Sequence


def main(arguments: Sequence[str] = ()) -> int:
    """Measure and print; the exit status is 0 unless it could not be run."""
    from core.bench import report

    return report.main(arguments)
