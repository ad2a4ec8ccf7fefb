"""What commands print: tables, JSON and progress.

On a terminal tables have rules and progress is shown; in a pipe everything is plain and
quiet. A machine that only runs artifacts may lack rich; then everything is plain.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any

import click

from lxc.errors import printable

try:
    from rich.console import Console
    from rich.table import Table
except ImportError:
    HAS_RICH = False
else:
    HAS_RICH = True

Say = Callable[[str], None]

UNTRIED = "built, and checked without a card; code of this lxc has never run on one"
"""What is to be said of code for cards."""

EMULATED = "built; code of this lxc has run in an emulator, never on such a processor"
"""What is to be said of code for processors that are not x86-64."""


def print_json(value: Any) -> None:
    """Print one JSON document; numbers that JSON lacks become words: `nan`, `inf`."""
    click.echo(json.dumps(with_words(value), indent=2, allow_nan=False))


def with_words(value: Any) -> Any:
    """Return a value of JSON with words for what is not finite."""
    match value:
        case dict():
            return {key: with_words(entry) for key, entry in value.items()}
        case list() | tuple():
            return [with_words(entry) for entry in value]
        case float() if not isfinite(value):
            return str(value)
    return value


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows below the names of their columns."""
    title = on_one_line(title)
    texts = [[on_one_line(cell) for cell in row] for row in rows]
    if HAS_RICH and sys.stdout.isatty():
        table = Table(title=title, title_justify="left")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in texts:
            # Brackets are shapes here, not markup.
            table.add_row(*(cell.replace("[", "\\[") for cell in row))
        Console().print(table)
        return
    click.echo(f"{title}:")
    lines = [list(columns), *texts]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo(f"  {'  '.join(cells)}".rstrip())


def print_facts(facts: Sequence[tuple[str, Any]]) -> None:
    """Print names and values below each other."""
    width = max(len(name) for name, _ in facts) + 1
    for name, value in facts:
        click.echo(f"{name + ':':<{width}} {on_one_line(value)}")


def on_one_line(value: Any) -> str:
    """Return a value as text that can neither obey a terminal nor begin another line."""
    return printable(str(value)).replace("\n", "\\n")


@contextmanager
def progress(level: int) -> Iterator[Say]:
    """Yield a function that shows the current step: on a terminal, or with -v as lines."""
    if HAS_RICH and sys.stderr.isatty() and not level:
        with Console(stderr=True).status("") as status:
            yield status.update
        return

    def say(step: str) -> None:
        if level:
            click.echo(step, err=True)

    yield say


def bytes_text(count: int) -> str:
    """Return a number of bytes for people: `54.5 KB`."""
    if count < 1000:
        return f"{count} B"
    for unit, size in (("KB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if count < 1000 * size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e12:.1f} TB"
