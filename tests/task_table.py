"""The evaluation's table at the end of a run: what each task took with all tools, and with the endpoints alone."""

from collections.abc import Sequence
from typing import Final

import pytest

ROW: Final = "task"
"""Under this name a test records its words and six figures."""

_HEADER: Final = f"{'':<70} {'all tools':^22} {'endpoints alone':^22}"
_COLUMNS: Final = f"{'task':<70} {'calls requests tokens':>22} {'calls requests tokens':>22}"

Row = tuple[str, Sequence[int]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    rows: list[Row] = [value for report in reports for name, value in report.user_properties if name == ROW]
    if not rows:
        return
    terminalreporter.section("tasks")
    for line in (_HEADER, _COLUMNS, *map(line_of, [*rows, total(rows)])):
        terminalreporter.line(line.rstrip())


def line_of(row: Row) -> str:
    words, figures = row
    cells = " ".join(f"{calls:>5} {requests:>8} {tokens:>7}" for calls, requests, tokens in (figures[:3], figures[3:]))
    return f"{words:<70.70} {cells}"


def total(rows: Sequence[Row]) -> Row:
    """The sums of the columns."""
    return "all of them", [sum(column) for column in zip(*(figures for _, figures in rows), strict=True)]
