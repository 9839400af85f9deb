"""What the pages claim, measured: a test asserts through ``measured``; the end of the session prints all in a table.

A claim is a test with the marker ``claim``. One that measures nothing by name stands in the table under its own name.
"""

import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

#: Widths of the columns: claim, threshold, measured, seconds, outcome. With the gaps between them, at most 100.
_WIDTHS = (56, 12, 12, 8, 6)
_HEADS = ("claim", "threshold", "measured", "seconds", "")


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    test: str
    claim: str
    threshold: str
    value: str
    seconds: float
    passed: bool


_ROWS = pytest.StashKey[list[Row]]()

Measure = Callable[..., None]


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measure:
    """``measured(claim, value, at_least=…)``: notes the value for the table, then asserts that the claim holds.

    Bounds are ``at_least``, ``at_most`` (both may be given) or ``exactly``, for what is counted or named. The seconds
    of a claim are those since the one before it in its test.
    """
    since = time.monotonic()

    def measure(
        claim: str,
        value: float | str | bool,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        exactly: float | str | bool | None = None,
    ) -> None:
        nonlocal since
        bounds = [f"≥ {_shown(at_least)}"] if at_least is not None else []
        bounds += [f"≤ {_shown(at_most)}"] if at_most is not None else []
        bounds += [_shown(exactly)] if exactly is not None else []
        assert bounds, "a claim has a threshold"
        passed = (
            (at_least is None or value >= at_least)  # type: ignore[operator]
            and (at_most is None or value <= at_most)  # type: ignore[operator]
            and (exactly is None or value == exactly)
        )
        now = time.monotonic()
        row = Row(request.node.nodeid, claim, ", ".join(bounds), _shown(value), now - since, bool(passed))
        request.config.stash.setdefault(_ROWS, []).append(row)
        since = now
        assert passed, f"{claim}: {row.value}, and it has to be {row.threshold}"

    return measure


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, where claims were measured."""
    if "claim" not in config.getoption("markexpr", "").replace("not claim", ""):
        return
    rows = list(config.stash.get(_ROWS, []))
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            of_test = [row for row in rows if row.test == report.nodeid]
            counted = of_test if outcome == "passed" else [row for row in of_test if not row.passed]
            if not counted:  # it measured nothing by name, or failed elsewhere
                name = report.nodeid.split("::")[-1].removeprefix("test_").replace("_", " ")
                rows.append(Row(report.nodeid, name, "", "", getattr(report, "duration", 0.0), outcome == "passed"))
    terminalreporter.section("what the pages claim")
    terminalreporter.write("\n".join(table(rows)) + "\n")


def table(rows: list[Row]) -> list[str]:
    """Lines of at most 100 columns, the tests in the order of their files."""
    lines = [_line(*_HEADS), _line(*("─" * width for width in _WIDTHS))]
    for row in sorted(rows, key=lambda row: row.test.split("::")[0]):
        first, *more = textwrap.wrap(row.claim, _WIDTHS[0]) or [""]
        outcome = "passed" if row.passed else "FAILED"
        lines.append(_line(first, row.threshold, row.value, f"{row.seconds:.1f}", outcome))
        lines += [f"  {line}" for line in textwrap.wrap(" ".join(more), _WIDTHS[0] - 2)]
    failed = sum(not row.passed for row in rows)
    seconds = sum(row.seconds for row in rows)
    lines.append(f"{len(rows)} claims, {failed} failed, {seconds:.0f} s")
    return lines


def _line(claim: str, threshold: str, value: str, seconds: str, outcome: str) -> str:
    a, b, c, d, e = _WIDTHS
    return f"{claim:<{a}} {threshold:>{b}} {value:>{c}} {seconds:>{d}} {outcome:<{e}}".rstrip()


def _shown(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.4g}"
