"""The table of rows by columns, made from the reports of a test run.

Reports reach the process that prints the summary, whichever worker ran the tests, so the
table is put together there. `docs/conformance.md` is compared with it, or written with
`--bless`, when a run has a result for every row.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.rows import COLUMNS, rows

PAGE = Path(__file__).parent.parent.parent / "docs" / "conformance.md"
HEAD = """# Conformance

What every layer must do, row by row, and how it was tested: against an independent library
or numbers worked out by hand, in four columns. *eager* calls the layer on arrays and never
builds a graph; *interpreter* runs the optimised graph by the references of its ops; the
last two run machine code for the lowest and the highest CPU level that the machine has. A
dash means that the row says nothing about computation; the note says why.

`python -m pytest tests/conformance -n 2 --bless` runs the tests and writes this page.
"""


class Record:
    """Collects results by row and column."""

    def __init__(self, bless: bool) -> None:
        """With `bless`, a difference is written instead of reported."""
        self.bless = bless
        self.results: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.reasons: dict[str, set[str]] = defaultdict(set)
        self.stale = False

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of a test that pins rows."""
        noted: dict[str, Any] = dict(report.user_properties)
        if report.when != "call" and report.passed:
            return
        for name in noted.get("rows", ()):
            column = noted["column"]
            self.results[name, column].add("pass" if report.passed else "FAIL")
            if noted["because"]:
                self.reasons[name].add(noted["because"])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Compare the page with the table, or write it, if every row has a result."""
        if {name for name, _ in self.results} != set(rows()):
            return
        text = self.page()
        if self.bless:
            PAGE.write_text(text, "utf-8")
        elif text != PAGE.read_text("utf-8"):
            self.stale = True
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say that the page is stale."""
        if self.stale:
            words = "docs/conformance.md is stale: run the tests with --bless"
            terminalreporter.write_line(words, red=True)

    def page(self) -> str:
        """Return the page."""
        lines = [HEAD, self.totals()]
        previous = ""
        for name, (section, text) in rows().items():
            if section != previous:
                lines += [f"\n## {section}\n", header()]
                previous = section
            cells = [self.cell(name, column) for column in COLUMNS]
            note = "; ".join(sorted(self.reasons[name]))
            lines.append(f"| {name} | {text} | {' | '.join(cells)} | {note} |")
        return "\n".join(lines) + "\n"

    def cell(self, name: str, column: str) -> str:
        """Return what the table says about a row in a column."""
        found = self.results.get((name, column))
        if not found:
            return "-"
        return "FAIL" if "FAIL" in found else "pass"

    def totals(self) -> str:
        """Return how many rows pass in each column."""
        words = []
        for column in COLUMNS:
            cells = [self.cell(name, column) for name in rows()]
            tested = [cell for cell in cells if cell != "-"]
            words.append(f"{column} {tested.count('pass')} of {len(tested)}")
        return f"Rows: {len(rows())}. Passed: {', '.join(words)}."


def header() -> str:
    """Return the head of the table of one section."""
    return f"| row | what | {' | '.join(COLUMNS)} | note |\n|{'---|' * (len(COLUMNS) + 3)}"


def properties(item: pytest.Item) -> list[tuple[str, Any]]:
    """Return what the reports of a test carry: its rows, its column, and its note."""
    marks = list(item.iter_markers("row"))
    if not marks:
        return []
    given = getattr(item, "callspec", None)
    column = given.params.get("column") if given else None
    because = next((mark.args[1] for mark in marks if mark.args[1]), "")
    name = "eager" if column is None else column.name
    return [
        ("rows", [mark.args[0] for mark in marks]),
        ("column", name),
        ("because", because),
    ]
